import type { Axis } from '../contract/schemas.ts'

/** The three planes of the patient. A 2-D image has `axial` alone. */
export type Plane = 'axial' | 'coronal' | 'sagittal'

/**
 * How a slice across a voxel axis is laid on the screen. Screen column i and row j (from the top left) show the voxel
 * whose index along `columnAxis` is i (or its mirror when `flipColumns`) and along `rowAxis` is j (or its mirror when
 * `flipRows`). Nothing is resampled.
 */
export interface PlaneView {
  readonly plane: Plane
  /** Slices lie across this voxel axis; the wheel moves along it. */
  readonly sliceAxis: Axis
  readonly columnAxis: Axis
  readonly rowAxis: Axis
  readonly flipColumns: boolean
  readonly flipRows: boolean
  /** Extent in pixels. */
  readonly width: number
  readonly height: number
  readonly slices: number
  /** mm between neighbouring columns / rows: the aspect ratio of a pixel. */
  readonly columnSpacing: number
  readonly rowSpacing: number
  /** Patient directions at the four edges; empty strings where the image has no geometry. */
  readonly letters: { readonly left: string; readonly right: string; readonly top: string; readonly bottom: string }
}
