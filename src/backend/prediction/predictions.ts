import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { CodedError } from '../../core/contract/errors.ts'
import type { Axis, LabelSlice } from '../../core/contract/schemas.ts'
import { extractSlice, sliceExtent, writeSlice } from '../../core/labelmap/index.ts'
import { refuseSlide, type CaseRecord, type Cases } from '../project/cases.ts'
import { maskArray } from '../annotation/masks.ts'
import type { Database } from '../project/database.ts'
import { blob, blobOrNull, int, text } from '../project/rows.ts'

export interface PredictedSlice {
  readonly index: number
  /** One label a pixel, ascending axes, the lower one fastest. */
  readonly data: Uint8Array<ArrayBuffer>
  /** One byte a pixel likewise: 0 sure, 255 all labels equally likely. Absent where it was not asked for. */
  readonly uncertainty?: Uint8Array<ArrayBuffer>
}

type Layer = 'prediction' | 'uncertainty'

/** A whole predicted layer: 0 where nothing was predicted. `modelId` and `revision` are those of its newest slices. */
interface PredictionVolume {
  readonly labels: Uint8Array<ArrayBuffer>
  readonly modelId: string | null
  readonly revision: number
}

const columns: Readonly<Record<Layer, string>> = { prediction: 'labels', uncertainty: 'uncertainty' }

/** Layers of more voxels are not kept: beside the mask there is room for one such array at a time. */
const MAX_KEPT = 2 ** 28

/** What models predicted, slice by slice across the training axis, kept in the project so that a restart shows it. */
export class Predictions {
  readonly #db: Database
  readonly #cases: Cases
  readonly #maxKept: number
  /** The one layer that is looked at in other planes or being accepted. */
  #assembled: { caseId: string; volume: PredictionVolume } | null = null

  constructor(db: Database, cases: Cases, maxKept = MAX_KEPT) {
    this.#db = db
    this.#maxKept = maxKept
    this.#cases = cases
  }

  store(caseId: string, modelId: string, revision: number, slices: readonly PredictedSlice[]): void {
    this.#db.transaction(() => {
      for (const slice of slices) {
        this.#db.run(
          `INSERT INTO predictions (case_id, slice, model_id, revision, labels, uncertainty) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT DO UPDATE SET model_id = excluded.model_id, revision = excluded.revision,
             labels = excluded.labels, uncertainty = excluded.uncertainty`,
          caseId,
          slice.index,
          modelId,
          revision,
          packed(slice.data),
          slice.uncertainty === undefined ? null : packed(slice.uncertainty),
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

  /** Gives up all that models said of a case: they were asked of another view of it. */
  forget(caseId: string): void {
    this.#db.run('DELETE FROM predictions WHERE case_id = ?', caseId)
    this.#db.run('DELETE FROM examined WHERE case_id = ?', caseId)
    if (this.#assembled?.caseId === caseId) this.#assembled = null
  }

  /** Gives up what one model said, but for one slice. The cases in which there was something, each once. */
  forgetModel(modelId: string, except: { readonly caseId: string; readonly index: number } | null = null): string[] {
    const which = 'model_id = ? AND NOT (case_id = ? AND slice = ?)'
    const values = [modelId, except?.caseId ?? '', except?.index ?? -1] as const
    return this.#db.transaction(() => {
      const rows = this.#db.all(`SELECT DISTINCT case_id FROM predictions WHERE ${which}`, ...values)
      const cases = rows.map((row) => text(row, 'case_id'))
      if (cases.length > 0) this.#db.run(`DELETE FROM predictions WHERE ${which}`, ...values)
      if (this.#assembled !== null && cases.includes(this.#assembled.caseId)) this.#assembled = null
      return cases
    })
  }

  /** Gives up what trainings said that were cut off before they became a version. */
  forgetUnknown(): void {
    this.#db.run('DELETE FROM predictions WHERE model_id NOT IN (SELECT id FROM models)')
    this.#assembled = null
  }

  /** Of the uncertainty, `modelId` is null where none is kept. */
  slice(caseId: string, axis: Axis, index: number, layer: Layer = 'prediction'): LabelSlice {
    const { dims, trainingAxis } = this.#geometry(caseId)
    if (index >= dims[axis]) throw new CodedError('bad-request', `There is no slice ${index}.`)
    const [width, height] = sliceExtent(dims, axis)
    if (axis !== trainingAxis) {
      // The labels of a case are put together once, for the slices that come next; how unsure they are is looked at now and then.
      const kept = layer === 'prediction' && dims[0] * dims[1] * dims[2] <= this.#maxKept
      if (!kept) return this.#across(caseId, axis, index, layer)
      const { labels, modelId, revision } = this.volume(caseId)
      return { width, height, data: extractSlice(labels, dims, axis, index), revision, modelId }
    }
    const row = this.#db.get(
      `SELECT model_id, revision, ${columns[layer]} AS packed FROM predictions WHERE case_id = ? AND slice = ?`,
      caseId,
      index,
    )
    const bytes = row === undefined ? null : blobOrNull(row, 'packed')
    if (row === undefined || bytes === null) {
      return { width, height, data: new Uint8Array(width * height), revision: 0, modelId: null }
    }
    const data = inflate(bytes, width * height)
    return { width, height, data, revision: int(row, 'revision'), modelId: text(row, 'model_id') }
  }

  #geometry(caseId: string): Pick<CaseRecord, 'dims' | 'trainingAxis'> {
    const record = this.#cases.get(caseId)
    refuseSlide(record)
    return record
  }

