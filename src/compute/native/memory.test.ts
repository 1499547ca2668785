import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forwardPass } from '../inference/forwardPass.ts'
import { buildUNet } from '../models/unet.ts'
import { predictionCost, trainingCost } from '../runtime/cost.ts'
import { deviceMemory, idleBytes, releaseIdle } from '../runtime/deviceMemory.ts'
import { isVariable } from '../runtime/tensors.ts'
import { createAdam } from '../training/adam.ts'
import { trainingStep } from '../training/step.ts'
import { profilesIn } from './session/profile.ts'
import { startNative } from './start.ts'
import type { Profiles } from './session/profile.ts'

let folder: string
let profiles: Profiles

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'profiles-'))
  profiles = profilesIn(folder)
  const { engine } = await startNative({ provider: 'cpu', threads: 1, packagesDir: null })
  engine.profileTo(profiles)
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

const SIZE = 64
const kinds = [
  ['plain', { normalization: 'none', upsampling: 'nearest' }],
  ['instance normalization', { normalization: 'instance', upsampling: 'nearest' }],
  ['batch normalization, transposed', { normalization: 'batch', upsampling: 'transposed' }],
] as const

describe.each(kinds)('what a network of the kind "%s" costs', (_, kind) => {
  const made = () => buildUNet({ levels: 2, base: 8, classes: 2, seed: 1, ...kind })

  /** Of a pass over one picture, without what is the same for any. */
  const perPicture = ({ perPixel }: { readonly perPixel: number }) => perPixel * SIZE ** 2

  it('is what ONNX Runtime takes for a training step', async () => {
    const network = made()
    const cost = await trainingCost(network, 4)
    const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
    const optimizer = createAdam(variables)
    profiles.take(1)
    const images = Float32Array.from({ length: SIZE ** 2 }, (__, i) => Math.sin(i) ** 2)
    const classes = Uint8Array.from(images, (value) => Math.round(value))
    for (let i = 0; i < 2; i++) await trainingStep(network, variables, optimizer, { images, classes }, SIZE, 1e-3)
    optimizer.dispose()
    const [step] = profiles.take(2).sort((a, b) => b.byNode.length - a.byNode.length)
    const ratio = perPicture(cost) / (step?.peakBytes ?? NaN)
    expect(ratio).toBeGreaterThan(0.7)
    expect(ratio).toBeLessThan(2.5)
    network.dispose()
  })

  it('is what ONNX Runtime takes for a prediction', async () => {
    const network = made()
    const before = tf.memory().numTensors
    const cost = await predictionCost(network, 4)
    expect(tf.memory().numTensors).toBe(before)
    profiles.take(1)
    const pass = () => forwardPass(network, new Float32Array(SIZE ** 2), [1, SIZE, SIZE, 1], () => Promise.resolve())
    for (let i = 0; i < 2; i++) await pass()
    const [taken] = profiles.take(2).sort((a, b) => b.byNode.length - a.byNode.length)
    const ratio = perPicture(cost) / (taken?.peakBytes ?? NaN)
    expect(ratio).toBeGreaterThan(0.7)
    expect(ratio).toBeLessThan(2.5)
    expect(cost.fixed).toBeGreaterThan(4 * network.countParams())
    network.dispose()
  })
})

it('counts what sessions keep as memory that can be had', async () => {
  expect(deviceMemory()).toBeNull()
  const [x, y] = [tf.ones([2000, 1000]), tf.ones([2000, 1000])]
  const sum = tf.tidy(() => tf.sum(tf.mul(tf.add(x, y), tf.exp(tf.sub(x, y)))))
  expect((await sum.data())[0]).toBeCloseTo(4e6, -2)
  tf.dispose([x, y, sum])
  expect(idleBytes()).toBeGreaterThan(4e6)
  releaseIdle()
  expect(idleBytes()).toBe(0)
})
