import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { IGNORED } from '../data/trainingImage.ts'
import { runNetwork } from '../inference/predict.ts'
import { registerJsKernels } from '../kernels/index.ts'
import { expectClose } from '../kernels/testing/checkGradients.ts'
import { randomValues } from '../kernels/testing/random.ts'
import { forwardOf } from '../models/forward.ts'
import { FOREIGN_LAYERS, networkAround } from '../models/testing/foreignLayers.ts'
import { KINDS } from '../models/testing/modelFolders.ts'
import { buildUNet } from '../models/unet.ts'
import { variableGradients } from '../runtime/gradients.ts'
import { isVariable } from '../runtime/tensors.ts'
import { createAdam } from '../training/adam.ts'
import { createMomentum } from '../training/momentum.ts'
import { trainingStep } from '../training/step.ts'
import { startForTests } from './testing/compare.ts'
import type { Kind } from '../models/testing/modelFolders.ts'
import type { Optimizer } from '../training/optimizer.ts'

let kernelsOfJs: string[] = []

beforeAll(async () => {
  await startForTests()
  kernelsOfJs = kernelsOf('cpu')
  registerJsKernels()
})

function kernelsOf(backend: string): string[] {
  return tf.getKernelsForBackend(backend).map(({ kernelName }) => kernelName)
}

const SIZE = 16
const batch = {
  images: randomValues([2, SIZE, SIZE], 1).map((value) => 0.5 + value / 2),
  classes: Uint8Array.from({ length: 2 * SIZE * SIZE }, (_, at) => (at % 11 === 0 ? IGNORED : Math.floor(at / 50) % 3)),
}

/** Nothing of the project uses them, nor do images of two dimensions and numbers. */
const NOT_RECORDED = [
  ...['Complex', 'ComplexAbs', 'FFT', 'IFFT', 'Imag', 'Real'],
  ...[
    'AvgPool3D',
    'AvgPool3DGrad',
    'Conv3D',
    'Conv3DBackpropFilterV2',
    'Conv3DBackpropInputV2',
    'MaxPool3D',
    'MaxPool3DGrad',
  ],
  ...['RaggedGather', 'RaggedRange', 'RaggedTensorToTensor', 'SparseFillEmptyRows', 'SparseReshape'],
  ...[
    'SparseSegmentMean',
    'SparseSegmentSum',
    'StaticRegexReplace',
    'StringNGrams',
    'StringSplit',
    'StringToHashBucketFast',
  ],
  ...['CropAndResize', 'Dilation2D', 'Dilation2DBackpropFilter', 'Dilation2DBackpropInput', 'Draw', 'FlipLeftRight'],
  ...['LRN', 'LRNGrad', 'MaxPoolWithArgmax', 'NonMaxSuppressionV3', 'NonMaxSuppressionV4', 'NonMaxSuppressionV5'],
  ...['RotateWithOffset', 'Transform', 'Bincount', 'BitwiseAnd', 'BroadcastArgs', 'Cumprod', 'DenseBincount'],
  ...['Multinomial', 'SearchSorted', 'Unique'],
]

describe('the recorder', () => {
  it('has every kernel of the js backend but those for other things', () => {
    const recorded = kernelsOf('native')
    const missing = kernelsOfJs.filter((name) => !recorded.includes(name))
    expect(missing.filter((name) => !NOT_RECORDED.includes(name))).toEqual([])
  })
})

/** An operation that is not recorded. */
class ResponseNormalization extends layers.layers.Layer {
  static className = 'ResponseNormalization'

  override computeOutputShape(inputShape: layers.Shape | layers.Shape[]): layers.Shape | layers.Shape[] {
    return inputShape
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat()
    return x === undefined ? tf.zeros([0]) : tf.localResponseNormalization(tf.reshape<tf.Rank.R4>(x, shapeOf(x)))
  }
}

function shapeOf({ shape: [n = 1, h = 1, w = 1, c = 1] }: tf.Tensor): [number, number, number, number] {
  return [n, h, w, c]
}

describe('an operation that is not recorded', () => {
  it('is named, and another way to compute is asked for', async () => {
    await tf.setBackend('native')
    const network = networkAround(new ResponseNormalization({}))
    const tensors = tf.memory().numTensors
    const image = randomValues([8, 8], 2)
    const run = runNetwork(
      network,
      1,
      [{ width: 8, height: 8 }],
      () => image,
      () => undefined,
    )
    await expect(run).rejects.toMatchObject({ code: 'backend-lost' })
    await expect(run).rejects.toThrow(/LRN; another way/)
    expect(tf.memory().numTensors).toBe(tensors)
    network.dispose()
  })
})

