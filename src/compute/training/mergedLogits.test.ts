import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { modelCard } from '../models/card.ts'
import { HEAD_NAME } from '../models/unet.ts'
import { startForTests } from '../native/testing/compare.ts'
import { predictSlices } from '../inference/predict.ts'
import { readFloats } from '../runtime/tensors.ts'
import { startWasm } from '../runtime/wasm.ts'
import { evaluate } from './evaluate.ts'
import { segmentationLoss } from './loss.ts'
import { mergedLogits } from './mergedLogits.ts'
import { openTrainable } from './opening.ts'
import { DISK_LABELS, diskSample } from './testing/samples.ts'
import { trainModel } from './train.ts'
import type { TrainingSample } from '../../core/contract/compute.ts'
import type { LoadedModel } from '../models/files.ts'

/** Two images of a pixel with four classes; in the second one, background may be the third class. */
const LOGITS = [1, -2, 0.5, 3, 0.25, 1.5, 2, -1]
const MERGED = [1, 0, 0, 0, 1, 0, 1, 0]
const OUTER = [1, 2, 3, 4, 5, 6, 7, 8]

describe.each(['wasm', 'native'])('background that may be another class, on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'wasm') await startWasm(1)
    else await startForTests()
    await tf.setBackend(backend)
  }, 60_000)

  it('has the exponentials of both together, and the other is never there', async () => {
    const { value, grad } = tf.tidy(() => {
      const [merged, outer] = [tf.tensor4d(MERGED, [2, 1, 1, 4]), tf.tensor4d(OUTER, [2, 1, 1, 4])]
      const logits = tf.tensor4d(LOGITS, [2, 1, 1, 4])
      return {
        value: mergedLogits(logits, merged),
        grad: tf.grad((x: tf.Tensor) => tf.sum(tf.mul(mergedLogits(x, merged), outer)))(logits),
      }
    })
    const [values, gradient] = [await readFloats(value), await readFloats(grad)]
    const sum = Math.exp(0.25) + Math.exp(2)
    const wanted = [1, -2, 0.5, 3, Math.log(sum), 1.5, -10_000, -1]
    wanted.forEach((each, i) => {
      expect(values[i]).toBeCloseTo(each, 4)
    })
    const slopes = [1, 2, 3, 4, (5 * Math.exp(0.25)) / sum, 6, (5 * Math.exp(2)) / sum, 8]
    slopes.forEach((each, i) => {
      expect(gradient[i]).toBeCloseTo(each, 4)
    })
    tf.dispose([value, grad])
  })

  it('is measured as it is learned', async () => {
    const labels = [2, 5, 6].map((value) => ({ value, name: `Label ${value}` }))
    const architecture = { levels: 2, base: 4 }
    const { network } = await openTrainable({ parent: null, architecture, labels, seed: 1 }, [diskSample(1)])
    const head = network.getLayer(HEAD_NAME)
    // It says the same of every pixel.
    const [kernel] = head.getWeights()
    const weights = [tf.zeros(kernel?.shape ?? []), tf.tensor1d([0.25, 1.5, 2, -1])]
    head.setWeights(weights)
    const sides = { width: 16, height: 16 }
    const image = new Float32Array(256).fill(0.5)
    const classes = Uint8Array.from({ length: 256 }, (_, i) => (i < 64 ? 1 : 0))
    const taught = { ...sides, image, classes, role: 'replay' } as const
    const lossOfAll = tf.tidy(() => {
      const logits = tf.tile(tf.tensor4d([0.25, 1.5, 2, -1], [1, 1, 1, 4]), [1, 16, 16, 1])
      const wanted = tf.tensor(new Int32Array(classes), [1, 16, 16], 'int32')
      return segmentationLoss(mergedLogits(logits, tf.tensor4d([1, 0, 1, 0], [1, 1, 1, 4])), wanted)
    })
    const [wanted = NaN] = await readFloats(lossOfAll)
    const known = await evaluate(network, 2, [{ ...taught, hidden: [2] }], 4)
    const plain = await evaluate(network, 2, [taught], 4)
    expect(known.loss).toBeCloseTo(wanted, 4)
    expect(plain.loss).toBeGreaterThan(known.loss + 0.1)
    // All is predicted as what came later: background may be that, and what was drawn is something else.
    const wrongIn = (map: Uint8Array | undefined) => map?.reduce((sum, value) => sum + value, 0)
    expect([wrongIn(known.wrong[0]), wrongIn(plain.wrong[0])]).toEqual([64, 256])
    // Of several images each as it is known.
    const both = await evaluate(network, 2, [{ ...taught, hidden: [2] }, taught], 4)
    expect(both.loss).toBeCloseTo((known.loss + plain.loss) / 2, 4)
    tf.dispose([lossOfAll, ...weights])
    network.dispose()
  })

  it('does not teach against a label that came later', async () => {
    const both = [...DISK_LABELS, { value: 5, name: 'Square' }]
    const options = { backend, seconds: 300, seed: 4, batch: 2, patch: 40 }
    const architecture = { levels: 2, base: 4 }
    // The squares are there from the beginning; only the last slice says so.
    const old = [1, 2, 3].map((seed) => withoutLabel(withSquare(diskSample(seed, 'replay'))))
    const taught = [...old, withSquare(diskSample(4))]
    const found = async (later: readonly number[]) => {
      const samples = taught.map((each) => (each.role === 'replay' ? { ...each, later: [...later] } : each))
      const trained = await trainModel({ ...options, parent: null, architecture, labels: both, samples, steps: 50 })
      const identity = { id: 'm', parentId: null, name: 'M', createdAt: 'now', labels: both }
      const model: LoadedModel = { network: trained.network, card: modelCard(identity, trained) }
      const predicted = await predictSlices(model, old)
      trained.network.dispose()
      const squares = predicted.map(({ labels }) => labels.reduce((n, label) => n + (label === 5 ? 1 : 0), 0))
      return squares.reduce((a, b) => a + b) / (100 * squares.length)
    }
    const [kept, against] = [await found([5]), await found([])]
    expect(kept).toBeGreaterThan(0.7)
    expect(kept).toBeLessThan(1.4)
    expect(against).toBeLessThan(0.6 * kept)
  }, 120_000)
})

/** A dark square of label 5 in a corner. */
function withSquare(sample: TrainingSample): TrainingSample {
  const [data, labels] = [sample.data.slice(), sample.labels.slice()]
  for (let y = 0; y < 10; y++) {
    data.fill(60, y * 40, y * 40 + 10)
    labels.fill(5, y * 40, y * 40 + 10)
  }
  return { ...sample, data, labels }
}

function withoutLabel(sample: TrainingSample): TrainingSample {
  return { ...sample, labels: sample.labels.map((label) => (label === 5 ? 0 : label)) }
}
