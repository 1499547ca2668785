import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { startForTests } from '../native/testing/compare.ts'
import { readFloats } from '../runtime/tensors.ts'
import { startWasm } from '../runtime/wasm.ts'
import { createAverages, decayAt } from './averages.ts'

describe.each(['native', 'wasm'])('averages on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'native') await startForTests()
    else await startWasm(1)
    await tf.setBackend(backend)
  }, 60_000)

  it('follow the weights as the formula says, and leave no tensor behind', async () => {
    const weight = tf.variable(tf.tensor1d([1, -2]))
    const average = tf.variable(tf.tensor1d([1, -2]))
    const averages = createAverages([weight], [average], 0.5)
    const expected = [1, -2]
    let tensors = 0
    for (let step = 1; step <= 12; step++) {
      const next = tf.tensor1d([step, -step * step])
      weight.assign(next)
      next.dispose()
      await averages.follow(step)
      // 2 / 11, 3 / 12 … up to the decay, by hand.
      const decay = Math.min(0.5, (1 + step) / (10 + step))
      expected.forEach((value, i) => {
        expected[i] = decay * value + (1 - decay) * (i === 0 ? step : -step * step)
      })
      if (step === 2) tensors = tf.memory().numTensors
    }
    const values = await readFloats(average)
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? NaN, 4)
    })
    expect([...(await readFloats(weight))]).toEqual([12, -144])
    expect(tf.memory().numTensors).toBe(tensors)
    averages.dispose()
    tf.dispose([weight, average])
  })
})

it('early steps count more', () => {
  expect(decayAt(1, 0.995)).toBeCloseTo(2 / 11)
  expect(decayAt(5000, 0.995)).toBe(0.995)
  expect(decayAt(3, 0)).toBe(0)
})
