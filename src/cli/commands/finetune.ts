import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { ComputePort } from '../../backend/index.ts'
import type { ModelCard, TrainingSample } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { judge } from '../../core/learning/judge.ts'
import { findPairs, readPair, samplesOf, type Pair } from '../cases.ts'
import { readCard, withComputeProcess, type ComputeOptions } from '../compute.ts'
import { Output } from '../output.ts'
import { scoreModels } from '../scoring.ts'

export interface FinetuneOptions extends ComputeOptions {
  readonly model: string
  readonly data: string
  readonly out: string
  readonly steps: number
  readonly seconds: number
  readonly replay?: string
  readonly holdout?: string
}

/** Slices that go to the compute process in one request, at most; more do not fit its memory beside the training. */
const maxSlices = 2000

/** `maskwright finetune --model MODEL --data DIR --out MODEL2` */
export async function finetune(options: FinetuneOptions): Promise<void> {
  const output = new Output(options)
  const startedAt = performance.now()
  const seconds = () => Number(((performance.now() - startedAt) / 1000).toFixed(2))
  const parentDir = resolve(options.model)
  const outDir = resolve(options.out)
  const parent = await readCard(options.model)
  if (parent.onnx !== undefined) {
    throw new CodedError(
      'bad-file',
      `${options.model} is an imported network, which only predicts; give --model a model that was trained here.`,
    )
  }
  refuseExisting(outDir, options.out)
  const corrected = await pairsOf(options.data, output)
  const replayed = options.replay === undefined ? [] : await pairsOf(options.replay, output)
  const holdout = options.holdout === undefined ? null : await pairsOf(options.holdout, output)

  await withComputeProcess(options, output, async (compute, signal) => {
    const samples = await gather(corrected, replayed, signal, output)
    const labels = labelsFor(parent, samples)
    const { backend } = await compute.call('status', {}, { signal })
    output.data({
      event: 'start',
      model: options.model,
      data: options.data,
      cases: corrected.length,
      slices: samples.length,
      steps: options.steps,
      seconds: options.seconds,
      seed: options.seed,
      backend,
    })
    output.text(`${samples.length} slices of ${corrected.length + replayed.length} cases, ${backend}`)
    const { card } = await compute.call(
      'train',
      {
        parentDir,
        outDir,
        modelId: randomUUID(),
        name: basename(outDir),
        createdAt: new Date().toISOString(),
        labels,
        samples,
        steps: options.steps,
        seconds: options.seconds,
        seed: options.seed,
        recipe: 'finetune',
      },
      {
        signal,
        onProgress: ({ step, steps, point }) => {
          output.progress(`step ${step} of ${steps}`, step, steps)
          if (point === null) return
          // What other trainings count in epochs is one optimizer step here.
          output.data({
            event: 'epoch',
            epoch: point.step,
            epochs: steps,
            loss: point.loss,
            valLoss: null,
            val: { dice: point.dice },
            seconds: seconds(),
          })
        },
      },
    )
    await report(compute, signal, { options, output, parentDir, outDir, card, judges: holdout ?? corrected, seconds })
  })
}

interface Finished {
  readonly options: FinetuneOptions
  readonly output: Output
  readonly parentDir: string
  readonly outDir: string
  readonly card: ModelCard
  /** The cases that the models are compared on. */
  readonly judges: readonly Pair[]
  readonly seconds: () => number
}

async function report(compute: ComputePort, signal: AbortSignal, finished: Finished): Promise<void> {
  const { options, output, parentDir, outDir, card, judges, seconds } = finished
  const { scores, held } = await scoreModels(compute, [parentDir, outDir], judges, {
    signal,
    onProgress: (what, done, total) => output.progress(what, done, total),
  })
  const [before, after] = scores
  if (before === undefined || after === undefined) throw new CodedError('internal', 'The models were not compared.')
  const judged = options.holdout !== undefined
  const verdict = judged ? judge(held, card.labels) : null
  // Without cases that the training has not seen, or with too few, there is nothing to decide by but the means.
  const proven = verdict !== null && verdict.verdict !== 'unproven'
  // Its parent under another name; the interface makes no version of that.
  const learned = card.training?.keptStep !== 0
  const better = proven ? verdict.verdict === 'promoted' : !judged || after.mean > before.mean
  const promoted = learned && better
  output.data({
    event: 'done',
    model: options.out,
    modelId: card.id,
    parentId: card.parentId,
    metrics: { dice: after.mean, loss: card.training?.lossAfter ?? null },
    seconds: seconds(),
    promoted,
    scoredOn: judged ? 'holdout' : 'training data',
    reason: verdict?.reason ?? null,
    test: verdict?.test ?? null,
    before,
    after,
  })
  const where = judged ? 'on the hold-out' : 'on the training data, since no hold-out was given'
  output.text(`mean Dice ${before.mean.toFixed(3)} -> ${after.mean.toFixed(3)} ${where}`)
  if (verdict !== null) output.text(verdict.reason)
  if (!learned) output.text('nothing better than the parent was found: its weights were kept')
  output.text(`${options.out} is written${promoted ? '' : '; it is not better than its parent and was not promoted'}`)
}

async function pairsOf(dir: string, output: Output): Promise<Pair[]> {
  const { pairs, unpaired } = await findPairs(dir)
  if (unpaired.length > 0) {
    output.note(`left out, since they have no mask: ${unpaired.map((path) => basename(path)).join(', ')}`)
  }
  return pairs
}

async function gather(
  corrected: readonly Pair[],
  replayed: readonly Pair[],
  signal: AbortSignal,
  output: Output,
): Promise<TrainingSample[]> {
  const samples: TrainingSample[] = []
  const all = [...corrected, ...replayed]
  for (const [at, pair] of all.entries()) {
    const { image, labels } = await readPair(pair, signal)
    samples.push(...(await samplesOf(image, labels, at < corrected.length ? 'corrected' : 'replay')))
    output.progress(`reading ${pair.id}`, at + 1, all.length)
  }
  if (samples.length <= maxSlices) return samples
  output.note(`learning from ${maxSlices} of ${samples.length} slices, evenly spread`)
  return Array.from({ length: maxSlices }, (_, at) => samples[Math.floor((at * samples.length) / maxSlices)]).filter(
    (sample) => sample !== undefined,
  )
}

/** The parent's labels in their order, then those that the masks add. */
function labelsFor(parent: ModelCard, samples: readonly TrainingSample[]): ModelCard['labels'] {
  const known = new Set(parent.labels.map((label) => label.value))
  const found = new Set<number>()
  for (const sample of samples) for (const value of sample.labels) found.add(value)
  const added = [...found].filter((value) => value !== 0 && !known.has(value)).sort((a, b) => a - b)
  return [...parent.labels, ...added.map((value) => ({ value, name: `Label ${value}` }))]
}

function refuseExisting(outDir: string, given: string): void {
  if (existsSync(outDir)) {
    throw new CodedError('conflict', `${given} exists already; give --out a folder that does not exist yet.`)
  }
}
