import { diceByLabel } from '../../../core/metrics/index.ts'

/** How many voxels two predictions of a slice label differently. */
export function countDifferences(a: Uint8Array, b: Uint8Array): number {
  let count = 0
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) count += 1
  return count
}

/** `own` where it differs from `other`; 0, which is not drawn, elsewhere and where it has background. */
export function onlyDifferences(own: Uint8Array, other: Uint8Array): Uint8Array {
  return own.map((label, at) => (label === other[at] ? 0 : label))
}

/** Mean Dice of the labels that occur in either, 0 to 1; null where neither holds a label. */
export function meanDice(prediction: Uint8Array, mask: Uint8Array): number | null {
  const values = [...diceByLabel(prediction, mask).values()]
  return values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length
}
