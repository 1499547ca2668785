import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { ImageSelection } from '../../core/contract/schemas.ts'
import { cancelled } from '../jobs/lane.ts'
import type { Cases, NewCase, Place } from '../project/cases.ts'
import type { Project } from '../project/project.ts'
import { overviewOf, tilesOf, viewOfPicture, type Slides } from '../slides/slides.ts'
import type { ImageAccess } from '../volume/access.ts'
import { networkLayout } from '../volume/computeSlices.ts'
import { hashOfPlace, placeOf } from '../volume/identity.ts'
import { wholeLook, type Looks } from '../volume/looks.ts'
import type { Thumbnails } from '../volume/thumbnail.ts'
import type { Volumes } from '../volume/volumes.ts'
import { keyOf, nameOf } from './selection.ts'
import { findImage } from './source.ts'

export interface AddingParts {
  readonly project: Project
  readonly cases: Cases
  readonly volumes: Volumes
  readonly slides: Slides
  readonly access: ImageAccess
  readonly thumbnails: Thumbnails
  readonly looks: Looks
}

export interface AddOptions {
  readonly name?: string
  readonly selection?: ImageSelection
  readonly signal?: AbortSignal
  /** What the bytes are known by already, so that a large slide is not read for each of its regions. */
  readonly hash?: string
}

type Found = Omit<NewCase, 'id' | 'name' | 'path' | 'files' | 'contentHash' | 'fileSize' | 'fileMtime' | 'selectionKey'>

/** Puts images on the worklist. Those that take long to read are there before all of their voxels are. */
export class Adding {
  readonly #parts: AddingParts
  /** One image is added at a time, so that the same file twice at once is one case. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: AddingParts) {
    this.#parts = parts
  }

  /** Gives the id of the case, new or known. */
  async add(path: string, options: AddOptions = {}): Promise<string> {
    const added = this.#last.then(() => this.#add(path, options))
    this.#last = added.catch(() => undefined)
    return added
  }

  /** The image moved: `path` must hold the same bytes. Throws CodedError('conflict') where it does not. */
  async relocate(caseId: string, path: string): Promise<void> {
    const { cases, volumes, slides, looks } = this.#parts
    const record = cases.get(caseId)
    const source = await findImage(path, record.selection)
    const place = await placeOf(source.path, source.files)
    if ((await hashOfPlace(place)) !== record.contentHash) {
      throw new CodedError(
        'conflict',
        `"${basename(path)}" is not the image of "${record.name}"; choose the file that was annotated.`,
      )
    }
    this.#moveTo(caseId, place)
    volumes.forget(caseId)
    slides.forget(caseId)
    looks.forget(caseId)
  }

  async #add(path: string, options: AddOptions): Promise<string> {
    const { signal } = options
    if (signal?.aborted === true) throw cancelled()
    // The header first: what is no image is refused before all of it is read for its hash.
    const { path: real, selection, info, files, stem } = await findImage(path, options.selection ?? {}, signal)
    const place = await placeOf(real, files)
    const contentHash = options.hash ?? (await hashOfPlace(place, signal))
    const selectionKey = keyOf(selection, files.length)
    const known = this.#known(contentHash, selectionKey, place)
    if (known !== null) return known
    const insert = (found: Found): string => {
      const { project, cases } = this.#parts
      const id = randomUUID()
      const stored = project.storedPlace(place)
      const name = options.name ?? nameOf(stem, selection, info)
      project.db.transaction(() =>
        cases.insert({
          ...found,
          id,
          name,
          path: stored.path,
          files: stored.files,
          contentHash,
          fileSize: stored.size,
          fileMtime: stored.mtime,
          selectionKey,
        }),
      )
      return id
    }
    if (info.tiled && selection.region === undefined) return this.#addSlide(real, selection, insert, signal)
    return this.#addVolume(real, selection, insert, signal)
  }

  /** The case that these bytes are already; one that was taken off comes back with its mask. */
  #known(contentHash: string, selectionKey: string, place: Place): string | null {
    const { cases, project } = this.#parts
    const known = cases.findByHash(contentHash, selectionKey)
    if (known === null) return null
    if (known.removed) cases.setRemoved(known.id, false)
    const lies = [
      project.resolvedPath(known.path),
      ...cases.filesOf(known.id).map((file) => project.resolvedPath(file)),
    ]
    if (!lies.every((file) => existsSync(file))) this.#moveTo(known.id, place)
    return known.id
  }

  async #addVolume(
    path: string,
    selection: ImageSelection,
    insert: (found: Found) => string,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { volumes, thumbnails, looks, access } = this.#parts
    const volume = await access.readImage(path, { selection, signal })
    try {
      const { kind, dims, channels } = volume
      const layout = networkLayout(dims, volume.affine, volume.spacing)
      const found = { kind, selection, tiles: null, dims, channels, trainingAxis: layout.sliceAxis }
      // A picture is there at once or not at all.
      if (dims[2] > 1 && volume.voxels.byteLength > access.readAtOnce) {
        const id = insert({ ...found, range: null })
        volumes.keep(id, volume)
        looks.begin(id)
        return id
      }
      const { range, middle } = await wholeLook(volume, layout, signal)
      const id = insert({ ...found, range })
      thumbnails.make(id, middle, layout, range)
      volumes.keep(id, volume)
      return id
    } catch (error) {
      await volume.voxels.close()
      throw error
    }
  }

  async #addSlide(
    path: string,
    selection: ImageSelection,
    insert: (found: Found) => string,
    signal: AbortSignal | undefined,
  ): Promise<string> {
    const { slides, thumbnails, access } = this.#parts
    const image = await access.openTiled(path, { selection, signal })
    try {
      const overview = await overviewOf(image, signal)
      const tiles = tilesOf(image)
      const { width, height } = tiles.levels[0] ?? overview
      const { channels, range } = overview
      const id = insert({ kind: 'slide', selection, tiles, dims: [width, height, 1], channels, trainingAxis: 2, range })
      thumbnails.make(id, overview, viewOfPicture(overview), range)
      slides.keep(id, image)
      return id
    } catch (error) {
      await image.close()
      throw error
    }
  }

  #moveTo(caseId: string, place: Place): void {
    const { cases, project } = this.#parts
    cases.moveTo(caseId, project.storedPlace(place))
    cases.missing.delete(caseId)
  }
}
