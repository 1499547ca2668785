import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { createRandom, randomInt } from '../../data/random.ts'
import { IGNORED } from '../../data/trainingImage.ts'
import { registerJsKernels } from '../../kernels/index.ts'
import { expectClose } from '../../kernels/testing/checkGradients.ts'
import { randomCases, randomValues } from '../../kernels/testing/random.ts'
import { segmentationLoss } from '../../training/loss.ts'
import { lossGradientReference, lossReference } from '../../training/testing/lossReference.ts'
import { expectSame, startForTests } from '../testing/compare.ts'
import { asImage } from './testing/images.ts'

beforeAll(async () => {
  await startForTests()
  registerJsKernels()
})

const cases = randomCases(10, 31, (choice) => ({
  shape: [choice.whole(1, 3), choice.whole(1, 5), choice.whole(1, 5), choice.whole(2, 6)] as const,
  ignored: choice.of([0, 0.3, 1]),
  most: choice.of([1, 6]),
  scale: choice.of([2, 40]),
}))

describe('the loss of segmentation', () => {
  it.each(cases)('%s', async (_, { shape, ignored, most, scale }) => {
    const [n, h, w, count] = shape
    const random = createRandom(7)
    const classes = Array.from({ length: n * h * w }, () =>
      random() < ignored ? IGNORED : randomInt(random, Math.min(most, count)),
    )
    const logits = randomValues(shape, 3).map((value) => scale * value)
    for (const [of, where] of [
      [
        [n, h, w, count],
        [n, h, w],
      ],
      [[n * h * w, count], [n * h * w]],
    ] as const) {
      const compute = () => {
        const truth = tf.tensor(classes, [...where], 'int32')
        const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => segmentationLoss(x, truth))(
          asImage(tf.tensor(logits, [...of])),
        )
        return [value, grad]
      }
      await expectSame(compute)
      await tf.setBackend('native')
      const results = tf.tidy(compute)
      const [loss, gradient] = await Promise.all(results.map((each) => each.data()))
      tf.dispose(results)
      expectClose(loss ?? [], [lossReference(Float64Array.from(logits), classes, count)], 1e-5)
      if (scale < 10) expectClose(gradient ?? [], lossGradientReference(logits, classes, count), 1e-5)
    }
    expect(tf.getKernel('SegmentationLoss', 'native')).toBeDefined()
  })
})
