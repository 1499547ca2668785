import type { PlaneView } from '../../../../core/geometry/types.ts'

/** A plane view for tests: 3 columns, 2 rows, isotropic, unflipped, unless said otherwise. */
export function planeView(change: Partial<PlaneView> = {}): PlaneView {
  return {
    plane: 'axial',
    sliceAxis: 2,
    columnAxis: 0,
    rowAxis: 1,
    flipColumns: false,
    flipRows: false,
    width: 3,
    height: 2,
    slices: 4,
    columnSpacing: 1,
    rowSpacing: 1,
    letters: { left: 'R', right: 'L', top: 'A', bottom: 'P' },
    ...change,
  }
}
