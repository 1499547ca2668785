import type { Recipe, RecipeSettings } from '../contract/recipes.ts'

/** What raw mask values mean: a recipe's classes, or every value itself. */
export interface MaskMapping {
  /** Ranges of raw values and the labels that they are; empty: every value from 1 to 255 is a label of its own. */
  readonly classes: Recipe['classes']
  /** Of masks without classes, the values that are labels; the others are background. null: all. */
  readonly labels: RecipeSettings['labels']
}

export interface MappedMask {
  /** Label values, a byte a voxel. */
  readonly labels: Uint8Array<ArrayBuffer>
  /** Raw values above 0 that are no label though nobody asked for them to be left out, ascending; background in `labels`. */
  readonly unknown: readonly number[]
}

/**
 * The label of each raw mask value. One table for all values below 65,536, so that a volume takes one look-up a voxel. Where
 * the ranges of two classes overlap the first one holds; one that goes to 65,535 has no end.
 */
export function mapMask(raw: ArrayLike<number>, { classes, labels: wanted }: MaskMapping): MappedMask {
  const table = new Uint8Array(65_536)
  const known = new Uint8Array(65_536)
  known[0] = 1
  if (classes.length > 0) {
    for (const { value, from, to } of [...classes].reverse()) {
      table.fill(value, from, to + 1)
      known.fill(1, from, to + 1)
    }
  } else if (wanted === null) {
    for (let value = 1; value < 256; value++) table[value] = value
    known.fill(1, 1, 256)
  } else {
    known.fill(1)
    for (const value of wanted) {
      if (value < 256) table[value] = value
      else known[value] = 0
    }
  }
  const chosen = classes.length === 0 && wanted !== null
  // Numbers of objects can be larger than any label.
  const last = classes.some(({ to }) => to === 65_535) ? 65_535 : Infinity
  const mapped = new Uint8Array(raw.length)
  const unknown = new Set<number>()
  for (let i = 0; i < raw.length; i++) {
    const value = Math.min(raw[i] ?? 0, last)
    if (known[value] !== 1 && !(chosen && value > 65_535)) unknown.add(value)
    mapped[i] = table[value] ?? 0
  }
  return { labels: mapped, unknown: [...unknown].sort((a, b) => a - b) }
}

/** The label values that occur, background left out, ascending. */
export function labelsIn(labels: Uint8Array): number[] {
  const seen = new Uint8Array(256)
  for (const value of labels) seen[value] = 1
  return [...seen.keys()].filter((value) => value > 0 && seen[value] === 1)
}
