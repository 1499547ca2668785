import { canvasPng } from '../report/drawing/sheet.ts'
import { coloursOf, drawContour, oneColour } from '../report/drawing/labels.ts'
import { colourOf } from '../report/drawing/canvas.ts'
import { scaled, scaledLabels, shownSize } from '../report/drawing/scale.ts'
import { slicePicture } from '../report/drawing/slicePicture.ts'
import { imageSlice, labelSlice } from './gridSampling.ts'
import { sliceGrid } from './planes.ts'
import { preparePicture } from './prepare.ts'
import type { ImageVolume, Truth } from '../../imaging/index.ts'
import type { Canvas } from '../report/drawing/canvas.ts'
import type { ContourStyle } from '../report/drawing/labels.ts'
import type { SliceGrid } from './planes.ts'

/** The longer side of a thumbnail. */
const SIDE = 192
const STYLE: ContourStyle = { thickness: 1, dash: 0, halo: true }

/** Contours of labels upon a picture of a slice: yellow where there is one label, or objects. */
export function withContour(
  picture: Canvas,
  labels: Uint8Array | Uint32Array,
  from: { readonly width: number; readonly height: number },
  values: readonly number[] | 'objects',
): Canvas {
  const shown = scaledLabels(labels, from, picture)
  drawContour(picture, shown, values === 'objects' ? oneColour(colourOf('#ffd60a')) : coloursOf(values), STYLE)
  return picture
}

/**
 * The picture of a case with its truth as a contour, as PNG: of a volume the slice with the most labelled pixels, in the plane that
 * it is predicted in.
 */
export async function thumbnailOf(image: ImageVolume, truth: Truth): Promise<Uint8Array<ArrayBuffer>> {
  const grid = sliceGrid(image, 'training')
  if (grid === null) throw new RangeError('an image has at least one plane')
  const index = fullestSlice(truth, grid)
  const { data } = await imageSlice(image, grid, index)
  const { channels, voxelType, slope, inter } = image
  const raw = {
    ...{ width: grid.width, height: grid.height, channels, voxelType, slope, inter, low: 0, high: 1 },
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }
  const colour =
    channels === 3
      ? { kind: 'rgb' as const }
      : { kind: 'luminance' as const, weights: [1, 0, 0] as [number, number, number] }
  const { image: planes } = preparePicture(raw, { colour, normalization: { kind: 'none' } }, channels, { kind: 'none' })
  const [columns, rows] = grid.spacing
  const whole = slicePicture({ width: grid.width, height: grid.height, channels, image: planes })
  const picture = scaled(whole, shownSize(grid, SIDE, { width: columns, height: rows }))
  const { objects, labels, dims } = truth
  if (objects !== null) withContour(picture, labelSlice(objects, dims, grid, index, 0), grid, 'objects')
  else {
    const slice = labelSlice(labels, dims, grid, index, 0)
    withContour(
      picture,
      slice,
      grid,
      [...new Set(slice)].filter((value) => value > 0).sort((a, b) => a - b),
    )
  }
  return canvasPng(picture)
}

function fullestSlice({ labels, dims }: Truth, grid: SliceGrid): number {
  let best = Math.floor(grid.slices / 2)
  let most = 0
  if (grid.slices === 1) return 0
  for (let k = 0; k < grid.slices; k++) {
    let count = 0
    for (const value of labelSlice(labels, dims, grid, k, 0)) if (value !== 0) count++
    if (count > most) [best, most] = [k, count]
  }
  return best
}
