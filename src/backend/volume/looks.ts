import { CodedError } from '../../core/contract/errors.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import { rangeOf, robustRange, type ImageVolume, type VoxelArray } from '../../imaging/index.ts'
import type { EventHub } from '../events.ts'
import type { CaseRecord, Cases } from '../project/cases.ts'
import { networkLayout } from './computeSlices.ts'
import type { StoredSlice, Thumbnails } from './thumbnail.ts'
import type { Volumes } from './volumes.ts'

type Range = NonNullable<CaseRecord['range']>
type Window = NonNullable<CaseRecord['window']>

export interface LooksParts {
  readonly cases: Cases
  readonly volumes: Volumes
  readonly thumbnails: Thumbnails
  readonly events: EventHub
}

/**
 * What there is to find out of an image's intensities while its voxels arrive. The middle slice gives the window in which the case
 * is shown, for good: it is there before the others, and nothing changes under the user's eyes later. All voxels give the range
 * that networks see, which is always the same for the same image; predictions and trainings wait for it.
 */
export class Looks {
  readonly #parts: LooksParts
  /** Of cases whose image turned out to be damaged further on. */
  readonly #damage = new Map<string, CodedError>()
  readonly #windows = new Map<string, Promise<Window | null>>()
  readonly #ranges = new Map<string, Promise<Range>>()
  /** Ranges that nobody waits for are found one after the other. */
  #queue: Promise<unknown> = Promise.resolve()
  readonly #queued = new Set<string>()
  #closed = false

  constructor(parts: LooksParts) {
    this.#parts = parts
  }

  /** Scaled intensities that are shown as black and white. Waits for the middle slice at most, or, where that is empty, for all. */
  async window(caseId: string): Promise<Window> {
    const { window, range } = this.#parts.cases.get(caseId)
    return window ?? range ?? (await this.#firstLook(caseId)) ?? (await this.range(caseId))
  }

  /** What networks see as 0 and 1, and the extremes. Waits for every voxel, the first time. Throws what the image throws. */
  async range(caseId: string): Promise<Range> {
    return this.#parts.cases.get(caseId).range ?? once(this.#ranges, caseId, () => this.#readAll(caseId))
  }

  /** Sees to it that the range is known soon, without anybody waiting for it. */
  begin(caseId: string): void {
    if (this.#queued.has(caseId)) return
    this.#queued.add(caseId)
    this.#queue = this.#queue.then(async () => {
      try {
        if (!this.#closed) await this.range(caseId)
      } catch (error) {
        // Removed, missing, or closed meanwhile: the next who opens the case is told.
        if (error instanceof CodedError && error.code === 'bad-file') {
          this.#parts.events.emit('notice', { level: 'error', message: error.message })
        }
      } finally {
        this.#queued.delete(caseId)
      }
    })
  }

  /** The sentence about the damage, where the image is damaged further on. */
  damage(caseId: string): string | null {
    return this.#damage.get(caseId)?.message ?? null
  }

  /** The image is another now, or is to be tried again. */
  forget(caseId: string): void {
    this.#damage.delete(caseId)
  }

  /** Begins nothing more. */
  close(): void {
    this.#closed = true
  }

  #firstLook(caseId: string): Promise<Window | null> {
    return once(this.#windows, caseId, () => this.#readMiddle(caseId))
  }

  async #readMiddle(caseId: string): Promise<Window | null> {
    const { cases, volumes, thumbnails } = this.#parts
    return volumes.use(caseId, async (volume, signal) => {
      const layout = networkLayout(volume.dims, volume.affine, volume.spacing)
      const slice = (index: number): Promise<VoxelArray> => volume.voxels.slice(layout.sliceAxis, index, { signal })
      let middle: VoxelArray
      try {
        middle = await slice(Math.floor(layout.slices / 2))
      } catch (error) {
        if (!isDamage(error)) throw error
        // What is there can still be looked at.
        return rangeOfSlice(volume, await slice(0))
      }
      const { min, max, ...window } = rangeOfSlice(volume, middle)
      // One value alone says nothing.
      if (min === max) return null
      thumbnails.make(caseId, { ...volume, samples: middle }, layout, window)
      cases.setWindow(caseId, window)
      return window
    })
  }

  async #readAll(caseId: string): Promise<Range> {
    const { cases, volumes } = this.#parts
    try {
      return await volumes.use(caseId, async (volume, signal) => {
        const window = await this.#firstLook(caseId).catch(() => null)
        const range = await rangeOf(volume, { signal })
        cases.setRange(caseId, range)
        // Where the middle slice says nothing, the image as a whole does.
        if (window === null) cases.setWindow(caseId, range)
        this.#damage.delete(caseId)
        return range
      })
    } catch (error) {
      if (isDamage(error)) this.#damage.set(caseId, error)
      throw error
    }
  }
}

/** Range and middle slice of a small image, which is read to its end. Throws what the image throws. */
export async function wholeLook(
  volume: ImageVolume,
  layout: PlaneView,
  signal?: AbortSignal,
): Promise<{ range: Range; middle: StoredSlice }> {
  const range = await rangeOf(volume, { signal })
  const samples = await volume.voxels.slice(layout.sliceAxis, Math.floor(layout.slices / 2), { signal })
  const { channels, slope, inter } = volume
  return { range, middle: { samples, channels, slope, inter } }
}

function rangeOfSlice({ channels, slope, inter }: ImageVolume, samples: VoxelArray): Range {
  return robustRange({ data: samples, channels, slope, inter })
}

function isDamage(error: unknown): error is CodedError {
  return error instanceof CodedError && error.code === 'bad-file'
}

/** For all who ask while it is being found out, the same answer. */
function once<T>(running: Map<string, Promise<T>>, key: string, work: () => Promise<T>): Promise<T> {
  const known = running.get(key)
  if (known !== undefined) return known
  const started = work().finally(() => running.delete(key))
  running.set(key, started)
  return started
}
