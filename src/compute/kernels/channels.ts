import type * as tf from '@tensorflow/tfjs-core'
import { z } from 'zod'
import { shape4 } from './convolution.ts'
import { address } from './heap.ts'
import { input, registerWasmKernel } from './register.ts'
import { parallel } from './threads/index.ts'

/** [n, h, w, a] and [n, h, w, b] into [n, h, w, a + b], a and b of four or more. */
export const JOIN_CHANNELS = 'JoinChannels'

/** [n, h, w, a + b] into [n, h, w, a] and [n, h, w, b], a and b of four or more: the gradient of joining channels. */
export const SPLIT_CHANNELS = 'SplitChannels'

const attrsSchema = z.object({ first: z.int() })

export function registerChannelKernels(): void {
  registerWasmKernel(JOIN_CHANNELS, ({ inputs, backend }) => {
    const [a, b] = [input(inputs, 'a'), input(inputs, 'b')]
    const [n, h, w, first] = shape4.parse(a.shape)
    const [, , , second] = shape4.parse(b.shape)
    const out = backend.makeOutput([n, h, w, first + second], 'float32')
    const at = (tensor: tf.TensorInfo) => address(backend, tensor)
    parallel(backend).run('joinChannels', n * h * w, at(out), at(a), at(b), first, second)
    return out
  })
  registerWasmKernel(SPLIT_CHANNELS, ({ inputs, attrs, backend }) => {
    const x = input(inputs, 'x')
    const [n, h, w, channels] = shape4.parse(x.shape)
    const { first } = attrsSchema.parse(attrs)
    const a = backend.makeOutput([n, h, w, first], 'float32')
    const b = backend.makeOutput([n, h, w, channels - first], 'float32')
    const at = (tensor: tf.TensorInfo) => address(backend, tensor)
    parallel(backend).run('splitChannels', n * h * w, at(x), at(a), at(b), first, channels - first)
    return [a, b]
  })
}
