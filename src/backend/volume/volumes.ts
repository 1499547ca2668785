import { CodedError } from '../../core/contract/errors.ts'
import type { Axis, SliceData } from '../../core/contract/schemas.ts'
import { sliceExtent } from '../../core/labelmap/index.ts'
import { imageFiles, type ImageVolume } from '../../imaging/index.ts'
import { refuseSlide, type CaseRecord, type Cases } from '../project/cases.ts'
import type { Project } from '../project/project.ts'
import type { ImageAccess } from './access.ts'
import { exists, hashOfPlace, locateImage, placeOf } from './identity.ts'
import { Leases } from './leases.ts'

/** Images that do not lie in memory hold files open, and room on the disk. */
const MAX_OPEN = 64
const MAX_OUTSIDE = 4
/** Files of a case that are looked after at the start. */
const MAX_LOOKED_AFTER = 8

/** An image without its voxels. */
export type ImageHeader = Omit<ImageVolume, 'voxels'>

/**
 * The opened images of the worklist, whose voxels can still be arriving. The least recently used is closed beyond the budget of bytes in
 * memory, none while it is used.
 */
export class Volumes {
  readonly #project: Project
  readonly #cases: Cases
  /** A case's image was found missing, or was found again. */
  readonly #missingChanged: () => void
  readonly #open: Leases<ImageVolume>
  /** Small, and wanted when a mask is written of an image that was closed meanwhile. */
  readonly #headers = new Map<string, ImageHeader>()

  constructor(options: {
    project: Project
    cases: Cases
    access: Pick<ImageAccess, 'readImage' | 'budget'>
    missingChanged: () => void
  }) {
    this.#project = options.project
    this.#cases = options.cases
    this.#missingChanged = options.missingChanged
    const { budget, readImage } = options.access
    this.#open = new Leases<ImageVolume>({
      open: (caseId, signal) => this.#read(caseId, readImage, signal),
      close: (volume) => volume.voxels.close(),
      share: ({ voxels }) =>
        voxels.heldBytes / Math.max(1, budget) +
        1 / MAX_OPEN +
        (voxels.heldBytes < voxels.byteLength / 2 ? 1 / MAX_OUTSIDE : 0),
      idleMs: null,
    })
  }

  /**
   * Gives the image to `work` and keeps it open meanwhile. Its voxels can still be arriving; `signal` is aborted when the case is
   * removed or the project closed. Throws CodedError: `file-missing` where the image is not found, what the reader says of a
   * damaged file, `bad-request` for a slide.
   */
  async use<R>(caseId: string, work: (volume: ImageVolume, signal: AbortSignal) => R | Promise<R>): Promise<R> {
    refuseSlide(this.#cases.get(caseId))
    return this.#open.use(caseId, work)
  }

  /** What the header says, also of an image that was closed since. Throws what `use` throws. */
  async header(caseId: string): Promise<ImageHeader> {
    return this.#headers.get(caseId) ?? this.use(caseId, (volume) => this.#remember(caseId, volume))
  }

  /** Keeps an image that was read for another reason, such as adding it. */
  keep(caseId: string, volume: ImageVolume): void {
    this.#open.keep(caseId, volume)
  }

  /** The image is opened afresh next time. `abort`: who reads in it now is told to stop. */
  forget(caseId: string, options: { readonly abort?: boolean } = {}): void {
    this.#headers.delete(caseId)
    this.#open.drop(caseId, options)
  }

  /** Closes all images; who still reads in one is told to stop. */
  close(): Promise<void> {
    return this.#open.close()
  }

  /** Answers as soon as this slice is there, whatever of the image is still missing. */
  async slice(caseId: string, axis: Axis, index: number, signal?: AbortSignal): Promise<SliceData> {
    return this.use(caseId, async (volume, ended) => {
      if (index >= volume.dims[axis]) throw new CodedError('bad-request', `There is no slice ${index}.`)
      const either = signal === undefined ? ended : AbortSignal.any([ended, signal])
      const samples = await volume.voxels.slice(axis, index, { signal: either })
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
    })
  }

  /** The path of the case's image as it is now. Notes where it moved to. Throws CodedError('file-missing'). */
  async locate(caseId: string, signal?: AbortSignal): Promise<string> {
    const record = this.#cases.get(caseId)
    const path = this.#project.resolvedPath(record.path)
    const files = this.#cases.filesOf(caseId).map((file) => this.#project.resolvedPath(file))
    const found = await locateImage(record, { path, files }, this.#project.folders.images, signal)
    if (found === null) {
      this.#setMissing(caseId, true)
      throw new CodedError(
        'file-missing',
        `The image of "${record.name}" is not where it was, or was changed; choose the file again.`,
        { detail: path },
      )
    }
    if (found.path !== path || found.mtime !== record.fileMtime || found.files.some((file, i) => file !== files[i])) {
      this.#cases.moveTo(caseId, this.#project.storedPlace(found))
      this.#missingChanged()
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
      const files = this.#cases.filesOf(record.id)
      // Of a large series some of the files: all are looked at when it is opened.
      const some = files.length === 0 ? [record.path] : files.slice(0, MAX_LOOKED_AFTER)
      const there = await Promise.all(some.map((file) => exists(this.#project.resolvedPath(file))))
      if (there.every(Boolean)) continue
      this.#setMissing(record.id, true)
      gone.push(record.id)
    }
    void this.#search(gone)
  }

  async #search(caseIds: readonly string[]): Promise<void> {
    // Not found, removed meanwhile, or the project closed: in each case there is nothing to tell.
    for (const caseId of caseIds) await this.locate(caseId).catch(() => undefined)
  }

  async #read(caseId: string, read: ImageAccess['readImage'], signal: AbortSignal): Promise<ImageVolume> {
    const record = this.#cases.get(caseId)
    const path = await this.locate(caseId, signal)
    await this.#refuseOtherStack(record, path, signal)
    const volume = await read(path, { selection: record.selection, signal })
    if (volume.dims.every((extent, axis) => extent === record.dims[axis])) {
      this.#remember(caseId, volume)
      return volume
    }
    await volume.voxels.close()
    throw new CodedError('bad-file', `The image of "${record.name}" has another extent than before.`)
  }

  /**
   * A DICOM series is what lies in its folder, so new files there can take the place of others, or give the number of a part to
   * another one. A copy of a file changes nothing.
   */
  async #refuseOtherStack(record: CaseRecord, path: string, signal: AbortSignal): Promise<void> {
    const { id, name, selection, contentHash } = record
    if (selection.series === undefined) return
    const files = this.#cases.filesOf(id).map((file) => this.#project.resolvedPath(file))
    const known = new Set(files.length === 0 ? [path] : files)
    const found = await imageFiles(path, { selection, signal })
    if (found.length === known.size && found.every((file) => known.has(file))) return
    if ((await hashOfPlace(await placeOf(path, found), signal)) === contentHash) return
    throw new CodedError(
      'bad-file',
      `Files were added to the folder of "${name}"; keep its series in a folder of its own.`,
    )
  }

  #remember(caseId: string, { voxels: _voxels, ...header }: ImageVolume): ImageHeader {
    this.#headers.set(caseId, header)
    return header
  }

  #setMissing(caseId: string, missing: boolean): void {
    if (this.#cases.missing.has(caseId) === missing) return
    if (missing) this.#cases.missing.add(caseId)
    else this.#cases.missing.delete(caseId)
    this.#missingChanged()
  }
}
