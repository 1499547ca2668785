import { basename } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import type { CaseScores, Recipe } from '../../core/contract/recipes.ts'
import type { Vec3 } from '../../core/contract/schemas.ts'
import { meanScores, scoreCase } from '../../core/metrics/index.ts'
import { labelsIn, objectsOf } from '../../core/recipes/index.ts'
import { readImage, readImageInfo, readMask, readTruth, type MaskRules } from '../../imaging/index.ts'
import { interruptible } from '../interrupt.ts'
import { Output, type CommonOptions } from '../output.ts'
import { recipeOf } from '../recipe.ts'
import { meansTable, scoreTable } from '../scoreTable.ts'
import { pairPredictions, type ScoredPair } from '../truthFiles.ts'

export interface EvaluateOptions extends CommonOptions {
  readonly truth: string
  readonly pred: string
  readonly recipe?: string
  readonly labels?: readonly number[]
  readonly instances?: boolean
}

/** `maskwright evaluate --truth DIR --pred DIR` */
export async function evaluate(options: EvaluateOptions): Promise<void> {
  const output = new Output(options)
  const recipe = options.recipe === undefined ? null : recipeOf(options.recipe)
  await interruptible(
    async (signal) => {
      const { pairs, withoutTruth, withoutPrediction } = await pairPredictions(options.truth, options.pred)
      if (withoutTruth.length > 0) output.note(`left out, since the truth has no such case: ${listed(withoutTruth)}`)
      if (withoutPrediction.length > 0) output.note(`not predicted, and not measured: ${listed(withoutPrediction)}`)
      const task: Task = { rules: rulesOf(options, recipe), recipe, signal }
      const labels = await labelsOf(options, pairs, task, output)
      const cases: CaseScores[] = []
      const [truths, predictions] = [new Set<number>(), new Set<number>()]
      for (const [at, pair] of pairs.entries()) {
        output.progress(pair.id, at, pairs.length)
        const { truth, spacing, unknown, remarks, ...maps } = await readPair(pair, task)
        for (const remark of remarks) output.note(`${remark} They are compared voxel by voxel.`)
        if (unknown.length > 0) {
          output.note(`${pair.id}: the truth holds ${listed(unknown.map(String))}, which count as background`)
        }
        const membranes =
          recipe?.metrics.some((metric) => metric === 'warping-error' || metric === 'rand-error') ?? false
        cases.push({ id: pair.id, ...scoreCase({ truth, spacing, labels, membranes, ...maps }) })
        for (const label of labelsIn(truth)) truths.add(label)
        for (const label of labelsIn(maps.predicted)) predictions.add(label)
      }
      output.endProgress()
      if (recipe === null && task.rules.objectLabel === null) {
        const words = nothingShared(truths, predictions)
        if (words !== null) output.note(words)
      }
      const mean = meanScores(cases, labels)
      output.data({ cases, mean, labels, withoutTruth, withoutPrediction })
      const names = task.rules.classes
      for (const line of scoreTable(cases, { names, width: output.width })) output.text(line)
      output.text(`means of ${cases.length} ${cases.length === 1 ? 'case' : 'cases'}`)
      for (const line of meansTable(mean, names)) output.text(line)
    },
    () => 'interrupted; nothing was written.',
  )
}

/** Said of a recipe's predictions beside the raw values that it learned from, say: all of them would be measured as wrong. */
function nothingShared(truths: ReadonlySet<number>, predictions: ReadonlySet<number>): string | null {
  if (truths.size === 0 || predictions.size === 0 || [...predictions].some((label) => truths.has(label))) return null
  const values = (found: ReadonlySet<number>) => listed([...found].sort((a, b) => a - b).map(String))
  return `Truth and prediction have no label value in common (truth: ${values(truths)}; prediction: ${values(predictions)}); with --recipe the truth's values are read as in that recipe's training.`
}

interface Task {
  readonly rules: MaskRules
  readonly recipe: Recipe | null
  readonly signal: AbortSignal
}

/** Objects without a recipe are all one label. */
const ANY_OBJECT: Recipe['classes'] = [{ value: 1, name: 'Object', from: 1, to: 65_535 }]

function rulesOf({ instances }: EvaluateOptions, recipe: Recipe | null): MaskRules {
  if (instances !== true) return { classes: recipe?.classes ?? [], labels: null, objectLabel: null }
  const classes = recipe === null || recipe.classes.length === 0 ? ANY_OBJECT : recipe.classes
  const objectLabel = recipe?.presets.best.instances?.label ?? classes[0]?.value ?? 1
  return { classes, labels: null, objectLabel }
}

/** Those asked for, those of the recipe, or all that occur in a truth or a prediction. */
async function labelsOf(
  options: EvaluateOptions,
  pairs: readonly ScoredPair[],
  task: Task,
  output: Output,
): Promise<number[]> {
  const { objectLabel, classes } = task.rules
  if (options.labels !== undefined) return [...options.labels]
  if (objectLabel !== null) return [objectLabel]
  if (classes.length > 0) return classes.map(({ value }) => value)
  const found = new Set<number>()
  for (const [at, pair] of pairs.entries()) {
    output.progress(`looking for labels in ${pair.id}`, at, pairs.length)
    const { truth, predicted } = await readPair(pair, task)
    for (const label of [...labelsIn(truth), ...labelsIn(predicted)]) found.add(label)
  }
  return [...found].sort((a, b) => a - b)
}

/**
 * Both in the prediction's order of voxels. With `--instances` all of a prediction's values number objects of one label; without, they
 * do where the recipe has a single class and a value is not its label.
 */
async function readPair(pair: ScoredPair, { rules, signal }: Task) {
  const image = await readImage(pair.predicted, { signal })
  await image.voxels.close()
  const { labels: raw } = await readMask(pair.predicted, { signal })
  const { labels: truth, objects: truthObjects, unknown, remarks } = await readTruth(pair.truth, image, rules, signal)
  const [only, second] = rules.classes
  const numbers = second === undefined && only !== undefined && raw.some((value) => value !== 0 && value !== only.value)
  const found = { truth, truthObjects, unknown, remarks, dims: image.dims, spacing: await spacingOf(pair, image) }
  const label = rules.objectLabel ?? (numbers ? only.value : null)
  if (label === null) return { ...found, predicted: bytes(raw, pair.predicted) }
  const predicted = Uint8Array.from(raw, (value) => (value === 0 ? 0 : label))
  return {
    ...{ ...found, predicted },
    ...(rules.objectLabel === null ? {} : { predictedObjects: objectsOf(raw, image.dims) }),
  }
}

function bytes(raw: Uint8Array | Uint16Array | Uint32Array, file: string): Uint8Array {
  if (raw instanceof Uint8Array) return raw
  throw new CodedError(
    'bad-file',
    `${basename(file)} holds numbers above 255, which are no labels; give --instances where they number objects.`,
  )
}

/** mm, as the prediction or else the truth says; null where neither does. */
async function spacingOf(
  { truth }: ScoredPair,
  image: { readonly spacing: Vec3; readonly spacingKnown: boolean },
): Promise<Vec3 | null> {
  if (image.spacingKnown) return image.spacing
  const [file = ''] = truth.masks
  const { spacing, spacingKnown, unit } = await readImageInfo(file)
  return spacingKnown && unit === undefined ? spacing : null
}

const SHOWN = 8

function listed(names: readonly string[]): string {
  const more = names.length - SHOWN
  return names.slice(0, SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
