import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { beforeAll, describe, expect, it } from 'vitest'
import { lossSettingsSchema } from '../../../core/contract/recipes.ts'
import { createRandom, randomInt } from '../../data/random.ts'
import { registerJsKernels } from '../../kernels/index.ts'
import { startForTests } from '../../native/testing/compare.ts'
import { createProgram } from '../../runtime/program.ts'
import { readFloats } from '../../runtime/tensors.ts'
import { startWasm } from '../../runtime/wasm.ts'
import { recipeLoss } from './recipeLoss.ts'
import { referenceLoss } from './testing/reference.ts'
import type { LossSettings } from '../../../core/contract/recipes.ts'
import type { Pixels } from './testing/reference.ts'

const [N, H, W] = [2, 3, 4]
const IGNORED = 255

function pixels(channels: number, output: LossSettings['output'], weighted: boolean, seed = 1, width = 4): Pixels {
  const random = createRandom(seed)
  const count = N * H * W
  const most = output === 'softmax' ? channels : channels + 1
  return {
    pictures: N,
    channels,
    logits: Float32Array.from({ length: count * channels }, () => width * (random() - 0.45)),
    classes: Uint8Array.from({ length: count }, () => (random() < 0.15 ? IGNORED : randomInt(random, most))),
    weights: weighted ? Float32Array.from({ length: count }, () => 3 * random()) : null,
  }
}

const kinds = lossSettingsSchema.shape.kind.options
const combinations = kinds.flatMap((kind) =>
  (['softmax', 'sigmoid', 'relu'] as const)
    .filter((output) => output !== 'relu' || (!kind.endsWith('cross-entropy') && kind !== 'focal'))
    .map((output) => [kind, output] as const),
)

async function valuesOf(settings: LossSettings, { channels, logits, classes, weights }: Pixels) {
  const loss = recipeLoss(settings)
  const program = createProgram(([x, y, w]) => {
    if (x === undefined || y === undefined) throw new Error('Inputs are missing.')
    const { value, grad } = tf.valueAndGrad((given: tf.Tensor) => loss(given, y, w ?? null))(x)
    return [value, grad]
  })
  const inputs = [
    tf.tensor(logits, [N, H, W, channels]),
    tf.tensor(new Int32Array(classes), [N, H, W], 'int32'),
    ...(weights === null ? [] : [tf.tensor(weights, [N, H, W])]),
  ]
  const results = await program.run(inputs)
  const [value, gradient] = await Promise.all(results.map(async (tensor) => (await readFloats(tensor)).slice()))
  tf.dispose([inputs, results])
  program.dispose()
  return { value: value?.[0] ?? NaN, gradient: gradient ?? new Float32Array() }
}

/** By central differences of the definition in double precision. */
function referenceGradient(settings: LossSettings, given: Pixels): number[] {
  const step = 1e-5
  const logits = Float64Array.from(given.logits)
  return Array.from(logits, (value, i) => {
    const at = (x: number) => referenceLoss(settings, { ...given, logits: logits.with(i, x) })
    return (at(value + step) - at(value - step)) / (2 * step)
  })
}

describe.each(['cpu', 'wasm', 'native'])('recipeLoss on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'wasm') await startWasm(1)
    if (backend === 'native') await startForTests()
    await tf.setBackend(backend)
    if (backend === 'cpu') registerJsKernels()
  })

  describe.each(combinations)('%s of %s', (kind, output) => {
    const settings = lossSettingsSchema.parse({ kind, output })

    it.each([
      ['two channels', 2, false, {}],
      ['four channels, weighted', 4, true, { alpha: 0.6, beta: 0.4, gamma: 1.5 }],
      ['three channels, weighted', 3, true, { gamma: 1, crossEntropy: 0.3 }],
    ] as const)(
      'agrees with its definition and with numeric differentiation: %s',
      async (_, channels, weighted, change) => {
        const given = pixels(channels, output, weighted, channels)
        const all = { ...settings, ...change }
        const { value, gradient } = await valuesOf(all, given)
        expect(Math.abs(value - referenceLoss(all, given))).toBeLessThan(2e-6)
        referenceGradient(all, given).forEach((wanted, i) => {
          expect(Math.abs((gradient[i] ?? NaN) - wanted)).toBeLessThan(3e-6)
        })
      },
    )

    it('is finite, and so is its gradient, for logits that saturate', async () => {
      const { value, gradient } = await valuesOf(settings, pixels(3, output, true, 7, 300))
      expect(value).toSatisfy(Number.isFinite)
      expect(gradient.every(Number.isFinite)).toBe(true)
    })

    it('learns nothing where every pixel is ignored', async () => {
      const given = pixels(3, output, true)
      const { value, gradient } = await valuesOf(settings, { ...given, classes: given.classes.map(() => IGNORED) })
      // The power of a Tversky loss of 0 is that of the least which it is given.
      expect(Math.abs(value)).toBeLessThan(kind === 'focal-tversky' ? 1.1e-3 : 1e-6)
      expect(gradient.every((each) => Math.abs(each) === 0)).toBe(true)
    })
  })

  it('measures one channel, and one pixel', async () => {
    const settings = lossSettingsSchema.parse({ kind: 'mean-squared-error', output: 'relu' })
    const given = pixels(1, 'relu', false, 9)
    expect((await valuesOf(settings, given)).value).toBeCloseTo(referenceLoss(settings, given), 6)
  })
})

describe('recipeLoss', () => {
  it('refuses what does not go together', () => {
    const relu = lossSettingsSchema.parse({ kind: 'cross-entropy', output: 'relu' })
    expect(() => recipeLoss(relu)).toThrow('needs probabilities')
    const flat = lossSettingsSchema.parse({ kind: 'focal-tversky', output: 'softmax', gamma: 0.5 })
    expect(() => recipeLoss(flat)).toThrow('gamma of 1')
  })

  it('has hand-computed values', () => {
    // Two pixels of one label each way: p = 3/4 at the label, 1/4 elsewhere.
    const logits = Float32Array.of(0, Math.log(3), Math.log(3), 0)
    const given = { pictures: 1, channels: 2, logits, classes: Uint8Array.of(1, 0), weights: null }
    const of = (kind: LossSettings['kind']) =>
      referenceLoss(lossSettingsSchema.parse({ kind, output: 'softmax' }), given)
    expect(of('cross-entropy')).toBeCloseTo(-Math.log(0.75), 6)
    // (2 x 3/4 + 1) / (1 + 1 + 1).
    expect(of('dice')).toBeCloseTo(1 - 2.5 / 3, 6)
    // TP 3/4, FP 1/4 at 0.3, FN 1/4 at 0.7.
    expect(of('tversky')).toBeCloseTo(0.25 / 2, 6)
    expect(of('focal')).toBeCloseTo(-Math.log(0.75) / 16, 6)
    expect(of('mean-squared-error')).toBeCloseTo(1 / 16, 6)
  })
})
