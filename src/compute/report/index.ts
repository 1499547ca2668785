/**
 * Figures of trainings and the report that shows them. What they are drawn with is in drawing/, for whoever else shows
 * pictures:
 *
 *     const picture = scaled(slicePicture(slice), shownSize(slice, 256))
 *     drawContour(picture, scaledLabels(slice.classes, slice, picture), coloursOf([1, 2]), PREDICTED)
 *     const png = await canvasPng(sheetOf([{ picture, title: id }], 4))
 */
export { createReport } from './report.ts'
export { compareReports, comparisonCheck } from './compare.ts'
export type { ComparableModel } from './compare.ts'
export type { EpochPicture, Report, ReportEnd, ReportOptions, ScoredCase } from './types.ts'
