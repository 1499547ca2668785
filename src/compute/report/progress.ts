import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { decodePng, encodeGif, writePng } from '../../imaging/index.ts'
import { copyOf, newCanvas, paste } from './drawing/canvas.ts'
import { coloursOf, drawContour, fillLabels, oneColour } from './drawing/labels.ts'
import { scaled, scaledLabels, shownSize } from './drawing/scale.ts'
import { canvasPng, sheetOf } from './drawing/sheet.ts'
import { slicePicture } from './drawing/slicePicture.ts'
import { OVERLAY, PREDICTED, TRUE, TRUTH_COLOUR } from './drawing/styles.ts'
import type { Canvas } from './drawing/canvas.ts'
import type { EpochPicture } from './types.ts'

/** Frames of the animation, at most about; pictures in one; longer side of a picture. */
const MOST_FRAMES = 60
const MOST_PICTURES = 4
const PICTURE = 288
/** Milliseconds of a frame, and of the last one. */
const FRAME = 250
const LAST = 2500

const FRAME_NAME = /^epoch-(\d+)\.png$/

/**
 * Draws what is predicted for a few pictures after an epoch and keeps it in `dir` as a frame: above the truth over each
 * picture, below the prediction, with the contour of the truth where it differs. Frames of very many epochs are thinned out evenly.
 */
export async function keepFrame(
  dir: string,
  moment: { readonly epoch: number; readonly epochs: number },
  pictures: readonly EpochPicture[],
  classes: number,
): Promise<{ id: string; png: Uint8Array }[]> {
  const colours = coloursOf(Array.from({ length: classes }, (_, place) => place + 1))
  // What is not known is not drawn; the border of objects, a class behind those of the labels, is part of the first one.
  const labelled = (value: number): number => (value === 255 ? 0 : value > classes ? 1 : value)
  const drawn = pictures.map((picture) => {
    const size = shownSize(picture, PICTURE)
    const image = scaled(slicePicture(picture), size)
    const truth = scaledLabels(picture.truth, picture, size).map(labelled)
    const prediction = scaledLabels(picture.prediction, picture, size).map(labelled)
    const above = copyOf(image)
    fillLabels(above, truth, colours, OVERLAY)
    drawContour(above, truth, colours, { ...PREDICTED, thickness: 1 })
    fillLabels(image, prediction, colours, OVERLAY)
    drawContour(image, truth, oneColour(TRUTH_COLOUR), TRUE)
    drawContour(image, prediction, colours, { ...PREDICTED, thickness: 1 })
    return { id: picture.id, above, below: image }
  })
  const shown = drawn.slice(0, MOST_PICTURES)
  const tiles = [
    ...shown.map(({ id, above }) => ({ picture: above, title: id })),
    ...shown.map(({ below }) => ({ picture: below, title: `Epoch ${moment.epoch} of ${moment.epochs}` })),
  ]
  if (tiles.length > 0) {
    await mkdir(dir, { recursive: true })
    const frame = sheetOf(tiles, shown.length)
    await writePng(join(dir, `epoch-${String(moment.epoch).padStart(5, '0')}.png`), { ...frame, channels: 3 })
    await thinOut(dir, moment)
  }
  return Promise.all(drawn.map(async ({ id, below }) => ({ id, png: await canvasPng(below) })))
}

/** The last frame always stays; it goes when the next one has come, unless its turn is to stay. */
async function thinOut(dir: string, { epoch, epochs }: { epoch: number; epochs: number }): Promise<void> {
  const step = Math.ceil(epochs / MOST_FRAMES)
  const old = epoch - 1
  if (old > 1 && old % step !== 0) await rm(join(dir, `epoch-${String(old).padStart(5, '0')}.png`), { force: true })
}

/**
 * The frames that were kept, up to the last epoch of the training, as an animated GIF of one size: that of the last one.
 * null where there are none.
 */
export async function animation(
  dir: string,
  lastEpoch: number,
): Promise<{ gif: Uint8Array; width: number; height: number } | null> {
  const names = await readdir(dir).catch(() => [])
  const epochs = names.flatMap((name) => FRAME_NAME.exec(name)?.slice(1).map(Number) ?? [])
  const wanted = epochs.filter((epoch) => epoch <= lastEpoch).sort((a, b) => a - b)
  const frames: Canvas[] = []
  for (const epoch of wanted) {
    const file = join(dir, `epoch-${String(epoch).padStart(5, '0')}.png`)
    const frame = await frameIn(file)
    if (frame !== null) frames.push(frame)
  }
  const last = frames.at(-1)
  if (last === undefined) return null
  const { width, height } = last
  const alike = frames.filter((frame) => frame.width === width && frame.height === height)
  const delays = alike.map((_, at) => (at === alike.length - 1 ? LAST : FRAME))
  const bars = alike.map((frame, at) => withBar(frame, (at + 1) / alike.length).data)
  const gif = await encodeGif(bars, { width, height: height + BAR, delays })
  return { gif, width, height: height + BAR }
}

/** null where it was cut off, by a power failure say: a training does not fail for want of a frame. */
async function frameIn(file: string): Promise<Canvas | null> {
  try {
    const { width, height, data } = await decodePng(await readFile(file), file)
    return { width, height, data: Uint8Array.from(data) }
  } catch {
    return null
  }
}

const BAR = 4

/** A line at the bottom shows how far the animation is. */
function withBar(frame: Canvas, share: number): Canvas {
  const canvas = newCanvas(frame.width, frame.height + BAR, [40, 40, 40])
  paste(canvas, newCanvas(Math.max(1, Math.round(frame.width * share)), BAR, [255, 214, 10]), 0, frame.height)
  paste(canvas, frame, 0, 0)
  return canvas
}
