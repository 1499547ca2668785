import { randomUUID } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { basename } from 'node:path'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { CodedError } from '../../core/contract/errors.ts'
import type { CaseDetail, CaseSummary } from '../../core/contract/schemas.ts'
import { contentHash, readImage, rangeOf, readImageInfo, stemOf } from '../../imaging/index.ts'
import type { Tallies } from '../annotation/tallies.ts'
import { storageError } from '../errors.ts'
import type { Models } from '../models/models.ts'
import type { Predictions } from '../prediction/predictions.ts'
import type { Cases } from '../project/cases.ts'
import type { Project } from '../project/project.ts'
import { blob, int } from '../project/rows.ts'
import { networkLayout } from '../volume/computeSlices.ts'
import { lookAt, type FoundFile } from '../volume/identity.ts'
import { makeThumbnail, type Thumbnail } from '../volume/thumbnail.ts'
import type { Volumes } from '../volume/volumes.ts'

export interface WorklistParts {
  readonly project: Project
  readonly cases: Cases
  readonly volumes: Volumes
  readonly models: Models
  readonly predictions: Predictions
  readonly tallies: Tallies
}

/** The images of a project: adding, opening, finding them again. */
export class Worklist {
  readonly #parts: WorklistParts
  /** One image is added at a time, so that the same file twice at once is one case. */
  #adding: Promise<unknown> = Promise.resolve()

  constructor(parts: WorklistParts) {
    this.#parts = parts
  }

  /**
   * Reads the image and puts it on the worklist. The same bytes are the same case, wherever they lie; one that was
   * taken off comes back with its mask. Throws CodedError: `bad-file`, `file-missing`, `no-permission`.
   */
  async add(path: string, name: string | null = null): Promise<CaseSummary> {
    const added = this.#adding.then(() => this.#add(path, name))
    this.#adding = added.catch(() => undefined)
    return added
  }

  summary(caseId: string): CaseSummary {
    const [summary] = this.#parts.cases.summaries(this.#parts.models.activeId(), caseId)
    if (summary === undefined) throw new CodedError('not-found', 'This case is not on the worklist any more.')
    return summary
  }

  summaries(): CaseSummary[] {
    return this.#parts.cases.summaries(this.#parts.models.activeId())
  }

  async detail(caseId: string): Promise<CaseDetail> {
    const { cases, volumes, project, tallies, predictions } = this.#parts
    const volume = await volumes.get(caseId)
    const record = cases.get(caseId)
    const { low, high, min, max } = record.range
    return {
      ...this.summary(caseId),
      sourcePath: project.resolvedPath(record.path),
      spacing: volume.spacing,
      spacingKnown: volume.spacingKnown,
      affine: volume.affine,
      orientation: volume.orientation,
      voxelType: volume.voxelType,
      window: { center: (low + high) / 2, width: high - low },
      range: { min, max },
      trainingAxis: record.trainingAxis,
      revision: record.revision,
      warnings: [...volume.warnings],
      cautions: [],
      cautionsSeen: true,
      selection: {},
      tiles: null,
      corrected: tallies.corrected(caseId),
      predicted: predictions.indices(caseId),
    }
  }

  /** The image moved: `path` must hold the same bytes. Throws CodedError('conflict') where it does not. */
  async relocate(caseId: string, path: string): Promise<CaseSummary> {
    const { cases, volumes } = this.#parts
    const record = cases.get(caseId)
    const file = await regularFile(path)
    if ((await contentHash(file.path)) !== record.contentHash) {
      throw new CodedError(
        'conflict',
        `"${basename(path)}" is not the image of "${record.name}"; choose the file that was annotated.`,
      )
    }
    this.#moveTo(caseId, file)
    volumes.forget(caseId)
    return this.summary(caseId)
  }

  async thumbnail(caseId: string): Promise<Thumbnail> {
    const { project, volumes, cases } = this.#parts
    const record = cases.get(caseId)
    const row = project.db.get('SELECT width, height, rgba FROM thumbnails WHERE case_id = ?', caseId)
    if (row !== undefined) {
      const rgba = new Uint8Array(inflateRawSync(blob(row, 'rgba')))
      return { width: int(row, 'width'), height: int(row, 'height'), rgba }
    }
    const volume = await volumes.get(caseId)
    const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
    const thumbnail = await makeThumbnail(volume, layout, record.range)
    this.#keepThumbnail(caseId, thumbnail)
    return thumbnail
  }

  async #add(path: string, name: string | null): Promise<CaseSummary> {
    const { cases, project, volumes } = this.#parts
    const file = await regularFile(path)
    // The header first: what is no image is refused before all of it is read for its hash.
    await readImageInfo(file.path)
    const hash = await contentHash(file.path)
    const known = cases.findByHash(hash)
    if (known !== null) {
      if ((await lookAt(project.resolvedPath(known.path))) === null) this.#moveTo(known.id, file)
      if (known.removed) cases.setRemoved(known.id, false)
      return this.summary(known.id)
    }
    const volume = await readImage(file.path)
    const range = await rangeOf(volume)
    const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
    const thumbnail = await makeThumbnail(volume, layout, range)
    const id = randomUUID()
    project.db.transaction(() => {
      cases.insert({
        id,
        name: name ?? stemOf(path),
        path: project.storedPath(file.path),
        contentHash: hash,
        fileSize: file.size,
        fileMtime: file.mtime,
        kind: volume.kind,
        dims: volume.dims,
        channels: volume.channels,
        trainingAxis: layout.sliceAxis,
        range: { low: range.low, high: range.high, min: range.min, max: range.max },
      })
      this.#keepThumbnail(id, thumbnail)
    })
    volumes.keep(id, volume)
    return this.summary(id)
  }

  #moveTo(caseId: string, file: FoundFile): void {
    const { cases, project } = this.#parts
    cases.moveTo(caseId, { ...file, path: project.storedPath(file.path) })
    cases.missing.delete(caseId)
  }

  #keepThumbnail(caseId: string, { width, height, rgba }: Thumbnail): void {
    const { db } = this.#parts.project
    db.run('INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?, ?)', caseId, width, height, deflateRawSync(rgba))
  }
}

/** The file behind `path`, links resolved. */
async function regularFile(path: string): Promise<FoundFile> {
  let real: string
  try {
    real = await realpath(path)
  } catch (error) {
    throw storageError(error, path, 'read')
  }
  const file = await lookAt(real)
  if (file === null) throw new CodedError('bad-file', `"${basename(path)}" is not a file; choose an image file.`)
  return file
}
