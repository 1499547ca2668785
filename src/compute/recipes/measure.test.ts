import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { lossSettingsSchema } from '../../core/contract/recipes.ts'
import { startWasm } from '../runtime/wasm.ts'
import { createMeter } from './measure.ts'
import type { LossSettings } from '../../core/contract/recipes.ts'
import type { OutputMeaning } from './classes.ts'
import type { Measured } from './measure.ts'
import type { NetworkSlice, SliceRef } from './types.ts'

beforeAll(async () => {
  await startWasm(1)
  await tf.setBackend('wasm')
}, 60_000)

/** A network whose logits are slope x intensity + bias, of each channel. */
function linear(slopes: readonly number[], biases: readonly number[]): layers.LayersModel {
  const image = layers.input({ shape: [null, null, 1] })
  const convolution = layers.layers.conv2d({ filters: slopes.length, kernelSize: 1, name: 'logits' })
  const network = layers.model({ inputs: image, outputs: convolution.apply(image) as layers.SymbolicTensor })
  convolution.setWeights([tf.tensor4d([...slopes], [1, 1, 1, slopes.length]), tf.tensor1d([...biases])])
  return network
}

interface Row {
  readonly image: readonly number[]
  readonly classes: readonly number[]
  readonly weights?: readonly number[]
}

/** Slices of one row each. */
async function measured(
  rows: readonly Row[],
  network: layers.LayersModel,
  loss: Partial<LossSettings>,
  meaning: Partial<OutputMeaning>,
): Promise<Measured & { maps: number[][] }> {
  const slices = rows.map(({ image, classes, weights }): NetworkSlice => ({
    ...{ width: image.length, height: 1, channels: 1, image: Float32Array.from(image) },
    ...{ classes: Uint8Array.from(classes), weights: weights === undefined ? null : Float32Array.from(weights) },
  }))
  const refs = slices.map(({ width, height }, index): SliceRef => ({
    ...{ caseId: String(index), part: 'validation', index, plane: 'training', width, height },
  }))
  const found = (ref: SliceRef): NetworkSlice => {
    const slice = slices[ref.index]
    if (slice === undefined) throw new Error('There is no such slice.')
    return slice
  }
  const settings = lossSettingsSchema.parse({ kind: 'cross-entropy', output: 'softmax', ...loss })
  const meter = createMeter({ slice: (ref) => Promise.resolve(found(ref)) }, settings)
  const maps: number[][] = []
  try {
    const result = await meter.measure(network, refs, {
      step: 1,
      meaning: { output: settings.output, channels: 2, border: false, values: [0, 1], threshold: 0.5, ...meaning },
      onSlice: (index, _, map) => {
        maps[index] = [...map]
      },
    })
    return { ...result, maps }
  } finally {
    meter.dispose()
    network.dispose()
  }
}

describe('what is measured after an epoch', () => {
  it('counts pixels of all slices together, whatever their sizes, without those that teach nothing', async () => {
    // Logits 0 and x: the label where x > 0.
    const { scores, dice, maps, loss } = await measured(
      [
        { image: [3, -3, 3, 3, -3], classes: [1, 0, 0, 255, 1] },
        { image: [-3, 3], classes: [0, 1] },
      ],
      linear([0, 1], [0, 0]),
      {},
      {},
    )
    expect(maps).toEqual([
      [1, 0, 1, 1, 0],
      [0, 1],
    ])
    // Of six pixels four are right; TP 2, FP 1, FN 1.
    expect(scores).toEqual({ accuracy: 4 / 6, dice: 4 / 6, 'dice:1': 4 / 6, iou: 2 / 4, 'iou:1': 2 / 4 })
    expect(dice).toBe(scores.dice)
    const [right, wrong] = [Math.log(1 + Math.exp(-3)), Math.log(1 + Math.exp(3))]
    expect(loss).toBeCloseTo(((2 * right + 2 * wrong) / 4 + right) / 2, 5)
  })

  it('weighs pixels as the training does', async () => {
    const rows = [{ image: [3, 3], classes: [1, 0], weights: [1, 3] }]
    const { loss } = await measured(rows, linear([0, 1], [0, 0]), {}, {})
    expect(loss).toBeCloseTo((Math.log(1 + Math.exp(-3)) + 3 * Math.log(1 + Math.exp(3))) / 4, 5)
  })

  it('takes the border of objects for their label', async () => {
    // Channels background, label, border: 0, x, -x.
    const rows = [{ image: [2, -2, 2, -2], classes: [1, 1, 2, 2] }]
    const meaning = { channels: 3, border: true }
    const { scores, maps } = await measured(rows, linear([0, 1, -1], [0, 0, 0]), {}, meaning)
    expect(maps).toEqual([[1, 1, 1, 1]])
    expect(scores.accuracy).toBe(1)
  })

  it.each([
    ['sigmoid', 'cross-entropy', [0.3, -0.3, 1]],
    ['relu', 'mean-squared-error', [0.6, 0.4, 0.9]],
  ] as const)('asks each channel of %s by its threshold', async (output, kind, image) => {
    const rows = [{ image, classes: [1, 0, 2] }]
    // Two labels: the second one is certain above 0.8.
    const network = linear([1, 10], [0, -8.5])
    const meaning = { output, channels: 2, values: [0, 4, 7] }
    const { scores, maps } = await measured(rows, network, { output, kind }, meaning)
    expect(maps).toEqual([output === 'sigmoid' ? [1, 0, 2] : [1, 0, 1]])
    expect(Object.keys(scores)).toEqual(['accuracy', 'dice', 'dice:4', 'dice:7', 'iou', 'iou:4', 'iou:7'])
  })

  it('counts only labels that occur in its means, and all as found where none does', async () => {
    const network = () => linear([0, 1, -9], [0, 0, -9])
    const meaning = { channels: 3, values: [0, 1, 2] }
    const one = await measured([{ image: [1, 1, -1], classes: [1, 1, 1] }], network(), {}, meaning)
    expect(one.scores).toMatchObject({ dice: 0.8, 'dice:1': 0.8 })
    const none = await measured([{ image: [-1, -1], classes: [0, 0] }], network(), {}, { ...meaning })
    expect(none.scores).toMatchObject({ accuracy: 1, dice: 1 })
  })
})
