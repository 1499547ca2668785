import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
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

  it.skipIf(process.platform !== 'linux')(
    'goes on with one thread where the system has no room for more (Linux, where that can be had)',
    async () => {
      const script = `
        import { closeSync, openSync } from 'node:fs'
        const { startRung } = await import(${JSON.stringify(path.resolve(import.meta.dirname, 'rung.ts'))})
        const open = []
        try { for (;;) open.push(openSync('/dev/null')) } catch {}
        // For the files of the backend, and for some of its eight threads.
        for (const each of open.splice(0, 16)) closeSync(each)
        const { threads, note, selfTest } = await startRung('wasm', 2)
        console.log(JSON.stringify({ threads, note, selfTest }))
        process.exit(0)`
      const limited = ['-c', 'ulimit -n 128 && exec "$0" --input-type=module -e "$1"', process.execPath, script]
      const { stdout } = await promisify(execFile)('sh', limited)
      expect(JSON.parse(stdout)).toMatchObject({
        threads: 1,
        note: expect.stringMatching(/^It runs on one thread, since 2 did not work: .*EMFILE/) as string,
        selfTest: { ok: true },
      })
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
