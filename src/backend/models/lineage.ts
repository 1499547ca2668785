import type { ModelDetail } from '../../core/contract/learning.ts'
import type { Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { int, text } from '../project/rows.ts'
import type { Judgements } from './judgements.ts'
import type { Models } from './models.ts'
import type { LearnedCase } from './origin.ts'

export interface LineageParts {
  readonly db: Database
  readonly cases: Cases
  readonly models: Models
  readonly judgements: Judgements
}

/** What the interface shows of a version. Throws CodedError('not-found'). */
export function detailOf(parts: LineageParts, modelId: string): ModelDetail {
  const summary = parts.models.get(modelId)
  const { settings, card } = parts.models.origin(modelId)
  return {
    summary,
    judgements: parts.judgements.of(modelId),
    data: allData(parts, modelId),
    settings,
    versions: card.versions,
    backend: card.training?.backend ?? null,
    device: card.run?.device ?? null,
    seconds: card.training?.seconds ?? null,
    bytes: summary.bytes,
  }
}

/**
 * What a version and its ancestors learned, by case: the newest state that is known of each, and how many of its slices. Cases that
 * only another project has are among them, with what came with the version.
 */
export function allData({ db, cases, models }: Omit<LineageParts, 'judgements'>, modelId: string): ModelDetail['data'] {
  const noted = new Map<string, LearnedCase>()
  for (const one of models.learnedCases(modelId)) if (!noted.has(one.caseId)) noted.set(one.caseId, one)
  const rows = db.all(
    `SELECT l.case_id, COUNT(*) AS slices, SUM(COALESCE(s.changed_seq, 0) <> l.changed_seq) AS changed
     FROM learned l JOIN cases c ON c.id = l.case_id
     LEFT JOIN slice_state s ON s.case_id = l.case_id AND s.slice = l.slice
     WHERE l.model_id = ? GROUP BY l.case_id ORDER BY c.position`,
    modelId,
  )
  const here = rows.flatMap((row): ModelDetail['data'] => {
    const caseId = text(row, 'case_id')
    const record = cases.find(caseId)
    if (record === null) return []
    const { name, removed, contentHash: imageHash } = record
    const revision = noted.get(caseId)?.revision ?? null
    noted.delete(caseId)
    return [
      { caseId, name, removed, imageHash, revision, slices: int(row, 'slices'), changedSince: int(row, 'changed') },
    ]
  })
  // Also cases of the project of which a recipe learned other masks.
  const elsewhere = [...noted.values()].map((one) => {
    const record = cases.find(one.caseId)
    return { ...one, name: record?.name ?? one.name, removed: record?.removed ?? true, changedSince: 0 }
  })
  return [...here, ...elsewhere]
}
