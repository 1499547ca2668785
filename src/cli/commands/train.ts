import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { readCard, withComputeProcess, type ComputeOptions } from '../compute.ts'
import { Output } from '../output.ts'
import { recipeOf } from '../recipe.ts'
import { meansTable, scoreTable, type LabelNames } from '../scoreTable.ts'
import { applySettings } from '../settings/applySettings.ts'
import type { CaseScores, RecipeEvent } from '../../core/contract/recipes.ts'

export interface TrainCommandOptions extends ComputeOptions {
  readonly recipe: string
  readonly data: string
  readonly out: string
  readonly epochs?: number
  readonly batch?: number
  readonly limit?: number
  readonly set?: readonly string[]
  readonly resume?: boolean
  readonly compare?: readonly string[]
}

/** `maskwright train --recipe R --data DIR --out MODEL` */
export async function train(options: TrainCommandOptions): Promise<void> {
  const output = new Output(options)
  const startedAt = performance.now()
  const recipe = recipeOf(options.recipe)
  const { preset, settings } = applySettings(recipe, [
    ...(options.set ?? []),
    ...(options.epochs === undefined ? [] : [`training.epochs=${options.epochs}`]),
    ...(options.batch === undefined ? [] : [`training.batch=${options.batch}`]),
  ])
  const outDir = resolve(options.out)
  for (const dir of options.compare ?? []) await readCard(dir)
  if (existsSync(outDir)) {
    throw new CodedError('conflict', `${options.out} exists already; give --out a folder that does not exist yet.`)
  }
  const order = {
    recipe,
    preset,
    settings,
    dataDir: resolve(options.data),
    limit: options.limit ?? null,
    seed: options.seed,
    outDir,
    modelId: randomUUID(),
    name: basename(outDir),
    createdAt: new Date().toISOString(),
    resume: options.resume === true,
    compare: (options.compare ?? []).map((dir) => resolve(dir)),
    // Whoever names a model wants to see it beside.
    refuseOthers: true,
  }
  const teller = createTeller(output, options.out)
  const isKept = (): boolean => existsSync(`${outDir}.training`)
  const goOn = (): string =>
    `after epoch ${teller.epoch()}; the same command with --resume goes on from there, or delete ${options.out}.training.`
  const words = {
    interrupted: () => (isKept() ? `interrupted ${goOn()}` : 'interrupted; nothing was written.'),
    stopped: () => (isKept() ? `The compute process stopped or no longer answered ${goOn()}` : null),
  }
  await withComputeProcess(
    options,
    output,
    async (compute, signal) => {
      const { cases } = await compute.call('trainRecipe', order, {
        signal,
        onProgress: ({ step, steps, event, secondsLeft }) => {
          if (event === undefined) teller.progress(step, steps, secondsLeft)
          else teller.event(event)
        },
      })
      for (const line of tableOf(cases, teller.labels(), output.width)) output.text(line)
      output.text(`${options.out} is written, with its report in ${options.out}/report/report.html`)
      teller.done(Number(((performance.now() - startedAt) / 1000).toFixed(2)))
    },
    words,
  )
}

function createTeller(output: Output, model: string) {
  let epoch = 0
  let epochs = 0
  let begun = false
  let labels: LabelNames = []
  let finished: Extract<RecipeEvent, { event: 'done' }> | null = null
  return {
    epoch: () => epoch,
    labels: () => labels,
    progress(step: number, steps: number, secondsLeft: number | null) {
      const left = secondsLeft === null ? '' : `, ${clock(secondsLeft)} left`
      output.progress(
        begun ? `epoch ${Math.min(epochs, epoch + 1)} of ${epochs}${left}` : 'looking through the data',
        step,
        steps,
      )
    },
    event(event: RecipeEvent) {
      if (event.event === 'scoring') {
        output.progress(`measuring case ${Math.min(event.of, event.done + 1)} of ${event.of}`, event.done, event.of)
        return
      }
      if (event.event === 'done') {
        finished = event
        return
      }
      if (event.event === 'epoch') {
        epoch = event.epoch
        const { pictures: _, ...told } = event
        output.data(told)
        output.text(epochLine(event))
        return
      }
      begun = true
      labels = event.labels
      epochs = event.epochs
      epoch = event.from - 1
      output.data(event)
      for (const { file, reason } of event.left) output.note(`left out: ${file}: ${reason}`)
      for (const remark of event.remarks) output.note(remark)
      output.text(startLine(event))
    },
    /** The last line: everything is written now. */
    done(seconds: number) {
      if (finished === null) return
      output.data({ ...finished, model, seconds })
      output.text(`means of the ${PART_WORDS[finished.scoredOn]}`)
      for (const line of meansTable(finished.metrics, labels)) output.text(line)
    },
  }
}

const PART_WORDS = {
  holdout: 'cases that were held out',
  validation: 'validation cases',
  train: 'cases that it learned from, since none were held out',
} as const

function startLine({
  recipe,
  preset,
  cases,
  steps,
  epochs,
  from,
  parameters,
  backend,
  threads,
}: Extract<RecipeEvent, { event: 'start' }>): string {
  const { train: learned, validation, holdout } = cases
  const on = from > 1 ? `, going on with epoch ${from}` : ''
  return `${recipe} (${preset}): ${learned} cases to learn from, ${validation} for validation, ${holdout} held out; ${epochs} epochs of ${steps} steps${on}; ${parameters} weights; ${backend}, ${threads} threads`
}

function epochLine({
  epoch,
  epochs,
  loss,
  valLoss,
  val,
  seconds,
  secondsLeft,
}: Extract<RecipeEvent, { event: 'epoch' }>): string {
  const validation = valLoss === null ? '' : `, validation ${valLoss.toFixed(4)}`
  const dice = val.dice === undefined ? '' : `, Dice ${val.dice.toFixed(4)}`
  const left = secondsLeft === null || secondsLeft === 0 ? '' : `, ${clock(secondsLeft)} left`
  return `epoch ${epoch}/${epochs}: loss ${loss.toFixed(4)}${validation}${dice} (${clock(seconds)}${left})`
}

const SHOWN_CASES = 20

/** The worst cases by their mean Dice, in columns. */
function tableOf(cases: readonly CaseScores[], names: LabelNames, width: number): string[] {
  const more = cases.length - SHOWN_CASES
  return [
    ...scoreTable(cases, { names, width, most: SHOWN_CASES }),
    ...(more > 0 ? [`and ${more} better ones, in metrics.json`] : []),
  ]
}

function clock(seconds: number): string {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`
}
