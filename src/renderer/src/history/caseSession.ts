import type { CaseDetail } from '../../../core/contract/caseSchemas.ts'
import type { Axis, LabelSlice, SliceData, StrokeDelta } from '../../../core/contract/schemas.ts'
import type { Rect } from '../canvas/layout.ts'
import { toImageSlice, type ImageSlice } from '../canvas/samples.ts'
import { SliceCache, type SliceKey } from '../canvas/sliceCache.ts'
import { MaskSlices, type MaskSlice } from './maskSlices.ts'

/** What the session asks of the backend, for one case. */
export interface CaseReader {
  readImage(key: SliceKey, signal: AbortSignal): Promise<SliceData>
  readLabels(key: SliceKey, layer: 'mask' | 'prediction' | 'uncertainty', signal: AbortSignal): Promise<LabelSlice>
}

export interface CaseSessionOptions {
  readonly detail: CaseDetail
  readonly reader: CaseReader
  readonly pending: () => readonly StrokeDelta[]
  readonly onMask: (key: SliceKey, rect: Rect | null) => void
  readonly isShown: (key: SliceKey) => boolean
}

/** Everything that is drawn of one slice; `prediction` is null where the slice has not been predicted. */
export interface SliceLayers {
  readonly image: ImageSlice
  readonly mask: MaskSlice
  readonly prediction: Uint8Array | null
}

interface Prediction {
  readonly labels: Uint8Array | null
}

/** One byte a pixel, 0 sure; null where it is not known. */
interface Uncertainty {
  readonly values: Uint8Array | null
}

interface PredictedSlice {
  readonly index: number
  readonly data: Uint8Array
  readonly uncertainty?: Uint8Array | undefined
}

const MEGABYTE = 2 ** 20
const BUDGET = {
  images: 72 * MEGABYTE,
  masks: 28 * MEGABYTE,
  predictions: 28 * MEGABYTE,
  uncertainties: 28 * MEGABYTE,
} as const

/** The slices of one open case that are on this page: image, mask and prediction, loaded and dropped together. */
export class CaseSession {
  readonly caseId: string
  readonly detail: CaseDetail
  readonly masks: MaskSlices
  private readonly images: SliceCache<ImageSlice>
  private readonly predictions: SliceCache<Prediction>
  private readonly uncertainties: SliceCache<Uncertainty>
  private predicted: ReadonlySet<number>

  constructor(options: CaseSessionOptions) {
    const { detail, reader } = options
    this.caseId = detail.id
    this.detail = detail
    this.predicted = new Set(detail.predicted)
    this.images = new SliceCache<ImageSlice>({
      load: async (key, signal) => toImageSlice(await reader.readImage(key, signal)),
      bytesOf: (slice) => slice.samples.byteLength,
      budgetBytes: BUDGET.images,
    })
    this.predictions = new SliceCache<Prediction>({
      load: async (key, signal) => {
        const slice = await reader.readLabels(key, 'prediction', signal)
        return { labels: slice.modelId === null ? null : slice.data }
      },
      bytesOf: (prediction) => prediction.labels?.byteLength ?? 1,
      budgetBytes: BUDGET.predictions,
    })
    this.uncertainties = new SliceCache<Uncertainty>({
      load: async (key, signal) => {
        const slice = await reader.readLabels(key, 'uncertainty', signal)
        return { values: slice.modelId === null ? null : slice.data }
      },
      bytesOf: (uncertainty) => uncertainty.values?.byteLength ?? 1,
      budgetBytes: BUDGET.uncertainties,
    })
    this.masks = new MaskSlices({
      dims: detail.dims,
      revision: detail.revision,
      load: (key, signal) => reader.readLabels(key, 'mask', signal),
      pending: options.pending,
      onChanged: options.onMask,
      isShown: options.isShown,
      budgetBytes: BUDGET.masks,
    })
  }

  /** The layers if all of them are here. */
  peek(key: SliceKey): SliceLayers | null {
    const image = this.images.get(key)
    const mask = this.masks.get(key)
    const prediction = this.mayBePredicted(key) ? this.predictions.get(key) : { labels: null }
    return image && mask && prediction ? { image, mask, prediction: prediction.labels } : null
  }

  async load(key: SliceKey): Promise<SliceLayers> {
    const [image, mask, prediction] = await Promise.all([
      this.images.want(key),
      this.masks.want(key),
      this.mayBePredicted(key) ? this.predictions.want(key) : { labels: null },
    ])
    return { image, mask, prediction: prediction.labels }
  }

  /**
   * How unsure the model is on a slice, one byte a pixel, if that is here; null where it is not known. A slice is shown
   * without waiting for it.
   */
  peekUncertainty(key: SliceKey): Uint8Array | null | undefined {
    return this.mayBePredicted(key) ? this.uncertainties.get(key)?.values : null
  }

  async loadUncertainty(key: SliceKey): Promise<Uint8Array | null> {
    return this.mayBePredicted(key) ? (await this.uncertainties.want(key)).values : null
  }

  prefetch(keys: readonly SliceKey[], uncertainty = false): void {
    this.images.prefetch(keys)
    this.masks.prefetch(keys)
    const predicted = keys.filter((key) => this.mayBePredicted(key))
    this.predictions.prefetch(predicted)
    this.uncertainties.prefetch(uncertainty ? predicted : [])
  }

  /** New predicted slices across `axis`. Slices of other planes cut through them and are asked for again. */
  putPredictions(axis: Axis, slices: readonly PredictedSlice[]): void {
    this.predicted = new Set([...this.predicted, ...slices.map(({ index }) => index)])
    for (const { index, data, uncertainty } of slices) {
      this.predictions.put({ axis, index }, { labels: data })
      if (uncertainty) this.uncertainties.put({ axis, index }, { values: uncertainty })
      else this.uncertainties.drop({ axis, index })
    }
    for (const cache of [this.predictions, this.uncertainties]) {
      const others = [...cache.values()].filter(([key]) => key.axis !== axis)
      for (const [key] of others) cache.drop(key)
    }
  }

  /** The slices across the training axis that have a prediction, as the backend tells. */
  setPredicted(indices: readonly number[]): void {
    const before = this.predicted
    this.predicted = new Set(indices)
    const { trainingAxis } = this.detail
    const isGone = (index: number): boolean => before.has(index) && !this.predicted.has(index)
    if (![...before].some(isGone)) return
    // Given up: slices of other planes cut through them.
    for (const cache of [this.predictions, this.uncertainties]) {
      const stale = [...cache.values()].filter(([key]) => key.axis !== trainingAxis || isGone(key.index))
      for (const [key] of stale) cache.drop(key)
    }
  }

  /** Events were missed: masks and predictions are read again, images stay. */
  reload(): void {
    this.predictions.clear()
    this.uncertainties.clear()
    this.masks.reload()
  }

  close(): void {
    this.images.clear()
    this.predictions.clear()
    this.uncertainties.clear()
    this.masks.clear()
  }

  private mayBePredicted(key: SliceKey): boolean {
    return key.axis === this.detail.trainingAxis ? this.predicted.has(key.index) : this.predicted.size > 0
  }
}
