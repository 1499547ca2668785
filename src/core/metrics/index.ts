/** How well two label maps agree. */
export { diceByLabel, diceOf, overlaps, type Overlap } from './overlap.ts'
