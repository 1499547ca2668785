import type { Coverage } from '../../core/contract/learning.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { Tallies } from '../annotation/tallies.ts'
import type { Cases } from '../project/cases.ts'
import type { Database } from '../project/database.ts'
import { flag } from '../project/rows.ts'
import type { Settings } from '../project/settings.ts'

/** The backend's own: what of a slice teaches that becomes corrected. */
const KEY = '.coverage'

export function coverageOf(settings: Settings): Coverage {
  return settings.get(KEY) === 'painted' ? 'painted' : 'whole'
}

interface CoverageParts {
  readonly db: Database
  readonly cases: Cases
  readonly tallies: Tallies
  readonly settings: Settings
  /** What the slices of a case are has changed, and with it the case's summary. */
  readonly slicesChanged: (caseId: string) => void
  readonly touched: () => void
}

/**
 * Of a slice, of all corrected slices of a case (`index` null), or of what is corrected from now on (`caseId` null). Returns what is in
 * force then: a slice that was predicted with its volume and corrected in another plane only teaches where it was painted, whatever is
 * wanted. Throws CodedError: `not-found`; `bad-request` for a slice that is not corrected.
 */
export function setCoverage(
  parts: CoverageParts,
  target: { readonly caseId: string | null; readonly index: number | null },
  coverage: Coverage,
): Coverage {
  const { db, cases, tallies, settings } = parts
  const { caseId, index } = target
  if (caseId === null) {
    if (index !== null) throw new CodedError('bad-request', 'A slice is one of a case; say of which.')
    settings.set(KEY, coverage)
    return coverage
  }
  cases.get(caseId)
  const corrected = tallies.marks(caseId).corrected
  if (index === null ? corrected.length === 0 : !corrected.includes(index)) {
    throw new CodedError('bad-request', 'Nothing is corrected here yet; correct it first.')
  }
  tallies.setCoverage(caseId, index, coverage)
  parts.slicesChanged(caseId)
  parts.touched()
  if (index === null) return coverage
  const row = db.get('SELECT whole FROM slice_state WHERE case_id = ? AND slice = ?', caseId, index)
  return row !== undefined && flag(row, 'whole') ? 'whole' : 'painted'
}