  /** The layer in file order: one byte a voxel, so only for when all of it is needed. */
  volume(caseId: string): PredictionVolume {
    if (this.#assembled?.caseId === caseId) return this.#assembled.volume
    const { dims, trainingAxis } = this.#geometry(caseId)
    const labels = maskArray(dims)
    const [width, height] = sliceExtent(dims, trainingAxis)
    const newest = this.#eachSlice(caseId, 'prediction', width * height, (index, data) =>
      writeSlice(labels, dims, trainingAxis, index, data),
    )
    const volume = { labels, ...newest }
    if (labels.length <= this.#maxKept) this.#assembled = { caseId, volume }
    return volume
  }

  /** A slice across another axis, of a layer that is not put together: a line of each predicted slice. */
  #across(caseId: string, axis: Axis, index: number, layer: Layer): LabelSlice {
    const { dims, trainingAxis } = this.#geometry(caseId)
    const [width, height] = sliceExtent(dims, axis)
    const [storedWidth, storedHeight] = sliceExtent(dims, trainingAxis)
    const data = new Uint8Array(width * height)
    // The axes of the stored slices, the lower one first; the line runs along the one that is not `axis`.
    const [low] = trainingAxis === 0 ? [1] : [0]
    const alongColumns = low === axis
    const length = alongColumns ? storedHeight : storedWidth
    // In the wanted slice the line runs along its rows or columns, at the place of the predicted slice.
    const lineAxis = 3 - axis - trainingAxis
    const isRow = lineAxis < trainingAxis
    const newest = this.#eachSlice(caseId, layer, storedWidth * storedHeight, (slice, labels) => {
      for (let i = 0; i < length; i++) {
        const label = labels[alongColumns ? index + storedWidth * i : i + storedWidth * index] ?? 0
        data[isRow ? i + width * slice : slice + width * i] = label
      }
    })
    return { width, height, data, ...newest }
  }

  /** Visits the predicted slices, the newest last; gives which model made that one, and when. */
  #eachSlice(
    caseId: string,
    layer: Layer,
    pixels: number,
    visit: (index: number, values: Uint8Array<ArrayBuffer>) => void,
  ): { modelId: string | null; revision: number } {
    let modelId: string | null = null
    let revision = 0
    const rows = this.#db.each(
      // What a training that still runs predicts is of no version yet, and newer than all of them.
      `SELECT p.slice, p.model_id, p.revision, p.${columns[layer]} AS packed
       FROM predictions p LEFT JOIN models m ON m.id = p.model_id
       WHERE p.case_id = ? AND p.${columns[layer]} IS NOT NULL ORDER BY m.version NULLS LAST, p.revision`,
      caseId,
    )
    for (const row of rows) {
      visit(int(row, 'slice'), inflate(blob(row, 'packed'), pixels))
      modelId = text(row, 'model_id')
      revision = int(row, 'revision')
    }
    return { modelId, revision }
  }
}

function packed(values: Uint8Array): Uint8Array {
  return deflateRawSync(values, { level: 1 })
}

function inflate(packed: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const labels = new Uint8Array(inflateRawSync(packed, { maxOutputLength: length }))
  if (labels.length !== length) throw new CodedError('bad-file', 'A stored prediction is damaged; predict again.')
  return labels
}
