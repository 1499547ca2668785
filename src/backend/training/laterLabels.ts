import { z } from 'zod'
import type { Database } from '../project/database.ts'
import { int, json } from '../project/rows.ts'

const labelsSchema = z.array(z.object({ value: z.int() }))

/** Of the project, as they are at this moment. */
export function labelValues(db: Database): number[] {
  return db.all('SELECT value FROM labels ORDER BY value').map((row) => int(row, 'value'))
}

/**
 * Labels of the project that were added after a slice was annotated as it is: those unknown to the first version that learned it in
 * this state. None of a slice that no version has learned so, of which nobody knows. For use at one moment.
 */
export function laterLabels(db: Database): (caseId: string, slice: number, changedSeq: number) => number[] {
  const all = labelValues(db)
  /** By version. */
  const later = new Map<number, number[]>()
  const laterThan = (version: number): number[] => {
    const row = db.get(`SELECT json_extract(card, '$.labels') AS labels FROM models WHERE version = ?`, version)
    const known = row === undefined ? undefined : labelsSchema.safeParse(json(row, 'labels')).data
    return known === undefined ? [] : all.filter((value) => !known.some((label) => label.value === value))
  }
  return (caseId, slice, changedSeq) => {
    const row = db.get(
      `SELECT m.version FROM models m CROSS JOIN learned l
       ON l.model_id = m.id AND l.case_id = ? AND l.slice = ? AND l.changed_seq = ? ORDER BY m.version LIMIT 1`,
      ...[caseId, slice, changedSeq],
    )
    if (row === undefined) return []
    const version = int(row, 'version')
    const found = later.get(version) ?? laterThan(version)
    later.set(version, found)
    return found
  }
}
