import type { RecipeReport } from '../contract/report.ts'

/** Which weights a finished training kept: `best` in validation, or on what is learned from where nothing is validated. */
export type KeptWeights =
  | { readonly kind: 'last'; readonly epoch: number }
  | { readonly kind: 'best'; readonly epoch: number; readonly validated: boolean }
  /** No epoch was better than what the training began with. */
  | { readonly kind: 'first' }

/** null: there was no epoch. */
export function keptWeights({ bestEpoch, history }: Pick<RecipeReport, 'bestEpoch' | 'history'>): KeptWeights | null {
  if (bestEpoch === 0) return { kind: 'first' }
  if (bestEpoch !== null) {
    return { kind: 'best', epoch: bestEpoch, validated: history.some(({ valLoss }) => valLoss !== null) }
  }
  const last = history.at(-1)
  return last === undefined ? null : { kind: 'last', epoch: last.epoch }
}
