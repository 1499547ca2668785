import { planeViews } from '../../core/geometry/index.ts'
import type { Affine, Axis, Dims, Vec3 } from '../../core/contract/schemas.ts'
import type { RecipeSettings } from '../../core/contract/recipes.ts'
import type { PlaneView } from '../../core/geometry/index.ts'

export type SlicePlane = RecipeSettings['planes'][number]

/** Where an image's voxels are, as far as its slices hang on it. */
export interface VolumeFrame {
  readonly dims: Dims
  readonly affine: Affine | null
  readonly spacing: Vec3
}

/**
 * How a volume is cut into slices: pixel (i, j) of slice k lies at voxel origin + i * column + j * row + k * next, in voxel
 * indices, which are whole numbers in every plane but `oblique`. What lies outside of the volume is nothing.
 */
export interface SliceGrid {
  readonly plane: SlicePlane
  readonly width: number
  readonly height: number
  readonly slices: number
  readonly origin: Vec3
  readonly column: Vec3
  readonly row: Vec3
  readonly next: Vec3
  /** Slices lie across this voxel axis, `next` runs along it; null where they are oblique. */
  readonly axis: Axis | null
  /** mm between columns, rows and slices. */
  readonly spacing: Vec3
}

/**
 * Slices as a network sees them, the same in training and prediction: axial with patient right on the left and anterior on
 * top, coronal and sagittal with superior on top, whatever the order in the file. `training` is the plane in which the
 * interface predicts: axial, or as stored where the image does not say how it lies. `oblique`: between axial and coronal, turned
 * by 45 degrees about the left-right axis, one sample for each step of the finer of both axes.
 * An image of one slice has that alone: null for every plane but `training`, and the one that it lies in.
 */
export function sliceGrid(frame: VolumeFrame, plane: SlicePlane): SliceGrid | null {
  const views = viewsOf(frame)
  const first = views[0]
  if (first === undefined) return null
  if (plane === 'oblique') return obliqueGrid(frame, views)
  const view = plane === 'training' ? first : views.find((each) => each.plane === plane)
  return view === undefined ? null : gridOf(plane, view, frame.spacing)
}

/** In every plane, also where the file does not say how the image lies: then as stored, in the order of its axes. */
function viewsOf({ dims, affine, spacing }: VolumeFrame): PlaneView[] {
  const views = planeViews(dims, affine, spacing)
  const [stored] = views
  if (affine !== null || stored === undefined || dims.some((size) => size === 1)) return views
  const view = (plane: PlaneView['plane'], sliceAxis: Axis, columnAxis: Axis, rowAxis: Axis): PlaneView => ({
    ...stored,
    ...{ plane, sliceAxis, columnAxis, rowAxis, width: dims[columnAxis], height: dims[rowAxis] },
    ...{ slices: dims[sliceAxis], columnSpacing: spacing[columnAxis], rowSpacing: spacing[rowAxis] },
  })
  return [stored, view('coronal', 1, 0, 2), view('sagittal', 0, 1, 2)]
}

function along(axis: Axis, length: number): Vec3 {
  const step: Vec3 = [0, 0, 0]
  step[axis] = length
  return step
}

function gridOf(plane: SlicePlane, view: PlaneView, spacing: Vec3): SliceGrid {
  const { sliceAxis, columnAxis, rowAxis, flipColumns, flipRows, width, height, slices } = view
  const origin: Vec3 = [0, 0, 0]
  if (flipColumns) origin[columnAxis] = width - 1
  if (flipRows) origin[rowAxis] = height - 1
  return {
    plane,
    ...{ width, height, slices, origin },
    column: along(columnAxis, flipColumns ? -1 : 1),
    row: along(rowAxis, flipRows ? -1 : 1),
    next: along(sliceAxis, 1),
    axis: sliceAxis,
    spacing: [view.columnSpacing, view.rowSpacing, spacing[sliceAxis]],
  }
}

/**
 * Rows run down and backwards at once, slices backwards and up: rows along (rows of the axial view + rows of the coronal
 * view) / sqrt 2, slices along their difference, in mm, about the middle of the volume and far enough to hold all of it.
 */
function obliqueGrid({ dims, spacing }: VolumeFrame, views: readonly PlaneView[]): SliceGrid | null {
  const axial = views.find(({ plane }) => plane === 'axial')
  const coronal = views.find(({ plane }) => plane === 'coronal')
  if (axial === undefined || coronal === undefined) return null
  const back = axial.rowAxis
  const down = coronal.rowAxis
  const step = Math.min(spacing[back], spacing[down])
  const perVoxel = step * Math.SQRT1_2
  const backStep = (axial.flipRows ? -1 : 1) * (perVoxel / spacing[back])
  const downStep = (coronal.flipRows ? -1 : 1) * (perVoxel / spacing[down])
  const extent = ((dims[back] - 1) * spacing[back] + (dims[down] - 1) * spacing[down]) * Math.SQRT1_2
  const count = Math.ceil(extent / step) + 1
  const row: Vec3 = [0, 0, 0]
  row[back] = backStep
  row[down] = downStep
  const next: Vec3 = [0, 0, 0]
  next[back] = backStep
  next[down] = -downStep
  const columnAxis = axial.columnAxis
  const column = along(columnAxis, axial.flipColumns ? -1 : 1)
  const half = (count - 1) / 2
  const origin: Vec3 = [0, 0, 0]
  for (const axis of [back, down]) origin[axis] = (dims[axis] - 1) / 2 - half * (row[axis] + next[axis])
  origin[columnAxis] = axial.flipColumns ? dims[columnAxis] - 1 : 0
  return {
    plane: 'oblique',
    ...{ width: dims[columnAxis], height: count, slices: count, origin, column, row, next, axis: null },
    spacing: [spacing[columnAxis], step, step],
  }
}
