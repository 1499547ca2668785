/**
 * Predicts one picture on `webgpu` twice, as it is, and with an adapter that refuses what a piece above 5,000 pixels needs
 * but does not say so before, and sends the passes of both and how far the second is from the first.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import { buildUNet } from '../../models/unet.ts'
import { startWebgpu } from '../../runtime/webgpu.ts'
import { forwardPass } from '../forwardPass.ts'
import { runNetwork } from '../network.ts'

const WIDTH = 120
const HEIGHT = 90
const TOO_MUCH = 5000

await startWebgpu()
const network = buildUNet({ levels: 1, base: 4, classes: 3, seed: 1, normalization: 'none', upsampling: 'nearest' })
const picture = Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) => ((i * 7919) % 1013) / 1013)

interface Run {
  readonly passes: number
  readonly notices: readonly string[]
  readonly logits: Float32Array
}

async function predict(most = Infinity): Promise<Run> {
  const logits = new Float32Array(WIDTH * HEIGHT * 3).fill(NaN)
  const notices: string[] = []
  let passes = 0
  await runNetwork(
    network,
    2,
    [{ width: WIDTH, height: HEIGHT }],
    () => picture,
    (_slice, { input, keep }, values, classes) => {
      for (let y = keep.top; y < keep.top + keep.height; y++) {
        const from = ((y - input.top) * input.width + keep.left - input.left) * classes
        logits.set(values.subarray(from, from + keep.width * classes), (y * WIDTH + keep.left) * classes)
      }
    },
    {
      notify: (message) => notices.push(message),
      pass: async (...args) => {
        const [, , [count, height, width]] = args
        const { maxStorageBufferBindingSize } = limits()
        if (count * height * width > most) tf.fill([maxStorageBufferBindingSize / 4 + 4], 1).dispose()
        const result = await forwardPass(...args)
        passes++
        return result
      },
    },
  )
  return { passes, notices, logits }
}

function limits(): GPUSupportedLimits {
  const backend = tf.backend()
  if (backend instanceof WebGPUBackend) return backend.device.limits
  throw new Error('The current backend is not webgpu.')
}

function farthest(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? NaN))), 0)
}

const whole = await predict()
const { numTensors } = tf.memory()
const refused = await predict(TOO_MUCH)
const report = ({ passes, notices, logits }: Run) => ({ passes, notices, difference: farthest(logits, whole.logits) })
process.send?.({
  whole: report(whole),
  refused: report(refused),
  left: tf.memory().numTensors - numTensors,
})
process.disconnect()
