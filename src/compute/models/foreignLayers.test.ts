import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { registerJsKernels } from '../kernels/index.ts'
import { expectClose } from '../kernels/testing/checkGradients.ts'
import { randomValues } from '../kernels/testing/random.ts'
import { isTensor, isVariable } from '../runtime/tensors.ts'
import { startWasm } from '../runtime/wasm.ts'
import { forwardOf } from './forward.ts'
import { FOREIGN_LAYERS, networkAround } from './testing/foreignLayers.ts'

beforeAll(async () => {
  await startWasm(1)
  registerJsKernels()
})

function only(applied: unknown): tf.Tensor {
  if (isTensor(applied)) return applied
  throw new Error('One tensor was expected.')
}

describe('layers of other networks', () => {
  it.each(FOREIGN_LAYERS)('%s: predicts like the layer, with the same gradients on both backends', async (_, layer) => {
    const results: ArrayLike<number>[][] = []
    for (const backend of ['wasm', 'cpu']) {
      await tf.setBackend(backend)
      const network = networkAround(layer())
      const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
      const forward = forwardOf(network)
      const tensors = tf.memory().numTensors
      const values = tf.tidy(() => {
        const images = tf.tensor4d(randomValues([2, 12, 12, 1], 5), [2, 12, 12, 1])
        const [ours, theirs] = [forward(images, false), only(network.apply(images))]
        expectClose(ours.dataSync(), theirs.dataSync(), 1e-4)
        const loss = () => tf.reshape<tf.Rank.R0>(tf.sum(tf.square(forward(images, true))), [])
        const { grads } = tf.variableGrads(loss, variables)
        return [ours, ...variables.map(({ name }) => grads[name])].map((tensor) => Array.from(tensor?.dataSync() ?? []))
      })
      expect(tf.memory().numTensors).toBe(tensors)
      results.push(values)
      network.dispose()
    }
    const [wasm = [], js = []] = results
    expect(wasm.length).toBe(js.length)
    wasm.forEach((got, i) => {
      expectClose(got, js[i] ?? [], 1e-3)
    })
  })
})
