import { meanScores, scoreCase } from '../../core/metrics/index.ts'
import { readImage } from '../../imaging/index.ts'
import { predictImage } from '../inference/predictImage.ts'
import { stopIfCancelled } from '../inference/turns.ts'
import { slicesAlone, stackedSlices, stackGeometry } from './scoredSlices.ts'
import type { LoadedModel } from '../models/files.ts'
import type { CasePart, CaseScores, RecipeSettings, Recipe } from '../../core/contract/recipes.ts'
import type { Report } from '../report/index.ts'
import type { TrainingData } from './types.ts'

interface ScoringOptions {
  readonly recipe: Recipe
  readonly settings: RecipeSettings
  readonly data: TrainingData
  readonly report: Report
  readonly signal: AbortSignal
  readonly warn: (message: string) => void
  /** `done` counts cases, with a share of the one that is worked on. */
  readonly onProgress: (done: number, of: number) => void
}

export interface Scored {
  readonly scoredOn: CasePart
  readonly cases: CaseScores[]
  readonly metrics: Record<string, number | null>
}

/**
 * Predicts whole cases as anybody would with the finished model, at their own size, and compares them with the truth: those
 * held out; where there are none those of validation; where there are none of these either, what was learned from.
 */
export async function scoreCases(model: LoadedModel, options: ScoringOptions): Promise<Scored> {
  const { data, recipe, settings, report, signal, warn, onProgress } = options
  const scoredOn = partToScore(data)
  const chosen = data.cases.filter(({ part }) => part === scoredOn)
  const labels = data.labels.map(({ value }) => value)
  const membranes = recipe.metrics.some((metric) => metric === 'warping-error' || metric === 'rand-error')
  const cases: CaseScores[] = []
  onProgress(0, chosen.length)
  for (const [at, each] of chosen.entries()) {
    stopIfCancelled(signal)
    const image = await readImage(each.image, { signal })
    try {
      const predicted = await predictImage(model, image, {
        instances: settings.instances !== null,
        signal,
        onProgress: (share) => {
          onProgress(at + share, chosen.length)
        },
        notify: warn,
      })
      const truth = await data.truth(each.id)
      const maps = { truth: truth.labels, prediction: predicted.labels }
      const objects = { truthObjects: truth.objects, predictedObjects: predicted.objects }
      const { only } = each
      const spacing = image.spacingKnown ? image.spacing : null
      const stack = <V extends Uint8Array | Uint32Array | null>(values: V): V =>
        only === undefined || values === null ? values : stackedSlices(values, image.dims, only)
      const scores = scoreCase({
        truth: stack(maps.truth),
        predicted: stack(maps.prediction),
        ...(only === undefined ? { dims: image.dims, spacing } : stackGeometry(image.dims, spacing, only)),
        labels,
        truthObjects: stack(objects.truthObjects),
        predictedObjects: stack(objects.predictedObjects),
        membranes,
      })
      cases.push({ id: each.id, ...scores })
      const alone = <V extends Uint8Array | Uint32Array | null>(values: V): V =>
        only === undefined || values === null ? values : slicesAlone(values, image.dims, only)
      await report.addCase({
        ...{ id: each.id, part: each.part, image, scores, only },
        ...{ truth: alone(maps.truth), prediction: alone(maps.prediction) },
        ...{ truthObjects: alone(objects.truthObjects), predictedObjects: alone(objects.predictedObjects) },
      })
    } finally {
      await image.voxels.close()
    }
    onProgress(at + 1, chosen.length)
  }
  return { scoredOn, cases, metrics: meanScores(cases, labels) }
}

function partToScore({ cases }: TrainingData): CasePart {
  const parts: CasePart[] = ['holdout', 'validation', 'train']
  return parts.find((part) => cases.some((each) => each.part === part)) ?? 'train'
}
