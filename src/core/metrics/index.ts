/** How well two label maps agree: overlap, distances of surfaces, objects, membranes. */
export { diceByLabel, diceOf, overlaps, type Overlap } from './overlap.ts'
export { surfaceDistances, type SurfaceDistances } from './surfaceDistances.ts'
export { objectScores, type ObjectScores } from './objects.ts'
export { randError } from './rand.ts'
export { warpingError, type WarpingError } from './warping.ts'
export { scoreCase, type CaseToScore } from './score.ts'
export { meanKeys, meanScores } from './means.ts'
export { fewestPairs, meanOf, signFlipTest, standardError, type PairedTest } from './pairedTest.ts'
