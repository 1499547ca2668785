import type { TrainingSample } from '../../core/contract/compute.ts'
import type { Database } from '../project/database.ts'
import { int, json, text } from '../project/rows.ts'
import { teachingSlices, type TeachingSlice } from '../review/teaching.ts'
import { drawReplay, type ReplaySlice } from './reservoir.ts'

/** Corrected slices that one training learns from. Of more than these, half are the newest ones, the rest is drawn. */
const MAX_CORRECTED = 64
/** Slices that keep what was learned before: as many as these pixels allow, within these bounds. */
const REPLAY_PIXELS = 2 ** 24
const MIN_REPLAY = 16
const MAX_REPLAY = 512

/**
 * How much less often a slice is drawn where its case has many: 0 not at all, 1 so that each case is drawn as often as any
 * other, however many of its slices were corrected.
 */
const EVENING = 0.5

export interface SliceChoice {
  readonly caseId: string
  readonly slice: number
  readonly role: TrainingSample['role']
  /** The journal row that changed it last. */
  readonly changedSeq: number
  /** All of it teaches. */
  readonly whole: boolean
  /** The parent has not learned it in its present state. */
  readonly fresh: boolean
  /** How often it is drawn, against others of its role: 1 on average. */
  readonly weight: number
}

export interface Choosing {
  readonly seed: number
  /** Replayed until now: taken again before others are drawn, since compute has them. */
  readonly again?: readonly SliceChoice[]
}

/**
 * What the next training learns from. Slices that the parent has not learned in their present state come first, newest
 * first; without such, all that were corrected or approved. Of the others a replay is drawn, so that what was learned stays.
 */
export function chooseSlices(db: Database, parentId: string | null, { seed, again = [] }: Choosing): SliceChoice[] {
  return chooseFrom(teachingSlices(db, parentId).map(withLabels(db)), largestSlice(db), { seed, again })
}

/** The same of slices that are given, the newest first, of which the largest has so many pixels. */
export function chooseFrom(all: readonly Candidate[], largest: number, { seed, again = [] }: Choosing): SliceChoice[] {
  const fresh = all.filter(({ known }) => !known)
  const lead = leading(fresh.length > 0 ? fresh : all, seed)
  const taken = new Set(lead)
  const others = all.filter((slice) => !taken.has(slice))
  const count = Math.min(MAX_REPLAY, Math.max(MIN_REPLAY, Math.floor(REPLAY_PIXELS / largest)))
  const before = new Set(again.map(nameOf))
  const kept = others.filter((slice) => before.has(nameOf(slice))).slice(0, count)
  const free = others.filter((slice) => !before.has(nameOf(slice)))
  const replay = [...kept, ...drawReplay(free, count - kept.length, seed)]
  return [...weighed(lead, 'corrected'), ...weighed(replay, 'replay')]
}

export type Candidate = TeachingSlice & ReplaySlice

/** In pixels, of the cases that teach. */
function largestSlice(db: Database): number {
  const row = db.get(
    `SELECT COALESCE(MAX(nx * ny * nz / CASE training_axis WHEN 0 THEN nx WHEN 1 THEN ny ELSE nz END), 1) AS pixels
     FROM cases WHERE removed = 0 AND id IN (SELECT case_id FROM slice_state WHERE teaches)`,
  )
  return row === undefined ? 1 : int(row, 'pixels')
}

function nameOf({ caseId, slice }: { readonly caseId: string; readonly slice: number }): string {
  return `${caseId} ${slice}`
}

/** The newest ones; of a mass that came at once, such as imported masks, not only one end of it. */
function leading(slices: readonly Candidate[], seed: number): readonly Candidate[] {
  if (slices.length <= MAX_CORRECTED) return slices
  const newest = slices.slice(0, MAX_CORRECTED / 2)
  return [...newest, ...drawReplay(slices.slice(newest.length), MAX_CORRECTED - newest.length, seed)]
}

/** As often as its role draws each, so that a case with many slices does not outweigh the others. */
export function weighed(slices: readonly Candidate[], role: SliceChoice['role']): SliceChoice[] {
  const counts = new Map<string, number>()
  for (const { caseId } of slices) counts.set(caseId, (counts.get(caseId) ?? 0) + 1)
  const weights = slices.map(({ caseId }) => (counts.get(caseId) ?? 1) ** -EVENING)
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / Math.max(1, weights.length)
  return slices.map(({ caseId, slice, changedSeq, whole, known }, i) => ({
    ...{ caseId, slice, role, changedSeq, whole },
    fresh: !known,
    weight: (weights[i] ?? mean) / mean,
  }))
}

/** Labels of a slice as it was when it was last gathered; of one that never was, those of its case. */
function withLabels(db: Database): (slice: TeachingSlice) => Candidate {
  const known = new Map<string, readonly number[]>()
  for (const row of db.all('SELECT case_id, slice, labels FROM lesson_labels')) {
    known.set(nameOf({ caseId: text(row, 'case_id'), slice: int(row, 'slice') }), labelsIn(json(row, 'labels')))
  }
  const ofCase = new Map<string, number[]>()
  for (const row of db.all('SELECT case_id, label FROM label_counts WHERE voxels > 0 ORDER BY label')) {
    const caseId = text(row, 'case_id')
    ofCase.set(caseId, [...(ofCase.get(caseId) ?? []), int(row, 'label')])
  }
  return (slice) => ({
    ...slice,
    labels: known.get(nameOf(slice)) ?? ofCase.get(slice.caseId) ?? [],
  })
}

function labelsIn(value: unknown): number[] {
  return Array.isArray(value) ? value.filter((label) => typeof label === 'number') : []
}
