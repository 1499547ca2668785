import type { Colour } from './canvas.ts'
import type { ContourStyle } from './labels.ts'

/** Contours of what was predicted, or of labels where there is nothing to compare with: solid, in the label's colour. */
export const PREDICTED: ContourStyle = { thickness: 2, dash: 0, halo: true }
/** Contours of the truth beside a prediction: white, broken, thin. */
export const TRUE: ContourStyle = { thickness: 1, dash: 3, halo: false }
export const TRUTH_COLOUR: Colour = [255, 255, 255]
/** Of colours laid over a picture. */
export const OVERLAY = 0.45
