import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { startForTests } from '../native/testing/compare.ts'
import { forwardPass } from './forwardPass.ts'

const SIZE = 48
/** Weights that are counted and never used make a small picture a long pass. */
const UNUSED = 2 ** 31

function network(): layers.LayersModel {
  const image = layers.input({ shape: [null, null, 1] })
  let x = image
  for (const seed of [1, 2, 3]) {
    const kernelInitializer = layers.initializers.heNormal({ seed })
    const layer = layers.layers.conv2d({ filters: 2, kernelSize: 3, padding: 'same', kernelInitializer })
    const applied = layer.apply(x)
    if (applied instanceof layers.SymbolicTensor) x = applied
  }
  return layers.model({ inputs: image, outputs: x })
}

describe('a recorded pass that would take long', () => {
  beforeAll(startForTests)

  it('is computed in parts, ends where it is cancelled, and leaves nothing behind', async () => {
    const [short, long] = [network(), network()]
    long.countParams = () => UNUSED
    const input = Float32Array.from({ length: SIZE ** 2 }, (_, i) => Math.sin(i) ** 2)
    const before = { tensors: tf.memory().numTensors, inBackend: tf.backend().numDataIds() }
    const shares: number[] = []
    const pass = async (model: layers.LayersModel, between: (share: number) => Promise<void>) =>
      (await forwardPass(model, input, [1, SIZE, SIZE, 1], between)).logits
    const wanted = await pass(short, () => Promise.reject(new Error('It is short.')))
    const given = await pass(long, (share) => Promise.resolve(void shares.push(share)))
    expect(shares).toEqual([0.25, 0.5, 0.75, 1])
    expect(given).toHaveLength(wanted.length)
    given.forEach((value, i) => {
      expect(Math.abs(value - (wanted[i] ?? NaN))).toBeLessThan(1e-5)
    })
    const cancelled = pass(long, (share) => (share < 0.5 ? Promise.resolve() : Promise.reject(new Error('Cancelled.'))))
    await expect(cancelled).rejects.toThrow('Cancelled.')
    expect({ tensors: tf.memory().numTensors, inBackend: tf.backend().numDataIds() }).toEqual(before)
    short.dispose()
    long.dispose()
  })
})
