import { CodedError } from '../../core/contract/errors.ts'
import type { Axis, SliceData } from '../../core/contract/schemas.ts'
import { sliceExtent } from '../../core/labelmap/index.ts'
import { readImage, type ImageVolume } from '../../imaging/index.ts'
import type { Cases } from '../project/cases.ts'
import type { Project } from '../project/project.ts'
import { locateImage, lookAt } from './identity.ts'

/** The opened images of the worklist, the least recently used dropped beyond `budget` bytes. */
export class Volumes {
  readonly #project: Project
  readonly #cases: Cases
  readonly #budget: number
  /** A case's image was found missing, or was found again. */
  readonly #missingChanged: () => void
  /** Least recently used first. Bytes are 0 while it is being read. */
  readonly #open = new Map<string, { volume: Promise<ImageVolume>; bytes: number }>()

  constructor(options: { project: Project; cases: Cases; budget: number; missingChanged: () => void }) {
    this.#project = options.project
    this.#cases = options.cases
    this.#budget = options.budget
    this.#missingChanged = options.missingChanged
  }

  /** Throws CodedError: `file-missing` where the image is not found, or what the reader says of a damaged file. */
  async get(caseId: string): Promise<ImageVolume> {
    let entry = this.#open.get(caseId)
    if (entry === undefined) {
      entry = { volume: this.#read(caseId), bytes: 0 }
    } else {
      this.#open.delete(caseId)
    }
    this.#open.set(caseId, entry)
    try {
      const volume = await entry.volume
      entry.bytes = volume.voxels.heldBytes
      this.#shrink()
      return volume
    } catch (error) {
      if (this.#open.get(caseId) === entry) this.#open.delete(caseId)
      throw error
    }
  }

  /** Keeps an image that was read for another reason, such as adding it. */
  keep(caseId: string, volume: ImageVolume): void {
    this.#open.set(caseId, { volume: Promise.resolve(volume), bytes: volume.voxels.heldBytes })
    this.#shrink()
  }

  forget(caseId: string): void {
    this.#open.delete(caseId)
  }

  async slice(caseId: string, axis: Axis, index: number): Promise<SliceData> {
    const volume = await this.get(caseId)
    if (index >= volume.dims[axis]) throw new CodedError('bad-request', `There is no slice ${index}.`)
    const samples = await volume.voxels.slice(axis, index)
    const [width, height] = sliceExtent(volume.dims, axis)
    return {
      width,
      height,
      channels: volume.channels,
      voxelType: volume.voxelType,
      data: new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength),
      slope: volume.slope,
      inter: volume.inter,
    }
  }

  /** The path of the case's image as it is now. Notes where it moved to. Throws CodedError('file-missing'). */
  async locate(caseId: string): Promise<string> {
    const record = this.#cases.get(caseId)
    const path = this.#project.resolvedPath(record.path)
    const found = await locateImage(record, path, this.#project.folders.images)
    if (found === null) {
      this.#setMissing(caseId, true)
      throw new CodedError(
        'file-missing',
        `The image of "${record.name}" is not where it was, or was changed; choose the file again.`,
        { detail: path },
      )
    }
    if (found.path !== path || found.mtime !== record.fileMtime) {
      this.#cases.moveTo(caseId, { ...found, path: this.#project.storedPath(found.path) })
    }
    this.#setMissing(caseId, false)
    return found.path
  }

  /**
   * Looks after every image of the worklist, so that the list says at once what is missing. The search for those that
   * are not at their place can take long: it goes on after this has resolved.
   */
  async lookForAll(): Promise<void> {
    const gone: string[] = []
    for (const record of this.#cases.list()) {
      if ((await lookAt(this.#project.resolvedPath(record.path))) !== null) continue
      this.#setMissing(record.id, true)
      gone.push(record.id)
    }
    void this.#search(gone)
  }

  async #search(caseIds: readonly string[]): Promise<void> {
    // Not found, removed meanwhile, or the project closed: in each case there is nothing to tell.
    for (const caseId of caseIds) await this.locate(caseId).catch(() => undefined)
  }

  async #read(caseId: string): Promise<ImageVolume> {
    const record = this.#cases.get(caseId)
    const volume = await readImage(await this.locate(caseId))
    if (volume.dims.some((extent, axis) => extent !== record.dims[axis])) {
      throw new CodedError('bad-file', `The image of "${record.name}" has another extent than before.`)
    }
    return volume
  }

  #setMissing(caseId: string, missing: boolean): void {
    if (this.#cases.missing.has(caseId) === missing) return
    if (missing) this.#cases.missing.add(caseId)
    else this.#cases.missing.delete(caseId)
    this.#missingChanged()
  }

  #shrink(): void {
    let total = 0
    for (const entry of this.#open.values()) total += entry.bytes
    for (const [caseId, entry] of this.#open) {
      if (total <= this.#budget || this.#open.size <= 1) return
      if (entry.bytes === 0) continue
      this.#open.delete(caseId)
      total -= entry.bytes
    }
  }
}
