/** Sentences for the user: what was found when a version was judged. What becomes of it is the verdict's to say, and can change later. */

/** Mean Dice over the cases, each scored over all its slices. */
interface Change {
  readonly cases: number
  /** Where they are what was tested; null: the cases were. */
  readonly slices: number | null
  readonly before: number
  readonly after: number
}

/** `case`: over the cases, by more than the noise of what was tested; `slice`: over slices; `pooled`: over cases of which there are too
 * few to tell their noise, by more than 0.02. */
export interface Fall {
  readonly before: number
  readonly after: number
  readonly of: 'case' | 'slice' | 'pooled'
}

export function nothingToCompare(): string {
  return 'No slice of the hold-out is corrected or approved as a whole, so nothing could be compared.'
}

export function noVersionBefore(): string {
  return 'There was no version in use that it could be compared with.'
}

export function noNumbers(): string {
  return 'Its scores on the hold-out are no numbers.'
}

export function tooFew(pairs: number, needed: number): string {
  const slices = pairs === 1 ? 'only 1 slice' : `only ${pairs} slices`
  return `The hold-out has ${slices} to compare, which is too few to tell; ${needed} would do.`
}

/** `label` null: the mean over the labels. */
export function fallen(label: string | null, { before, after, of }: Fall): string {
  const what = label === null ? 'Mean Dice' : `Dice of ${label}`
  const where = of === 'slice' ? 'on the slices of the hold-out' : 'on the hold-out'
  const why = of === 'pooled' ? 'more than 0.02' : 'more than its noise'
  return `${what} ${where} fell from ${shown(before)} to ${shown(after)}, ${why}.`
}

export function better(change: Change, p: number): string {
  return change.slices === null
    ? `${moved(change)}, more than chance explains (p ${shownP(p)}).`
    : `${moved(change)}; by ${slicesOf(change)}, more than chance explains (p ${shownP(p)}).`
}

export function asideFor(change: Change, p: number, level: number): string {
  const chance = `not more than chance explains (p ${shownP(p)}, at most ${level} is needed).`
  return change.slices === null
    ? `${moved(change)}, which is ${chance}`
    : `${moved(change)}; by ${slicesOf(change)}, ${chance}`
}

/** Slices rose, most of them of one case. */
export function notByCase(change: Change): string {
  return `${moved(change)}, although ${slicesOf(change)} rose on average.`
}

function slicesOf({ slices }: Change): string {
  return `their ${slices} slices`
}

function moved({ cases, before, after }: Change): string {
  const way = after > before ? 'rose' : after < before ? 'fell' : 'stayed'
  const values = way === 'stayed' ? `at ${shown(after)}` : `from ${shown(before)} to ${shown(after)}`
  return `Mean Dice on ${cases} hold-out case${cases === 1 ? '' : 's'} ${way} ${values}`
}

function shown(dice: number): string {
  return dice.toFixed(3)
}

function shownP(p: number): string {
  return p < 0.001 ? 'below 0.001' : p.toFixed(3)
}
