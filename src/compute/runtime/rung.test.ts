import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, it } from 'vitest'
import { replaceKernel } from '../kernels/register.ts'
import { startRung } from './rung.ts'
import { packagesFolder } from './testing/packages.ts'

const MINUTES = 60_000

describe('startRung', () => {
  it(
    'goes on with one thread where several do not work, and says why',
    async () => {
      const first = await startRung('wasm', 2, { timed: true })
      expect(first).toMatchObject({ threads: 2, note: null, selfTest: { ok: true } })
      expect(first.stepMs).toBeGreaterThan(0)

      const right = tf.getKernel(tf.MaxPoolGrad, 'wasm').kernelFunc
      replaceKernel(tf.MaxPoolGrad, 'wasm', (given) => {
        if (tf.env().getBool('WASM_HAS_MULTITHREAD_SUPPORT')) throw new Error('a thread is stuck')
        return right(given)
      })
      try {
        const again = await startRung('wasm', 2)
        expect(again).toMatchObject({ threads: 1, selfTest: { ok: true }, stepMs: null })
        expect(again.note).toBe(
          'It runs on one thread, since 2 did not work: It stopped with: Error: a thread is stuck.',
        )
      } finally {
        replaceKernel(tf.MaxPoolGrad, 'wasm', right)
      }
    },
    MINUTES,
  )

  it('leaves what ran before where a rung cannot be started', async () => {
    await startRung('wasm', 1)
    const packages = packagesFolder()
    packages.add('@tensorflow/tfjs-node', 'throw new Error("not today")')
    try {
      const starting = startRung('tensorflow', 1, { packagesDir: packages.dir })
      await expect(starting).rejects.toThrow('The package @tensorflow/tfjs-node could not be loaded.')
    } finally {
      packages.remove()
    }
    expect(tf.getBackend()).toBe('wasm')
    const sum = tf.tidy(() => tf.sum(tf.tensor1d([1, 2, 3])).dataSync()[0])
    expect(sum).toBe(6)
  })
})
