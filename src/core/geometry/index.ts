/** Where voxels are: affines, orientation, planes on the screen, quaternions of NIfTI headers. */
export type { Plane, PlaneView } from './types.ts'
export { voxelToWorld, worldToVoxel, spacingOf } from './affine.ts'
export { orientationOf, trainingAxis } from './orientation.ts'
export { planeViews, screenToVoxel, voxelToScreen, isTransposed } from './views.ts'
export { qformToAffine, affineToQform } from './quaternion.ts'
