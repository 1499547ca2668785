/** Algorithms on slices of labels: brush shapes, painting, contours. */
export { stampDisk, strokeCapsule, diskOutline } from './brush.ts'
export { paintSpans, lockTable } from './paint.ts'
export { contours, boundsOf } from './contours.ts'
