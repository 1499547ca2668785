import type { Affine, Axis, Dims, Vec3 } from '../contract/schemas.ts'
import { axisDirections, singleSliceAxis } from './orientation.ts'
import type { Plane, PlaneView } from './types.ts'

const NO_LETTERS = { left: '', right: '', top: '', bottom: '' } as const

/** World axes of each plane, and the patient directions at the screen's edges in radiological convention. */
const PLANES = [
  { plane: 'axial', across: 2, columns: 0, rows: 1, letters: { left: 'R', right: 'L', top: 'A', bottom: 'P' } },
  { plane: 'coronal', across: 1, columns: 0, rows: 2, letters: { left: 'R', right: 'L', top: 'S', bottom: 'I' } },
  { plane: 'sagittal', across: 0, columns: 1, rows: 2, letters: { left: 'A', right: 'P', top: 'S', bottom: 'I' } },
] as const satisfies readonly {
  plane: Plane
  across: Axis
  columns: Axis
  rows: Axis
  letters: PlaneView['letters']
}[]

/** Does the screen run with the world axis? Columns go to the left (-x) or to posterior (-y), rows to -y or -z. */
const SCREEN_SIGN = -1

/**
 * The planes in which an image can be shown, axial first, laid out as a radiologist reads them: patient right on
 * the left of the screen, anterior or superior on top; sagittal with anterior on the left. An image without geometry
 * has one view, as stored and without letters; one with a single slice has only the plane of that slice.
 */
export function planeViews(dims: Dims, affine: Affine | null, spacing: Vec3): PlaneView[] {
  const single = singleSliceAxis(dims)
  if (affine === null) return [identityView(dims, spacing, single ?? 2)]
  const directions = axisDirections(affine)
  const voxelAxis = (world: Axis): Axis => {
    const index = directions.findIndex((direction) => direction.world === world)
    return index === 0 ? 0 : index === 1 ? 1 : 2
  }
  const views = PLANES.map(({ plane, across, columns, rows, letters }): PlaneView => {
    const sliceAxis = voxelAxis(across)
    const columnAxis = voxelAxis(columns)
    const rowAxis = voxelAxis(rows)
    return {
      plane,
      sliceAxis,
      columnAxis,
      rowAxis,
      flipColumns: directions[columnAxis].sign !== SCREEN_SIGN,
      flipRows: directions[rowAxis].sign !== SCREEN_SIGN,
      width: dims[columnAxis],
      height: dims[rowAxis],
      slices: dims[sliceAxis],
      columnSpacing: spacing[columnAxis],
      rowSpacing: spacing[rowAxis],
      letters,
    }
  })
  return single === null ? views : views.filter((view) => view.sliceAxis === single)
}

function identityView(dims: Dims, spacing: Vec3, sliceAxis: Axis): PlaneView {
  const columnAxis: Axis = sliceAxis === 0 ? 1 : 0
  const rowAxis: Axis = sliceAxis === 2 ? 1 : 2
  return {
    plane: 'axial',
    sliceAxis,
    columnAxis,
    rowAxis,
    flipColumns: false,
    flipRows: false,
    width: dims[columnAxis],
    height: dims[rowAxis],
    slices: dims[sliceAxis],
    columnSpacing: spacing[columnAxis],
    rowSpacing: spacing[rowAxis],
    letters: NO_LETTERS,
  }
}

/** The voxel shown at screen column i, row j of the given slice. Whole numbers in, whole numbers out. */
export function screenToVoxel(view: PlaneView, i: number, j: number, slice: number): Vec3 {
  const voxel: Vec3 = [0, 0, 0]
  voxel[view.sliceAxis] = slice
  voxel[view.columnAxis] = view.flipColumns ? view.width - 1 - i : i
  voxel[view.rowAxis] = view.flipRows ? view.height - 1 - j : j
  return voxel
}

/** Does the view's column axis come first (fast) in a stored slice? If not, the stored slice is transposed on screen. */
export function isTransposed(view: Pick<PlaneView, 'columnAxis' | 'rowAxis'>): boolean {
  return view.columnAxis > view.rowAxis
}
