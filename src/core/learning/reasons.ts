/** Sentences for the user that say why a version is used or kept aside. */

interface Change {
  readonly unit: 'case' | 'slice'
  readonly pairs: number
  readonly before: number
  readonly after: number
}

export function nothingToCompare(): string {
  return 'No slice of the hold-out is corrected or approved as a whole, so nothing could be compared.'
}

export function noVersionBefore(): string {
  return 'There was no version in use that it could be compared with.'
}

export function noNumbers(): string {
  return 'Its scores on the hold-out are no numbers, so it is kept aside.'
}

export function tooFew(pairs: number, needed: number): string {
  const slices = pairs === 1 ? 'only 1 slice' : `only ${pairs} slices`
  return `The hold-out has ${slices} to compare, which is too few to tell; ${needed} would do.`
}

/** `label` null: the mean over the labels. */
export function fallen(label: string | null, before: number | null, after: number | null): string {
  const what = label === null ? 'Mean Dice' : `Dice of ${label}`
  return `${what} on the hold-out fell from ${shown(before)} to ${shown(after)}, more than its noise, so it is kept aside.`
}

export function better(change: Change, p: number): string {
  return `${moved(change)}, more than chance explains (p ${shownP(p)}).`
}

export function asideFor(change: Change, p: number, level: number): string {
  return `${moved(change)}, which is not more than chance explains (p ${shownP(p)}, at most ${level} is needed), so it is kept aside.`
}

function moved({ unit, pairs, before, after }: Change): string {
  const way = after > before ? 'rose' : after < before ? 'fell' : 'stayed'
  const values = way === 'stayed' ? `at ${shown(after)}` : `from ${shown(before)} to ${shown(after)}`
  return `Mean Dice on ${pairs} hold-out ${unit}${pairs === 1 ? '' : 's'} ${way} ${values}`
}

function shown(dice: number | null): string {
  return dice === null ? 'none' : dice.toFixed(3)
}

function shownP(p: number): string {
  return p < 0.001 ? 'below 0.001' : p.toFixed(3)
}
