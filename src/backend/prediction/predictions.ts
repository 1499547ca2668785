import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { CodedError } from '../../core/contract/errors.ts'
import type { Axis, Dims, LabelSlice } from '../../core/contract/schemas.ts'
import { extractSlice, sliceExtent, writeSlice } from '../../core/labelmap/index.ts'
import { refuseSlide, type CaseRecord, type Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { blob, int, text } from '../project/rows.ts'

export interface PredictedSlice {
  readonly index: number
  /** One label a pixel, ascending axes, the lower one fastest. */
  readonly data: Uint8Array<ArrayBuffer>
}

/** A whole predicted layer: 0 where nothing was predicted. */
export interface PredictionVolume {
  readonly labels: Uint8Array<ArrayBuffer>
  /** By index across the training axis: 1 where that slice was predicted. */
  readonly predicted: Uint8Array
  readonly modelId: string | null
  readonly revision: number
}

/** What models predicted, slice by slice across the training axis, kept in the project so that a restart shows it. */
export class Predictions {
  readonly #db: Database
  readonly #cases: Cases
  /** The one layer that is looked at in other planes or being accepted. */
  #assembled: { caseId: string; volume: PredictionVolume } | null = null

  constructor(db: Database, cases: Cases) {
    this.#db = db
    this.#cases = cases
  }

  store(caseId: string, modelId: string, revision: number, slices: readonly PredictedSlice[]): void {
    this.#db.transaction(() => {
      for (const slice of slices) {
        this.#db.run(
          `INSERT INTO predictions VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET model_id = excluded.model_id,
             revision = excluded.revision, labels = excluded.labels`,
          caseId,
          slice.index,
          modelId,
          revision,
          deflateRawSync(slice.data, { level: 1 }),
        )
      }
    })
    if (this.#assembled?.caseId === caseId) this.#assembled = null
  }

  /** Ascending indices of the predicted slices, of whatever model. */
  indices(caseId: string): number[] {
    return this.#db
      .all('SELECT slice FROM predictions WHERE case_id = ? ORDER BY slice', caseId)
      .map((row) => int(row, 'slice'))
  }

  /** Gives up all predictions of a case: they were made of another view of it. */
  forget(caseId: string): void {
    this.#db.run('DELETE FROM predictions WHERE case_id = ?', caseId)
    if (this.#assembled?.caseId === caseId) this.#assembled = null
  }

  slice(caseId: string, axis: Axis, index: number): LabelSlice {
    const { dims, trainingAxis } = this.#geometry(caseId)
    if (index >= dims[axis]) throw new CodedError('bad-request', `There is no slice ${index}.`)
    const [width, height] = sliceExtent(dims, axis)
    if (axis !== trainingAxis) {
      const { labels, modelId, revision } = this.volume(caseId)
      return { width, height, data: extractSlice(labels, dims, axis, index), revision, modelId }
    }
    const row = this.#db.get(
      'SELECT model_id, revision, labels FROM predictions WHERE case_id = ? AND slice = ?',
      caseId,
      index,
    )
    if (row === undefined) return { width, height, data: new Uint8Array(width * height), revision: 0, modelId: null }
    return {
      width,
      height,
      data: inflate(blob(row, 'labels'), width * height),
      revision: int(row, 'revision'),
      modelId: text(row, 'model_id'),
    }
  }

  #geometry(caseId: string): Pick<CaseRecord, 'dims' | 'trainingAxis'> {
    const record = this.#cases.get(caseId)
    refuseSlide(record)
    return record
  }

  /** The layer as one volume in file order; `modelId` and `revision` are those of its newest slices. */
  volume(caseId: string): PredictionVolume {
    if (this.#assembled?.caseId === caseId) return this.#assembled.volume
    const { dims, trainingAxis } = this.#geometry(caseId)
    const volume = this.#assemble(caseId, dims, trainingAxis)
    this.#assembled = { caseId, volume }
    return volume
  }

  /** The layer with one slice across the training axis alone, for which the others need not be unpacked. */
  volumeOfSlice(caseId: string, index: number): PredictionVolume {
    if (this.#assembled?.caseId === caseId) return this.#assembled.volume
    const { dims, trainingAxis } = this.#geometry(caseId)
    const { data, modelId, revision } = this.slice(caseId, trainingAxis, index)
    const labels = new Uint8Array(dims[0] * dims[1] * dims[2])
    const predicted = new Uint8Array(dims[trainingAxis])
    if (modelId !== null) {
      writeSlice(labels, dims, trainingAxis, index, data)
      predicted[index] = 1
    }
    return { labels, predicted, modelId, revision }
  }

  #assemble(caseId: string, dims: Dims, axis: Axis): PredictionVolume {
    const labels = new Uint8Array(dims[0] * dims[1] * dims[2])
    const predicted = new Uint8Array(dims[axis])
    const [width, height] = sliceExtent(dims, axis)
    let modelId: string | null = null
    let revision = 0
    const rows = this.#db.each(
      `SELECT p.slice, p.model_id, p.revision, p.labels FROM predictions p JOIN models m ON m.id = p.model_id
       WHERE p.case_id = ? ORDER BY m.version, p.revision`,
      caseId,
    )
    for (const row of rows) {
      const index = int(row, 'slice')
      writeSlice(labels, dims, axis, index, inflate(blob(row, 'labels'), width * height))
      predicted[index] = 1
      modelId = text(row, 'model_id')
      revision = int(row, 'revision')
    }
    return { labels, predicted, modelId, revision }
  }
}

function inflate(packed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const labels = new Uint8Array(inflateRawSync(packed, { maxOutputLength: length }))
  if (labels.length !== length) throw new CodedError('bad-file', 'A stored prediction is damaged; predict again.')
  return labels
}
