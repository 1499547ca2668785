import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectSame, startForTests } from './testing/compare.ts'

beforeAll(startForTests)

describe('the recorder', () => {
  it('computes when values are read', async () => {
    await tf.setBackend('native')
    const y = tf.tidy(() =>
      tf.add(tf.reshape(tf.add(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor1d([10, 20])), [4]), 5),
    )
    expect(() => y.dataSync()).toThrow('data()')
    expect([...(await y.data())]).toEqual([16, 27, 18, 29])
    expect(y.dataSync()[0]).toBe(16)
    y.dispose()
  })

  it('gives what the js backend gives', async () => {
    await expectSame(() => tf.add(tf.tensor1d([1, 2]), 3))
  })
})
