/**
 * What a version predicts of the fixtures' volumes, whose truth is the bright block, 9 of 48 pixels of a slice. `right`: the block.
 * `all`: label 1 everywhere, Dice 2 x 9 / (48 + 9) = 18/57. `none`: background, Dice 0.
 */
export type Quality = 'right' | 'all' | 'none'

export const labelOf: Record<Quality, (scaled: number) => number> = {
  right: (scaled) => Number(scaled > 50),
  all: () => 1,
  none: () => 0,
}

const turns: readonly Quality[] = ['none', 'all', 'right', 'all']

/** By the number of the version: worse, better and as good in turn. */
export function qualityOf(modelDir: string): (scaled: number) => number {
  return labelOf[turns[Number(modelDir.slice(-3)) % turns.length] ?? 'none']
}
