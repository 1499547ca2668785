import { createHash } from 'node:crypto'
import type { CaseScores, Recipe } from '../../core/contract/recipes.ts'

type Scores = Omit<CaseScores, 'id'>

/** What cases are ranked by, larger is better: the recipe's first metric, means over labels; null: not defined, the worst. */
export function rankOf(scores: Scores, metric: Recipe['metrics'][number] | undefined): number | null {
  switch (metric) {
    case 'accuracy':
      return scores.pixelAccuracy
    case 'iou':
      return mean(scores.iou)
    case 'hd95':
      return Object.values(scores.hd95).includes(null) ? null : negative(mean(scores.hd95))
    case 'average-precision':
      return scores.instances?.ap ?? mean(scores.dice)
    case 'warping-error':
      return scores.membranes === undefined ? mean(scores.dice) : negative(scores.membranes.warping)
    case 'rand-error':
      return scores.membranes === undefined ? mean(scores.dice) : negative(scores.membranes.rand)
    case 'dice':
    case undefined:
      return mean(scores.dice)
  }
}

function negative(value: number | null): number | null {
  return value === null ? null : 0 - value
}

function mean(values: Readonly<Record<string, number | null>>): number | null {
  const known = Object.values(values).filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

/** Undefined ranks first, then the lowest; equal ones by name. */
export function worseFirst(a: Ranked, b: Ranked): number {
  const [x, y] = [a.rank ?? -Infinity, b.rank ?? -Infinity]
  return x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

interface Ranked {
  readonly id: string
  readonly rank: number | null
}

/** How many cases have figures, and why. */
export const WORST = 16
export const SAMPLE = 16
export const BEST = 8

/**
 * Which cases have figures, while they are still coming: the worst, the best, and a sample that hangs on their names alone, so that
 * two models that were scored on the same cases show the same ones. Whatever the order in which they come, the end is the same.
 */
export class Selection {
  readonly #cases: (Ranked & { readonly draw: string })[] = []

  /** Ids that have no place any longer; the new one is among them where it has none. */
  add(id: string, rank: number | null): string[] {
    const before = this.#shown()
    this.#cases.push({ id, rank, draw: createHash('sha256').update(id).digest('hex') })
    const after = this.#shown()
    return [...before, id].filter((each) => !after.has(each))
  }

  /** Why a case is shown, once all are there; null: it is not. */
  reason(id: string): 'worst' | 'sample' | 'best' | null {
    if (!this.#shown().has(id)) return null
    // Of few cases each is shown, and hardly all of them as the worst.
    const count = this.#cases.length
    const at = this.#cases.toSorted(worseFirst).findIndex((ranked) => ranked.id === id)
    if (at < Math.min(WORST, Math.ceil(count * 0.4))) return 'worst'
    return at >= count - Math.min(BEST, Math.floor(count * 0.2)) ? 'best' : 'sample'
  }

  #shown(): Set<string> {
    const ranked = this.#cases.toSorted(worseFirst)
    const drawn = this.#cases.toSorted((a, b) => (a.draw < b.draw ? -1 : 1)).slice(0, SAMPLE)
    return new Set([...ranked.slice(0, WORST), ...ranked.slice(-BEST), ...drawn].map(({ id }) => id))
  }
}
