import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { generateCtCase } from '../../src/backend/demo/phantomCt.ts'
import { DEMO_SEEDS } from '../../src/backend/demo/seeds.ts'
import { deltaRuns, extractSlice } from '../../src/core/labelmap/index.ts'
import { diceByLabel } from '../../src/core/metrics/index.ts'
import { openDemo, type DemoBackend } from '../support/demo.ts'
import { result, type BenchResult } from '../support/report.ts'

/** Across the last axis: corrected by hand (spread over the volume, as one does), and looked at meanwhile. */
const CORRECTED = [14, 38, 60]
const SHOWN = 46
/** What the interface asks for unless told otherwise. */
const SECONDS = 8
/** Of the other abdomens, all right as they are: what the new version is held against the old one on. */
const HELD = [12, 20, 28, 36, 44, 52, 60, 68]

/**
 * The loop of predict, correct, retrain on the demo project with the shipped model, through the backend's handlers and a
 * compute process: three slices corrected to the truth, then one click on Retrain. Once without a hold-out, where the version
 * is used at once, and once with one, where it is judged before it is shown.
 */
export async function demoLoop(seconds = SECONDS): Promise<BenchResult[]> {
  return [...(await loop(seconds, false)), ...(await loop(seconds, true))]
}

async function loop(seconds: number, judged: boolean): Promise<BenchResult[]> {
  const demo = await openDemo()
  try {
    const held = judged ? await holdOut(demo) : 0
    const first = await predict(demo)
    const before = { shown: await diceOn(demo, [SHOWN]), others: await diceOn(demo, others(demo)) }
    for (const index of CORRECTED) await correct(demo, demo.caseId, index, demo.truth)
    const retrained = await retrain(demo, seconds)
    const after = { shown: await diceOn(demo, [SHOWN]), others: await diceOn(demo, others(demo)) }
    const params = {
      ...{ correctedSlices: CORRECTED.length, size: demo.truth.dims[0], seconds, steps: retrained.steps },
      ...(judged ? { heldSlices: held, verdict: retrained.verdict } : {}),
    }
    const end = judged ? ', judged first' : ''
    return [
      ...(judged
        ? []
        : [
            result({ name: 'loop: predict-first-slice', values: [first.slice] }),
            result({ name: 'loop: predict-volume', params: { slices: demo.truth.dims[2] }, values: [first.volume] }),
          ]),
      ...(judged ? [result({ name: `loop: retrain-to-verdict${end}`, params, values: [retrained.decided] })] : []),
      ...(retrained.shown === null
        ? []
        : [
            result({
              name: `loop: retrain-to-first-overlay${end}`,
              params,
              values: [retrained.shown.overlay],
              budget: 'at most 10 s',
            }),
            result({ name: `loop: retrain-to-whole-volume${end}`, params, values: [retrained.shown.volume] }),
          ]),
      result({
        name: `loop: dice-of-shown-slice${end}`,
        params: { ...params, slice: SHOWN },
        values: [mean(after.shown)],
        unit: 'Dice',
        reference: { name: 'before retraining', median: mean(before.shown) },
        budget: 'above before',
      }),
      ...[...before.others].map(([label, dice]) =>
        result({
          name: `loop: dice-of-other-slices${end}`,
          params: { label, steps: retrained.steps },
          values: [after.others.get(label) ?? 0],
          unit: 'Dice',
          reference: { name: 'before retraining', median: dice },
        }),
      ),
    ]
  } finally {
    await demo.backend.close()
    await rm(demo.folder, { recursive: true, force: true })
  }
}

