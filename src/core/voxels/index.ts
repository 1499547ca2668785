/** Algorithms on slices of labels: brush shapes, painting, contours, fill. */
export { stampDisk, strokeCapsule, diskOutline } from './brush.ts'
export { paintSpans, lockTable, countSpanPixels } from './paint.ts'
export { contours, boundsOf } from './contours.ts'
export { floodFill } from './fill.ts'
