import * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { address, floats } from './heap.ts'
import { jsFloats, jsTensor } from './jsHeap.ts'
import { input, registerWasmKernel, replaceKernel } from './register.ts'
import { blocksOf } from './simd/blocks.ts'
import { parallel } from './threads/index.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'

/**
 * One step of Adam (Kingma and Ba, arXiv 1412.6980) on one variable, with decoupled weight decay (Loshchilov and Hutter,
 * arXiv 1711.05101): with g = gradient * scale,
 *   mean = beta1 * mean + (1 - beta1) * g, square = beta2 * square + (1 - beta2) * g * g,
 *   variable = (1 - decay) * variable - rate * mean / (sqrt(square) + epsilon).
 * Inputs variable, gradient, mean and square of one size, scale a scalar; attributes rate (the correction of the first
 * steps is part of it), beta1, beta2, epsilon, decay (the part of the variable that this step takes away).
 * variable, mean and square are changed where they lie, and so is every tensor that shares their data (a clone, the
 * tensor that a variable was made from, on `js` also the array); there is no result.
 */
export const ADAM_UPDATE = 'AdamUpdate'

/**
 * One step of gradient descent with momentum (Sutskever et al. 2013, as TensorFlow computes it): with g = gradient * scale,
 *   velocity = momentum * velocity + g,
 *   variable = variable - rate * velocity, or with nesterov - rate * (g + momentum * velocity).
 * Inputs variable, gradient, velocity of one size, scale a scalar; attributes rate, momentum, nesterov. In place, likewise.
 */
export const MOMENTUM_UPDATE = 'MomentumUpdate'

/**
 * Pulls a variable towards an anchor of its size: variable = variable + share * (anchor - variable); attribute share. In place,
 * likewise.
 */
export const PULL_UPDATE = 'PullUpdate'

/** x of any shape -> the sum of its squares, a scalar. */
export const SQUARE_SUM = 'SquareSum'

const adamAttrs = z.object({
  rate: z.number(),
  beta1: z.number(),
  beta2: z.number(),
  epsilon: z.number(),
  decay: z.number(),
})
const pullAttrs = z.object({ share: z.number() })
const momentumAttrs = z.object({ rate: z.number(), momentum: z.number(), nesterov: z.boolean() })

export function registerOptimizerUpdates(): void {
  registerWasmKernel(ADAM_UPDATE, ({ inputs, attrs, backend }) => {
    const { rate, beta1, beta2, epsilon, decay } = adamAttrs.parse(attrs)
    const numbers = [rate, beta1, 1 - beta1, beta2, 1 - beta2, epsilon, 1 - decay]
    updateInPlace(backend, inputs, 'adamUpdate', ['mean', 'square'], numbers)
    return []
  })
  registerWasmKernel(MOMENTUM_UPDATE, ({ inputs, attrs, backend }) => {
    const { rate, momentum, nesterov } = momentumAttrs.parse(attrs)
    const numbers = [momentum, ...momentumRates(rate, momentum, nesterov)]
    updateInPlace(backend, inputs, 'momentumUpdate', ['velocity'], numbers)
    return []
  })
  registerWasmKernel(PULL_UPDATE, ({ inputs, attrs, backend }) => {
    const { share } = pullAttrs.parse(attrs)
    const { size, addresses } = placesOf(backend, inputs, ['variable', 'anchor'])
    parallel(backend).run('pullUpdate', blocksOf(size), size, ...addresses, share)
    renew(backend, input(inputs, 'variable'))
    return []
  })
  registerWasmKernel(SQUARE_SUM, ({ inputs, backend }) => {
    const x = input(inputs, 'x')
    const size = tf.util.sizeFromShape(x.shape)
    const out = backend.makeOutput([], 'float32')
    const partial = backend.makeOutput([blocksOf(size), 4], 'float32')
    parallel(backend).run('squareSum', blocksOf(size), size, address(backend, x), address(backend, partial))
    floats(backend, out)[0] = floats(backend, partial).reduce((sum, value) => sum + value, 0)
    backend.disposeData(partial.dataId)
    return out
  })
}

