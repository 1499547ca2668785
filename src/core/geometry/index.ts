/** Where voxels are: affines, orientation, planes on the screen, quaternions of NIfTI headers. */
export type { Plane, PlaneView } from './types.ts'
export { voxelToWorld, spacingOf, invertAffine, isUsableAffine, multiplyAffines } from './affine.ts'
export { orientationOf } from './orientation.ts'
export { planeViews, screenToVoxel, isTransposed } from './views.ts'
export { storedToShown, shownToStored, type SliceLayout } from './shown.ts'
export { qformToAffine, affineToQform, isQformOf, type Qform } from './quaternion.ts'
export {
  isAxisCode,
  reorientation,
  arranged,
  isIdentity,
  inverseOrder,
  ontoGrid,
  largestDistance,
  shearOf,
  withoutRounding,
  type Reorientation,
} from './reorient.ts'
export { reorderVoxels, resampleNearest } from './reorder.ts'
