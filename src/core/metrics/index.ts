/** How well two label maps agree. */
export { diceByLabel, diceOf, overlaps } from './overlap.ts'
