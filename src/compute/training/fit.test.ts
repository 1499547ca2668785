import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { buildUNet } from '../models/unet.ts'
import { startRuntime } from '../runtime/start.ts'
import { isVariable } from '../runtime/tensors.ts'
import { createMomentum } from './momentum.ts'
import { fit } from './fit.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Evaluation } from './evaluate.ts'
import type { Lessons } from './lessons.ts'
import type { Optimizer } from './optimizer.ts'

let network: LayersModel
let weight: tf.Variable
let optimizer: Optimizer

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
}, 60_000)

beforeEach(() => {
  network = buildUNet({ levels: 2, base: 4, classes: 3, seed: 1, normalization: 'instance', upsampling: 'nearest' })
  const first = network.trainableWeights[0]?.read()
  if (first === undefined || !isVariable(first)) throw new Error('The network has weights.')
  weight = first
  optimizer = createMomentum([weight], { momentum: 0 })
})

afterEach(() => {
  optimizer.dispose()
  network.dispose()
})

/**
 * A training of 40 steps, measured at the start and after each tenth, in which the weights become the number of the step; and
 * what was kept in the end. A step takes a second by the clock of the test.
 */
async function after(
  measured: readonly (number | Partial<Evaluation>)[],
  seconds = 600,
  slow: Record<number, number> = {},
  { allowance = 0, goesOn = false, corrected = 1, looked = 1 } = {},
) {
  let clock = 0
  const now = vi.spyOn(performance, 'now').mockImplementation(() => clock)
  let steps = 0
  let asked = 0
  const lessons: Lessons = {
    corrected,
    measured: [{ width: 16, height: 16 }],
    choose: () => Promise.resolve(looked),
    step: () => {
      steps++
      clock += 1000 * (slow[steps] ?? 1)
      // The optimizer counts the steps that are averaged.
      tf.tidy(() => optimizer.update({ [weight.name]: tf.zeros(weight.shape) }, 1))
      tf.tidy(() => weight.assign(tf.fill(weight.shape, steps)))
      return Promise.resolve(0.5)
    },
    evaluate: () => {
      const next = measured[asked++] ?? NaN
      const given = typeof next === 'number' ? { dice: next, loss: 1 - next } : next
      return Promise.resolve({ dice: NaN, loss: NaN, classes: [], wrong: [], ...given })
    },
    dispose: () => undefined,
  }
  const before = weight.dataSync()[0]
  const { training } = await fit(network, optimizer, lessons, {
    ...{
      networkStep: 4,
      steps: 40,
      seconds,
      seed: 1,
      batch: 1,
      patch: 16,
      peak: 1,
      rise: 0,
      slack: 0.02,
      allowance,
      goesOn,
      evaluateEvery: 10,
    },
    ...{ backend: 'wasm', signal: undefined, onProgress: undefined, notify: undefined },
  })
  now.mockRestore()
  const kept = weight.dataSync()[0] ?? NaN
  return { training, kept, asCame: kept === before }
}

