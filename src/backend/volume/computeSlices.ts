import type { ComputeSlice, SliceGeometry } from '../../core/contract/compute.ts'
import type { Affine, Dims, Vec3 } from '../../core/contract/schemas.ts'
import { isTransposed, planeViews, type PlaneView } from '../../core/geometry/index.ts'
import type { ImageVolume, VoxelArray } from '../../imaging/index.ts'

/**
 * Between the voxel order of a file and the way the network sees a slice. The network always sees what a radiologist
 * sees (axial, patient right on the left, anterior on top), whatever the order in the file, so that a model learned on
 * LPS volumes fits RAS ones. 2-D images are seen as stored.
 */

type Layout = Pick<PlaneView, 'sliceAxis' | 'columnAxis' | 'rowAxis' | 'flipColumns' | 'flipRows' | 'width' | 'height'>

/** The layout in which a network sees the slices of an image; they lie across `sliceAxis`, the training axis. */
export function networkLayout(dims: Dims, affine: Affine | null, spacing: Vec3): PlaneView {
  const views = planeViews(dims, affine, spacing)
  const view = views.find((candidate) => candidate.plane === 'axial') ?? views[0]
  if (view === undefined) throw new Error('an image has at least one plane')
  return view
}

/**
 * One slice across `layout.sliceAxis` as the network takes it. `range` holds the scaled intensities that become 0 and
 * 1. The data is a copy.
 */
export async function sliceForCompute(
  volume: ImageVolume,
  layout: Layout,
  index: number,
  range: { readonly low: number; readonly high: number },
  signal?: AbortSignal,
): Promise<ComputeSlice> {
  const stored = await volume.voxels.slice(layout.sliceAxis, index, { signal })
  const shown = storedToShown(stored, layout, volume.channels)
  return {
    index,
    width: layout.width,
    height: layout.height,
    channels: volume.channels,
    voxelType: volume.voxelType,
    data: new Uint8Array(shown.buffer, shown.byteOffset, shown.byteLength),
    slope: volume.slope,
    inter: volume.inter,
    low: range.low,
    high: range.high,
  }
}

/** How the slices of an image lie in the body and how far apart things in them are; null where the file does not say. */
export function sliceGeometry(
  volume: Pick<ImageVolume, 'dims' | 'affine' | 'spacing' | 'spacingKnown'>,
  layout: PlaneView,
): SliceGeometry | null {
  if (!volume.spacingKnown) return null
  const single = volume.dims[layout.sliceAxis] === 1
  return {
    plane: volume.affine === null ? 'stored' : layout.plane,
    columns: layout.columnSpacing,
    rows: layout.rowSpacing,
    slices: single ? null : volume.spacing[layout.sliceAxis],
  }
}

/** A stored slice of labels (ascending axes, the lower one fastest) as the network sees it. */
export function labelsForCompute(stored: Uint8Array<ArrayBuffer>, layout: Layout): Uint8Array<ArrayBuffer> {
  return storedToShown(stored, layout, 1)
}

/** The inverse of `labelsForCompute`. */
export function labelsFromCompute(shown: Uint8Array, layout: Layout): Uint8Array<ArrayBuffer> {
  const stored = new Uint8Array(shown.length)
  eachPixel(layout, (from, to) => {
    stored[from] = shown[to] ?? 0
  })
  return stored
}

function storedToShown<T extends VoxelArray>(stored: T, layout: Layout, channels: number): T {
  if (!isTransposed(layout) && !layout.flipColumns && !layout.flipRows) return stored
  // `slice` keeps the array's own type; TypeScript widens it to the union.
  const shown = stored.slice() as T
  eachPixel(layout, (from, to) => {
    for (let c = 0; c < channels; c++) shown[to * channels + c] = stored[from * channels + c] ?? 0
  })
  return shown
}

/** Visits every pixel with its place in the stored slice and on the screen. */
function eachPixel(layout: Layout, visit: (stored: number, shown: number) => void): void {
  const { width, height, flipColumns, flipRows } = layout
  const transposed = isTransposed(layout)
  for (let j = 0; j < height; j++) {
    const row = flipRows ? height - 1 - j : j
    for (let i = 0; i < width; i++) {
      const column = flipColumns ? width - 1 - i : i
      visit(transposed ? row + height * column : column + width * row, i + width * j)
    }
  }
}
