/** How well two label maps agree. */
export { dice, diceByLabel, iouByLabel, pixelAccuracy, overlaps } from './overlap.ts'
