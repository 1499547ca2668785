import type { ComputeSlice, SliceGeometry } from '../../core/contract/compute.ts'
import type { Affine, Dims, Vec3 } from '../../core/contract/schemas.ts'
import { planeViews, storedToShown, type PlaneView, type SliceLayout } from '../../core/geometry/index.ts'
import type { ImageVolume } from '../../imaging/index.ts'

/**
 * Between the voxel order of a file and the way the network sees a slice. The network always sees what a radiologist
 * sees (axial, patient right on the left, anterior on top), whatever the order in the file, so that a model learned on
 * LPS volumes fits RAS ones. 2-D images are seen as stored.
 */

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
  layout: SliceLayout,
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

/** Labels of a stored slice as the network sees them, and back. */
export { storedToShown as labelsForCompute, shownToStored as labelsFromCompute } from '../../core/geometry/index.ts'