export function registerOptimizerUpdatesForJs(): void {
  replaceKernel(ADAM_UPDATE, 'cpu', ({ inputs, attrs, backend }) => {
    const { rate, beta1, beta2, epsilon, decay } = adamAttrs.parse(attrs)
    const read = (name: string) => jsFloats(backend, input(inputs, name))
    const [variable, gradient, mean, square] = [read('variable'), read('gradient'), read('mean'), read('square')]
    const scale = read('scale')[0] ?? NaN
    for (let i = 0; i < variable.length; i++) {
      const g = (gradient[i] ?? 0) * scale
      const m = beta1 * (mean[i] ?? 0) + (1 - beta1) * g
      const s = beta2 * (square[i] ?? 0) + (1 - beta2) * g * g
      mean[i] = m
      square[i] = s
      variable[i] = (1 - decay) * (variable[i] ?? 0) - (rate * m) / (Math.sqrt(s) + epsilon)
    }
    return []
  })
  replaceKernel(MOMENTUM_UPDATE, 'cpu', ({ inputs, attrs, backend }) => {
    const { rate, momentum, nesterov } = momentumAttrs.parse(attrs)
    const read = (name: string) => jsFloats(backend, input(inputs, name))
    const [variable, gradient, velocity] = [read('variable'), read('gradient'), read('velocity')]
    const scale = read('scale')[0] ?? NaN
    const [ofGradient, ofVelocity] = momentumRates(rate, momentum, nesterov)
    for (let i = 0; i < variable.length; i++) {
      const g = (gradient[i] ?? 0) * scale
      const v = momentum * (velocity[i] ?? 0) + g
      velocity[i] = v
      variable[i] = (variable[i] ?? 0) - ofGradient * g - ofVelocity * v
    }
    return []
  })
  replaceKernel(PULL_UPDATE, 'cpu', ({ inputs, attrs, backend }) => {
    const { share } = pullAttrs.parse(attrs)
    const [variable, anchor] = [
      jsFloats(backend, input(inputs, 'variable')),
      jsFloats(backend, input(inputs, 'anchor')),
    ]
    for (let i = 0; i < variable.length; i++) {
      const value = variable[i] ?? 0
      variable[i] = value + share * ((anchor[i] ?? 0) - value)
    }
    return []
  })
  replaceKernel(SQUARE_SUM, 'cpu', ({ inputs, backend }) => {
    let sum = 0
    for (const value of jsFloats(backend, input(inputs, 'x'))) sum += value * value
    return jsTensor(backend, Float32Array.of(sum), [])
  })
}

function momentumRates(rate: number, momentum: number, nesterov: boolean): [ofGradient: number, ofVelocity: number] {
  return nesterov ? [rate, rate * momentum] : [0, rate]
}

interface Places {
  readonly size: number
  readonly addresses: readonly number[]
}

/** Updates the variable and its `state` where they lie. `numbers` are what the function takes behind their addresses. */
function updateInPlace(
  backend: BackendWasm,
  inputs: tf.NamedTensorInfoMap,
  name: 'adamUpdate' | 'momentumUpdate',
  state: readonly string[],
  numbers: readonly number[],
): void {
  const { size, addresses } = placesOf(backend, inputs, ['variable', 'gradient', ...state])
  const scale = address(backend, input(inputs, 'scale'))
  parallel(backend).run(name, blocksOf(size), size, ...addresses, scale, ...numbers)
  renew(backend, input(inputs, 'variable'))
}

function placesOf(backend: BackendWasm, inputs: tf.NamedTensorInfoMap, names: readonly string[]): Places {
  const tensors = names.map((name) => input(inputs, name))
  const sizes = tensors.map(({ shape }) => tf.util.sizeFromShape(shape))
  const size = sizes[0] ?? 0
  if (sizes.some((each) => each !== size)) throw new Error('The variable and what updates it differ in size.')
  return { size, addresses: tensors.map((tensor) => address(backend, tensor)) }
}

/**
 * The backend keeps weights in the form that XNNPACK packed them into, by the tensor's number, for as long as the number
 * is registered: registered anew, they are packed anew.
 */
function renew(backend: BackendWasm, tensor: tf.TensorInfo): void {
  const { id, memoryOffset } = backend.dataIdMap.get(tensor.dataId)
  backend.wasm.tfjs.disposeData(id)
  backend.wasm.tfjs.registerTensor(id, tf.util.sizeFromShape(tensor.shape), memoryOffset)
}
