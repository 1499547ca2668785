/**
 * The learning rate of step `step` of `steps`: a linear rise, then half a cosine down to a tenth.
 *
 * @param share Of the steps that rise; a few do so in any case.
 */
export function learningRateAt(peak: number, step: number, steps: number, share = 0): number {
  const rise = Math.max(Math.min(5, Math.ceil(steps / 10)), Math.round(share * steps))
  if (step < rise) return (peak * (step + 1)) / rise
  const done = Math.min(1, (step - rise) / Math.max(1, steps - rise))
  return peak * (0.1 + 0.9 * 0.5 * (1 + Math.cos(Math.PI * done)))
}

/** Steps measured before it is said how many fit into the time; their learning rates do not depend on timing. */
export const MEASURED = 4

/**
 * How many steps there will be, so that the learning rate falls in time and the interface can show how far it is: the
 * bound on steps, or what fits into the bound on seconds once a few steps have been timed. Where steps are so long that
 * not even those few fit, the first ones tell. Where the seconds do not bind, nothing depends on timing.
 */
export function plannedSteps(steps: number, secondsLeft: number, times: readonly number[]): number {
  const longest = Math.max(0, ...times)
  const early = times.length < MEASURED
  if (early && secondsLeft >= longest * (MEASURED - times.length)) return steps
  const sorted = [...times].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)] ?? 1
  return Math.max(times.length, Math.min(steps, times.length + Math.floor(secondsLeft / median)))
}

/** While slices do not change, the learning rate halves in about so many steps, down to SETTLED of its peak. */
const SETTLING = 200
const SETTLED = 0.1

/**
 * The learning rate of a training without an end: step `step` since the slices changed last, `all` steps in all. A short rise
 * at the very beginning, then the peak, which falls with the steps until the slices change again.
 */
export function sessionRateAt(peak: number, step: number, all: number): number {
  return peak * Math.min(1, (all + 1) / 5) * Math.max(SETTLED, SETTLING / (SETTLING + step))
}