describe('networks that are built here', () => {
  it.each(KINDS)('are trained and predict: $normalization, $upsampling', async (kind) => {
    await expectSameTraining(kind, (variables) =>
      createAdam(variables, { decay: 0.01, pace: (name) => (name.startsWith('logits') ? 3 : 1) }),
    )
  })

  it('are trained with momentum', async () => {
    const kind = { normalization: 'instance', upsampling: 'transposed' } as const
    await expectSameTraining(kind, (variables) => createMomentum(variables, { nesterov: true }))
  })
})

type MakeOptimizer = (variables: readonly tf.Variable[]) => Optimizer

async function expectSameTraining(kind: Kind, make: MakeOptimizer): Promise<void> {
  const runs = []
  for (const backend of ['cpu', 'native']) {
    await tf.setBackend(backend)
    runs.push(await trainedRun(kind, make))
  }
  const [js, native] = runs
  expectClose(native?.losses ?? [], js?.losses ?? [], 1e-4)
  expectClose(native?.logits ?? [], js?.logits ?? [], 1e-3)
}

async function trainedRun(kind: Kind, make: MakeOptimizer): Promise<{ losses: number[]; logits: number[] }> {
  const network = buildUNet({ levels: 2, base: 4, classes: 3, seed: 5, ...kind })
  const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
  const optimizer = make(variables)
  try {
    const losses: number[] = []
    for (let step = 0; step < 2; step++) {
      losses.push(await trainingStep(network, variables, optimizer, batch, SIZE, 1e-3))
    }
    const logits: number[] = []
    const image = randomValues([21, 13], 2)
    await runNetwork(
      network,
      4,
      [{ width: 13, height: 21 }],
      () => image,
      (_, __, values) => logits.push(...values),
    )
    return { losses, logits }
  } finally {
    optimizer.dispose()
    network.dispose()
  }
}

describe('layers of other networks', () => {
  const merging = [layers.layers.add, layers.layers.average, layers.layers.maximum, layers.layers.multiply]
  const activations = [
    'relu6',
    'selu',
    'hardSigmoid',
    'softplus',
    'softsign',
    'tanh',
    'swish',
    'mish',
    'linear',
  ] as const
  const more: [string, () => layers.layers.Layer][] = activations.map((activation) => [
    `activation ${activation}`,
    () => layers.layers.activation({ activation }),
  ])

  it.each([...FOREIGN_LAYERS, ...more])(
    '%s: predicts as on the js backend, with the same gradients',
    async (_, layer) => {
      await expectSameNetwork(() => networkAround(layer()))
    },
  )

  it.each(merging.map((merge) => [merge.name, merge] as const))('%s', async (_, merge) => {
    await expectSameNetwork(() => {
      const image = layers.input({ shape: [null, null, 1] })
      const branch = (seed: number) => {
        const kernelInitializer = layers.initializers.heNormal({ seed })
        return layers.layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', kernelInitializer }).apply(image)
      }
      const branches = [branch(1), branch(2), branch(3)].filter((each) => each instanceof layers.SymbolicTensor)
      const merged = merge({}).apply(branches)
      if (!(merged instanceof layers.SymbolicTensor)) throw new Error('One symbolic tensor was expected.')
      return layers.model({ inputs: image, outputs: merged })
    })
  })

  it.each([
    ['Dropout', () => layers.layers.dropout({ rate: 0.5, seed: 3 })],
    ['GaussianNoise', () => layers.layers.gaussianNoise({ stddev: 0.1 })],
    ['GaussianDropout', () => layers.layers.gaussianDropout({ rate: 0.3 })],
  ] as const)('%s does nothing in prediction', async (_, layer) => {
    await expectSameNetwork(() => networkAround(layer()))
  })
})

/** What the network gives, and its gradients, on both backends. */
async function expectSameNetwork(make: () => layers.LayersModel): Promise<void> {
  const results: Float32Array[][] = []
  for (const backend of ['cpu', 'native']) {
    await tf.setBackend(backend)
    const network = make()
    const variables = network.trainableWeights.map((weight) => weight.read()).filter(isVariable)
    const forward = forwardOf(network)
    const tensors = tf.memory().numTensors
    const outputs = tf.tidy(() => {
      const images = tf.tensor4d(randomValues([2, 12, 12, 1], 5), [2, 12, 12, 1])
      const loss = () => tf.reshape<tf.Rank.R0>(tf.sum(tf.square(forward(images, false))), [])
      const { grads } = variableGradients(loss, variables)
      return [forward(images, false), ...variables.map(({ name }) => grads[name])].filter((each) => each !== undefined)
    })
    results.push(await Promise.all(outputs.map(async (tensor) => Float32Array.from(await tensor.data()))))
    tf.dispose(outputs)
    expect(tf.memory().numTensors).toBe(tensors)
    network.dispose()
  }
  const [js = [], native = []] = results
  expect(native.length).toBe(js.length)
  js.forEach((wanted, i) => {
    expectClose(native[i] ?? [], wanted, 1e-4)
  })
}