describe('what a training keeps', () => {
  it('is its end, though it was measured a little better on the way', async () => {
    const { training, kept } = await after([0.5, 0.7, 0.82, 0.8, 0.81])
    expect(training).toMatchObject({ diceBefore: 0.5, diceAfter: 0.81, steps: 40 })
    // The average of the weights at the end; after twenty steps they were at most 20.
    expect(kept).toBeGreaterThan(20)
  })

  it('is its end also where the last step took so long that the one which was to be measured is left out', async () => {
    const bound = 15.5 / 0.96
    const planned = await after([0.5, 0.7, 0.8], bound)
    expect(planned.training).toMatchObject({ steps: 15, boundBy: 'seconds', diceAfter: 0.8 })
    const cut = await after([0.5, 0.7, 0.75], bound, { 14: 2 })
    expect(cut.training).toMatchObject({ steps: 14, boundBy: 'seconds', diceAfter: 0.75 })
    expect(cut.training.curve.at(-1)).toEqual({ step: 14, loss: 0.5, dice: 0.75 })
    expect(cut.kept).toBeGreaterThan(5)
  })

  it('is its end where there was time for fewer steps than are measured at', async () => {
    const { training, asCame } = await after([0.5, 0.6], 5 / 0.96, { 4: 1.5 })
    expect(training).toMatchObject({ diceAfter: 0.6, diceBefore: 0.5 })
    expect([training.steps < 10, asCame]).toEqual([true, false])
  })

  it('is the best on the way where the end is clearly worse', async () => {
    const { training, kept } = await after([0.5, 0.7, 0.82, 0.8, 0.79])
    expect(training.diceAfter).toBe(0.82)
    expect(kept).toBeLessThan(20)
  })

  it('is what it came with where nothing was better', async () => {
    const { training, asCame } = await after([0.8, 0.7, 0.79, 0.8, 0.79])
    expect([training.diceAfter, asCame]).toEqual([0.8, true])
  })

  it('is the best on the way where the end is worse than what it came with, if by little', async () => {
    const { training, kept } = await after([0.81, 0.82, 0.7, 0.8, 0.805])
    expect(training.diceAfter).toBe(0.82)
    expect(kept).toBeLessThan(11)
  })

  it('goes by the loss where Dice is the same', async () => {
    const empty = (loss: number) => ({ dice: 0, loss })
    const better = await after([0.9, 0.5, 0.5, 0.5, 0.2].map(empty))
    expect([better.training.lossAfter, better.asCame]).toEqual([0.2, false])
    const worse = await after([0.2, 0.5, 0.5, 0.5, 0.9].map(empty))
    expect([worse.training.lossAfter, worse.asCame]).toEqual([0.2, true])
  })
  it('may agree a little less with what was taken over where it mends what was wrong', async () => {
    const wrong = (...pixels: number[]) => [Uint8Array.from([0, 1, 2, 3, 4, 5], (i) => Number(pixels.includes(i)))]
    const at = (dice: number, ...pixels: number[]) => ({ dice, loss: 0.5, wrong: wrong(...pixels) })
    const course = (end: Partial<Evaluation>) => [at(0.99, 0, 1, 2, 3), at(0.9, 5), at(0.91, 5), at(0.92, 5), end]
    const mends = await after(course(at(0.97, 3, 5)), 600, {}, { allowance: 0.04 })
    expect([mends.asCame, mends.training.mistakes, mends.training.diceAfter]).toEqual([
      false,
      { count: 4, mended: 3, broken: 1 },
      0.97,
    ])
    const half = await after(course(at(0.969, 2, 3)), 600, {}, { allowance: 0.04 })
    expect([half.asCame, half.training.mistakes, half.training.keptStep]).toEqual([
      true,
      { count: 4, mended: 0, broken: 0 },
      0,
    ])
    const many = await after(course(at(0.97, 3, 5)))
    expect(many.asCame).toBe(true)
  })
  it('is what it came with, at once, where it goes on and nothing is wrong on what was corrected', async () => {
    const right = { dice: 1, loss: 0.5, wrong: [new Uint8Array(6)] }
    const curve = [right, 0.9, 0.9, 0.9, { ...right, loss: 0.2 }]
    const end = await after(curve, 600, {}, { goesOn: true })
    expect([end.asCame, end.training.steps, end.training.keptStep, end.training.mistakes]).toEqual([
      true,
      0,
      0,
      { count: 0, mended: 0, broken: 0 },
    ])
    // A first network, and one that may be wrong where it was not measured.
    expect((await after(curve)).training.keptStep).toBe(40)
    expect((await after(curve, 600, {}, { goesOn: true, corrected: 2 })).training.keptStep).toBe(40)
    expect(
      (await after([{ ...right, wrong: [Uint8Array.of(1)] }, 0.9, 0.9, 0.9, 1], 600, {}, { goesOn: true })).training
        .steps,
    ).toBe(40)
  })
})
