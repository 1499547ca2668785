import type { RecipeSettings } from '../../core/contract/recipes.ts'
import type { SliceRef, TrainingData } from './types.ts'

/** Pictures that are shown epoch by epoch. */
const SHOWN = 4
/** Where no case is kept for validation, so many slices of the training part are measured. */
const OF_TRAINING = 8
/** Measured are at most this share of the pixels that an epoch learns from: a step costs three passes, measuring one. */
const SHARE = 0.5

/**
 * The slices that are measured after each epoch, evenly spread over those of the validation part, as many as take a sixth of
 * an epoch's time; of the training part where nothing is kept for validation. They hang on the data and settings alone.
 */
export function measuredSlices(data: TrainingData, { patch, batch, steps }: RecipeSettings['training']): SliceRef[] {
  const validation = data.slices('validation')
  if (validation.length === 0) return evenly(data.slices('train'), OF_TRAINING)
  const pixels = (refs: readonly SliceRef[]): number =>
    refs.reduce((sum, { width, height }) => sum + width * height, 0) / Math.max(1, refs.length)
  const train = data.slices('train')
  const count = (steps ?? data.batchesPerEpoch({ batch, patch })) * batch
  const learned = count * (patch === null ? pixels(train) : patch ** 2)
  return evenly(validation, Math.max(OF_TRAINING, Math.floor((SHARE * learned) / pixels(validation))))
}

/** Places of the slices to show: with labels, of different cases where there are enough, evenly spread. `shares` by place. */
export function shownSlices(measured: readonly SliceRef[], shares: ReadonlyMap<number, number>): number[] {
  const byCase = new Map<string, number>()
  measured.forEach(({ caseId }, index) => {
    const best = byCase.get(caseId)
    if (best === undefined || (shares.get(index) ?? 0) > (shares.get(best) ?? 0)) byCase.set(caseId, index)
  })
  const ofCases = [...byCase.values()]
  const labelled = ofCases.filter((index) => (shares.get(index) ?? 0) > 0)
  const chosen = evenly(labelled.length >= SHOWN ? labelled : ofCases, SHOWN)
  if (chosen.length >= SHOWN) return chosen
  const others = measured
    .map((_, index) => index)
    .filter((index) => !chosen.includes(index) && (shares.get(index) ?? 0) > 0)
  return [...chosen, ...evenly(others, SHOWN - chosen.length)].sort((a, b) => a - b)
}

function evenly<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list]
  return Array.from({ length: count }, (_, i) => list[Math.floor(((i + 0.5) * list.length) / count)]).filter(
    (each) => each !== undefined,
  )
}
