/** Algorithms on slices of labels: brush shapes, painting, contours. */
export { stampDisk, strokeCapsule, diskOutline } from './brush.ts'
export { paintSpans, lockTable } from './paint.ts'
export { contours, boundsOf } from './contours.ts'
export { distancesTo, distanceTransform, squaredDistances } from './distance.ts'
export { componentSizes, connectedComponents, type Components, type Connectivity } from './components.ts'
export { extentsOf, type GridDims, type GridSpacing } from './grid.ts'
export { surfaceOf, voxelBounds, type VoxelBounds } from './surface.ts'
