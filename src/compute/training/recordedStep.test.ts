import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { forwardPass, passInTraining } from '../inference/forwardPass.ts'
import { registerJsKernels } from '../kernels/index.ts'
import { buildUNet } from '../models/unet.ts'
import { startForTests } from '../native/testing/compare.ts'
import { selfTest } from '../runtime/selfTest.ts'
import { isVariable } from '../runtime/tensors.ts'
import { createAdam } from './adam.ts'
import { createMomentum } from './momentum.ts'
import { trainingStep } from './step.ts'
import type { Optimizer, OptimizerOptions } from './optimizer.ts'
import type { UNetOptions } from '../models/unet.ts'

const SIZE = 8
const COUNT = 2

function held() {
  const { numTensors, numDataBuffers, numBytes } = tf.memory()
  const variables = Object.keys(tf.engine().registeredVariables).length
  return { numTensors, numDataBuffers, numBytes, variables, inBackend: tf.backend().numDataIds() }
}

function start(
  kind: Pick<UNetOptions, 'normalization' | 'upsampling'>,
  create: (variables: readonly tf.Variable[], options: OptimizerOptions) => Optimizer = createAdam,
  options: OptimizerOptions = {},
) {
  const network = buildUNet({ levels: 1, base: 4, classes: 3, seed: 1, ...kind })
  const variablesOf = (weights: typeof network.weights) => weights.map((weight) => weight.read()).filter(isVariable)
  const variables = variablesOf(network.trainableWeights)
  const optimizer = create(variables, { kept: variablesOf(network.nonTrainableWeights), ...options })
  const random = createRandom(1)
  const batch = () => {
    const images = Float32Array.from({ length: COUNT * SIZE ** 2 }, () => random())
    return { images, classes: Uint8Array.from(images, (value) => Math.min(2, Math.floor(3 * value))) }
  }
  const step = (given = batch()) => trainingStep(network, variables, optimizer, given, SIZE, 1e-2)
  const dispose = () => {
    optimizer.dispose()
    network.dispose()
  }
  return { network, optimizer, batch, step, dispose }
}

const plain = { normalization: 'none', upsampling: 'nearest' } as const
const kinds = [
  ['plain', plain],
  ['instance normalization', { normalization: 'instance', upsampling: 'nearest' }],
  ['group normalization, transposed', { normalization: 'group', upsampling: 'transposed' }],
  ['batch normalization', { normalization: 'batch', upsampling: 'nearest' }],
] as const

describe('a step that is recorded', () => {
  beforeAll(async () => {
    await startForTests()
    registerJsKernels()
  })

  it('passes the self-test', async () => {
    expect(await selfTest()).toMatchObject({ ok: true, difference: null })
  })

  it.each(kinds)('keeps memory flat, and leaves nothing behind: %s', async (_, kind) => {
    const before = held()
    const { step, dispose } = start(kind)
    await step()
    const early = held()
    for (let k = 0; k < 30; k++) await step()
    expect(held()).toEqual(early)
    dispose()
    expect(held()).toEqual(before)
  })

  it.each([
    ['Adam, paces and decay', plain, createAdam, { pace: paceByName, decay: 0.1 }],
    ['a pull to where it began', plain, createAdam, { pace: paceByName, anchor: () => 30 }],
    [
      'a pull of the layers before the head',
      plain,
      createAdam,
      { anchor: (name: string) => (name.startsWith('logits') ? 0 : 30) },
    ],
    ['momentum', plain, createMomentum, { pace: paceByName }],
    ['moving statistics', { normalization: 'batch', upsampling: 'nearest' }, createAdam, {}],
  ] as const)('gives what the js backend gives: %s', async (_, kind, create, options) => {
    const results: { losses: number[]; weights: Float32Array[] }[] = []
    for (const backend of ['cpu', 'native']) {
      await tf.setBackend(backend)
      const { step, optimizer, dispose } = start(kind, create, options)
      const losses: number[] = []
      for (let k = 0; k < 6; k++) {
        if (k === 3) optimizer.hold(0.5)
        losses.push(await step())
      }
      results.push({ losses, weights: await optimizer.snapshot() })
      dispose()
    }
    const [wanted, given] = results
    expect(given?.losses.map((loss, k) => Math.abs(loss / (wanted?.losses[k] ?? NaN) - 1) < 1e-4)).not.toContain(false)
    given?.weights.forEach((weights, k) => {
      weights.forEach((value, i) => {
        expect(Math.abs(value - (wanted?.weights[k]?.[i] ?? NaN))).toBeLessThan(1e-4)
      })
    })
  })

  it.each([NaN, Infinity])('changes nothing where the loss is not finite: %s', async (value) => {
    const { step, batch, optimizer, dispose } = start({ normalization: 'batch', upsampling: 'nearest' })
    expect(await step()).toBeGreaterThan(0)
    const before = await optimizer.snapshot()
    const given = batch()
    given.images[20] = value
    expect(await step(given)).not.toSatisfy(Number.isFinite)
    expect(await optimizer.snapshot()).toEqual(before)
    expect(await step()).toBeGreaterThan(0)
    expect(await optimizer.snapshot()).not.toEqual(before)
    dispose()
  })

  it('goes on from a snapshot that was put back', async () => {
    const { step, batch, optimizer, dispose } = start(plain, (variables, options) =>
      createMomentum(variables, { ...options, momentum: 0 }),
    )
    const [first, second] = [batch(), batch()]
    await step(first)
    const kept = await optimizer.snapshot()
    const loss = await step(second)
    const after = await optimizer.snapshot()
    optimizer.restore(kept)
    expect(await step(second)).toBe(loss)
    expect(await optimizer.snapshot()).toEqual(after)
    dispose()
  })

  it('predicts with the weights as they are, in training and beside it', async () => {
    const { network, step, dispose } = start(plain)
    const input = Float32Array.from({ length: SIZE ** 2 }, (_, i) => (i % 7) / 7)
    const logits = async (pass: typeof forwardPass, height = SIZE) => {
      const part = input.subarray(0, height * SIZE)
      return (await pass(network, part, [1, height, SIZE, 1], () => Promise.resolve())).logits.slice()
    }
    const [frozen, changing] = [await logits(forwardPass), await logits(passInTraining)]
    expectClose(changing, frozen)
    await step()
    const [later, laterChanging] = [await logits(forwardPass), await logits(passInTraining)]
    expectClose(laterChanging, later)
    expect(Math.abs((later[0] ?? 0) - (frozen[0] ?? 0))).toBeGreaterThan(1e-4)
    expectClose(await logits(forwardPass, 4), await logits(passInTraining, 4))
    dispose()
  })
})

function paceByName(name: string): number {
  return name.startsWith('logits') ? 10 : 1
}

function expectClose(given: Float32Array, wanted: Float32Array): void {
  expect(given.length).toBe(wanted.length)
  given.forEach((value, i) => {
    expect(Math.abs(value - (wanted[i] ?? NaN))).toBeLessThan(1e-5)
  })
}
