import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import {
  ADAM_UPDATE,
  MOMENTUM_UPDATE,
  NORMALIZATION_GRADIENT,
  SEGMENTATION_LOSS,
  SQUARE_SUM,
} from '../kernels/index.ts'
import { replaceKernel } from '../kernels/register.ts'
import { SELF_TEST_REFERENCE } from './selfTestReference.ts'
import { compare } from './selfTestNumbers.ts'
import { selfTest } from './selfTest.ts'
import { startRuntime } from './start.ts'
import type { SelfTestNumbers } from './selfTestNumbers.ts'

const MINUTES = 60_000

/** What a broken kernel does to its result. */
type Harm = (values: Float32Array) => void
const HARMS: Record<string, Harm> = {
  'a factor of 1.05': (values) => {
    for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) * 1.05
  },
  'no work on the last quarter': (values) => values.fill(0, Math.floor(values.length * 0.75)),
}

/** Layouts, copies and zeros: these harms leave them right, or there is nothing to break. */
const NOTHING_TO_BREAK = ['Identity', 'Reshape', 'Cast', 'ZerosLike']
/** They change their inputs instead of returning something: their learning rate is broken. */
const IN_PLACE = [ADAM_UPDATE, MOMENTUM_UPDATE]

describe('selfTest', () => {
  const undo: (() => void)[] = []

  beforeAll(async () => {
    await startRuntime({ backend: 'wasm', threads: 2 })
  })

  afterEach(() => {
    for (const each of undo.splice(0)) each()
  })

  /** Puts a function around a kernel of the wasm backend until the test is over. */
  function wrap(name: string, around: (kernel: tf.KernelFunc) => tf.KernelFunc): void {
    const kernel = tf.getKernel(name, 'wasm').kernelFunc
    replaceKernel(name, 'wasm', around(kernel))
    undo.push(() => replaceKernel(name, 'wasm', kernel))
  }

  function harmed(name: string, harm: Harm): void {
    wrap(name, (kernel) => (given) => {
      if (IN_PLACE.includes(name))
        return kernel({ ...given, attrs: { ...given.attrs, rate: harmedRate(given.attrs, harm) } })
      const outputs = kernel(given)
      // All have one, whatever it is for, or several of the same kind.
      for (const output of Array.isArray(outputs) ? outputs : [outputs]) {
        if (output.dtype === 'float32') harm(memoryOf(given.backend, output))
      }
      return outputs
    })
  }

  it('passes again and again, in the same numbers, and leaves nothing behind', async () => {
    const before = tf.memory().numTensors
    for (let i = 0; i < 3; i++) expect(await selfTest()).toMatchObject({ ok: true, difference: null })
    expect(tf.memory().numTensors).toBe(before)
  })

  it(
    'notices every kernel that a training uses, when it is broken',
    async () => {
      const used = new Set<string>()
      for (const { kernelName } of tf.getKernelsForBackend('wasm')) {
        wrap(kernelName, (kernel) => (given) => {
          used.add(kernelName)
          return kernel(given)
        })
      }
      expect((await selfTest()).ok).toBe(true)
      for (const each of undo.splice(0)) each()
      for (const name of NOTHING_TO_BREAK) used.delete(name)
      const known = ['FusedConv2D', 'Conv2DBackpropFilter', 'Conv2DBackpropInput', 'MaxPool', 'MaxPoolGrad']
      const ours = [ADAM_UPDATE, MOMENTUM_UPDATE, NORMALIZATION_GRADIENT, SEGMENTATION_LOSS, SQUARE_SUM]
      expect([...used]).toEqual(expect.arrayContaining([...known, ...ours]))

      const missed: string[] = []
      for (const name of used) {
        for (const [what, harm] of Object.entries(HARMS)) {
          harmed(name, harm)
          const { ok, difference } = await selfTest()
          if (ok) missed.push(`${name}: ${what}`)
          else expect(difference).toMatch(/^(The .* gave .* instead of .*\.|It stopped with: .*)$/)
          for (const each of undo.splice(0)) each()
        }
      }
      expect(missed).toEqual([])
      expect((await selfTest()).ok).toBe(true)
    },
    3 * MINUTES,
  )

  it('notices a kernel that throws', async () => {
    wrap('MaxPoolGrad', () => () => {
      throw new Error('no such kernel')
    })
    expect(await selfTest()).toMatchObject({ ok: false, difference: 'It stopped with: Error: no such kernel' })
  })
})

describe('compare', () => {
  const want = SELF_TEST_REFERENCE.plain

  function with_(change: Partial<SelfTestNumbers>): SelfTestNumbers {
    return { ...want, ...change }
  }

  it('lets the same numbers pass, and such that differ by rounding', () => {
    expect(compare(want, want)).toBeNull()
    const [length, product] = want.forward
    expect(compare(with_({ forward: [length * 1.0005, product] }), want)).toBeNull()
  })

  it('says what differs', () => {
    const [length, product] = want.forward
    expect(compare(with_({ forward: [length, -product] }), want)).toMatch(/^The forward pass gave -/)
    expect(compare(with_({ losses: [Number.NaN, 1] }), want)).toBe(`The loss gave NaN instead of ${want.losses[0]}.`)
    expect(compare(with_({ gradients: [] }), want)).toMatch(/^The number of gradients gave 0 instead of/)
    expect(compare(with_({ weights: want.weights.map(() => [0, 0] as const) }), want)).toMatch(/^The weights after/)
  })
})

function harmedRate(attrs: tf.NamedAttrMap | undefined, harm: Harm): number {
  const rate = Float32Array.of(Number(attrs?.rate))
  harm(rate)
  return rate[0] ?? 0
}

function memoryOf(backend: unknown, output: tf.TensorInfo): Float32Array {
  if (!(backend instanceof BackendWasm)) throw new Error('Not the wasm backend.')
  const values = backend.typedArrayFromHeap({ shape: output.shape, dtype: 'float32', dataId: output.dataId })
  if (!(values instanceof Float32Array)) throw new Error('Not float32.')
  return values
}
