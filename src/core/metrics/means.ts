import type { CaseScores, Recipe } from '../contract/recipes.ts'

/** Where each of a recipe's metrics stands among the means. */
export const meanKeys: Readonly<Record<Recipe['metrics'][number], string>> = {
  accuracy: 'accuracy',
  dice: 'dice',
  iou: 'iou',
  hd95: 'hd95',
  'average-precision': 'ap',
  'warping-error': 'warping',
  'rand-error': 'rand',
}

const PER_LABEL = ['dice', 'iou', 'sensitivity', 'specificity', 'hd', 'hd95', 'assd', 'volumeDifference'] as const

/**
 * Means over the cases, each case counting the same: `accuracy`, `meanIou`, then for each measure by label the mean over the
 * labels (`dice`) and each label's own (`dice:1`), then `ap`, `ap50`, `warping`, `rand` where cases have them. Distances that
 * are not defined are left out of their means, and `undefinedDistances` counts them where there are any; null where nothing is
 * left.
 *
 * @param labels Label values in the order wanted.
 */
export function meanScores(cases: readonly CaseScores[], labels: readonly number[]): Record<string, number | null> {
  const means: Record<string, number | null> = { accuracy: mean(cases.map((each) => each.pixelAccuracy)) }
  put(
    means,
    'meanIou',
    cases.map((each) => each.meanIou),
  )
  for (const measure of PER_LABEL) {
    const own = labels.map((label) => mean(cases.map((each) => each[measure][String(label)])))
    means[measure] = mean(own)
    for (const [at, label] of labels.entries()) means[`${measure}:${label}`] = own[at] ?? null
  }
  put(
    means,
    'ap',
    cases.map((each) => each.instances?.ap),
  )
  put(
    means,
    'ap50',
    cases.map((each) => each.instances?.ap50),
  )
  put(
    means,
    'warping',
    cases.map((each) => each.membranes?.warping),
  )
  put(
    means,
    'rand',
    cases.map((each) => each.membranes?.rand),
  )
  const undefinedDistances = cases.reduce(
    (count, each) => count + labels.filter((label) => each.hd[String(label)] === null).length,
    0,
  )
  if (undefinedDistances > 0) means.undefinedDistances = undefinedDistances
  return means
}

/** Only what some case has. */
function put(means: Record<string, number | null>, key: string, values: readonly (number | undefined)[]): void {
  const value = mean(values)
  if (value !== null) means[key] = value
}

function mean(values: readonly (number | null | undefined)[]): number | null {
  const defined = values.filter((value) => value !== null && value !== undefined)
  return defined.length === 0 ? null : defined.reduce((sum, value) => sum + value, 0) / defined.length
}