/** Sets the other abdomens aside, some slices of each corrected to the truth. Gives how many. */
async function holdOut({ call, caseId }: DemoBackend): Promise<number> {
  const { cases } = await call('project.get', {})
  const abdomens = cases.filter(({ name }) => name.startsWith('CT abdomen'))
  const caseIds: string[] = []
  for (const [n, { id }] of abdomens.entries()) {
    const seed = DEMO_SEEDS.ct[n]
    if (id === caseId || seed === undefined) continue
    const truth = generateCtCase(seed)
    for (const index of HELD) await correct({ call }, id, index, truth)
    caseIds.push(id)
  }
  const holdout = await call('holdout.set', { caseIds, chosenBy: 'user' })
  return holdout.cases.reduce((sum, { slices }) => sum + slices, 0)
}

async function predict({ call, next, caseId }: DemoBackend): Promise<{ slice: number; volume: number }> {
  const shown = next('prediction.slices', (event) => event.caseId === caseId)
  const ended = next('job.changed', ({ job }) => job.kind === 'predict' && isOver(job.state))
  const started = performance.now()
  await call('predict.start', { caseId, index: SHOWN })
  return { slice: (await shown).at - started, volume: (await ended).at - started }
}

interface Retrained {
  /** Milliseconds from the click to the slice on screen and the volume as the new version sees them; null: it was kept aside. */
  readonly shown: { readonly overlay: number; readonly volume: number } | null
  /** Milliseconds until it was clear whether the version is used. */
  readonly decided: number
  readonly steps: number
  readonly verdict: string
}

async function retrain({ call, next, caseId }: DemoBackend, seconds: number): Promise<Retrained> {
  const old = (await call('project.get', {})).models.find((model) => model.active)?.id
  const shown = next('prediction.slices', (event) => event.caseId === caseId && event.modelId !== old)
  const ended = next('job.changed', ({ job }) => job.kind === 'predict' && isOver(job.state))
  const trained = next('job.changed', ({ job }) => job.kind === 'train' && isOver(job.state))
  const started = performance.now()
  await call('train.start', { steps: 2000, seconds, seed: 1, show: { caseId, index: SHOWN } })
  const { at, payload } = await trained
  const { job } = payload
  const decided = at - started
  if (job.state !== 'done') throw new Error(`The training ended as ${job.state}: ${job.error?.message ?? ''}`)
  const model = (await call('project.get', {})).models.find(({ id }) => id === job.modelId)
  const steps = model?.training?.steps ?? 0
  if (model?.active !== true) return { shown: null, decided, steps, verdict: job.message }
  const [overlay, volume] = [(await shown).at - started, (await ended).at - started]
  return { shown: { overlay, volume }, decided, steps, verdict: 'used' }
}

/** Paints what is true onto one slice of the mask, as one stroke. */
async function correct(
  { call }: Pick<DemoBackend, 'call'>,
  caseId: string,
  index: number,
  truth: DemoBackend['truth'],
): Promise<void> {
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

/** The slices that were not corrected. */
function others({ truth }: DemoBackend): number[] {
  return Array.from({ length: truth.dims[2] }, (_, index) => index).filter((index) => !CORRECTED.includes(index))
}

/** Dice of what is predicted of the slices, taken together, by label that is true of them. */
async function diceOn({ call, caseId, truth }: DemoBackend, slices: readonly number[]): Promise<Map<number, number>> {
  const [nx, ny] = truth.dims
  const predicted = new Uint8Array(nx * ny * slices.length)
  const expected = new Uint8Array(predicted.length)
  for (const [place, index] of slices.entries()) {
    const { data } = await call('annotation.slice', { caseId, axis: 2, index, layer: 'prediction' })
    predicted.set(data, place * nx * ny)
    expected.set(extractSlice(truth.labels, truth.dims, 2, index), place * nx * ny)
  }
  const there = new Set(expected)
  return new Map([...diceByLabel(predicted, expected)].filter(([label]) => there.has(label)))
}

function mean(dice: ReadonlyMap<number, number>): number {
  return [...dice.values()].reduce((sum, value) => sum + value, 0) / dice.size
}

function isOver(state: string): boolean {
  return state === 'done' || state === 'failed' || state === 'cancelled'
}
