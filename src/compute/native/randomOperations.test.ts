import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { registerJsKernels } from '../kernels/index.ts'
import { createProgram } from '../runtime/program.ts'
import { isVariable } from '../runtime/tensors.ts'
import { createAdam } from '../training/adam.ts'
import { trainingStep } from '../training/step.ts'
import { startForTests } from './testing/compare.ts'
import type { ProgramBody } from '../runtime/program.ts'

const SIZE = 8

beforeAll(async () => {
  await startForTests()
  await tf.setBackend('cpu')
  registerJsKernels()
})

/** What the program gives at each of three runs. */
async function runs(backend: string, body: ProgramBody): Promise<number[][]> {
  await tf.setBackend(backend)
  const program = createProgram(body)
  const input = tf.linspace(1, 2, 40)
  const results: number[][] = []
  for (let run = 0; run < 3; run++) {
    const [output] = await program.run([input])
    results.push(Array.from((await output?.data()) ?? []))
    output?.dispose()
  }
  input.dispose()
  program.dispose()
  return results
}

function only([input]: readonly tf.Tensor[]): tf.Tensor {
  if (input === undefined) throw new Error('There is one input.')
  return input
}

/** Losses of a network with a dropout between two convolutions. */
async function losses(backend: string): Promise<number[]> {
  await tf.setBackend(backend)
  const image = layers.input({ shape: [SIZE, SIZE, 1] })
  const kernelInitializer = layers.initializers.heNormal({ seed: 3 })
  const convolution = { kernelSize: 3, padding: 'same', kernelInitializer } as const
  const hidden = layers.layers.conv2d({ ...convolution, filters: 4, activation: 'relu' }).apply(image)
  const dropped = layers.layers.dropout({ rate: 0.5, seed: 11 }).apply(hidden)
  const logits = layers.layers.conv2d({ ...convolution, filters: 2 }).apply(dropped)
  if (!(logits instanceof layers.SymbolicTensor)) throw new Error('The network has one output.')
  const network = layers.model({ inputs: image, outputs: logits })
  const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
  const optimizer = createAdam(variables)
  const random = createRandom(2)
  const found: number[] = []
  for (let step = 0; step < 10; step++) {
    const images = Float32Array.from({ length: SIZE * SIZE }, random)
    const classes = Uint8Array.from(images, (value) => (value > 0.5 ? 1 : 0))
    found.push(await trainingStep(network, variables, optimizer, { images, classes }, SIZE, 1e-2))
  }
  optimizer.dispose()
  network.dispose()
  return found
}

describe('random operations', () => {
  it('give the same numbers for the same seed on native and on js', async () => {
    const body: ProgramBody = (inputs) => [tf.dropout(only(inputs), 0.5, undefined, 7)]
    const [native, js] = [await runs('native', body), await runs('cpu', body)]
    native.forEach((values, run) => {
      values.forEach((value, i) => {
        expect(value).toBeCloseTo(js[run]?.[i] ?? NaN, 5)
      })
    })
    expect(native[0]?.filter((value) => value === 0).length).toBeGreaterThan(5)
  })

  it('give others at each run without a seed', async () => {
    const body: ProgramBody = (inputs) => [tf.dropout(only(inputs), 0.5)]
    const dropped = (await runs('native', body)).map((values) => values.map((value) => value === 0).join())
    expect(new Set(dropped).size).toBe(3)
  })

  it('are the same in a training, step by step', async () => {
    const [native, js] = [await losses('native'), await losses('cpu')]
    native.forEach((loss, step) => {
      expect(Math.abs(loss / (js[step] ?? NaN) - 1)).toBeLessThan(1e-5)
    })
  })
})
