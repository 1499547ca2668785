import { planeViews, screenToVoxel } from '../../core/geometry/index.ts'
import { rangeOf } from '../../imaging/index.ts'
import { newCanvas } from './drawing/canvas.ts'
import type { Axis, Dims, Vec3 } from '../../core/contract/schemas.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import type { ImageVolume } from '../../imaging/index.ts'
import type { Canvas } from './drawing/canvas.ts'

/** Cuts through an image, laid out as a radiologist reads them where the image says how it lies, else as stored. */
export interface ImageCuts {
  readonly dims: Dims
  /** All planes, those across which the voxels are furthest apart first: in it the others are most exact. */
  readonly views: readonly PlaneView[]
  picture(view: PlaneView, index: number): Promise<Canvas>
}

/** Greys from the robust range of the image. Colours as they are, made brighter where the whole picture is dark. */
export async function imageCuts(image: ImageVolume): Promise<ImageCuts> {
  const { dims, channels, slope, inter } = image
  const views = readingViews(image)
  const range = await rangeOf(image)
  const bytes = channels === 3 && image.voxelType === 'uint8'
  const low = bytes ? 0 : range.low
  const high = bytes ? (range.high < DARK_PICTURE ? Math.max(range.high, 1) : 255) : range.high
  return {
    dims,
    views,
    picture: async (view, index) => {
      const voxels = await image.voxels.slice(view.sliceAxis, index)
      const order = sliceOrder(view, dims)
      const canvas = newCanvas(view.width, view.height)
      for (let pixel = 0; pixel < order.length; pixel++) {
        for (let c = 0; c < 3; c++) {
          const raw = voxels[(order[pixel] ?? 0) * channels + (channels === 3 ? c : 0)] ?? 0
          const value = ((raw * slope + inter - low) / (high - low)) * 255
          canvas.data[pixel * 3 + c] = value > 0 ? Math.min(255, Math.round(value)) : 0
        }
      }
      return canvas
    },
  }
}

/** Below this brightness of the 99.5th percentile a picture in colour is made brighter to be looked at (fluorescence). */
const DARK_PICTURE = 170

function readingViews(image: ImageVolume): PlaneView[] {
  const { dims, affine, spacing } = image
  const views = planeViews(dims, affine, spacing).sort((a, b) => spacing[b.sliceAxis] - spacing[a.sliceAxis])
  if (affine !== null || dims.includes(1)) return views
  // Without an orientation planeViews has the stored plane alone; the two others are as good.
  return [...views, storedView(dims, spacing, 1), storedView(dims, spacing, 0)]
}

function storedView(dims: Dims, spacing: ImageVolume['spacing'], sliceAxis: 0 | 1): PlaneView {
  const columnAxis: Axis = sliceAxis === 0 ? 1 : 0
  return {
    plane: sliceAxis === 0 ? 'sagittal' : 'coronal',
    sliceAxis,
    columnAxis,
    rowAxis: 2,
    flipColumns: false,
    flipRows: false,
    width: dims[columnAxis],
    height: dims[2],
    slices: dims[sliceAxis],
    columnSpacing: spacing[columnAxis],
    rowSpacing: spacing[2],
    letters: { left: '', right: '', top: '', bottom: '' },
  }
}

/** Where each pixel of the screen is in a stored slice, whose lower axis is fastest. */
function sliceOrder(view: PlaneView, dims: Dims): Int32Array {
  const [fast, slow] =
    view.columnAxis < view.rowAxis ? [view.columnAxis, view.rowAxis] : [view.rowAxis, view.columnAxis]
  return screenOrder(view, 0, (voxel) => voxel[fast] + voxel[slow] * dims[fast])
}

/** Of each pixel of the screen its place, which is linear in the voxel's indices. */
function screenOrder(view: PlaneView, index: number, placeOf: (voxel: Vec3) => number): Int32Array {
  const start = placeOf(screenToVoxel(view, 0, 0, index))
  const right = placeOf(screenToVoxel(view, 1, 0, index)) - start
  const down = placeOf(screenToVoxel(view, 0, 1, index)) - start
  const order = new Int32Array(view.width * view.height)
  for (let j = 0, pixel = 0; j < view.height; j++) {
    for (let i = 0; i < view.width; i++, pixel++) order[pixel] = start + i * right + j * down
  }
  return order
}

/** The labels, or numbers of objects, of a cut, as it is laid on the screen. `labels`: x fastest. */
export function labelCut<Labels extends Uint8Array | Uint32Array>(
  labels: Labels,
  dims: Dims,
  view: PlaneView,
  index: number,
): Labels {
  const order = screenOrder(view, index, ([x, y, z]) => x + dims[0] * (y + dims[1] * z))
  const cut = (labels instanceof Uint8Array ? new Uint8Array(order.length) : new Uint32Array(order.length)) as Labels
  for (let pixel = 0; pixel < order.length; pixel++) cut[pixel] = labels[order[pixel] ?? 0] ?? 0
  return cut
}

/** How many voxels of any label each slice across an axis has. */
export function labelledBySlice(labels: Uint8Array, dims: Dims, axis: Axis): Uint32Array {
  const counts = new Uint32Array(dims[axis])
  const [nx, ny, nz] = dims
  for (let z = 0, at = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, at++) {
        if (labels[at] === 0) continue
        const index = axis === 0 ? x : axis === 1 ? y : z
        counts[index] = (counts[index] ?? 0) + 1
      }
    }
  }
  return counts
}
