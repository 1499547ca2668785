import type { ComputeSlice } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import type { ComputeResult } from '../compute/port.ts'
import type { EventHub } from '../events.ts'
import type { PredictedSlice, Predictions } from '../prediction/predictions.ts'
import type { Cases } from '../project/cases.ts'
import type { Labels } from '../project/labels.ts'
import { labelsFromCompute } from '../volume/computeSlices.ts'
import type { Looks } from '../volume/looks.ts'
import type { Volumes } from '../volume/volumes.ts'
import { readPictures } from './lessons.ts'

export interface ShownSlice {
  readonly caseId: string
  readonly index: number
}

interface Picture {
  readonly of: ShownSlice
  readonly image: ComputeSlice
  readonly layout: PlaneView
}

type Seen = NonNullable<ComputeResult<'liveRun'>['shown']>

export interface LiveViewParts {
  readonly cases: Cases
  readonly labels: Labels
  readonly volumes: Volumes
  readonly looks: Looks
  readonly predictions: Predictions
  readonly events: EventHub
  readonly touched: (caseId: string) => void
  readonly slicesChanged: (caseId: string) => void
  readonly log: (line: string) => void
}

/** The slice on screen, and what a training between strokes sees in it. */
export class LiveView {
  readonly #parts: LiveViewParts
  #shown: ShownSlice | null = null
  #picture: Picture | null = null
  /** What was told last, and after how many steps; the same again is not told. */
  #told: { readonly of: ShownSlice; readonly modelId: string; readonly seen: Seen; readonly steps: number } | null =
    null
  /** Cases of which predictions were given up, which had taken the place of those of the version in use. */
  readonly #bereft = new Set<string>()

  constructor(parts: LiveViewParts) {
    this.#parts = parts
  }

  show(shown: ShownSlice | null): void {
    this.#shown = shown
  }

  /** The slice on screen has not been told of yet by this model. */
  due(modelId: string): boolean {
    if (this.#shown === null) return false
    return this.#told?.modelId !== modelId || !isSame(this.#told.of, this.#shown)
  }

  /** As the network sees it; null where nothing that can be predicted is shown. Throws CodedError('cancelled'). */
  async picture(signal: AbortSignal): Promise<ComputeSlice | null> {
    const shown = this.#shown
    if (shown === null) return null
    if (this.#picture !== null && isSame(this.#picture.of, shown)) return this.#picture.image
    this.#picture = null
    try {
      const { images, layout } = await readPictures(this.#parts, shown.caseId, [shown.index], signal)
      const image = images.get(shown.index)
      if (image !== undefined) this.#picture = { of: shown, image, layout }
      return image ?? null
    } catch (error) {
      if (error instanceof CodedError && error.code === 'cancelled') throw error
      // Missing, a slide, or not there any more: it is not looked at again until something else is shown.
      if (this.#shown !== null && isSame(shown, this.#shown)) this.#shown = null
      return null
    }
  }

  /** The image of a case is another now, or seen in another way. */
  forget(): void {
    this.#picture = null
    this.#told = null
  }

  /** Keeps and tells what was seen in the picture that was given last, after so many steps. */
  tell(modelId: string, seen: Seen, revision: number, steps: number): void {
    const picture = this.#picture
    if (picture === null) return
    const known = this.#told
    this.#told = { of: picture.of, modelId, seen, steps }
    if (known?.modelId === modelId && isSame(known.of, picture.of) && isEqual(known.seen, seen)) return
    const { cases, labels, predictions, events, touched, slicesChanged, log } = this.#parts
    if (cases.find(picture.of.caseId)?.removed !== false) return
    const { caseId, index } = picture.of
    const slice: PredictedSlice = {
      index,
      data: labelsFromCompute(seen.labels, picture.layout).map((label) => (labels.isCurrent(label) ? label : 0)),
      uncertainty: labelsFromCompute(seen.entropy, picture.layout),
    }
    const before = predictions.indices(caseId).length
    try {
      predictions.store(caseId, modelId, revision, [slice])
    } catch (error) {
      // A full disk is no reason to give up what was learned: the next run tells it.
      this.#told = known
      log(`what Live sees is not kept: ${String(error)}`)
      return
    }
    const axis = picture.layout.sliceAxis
    events.emit('prediction.slices', { caseId, modelId, axis, revision, slices: [slice] })
    if (predictions.indices(caseId).length !== before) slicesChanged(caseId)
    if (before === 0) touched(caseId)
  }

  /**
   * What a training predicted is given up, in every window: it was lost, or its version is not the one in use. `except`: what was
   * told of it after so many steps is what its version says.
   */
  giveUp(modelId: string, except: { readonly steps: number } | null = null): void {
    const { predictions, touched, slicesChanged, log } = this.#parts
    const told = this.#told
    const stays = except !== null && told?.modelId === modelId && told.steps === except.steps ? told.of : null
    try {
      for (const caseId of predictions.forgetModel(modelId, stays)) {
        this.#bereft.add(caseId)
        slicesChanged(caseId)
        if (predictions.indices(caseId).length === 0) touched(caseId)
      }
    } catch (error) {
      // They go when the project is opened the next time.
      log(`predictions of Live: ${String(error)}`)
    }
    if (stays === null && told?.modelId === modelId) this.#told = null
  }

  /** The slice on screen where its case is to be predicted again by the version in use; told once. */
  takeBereft(): ShownSlice | null {
    const shown = this.#shown
    return shown !== null && this.#bereft.delete(shown.caseId) ? shown : null
  }

  /** Of the case of the picture that is predicted next, the revision of its mask. */
  revision(): number {
    const { cases } = this.#parts
    return this.#picture === null ? 0 : (cases.find(this.#picture.of.caseId)?.revision ?? 0)
  }
}

function isSame(a: ShownSlice, b: ShownSlice): boolean {
  return a.caseId === b.caseId && a.index === b.index
}

function isEqual(a: Seen, b: Seen): boolean {
  const same = (x: Uint8Array, y: Uint8Array): boolean => Buffer.compare(x, y) === 0
  return same(a.labels, b.labels) && same(a.entropy, b.entropy)
}
