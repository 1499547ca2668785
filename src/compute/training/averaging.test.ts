import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { averageOf } from './averaging.ts'
import { createMomentum } from './momentum.ts'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

/** Takes 1 off each of two weights with every step; `moving` is kept along and is 10 less what they are. */
function training() {
  const variable = tf.tidy(() => tf.variable(tf.tensor1d([100, 200])))
  const moving = tf.tidy(() => tf.variable(tf.tensor1d([90]), false))
  const optimizer = createMomentum([variable], { kept: [moving], momentum: 0 })
  const average = averageOf(optimizer)
  const steps = async (count: number) => {
    for (let k = 0; k < count; k++) {
      tf.tidy(() => {
        optimizer.update({ [variable.name]: tf.ones([2]) }, 1)
        moving.assign(tf.sub(moving, 1))
      })
      await average.stepped()
    }
  }
  const seen = () => [...variable.dataSync(), ...moving.dataSync()]
  const averaged = () => average.use(() => Promise.resolve(seen()))
  const dispose = () => {
    optimizer.dispose()
    tf.dispose([variable, moving])
  }
  return { optimizer, average, steps, seen, averaged, dispose }
}

describe('the average of the weights of a training', () => {
  it('of a parent: each fourth step is worth 1 - 0.97^4, and those before it what is left', async () => {
    const tensors = tf.memory().numTensors
    const { optimizer, average, steps, seen, averaged, dispose } = training()
    const first = await optimizer.snapshot()
    average.begin(first)
    expect(await averaged()).toEqual([100, 200, 90])
    await steps(3)
    expect(await averaged()).toEqual([100, 200, 90])
    expect(seen()).toEqual([97, 197, 87])
    const kept = 0.97 ** 4
    await steps(1)
    const once = 100 - 4 * (1 - kept)
    expectClose(await averaged(), [once, once + 100, once - 10])
    await steps(5)
    const twice = kept * once + (1 - kept) * 92
    expectClose(await averaged(), [twice, twice + 100, twice - 10])
    expect(seen()).toEqual([91, 191, 81])
    expect(first.map((values) => [...values])).toEqual([[100, 200], [90]])
    dispose()
    expect(tf.memory().numTensors).toBe(tensors)
  })

  it('of a network that began with nothing: the first steps are soon forgotten', async () => {
    const { steps, averaged, dispose } = training()
    await steps(3)
    expect((await averaged())[0]).toBe(97)
    await steps(5)
    // After 8 steps a sixth of the old is left: 8 / (8 + 40).
    expectClose((await averaged()).slice(0, 1), [96 / 6 + (5 * 92) / 6])
    dispose()
  })

  it.each([0, 8])('refuses weights that are no numbers, after %i steps', async (count) => {
    const { optimizer, average, steps, dispose } = training()
    await steps(count)
    optimizer.restore([Float32Array.of(1, count === 0 ? NaN : Infinity), Float32Array.of(90)])
    await steps(4)
    let worked = false
    const use = average.use(() => {
      worked = true
      return Promise.resolve()
    })
    await expect(use).rejects.toMatchObject({ code: 'compute-failed' })
    expect(worked).toBe(false)
    dispose()
  })

  it('gives the weights back where what was done with it fails', async () => {
    const { average, steps, seen, dispose } = training()
    await steps(8)
    const before = seen()
    await expect(average.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(seen()).toEqual(before)
    dispose()
  })
})

function expectClose(given: readonly number[], wanted: readonly number[]): void {
  expect(given).toHaveLength(wanted.length)
  wanted.forEach((value, i) => {
    expect(given[i]).toBeCloseTo(value, 3)
  })
}
