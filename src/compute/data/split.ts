import { createRandom, randomInt } from './random.ts'
import type { CasePart, RecipeSettings } from '../../core/contract/recipes.ts'

/** What is known of a case when the parts are made. */
export interface CaseToSplit {
  readonly id: string
  readonly patient: string
  /** The layout says that it is there to be tested on. */
  readonly heldOut: boolean
  /** What kind of picture it is: size, colour, brightness. */
  readonly kind: string
  /** Share of its pixels that have a label. */
  readonly foreground: number
}

type SplitSettings = RecipeSettings['split']

interface Group {
  readonly patient: string
  readonly kind: string
  readonly foreground: number
  readonly heldOut: boolean
  readonly cases: number
}

/** Draws of which the fairest is taken, where patients have unlike numbers of cases. */
const DRAWS = 64

/**
 * Part of each case, by id. All cases of a patient go together. Patients are put in order of kind and foreground share, and of each
 * `holdout` neighbours one is drawn and held out, so that the parts are alike; of the others, in the same way, the share for
 * validation. Where the layout holds cases out itself, these are held out and no others. The same seed gives the same parts.
 */
export function splitCases(
  cases: readonly CaseToSplit[],
  settings: SplitSettings,
  seed: number,
): Map<string, CasePart> {
  const random = createRandom(seed ^ 0x51ed270b)
  const groups = groupsOf(cases)
  const stated = groups.some(({ heldOut }) => heldOut)
  const open = groups.filter(({ heldOut }) => !heldOut)
  const parts = new Map<string, CasePart>(
    groups.flatMap(({ patient, heldOut }) => (heldOut ? [[patient, 'holdout'] as const] : [])),
  )
  const holdout = stated || settings.holdout === 0 ? [] : fairlyDrawn(open, settings.holdout, random)
  for (const { patient } of holdout) parts.set(patient, 'holdout')
  const rest = open.filter(({ patient }) => !parts.has(patient))
  // Fewer than four: each is needed to learn from.
  const validation =
    settings.validation === 0 || rest.length < 4 ? [] : fairlyDrawn(rest, 1 / settings.validation, random)
  for (const { patient } of validation) parts.set(patient, 'validation')
  return new Map(cases.map(({ id, patient }) => [id, parts.get(patient) ?? 'train']))
}

/** Patients in order of what they are like. */
function groupsOf(cases: readonly CaseToSplit[]): Group[] {
  const byPatient = new Map<string, CaseToSplit[]>()
  for (const each of cases) byPatient.set(each.patient, [...(byPatient.get(each.patient) ?? []), each])
  const groups = [...byPatient].map(([patient, own]): Group => {
    const kinds = own.map(({ kind }) => kind).sort()
    return {
      patient,
      kind: kinds[Math.floor(kinds.length / 2)] ?? '',
      foreground: own.reduce((sum, { foreground }) => sum + foreground, 0) / own.length,
      heldOut: own.some(({ heldOut }) => heldOut),
      cases: own.length,
    }
  })
  return groups.sort((a, b) => compare(a.kind, b.kind) || a.foreground - b.foreground || compare(a.patient, b.patient))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** So that not only as many patients, but about as many cases are taken as one of `every`. */
function fairlyDrawn(groups: readonly Group[], every: number, random: () => number): Group[] {
  const casesOf = (some: readonly Group[]): number => some.reduce((sum, { cases }) => sum + cases, 0)
  const wanted = casesOf(groups) / every
  let best = drawn(groups, every, random)
  if (groups.every(({ cases }) => cases === 1)) return best
  for (let n = 1; n < DRAWS; n++) {
    const next = drawn(groups, every, random)
    if (Math.abs(casesOf(next) - wanted) < Math.abs(casesOf(best) - wanted)) best = next
  }
  return best
}

/** Of each `every` neighbours one; at least one where there are two or more, and never all. */
function drawn(groups: readonly Group[], every: number, random: () => number): Group[] {
  const taken: Group[] = []
  const count = Math.floor(groups.length / every)
  for (let n = 0; n <= count; n++) {
    const from = Math.round(n * every)
    const block = Math.max(1, Math.round((n + 1) * every) - from)
    // The last ones, too few for a whole block, are as likely to be taken as the others.
    const chosen = groups[from + randomInt(random, block)]
    if (chosen !== undefined) taken.push(chosen)
  }
  if (taken.length === 0 && groups.length > 1) taken.push(...groups.slice(-1))
  return taken.length >= groups.length ? taken.slice(1) : taken
}

/** Parts of the slices of one volume: every so many is held out, and of the others every so many kept for validation. */
export function splitSlices(slices: number, { holdout, validation }: SplitSettings, seed: number): CasePart[] {
  const random = createRandom(seed ^ 0x2545f491)
  const first = holdout > 0 ? randomInt(random, holdout) : 0
  const parts = Array.from({ length: slices }, (_, at): CasePart =>
    holdout > 1 && at % holdout === first ? 'holdout' : 'train',
  )
  const rest = parts.flatMap((part, at) => (part === 'train' ? [at] : []))
  if (validation === 0 || rest.length < 4) return parts
  const every = Math.max(2, Math.round(1 / validation))
  const start = randomInt(random, Math.min(every, rest.length))
  rest.forEach((at, n) => {
    if (n % every === start) parts[at] = 'validation'
  })
  return parts
}
