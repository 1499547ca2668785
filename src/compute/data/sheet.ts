import { canvasPng, sheetOf } from '../report/drawing/sheet.ts'
import { scaled, shownSize } from '../report/drawing/scale.ts'
import { slicePicture } from '../report/drawing/slicePicture.ts'
import { withContour } from './thumbnail.ts'
import { openTrainingData } from './training.ts'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import type { RecipeBatch } from '../recipes/types.ts'
import type { SurveyOptions } from './survey.ts'

/** The longer side of a patch on the sheet. */
const SIDE = 160
/** So many cases are enough to draw from: nobody waits for a whole set to see how it is changed. */
const CASES = 24

/** Patches of the first epoch as the training will see them, changed and with the contours of their classes, as one PNG. */
export async function augmentationSheet(
  order: RecipeOrder & { readonly rows: number; readonly columns: number },
  options: Pick<SurveyOptions, 'signal' | 'onProgress'> = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { rows, columns, settings } = order
  const limit = Math.min(order.limit ?? Infinity, CASES)
  const data = await openTrainingData({ ...order, limit }, { ...options, workers: 0 })
  try {
    const { patch, foreground } = settings.training
    const { levels, convolutions } = settings.model
    const stream = data.batches({
      ...{ seed: order.seed, epoch: 1, steps: rows * columns, batch: 1, patch, foreground },
      // What valid convolutions cut off is shown too.
      ...{ step: convolutions === 'valid' ? 1 : 2 ** levels, margin: 0, augmentation: settings.augmentation },
    })
    const classes = Array.from({ length: data.labels.length + 1 }, (_, at) => at + 1)
    const tiles = []
    for (let batch = await stream.next(); batch !== null; batch = await stream.next()) {
      options.signal?.throwIfAborted()
      const size = shownSize(batch, SIDE)
      const picture = scaled(
        slicePicture({ ...batch, image: planesOf(batch), standardize: data.input.standardize }),
        size,
      )
      // What teaches nothing has no contour.
      const shown = batch.classes.map((value) => (value === 255 ? 0 : value))
      tiles.push({ picture: withContour(picture, shown, batch, classes) })
    }
    return await canvasPng(sheetOf(tiles, columns))
  } finally {
    await data.close()
  }
}

/** From height x width x channels to channels x height x width. */
function planesOf({ images, channels, width, height }: RecipeBatch): Float32Array {
  const pixels = width * height
  return Float32Array.from(
    { length: channels * pixels },
    (_, at) => images[(at % pixels) * channels + Math.floor(at / pixels)] ?? 0,
  )
}
