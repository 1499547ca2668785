/** Algorithms on slices of labels: brush shapes, painting, contours, fill. */
export { stampDisk, strokeCapsule, diskOutline, MIN_RADIUS } from './brush.ts'
export { paintSpans, lockTable, countSpanPixels } from './paint.ts'
export { contours, boundsOf } from './contours.ts'
export { floodFill } from './fill.ts'
