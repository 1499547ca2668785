/**
 * Figures of trainings and the report that shows them, and what they are drawn with, for whoever else shows pictures:
 *
 *     const picture = scaled(slicePicture(slice), shownSize(slice, 256))     // or newCanvas(width, height)
 *     const labels = scaledLabels(slice.classes, slice, picture)
 *     drawContour(picture, labels, coloursOf([1, 2]), PREDICTED)              // the label that comes first is yellow
 *     const png = await canvasPng(sheetOf([{ picture, title: slice.id }], 4))
 */
export { createReport } from './report.ts'
export { compareReports } from './compare.ts'
export type { EpochPicture, Report, ReportEnd, ReportOptions, ScoredCase } from './types.ts'
export { newCanvas, type Canvas } from './drawing/canvas.ts'
export { coloursOf, drawContour, objectColours } from './drawing/labels.ts'
export { scaled, scaledLabels, shownSize } from './drawing/scale.ts'
export { canvasPng, sheetOf, type Tile } from './drawing/sheet.ts'
export { slicePicture } from './drawing/slicePicture.ts'
export { PREDICTED, TRUE } from './drawing/styles.ts'
