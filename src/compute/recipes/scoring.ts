import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { meanScores, scoreCase } from '../../core/metrics/index.ts'
import { readImage } from '../../imaging/index.ts'
import { predictImage } from '../inference/predictImage.ts'
import { stopIfCancelled } from '../inference/turns.ts'
import { slicesAlone, stackedSlices, stackGeometry } from './scoredSlices.ts'
import type { LoadedModel } from '../models/files.ts'
import type { CasePart, CaseScores, RecipeSettings, Recipe } from '../../core/contract/recipes.ts'
import type { Report } from '../report/index.ts'
import type { ErrorCode } from '../../core/contract/errors.ts'
import type { TrainingCase, TrainingData } from './types.ts'

interface ScoringOptions {
  readonly recipe: Recipe
  readonly settings: RecipeSettings
  readonly data: TrainingData
  readonly dataDir: string
  readonly report: Report
  readonly signal: AbortSignal
  readonly warn: (message: string) => void
  /** `done` counts cases, with a share of the one that is worked on. */
  readonly onProgress: (done: number, of: number) => void
}

export interface Scored {
  readonly scoredOn: CasePart
  readonly cases: CaseScores[]
  /** Cases that could not be scored, and why. */
  readonly left: { file: string; reason: string }[]
  readonly metrics: Record<string, number | null>
}

/** Errors that are one case's own. */
const OF_THE_CASE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['bad-file', 'file-missing', 'bad-request'])

/**
 * Predicts whole cases as anybody would with the finished model, at their own size, and compares them with the truth: those
 * held out; where there are none those of validation; where there are none of these either, what was learned from.
 */
export async function scoreCases(model: LoadedModel, options: ScoringOptions): Promise<Scored> {
  const { data, dataDir, recipe, settings, report, signal, warn, onProgress } = options
  const scoredOn = partToScore(data)
  const chosen = data.cases.filter(({ part }) => part === scoredOn)
  const labels = data.labels.map(({ value }) => value)
  const membranes = recipe.metrics.some((metric) => metric === 'warping-error' || metric === 'rand-error')
  const cases: CaseScores[] = []
  onProgress(0, chosen.length)
  const left: Scored['left'] = []
  for (const [at, each] of chosen.entries()) {
    stopIfCancelled(signal)
    try {
      cases.push(await scoreOne(each, (share) => onProgress(at + share, chosen.length)))
    } catch (error) {
      // A training is not lost for the sake of a file that went away, or of a case that is too large.
      if (!(error instanceof CodedError) || !OF_THE_CASE.has(error.code)) throw error
      warn(`${each.id} was not scored: ${error.message}`)
      left.push({ file: path.relative(dataDir, each.image) || each.image, reason: `Not scored: ${error.message}` })
    }
    onProgress(at + 1, chosen.length)
  }
  return { scoredOn, cases, left, metrics: meanScores(cases, labels) }

  async function scoreOne(each: TrainingCase, onShare: (share: number) => void): Promise<CaseScores> {
    const image = await readImage(each.image, { signal })
    try {
      const predicted = await predictImage(model, image, {
        instances: settings.instances !== null,
        signal,
        onProgress: onShare,
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
      const alone = <V extends Uint8Array | Uint32Array | null>(values: V): V =>
        only === undefined || values === null ? values : slicesAlone(values, image.dims, only)
      await report.addCase({
        ...{ id: each.id, part: each.part, image, scores, only },
        ...{ truth: alone(maps.truth), prediction: alone(maps.prediction) },
        ...{ truthObjects: alone(objects.truthObjects), predictedObjects: alone(objects.predictedObjects) },
      })
      return { id: each.id, ...scores }
    } finally {
      await image.voxels.close()
    }
  }
}

/** What a model is scored on: what was held out, where something was. */
export function partToScore({ cases }: Pick<TrainingData, 'cases'>): CasePart {
  const parts: CasePart[] = ['holdout', 'validation', 'train']
  return parts.find((part) => cases.some((each) => each.part === part)) ?? 'train'
}
