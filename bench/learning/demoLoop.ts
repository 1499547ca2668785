import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { deltaRuns, extractSlice } from '../../src/core/labelmap/index.ts'
import { diceByLabel } from '../../src/core/metrics/index.ts'
import { openDemo, type DemoBackend } from '../support/demo.ts'
import { result, type BenchResult } from '../support/report.ts'

/** Across the last axis: corrected by hand (spread over the volume, as one does), and looked at meanwhile. */
const CORRECTED = [14, 38, 60]
const SHOWN = 46
/** What the interface asks for unless told otherwise. */
const SECONDS = 8

/**
 * The loop of predict, correct, retrain on the demo project with the shipped model, through the backend's handlers and a
 * compute process: three slices corrected to the truth, then one click on Retrain.
 */
export async function demoLoop(): Promise<BenchResult[]> {
  const demo = await openDemo()
  try {
    const first = await predict(demo)
    const before = await diceOfOthers(demo)
    for (const index of CORRECTED) await correct(demo, index)
    const retrained = await retrain(demo)
    const after = await diceOfOthers(demo)
    const params = { correctedSlices: CORRECTED.length, size: demo.truth.dims[0], seconds: SECONDS }
    const labels = [...new Set(demo.truth.labels)].filter((label) => label > 0).sort((a, b) => a - b)
    return [
      result({ name: 'loop: predict-first-slice', values: [first.slice] }),
      result({ name: 'loop: predict-volume', params: { slices: demo.truth.dims[2] }, values: [first.volume] }),
      result({
        name: 'loop: retrain-to-first-overlay',
        params,
        values: [retrained.overlay],
        budget: 'at most 10 s',
      }),
      result({ name: 'loop: retrain-to-whole-volume', params, values: [retrained.volume] }),
      ...labels.map((label) =>
        result({
          name: 'loop: dice-of-other-slices',
          params: { label, steps: retrained.steps },
          values: [after.get(label) ?? 0],
          unit: 'Dice',
          reference: { name: 'before retraining', median: before.get(label) ?? 0 },
        }),
      ),
    ]
  } finally {
    await demo.backend.close()
    await rm(demo.folder, { recursive: true, force: true })
  }
}

async function predict({ call, next, caseId }: DemoBackend): Promise<{ slice: number; volume: number }> {
  const shown = next('prediction.slices', (event) => event.caseId === caseId)
  const ended = next('job.changed', ({ job }) => job.kind === 'predict' && isOver(job.state))
  const started = performance.now()
  await call('predict.start', { caseId, index: SHOWN })
  return { slice: (await shown).at - started, volume: (await ended).at - started }
}

async function retrain({
  call,
  next,
  caseId,
}: DemoBackend): Promise<{ overlay: number; volume: number; steps: number }> {
  const old = (await call('project.get', {})).models.find((model) => model.active)?.id
  const shown = next('prediction.slices', (event) => event.caseId === caseId && event.modelId !== old)
  const ended = next('job.changed', ({ job }) => job.kind === 'predict' && isOver(job.state))
  const trained = next('job.changed', ({ job }) => job.kind === 'train' && isOver(job.state))
  const started = performance.now()
  await call('train.start', { steps: 2000, seconds: SECONDS, seed: 1, show: { caseId, index: SHOWN } })
  const { job } = (await trained).payload
  if (job.state !== 'done') throw new Error(`The training ended as ${job.state}: ${job.error?.message ?? ''}`)
  const overlay = (await shown).at - started
  const volume = (await ended).at - started
  const model = (await call('project.get', {})).models.find(({ id }) => id === job.modelId)
  return { overlay, volume, steps: model?.training?.steps ?? 0 }
}

/** Paints what is true onto one slice of the mask, as one stroke. */
async function correct({ call, caseId, truth }: DemoBackend, index: number): Promise<void> {
  const { data, revision } = await call('annotation.slice', { caseId, axis: 2, index, layer: 'mask' })
  const [nx, ny] = truth.dims
  const runs = deltaRuns(data, extractSlice(truth.labels, truth.dims, 2, index))
  await call('annotation.commit', {
    caseId,
    delta: {
      id: randomUUID(),
      baseRevision: revision,
      kind: 'brush',
      label: runs[3] ?? 1,
      axis: 2,
      box: { min: [0, 0, index], max: [nx, ny, index + 1] },
      runs,
    },
  })
}

/** Dice by label over all slices that were not corrected, taken together. */
async function diceOfOthers({ call, caseId, truth }: DemoBackend): Promise<Map<number, number>> {
  const [nx, ny, nz] = truth.dims
  const others = Array.from({ length: nz }, (_, index) => index).filter((index) => !CORRECTED.includes(index))
  const predicted = new Uint8Array(nx * ny * others.length)
  const expected = new Uint8Array(predicted.length)
  for (const [place, index] of others.entries()) {
    const { data } = await call('annotation.slice', { caseId, axis: 2, index, layer: 'prediction' })
    predicted.set(data, place * nx * ny)
    expected.set(extractSlice(truth.labels, truth.dims, 2, index), place * nx * ny)
  }
  return diceByLabel(predicted, expected)
}

function isOver(state: string): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled'
}
