/** How well two label maps agree. */
export { dice, diceByLabel, iouByLabel, pixelAccuracy, overlaps, type Overlap } from './overlap.ts'
