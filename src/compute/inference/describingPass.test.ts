import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { describingPass, forwardPass } from './forwardPass.ts'
import { buildUNet } from '../models/unet.ts'
import { startForTests } from '../native/testing/compare.ts'
import type { ForwardPass } from './forwardPass.ts'

const noise = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * i) ** 2)
const nothing = (): Promise<void> => Promise.resolve()

describe('features of a recorded network', () => {
  beforeAll(startForTests)

  it('are the mean of its deepest layer, in one piece or in parts, of any size', async () => {
    for (const normalization of ['none', 'instance'] as const) {
      const options = { levels: 2, base: 4, classes: 3, normalization, upsampling: 'nearest' } as const
      const network = buildUNet({ ...options, seed: 3 })
      const inParts = buildUNet({ ...options, seed: 3 })
      inParts.countParams = () => 2 ** 40
      for (const [count, height, width] of [
        [2, 16, 24],
        [1, 32, 8],
      ] as const) {
        // prettier-ignore
        const input = noise(count * height * width)
        const pass = (by: ForwardPass, of: typeof network) => by(of, input, [count, height, width, 1], nothing)
        const plain = await pass(forwardPass, network)
        const described = await pass(describingPass, network)
        expect(plain.features).toBeUndefined()
        expect(described.features).toHaveLength(count * 16)
        described.logits.forEach((value, i) => expect(value).toBeCloseTo(plain.logits[i] ?? NaN, 4))
        // By TensorFlow.js itself, layer by layer.
        const means = tf.tidy(() => {
          let x: tf.Tensor = tf.tensor4d(input, [count, height, width, 1])
          for (const layer of network.layers.slice(1)) {
            if (layer.name.startsWith('upsample')) break
            x = layer.apply(x) as tf.Tensor
          }
          return tf.mean(x, [1, 2])
        })
        const wanted = await means.data()
        means.dispose()
        described.features?.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 4))
        const parts = await pass(describingPass, inParts)
        parts.features?.forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 4))
        expect(parts.features).toHaveLength(count * 16)
      }
      network.dispose()
      inParts.dispose()
    }
  })
})
