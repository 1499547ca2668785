/**
 * Computes the losses of recipes with their gradients, and some steps of networks that only recipes have, on the js backend
 * and on webgpu, and sends for each { name, difference }, relative to the largest value.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { lossSettingsSchema, modelSettingsSchema, optimizerSettingsSchema } from '../../../core/contract/recipes.ts'
import { createRandom, randomInt } from '../../data/random.ts'
import { registerJsKernels } from '../../kernels/index.ts'
import { buildRecipeNetwork } from '../../models/recipeNetwork.ts'
import { marginOf } from '../../models/sizes.ts'
import { readFloats } from '../../runtime/tensors.ts'
import { startWebgpu } from '../../runtime/webgpu.ts'
import { recipeLoss } from '../losses/recipeLoss.ts'
import { createRecipeStep } from '../recipeStep.ts'

const [N, H, W, C] = [2, 5, 6, 3]
const STEPS = 4

interface Case {
  readonly name: string
  readonly run: () => Promise<number[]>
}

const losses = lossSettingsSchema.shape.kind.options.flatMap((kind) =>
  (['softmax', 'sigmoid', 'relu'] as const)
    .filter((output) => output !== 'relu' || ['dice', 'tversky', 'mean-squared-error'].includes(kind))
    .map((output): Case => {
      const loss = recipeLoss(lossSettingsSchema.parse({ kind, output }))
      return { name: `${kind} of ${output}`, run: () => lossAndGradient(loss) }
    }),
)

async function lossAndGradient(loss: ReturnType<typeof recipeLoss>): Promise<number[]> {
  const random = createRandom(3)
  const pixels = N * H * W
  const { value, grad } = tf.tidy(() => {
    const logits = tf.tensor(
      Float32Array.from({ length: pixels * C }, () => 4 * (random() - 0.5)),
      [N, H, W, C],
    )
    const wanted = Int32Array.from({ length: pixels }, () => (random() < 0.1 ? 255 : randomInt(random, C)))
    const weights = tf.tensor(Float32Array.from({ length: pixels }, random), [N, H, W])
    const classes = tf.tensor(wanted, [N, H, W], 'int32')
    return tf.valueAndGrad((x: tf.Tensor) => loss(x, classes, weights))(logits)
  })
  const values = [...(await readFloats(value)), ...(await readFloats(grad))]
  tf.dispose([value, grad])
  return values
}

const steps: Case[] = [
  {
    name: 'valid convolutions and dropout',
    run: () => learn({ convolutions: 'valid', upsampling: 'transposed', normalization: 'none', dropout: 0.5 }),
  },
  { name: 'Inception blocks', run: () => learn({ kind: 'unet-inception' }) },
]

async function learn(change: object): Promise<number[]> {
  const model = modelSettingsSchema.parse({
    ...{ kind: 'unet', levels: 1, base: 4, normalization: 'batch', upsampling: 'nearest' },
    ...change,
  })
  const { network, architecture } = buildRecipeNetwork(model, { channels: 3, outputs: C, seed: 1 })
  const learning = createRecipeStep(network, {
    loss: lossSettingsSchema.parse({ kind: 'dice-cross-entropy', output: 'softmax' }),
    optimizer: optimizerSettingsSchema.parse({ kind: 'adamw', rate: 1e-2, schedule: 'constant', decay: 0.01 }),
    seed: 2,
  })
  const margin = marginOf(architecture)
  const [width, height] = [12 + 2 * margin, 8 + 2 * margin]
  const random = createRandom(8)
  const values: number[] = []
  for (let step = 0; step < STEPS; step++) {
    const batch = {
      ...{ count: N, channels: 3, width, height, outWidth: 12, outHeight: 8, weights: null },
      images: Float32Array.from({ length: N * width * height * 3 }, random),
      classes: Uint8Array.from({ length: N * 12 * 8 }, () => randomInt(random, C)),
    }
    values.push(await learning.step(batch, 1e-2))
  }
  learning.dispose()
  network.dispose()
  return values
}

tf.enableProdMode()
registerJsKernels()
await startWebgpu()
// Small operations run on the processor unless told otherwise.
tf.env().set('WEBGPU_CPU_FORWARD', false)
for (const { name, run } of [...losses, ...steps]) {
  await tf.setBackend('cpu')
  const wanted = await run()
  await tf.setBackend('webgpu')
  process.send?.({ name, difference: difference(await run(), wanted) })
}
process.disconnect()

function difference(got: readonly number[], wanted: readonly number[]): number {
  if (got.length !== wanted.length) return Infinity
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3)
  return wanted.reduce((most, value, at) => Math.max(most, Math.abs(value - (got[at] ?? NaN))), 0) / scale
}
