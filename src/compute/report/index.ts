/** Figures of trainings and the report that shows them; small drawing helpers for whoever else shows pictures. */
export { createReport } from './report.ts'
export type { EpochPicture, Report, ReportEnd, ReportOptions, ScoredCase } from './types.ts'
