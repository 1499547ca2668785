import * as tf from '@tensorflow/tfjs-core'
import { filterGradientInfo } from './convolution.ts'
import { address, floats, integers } from './heap.ts'
import { input, registerWasmKernel } from './register.ts'
import { GRADIENT_TAP_BYTES } from './simd/filterGradient.ts'
import { parallel } from './threads/index.ts'
import { filterGradientByWinograd, isGradientForWinograd } from './winogradConvolution.ts'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'
import type { WasmKernelArgs } from './register.ts'

/**
 * Gradient of a convolution with respect to its filter, which tfjs-backend-wasm does not have.
 * x [n, h, w, c], dy [n, oh, ow, o] -> [kh, kw, c, o]. Any stride, dilation, padding and size; channels last.
 */
export function registerConv2dBackpropFilter(): void {
  registerWasmKernel(tf.Conv2DBackpropFilter, conv2dBackpropFilter)
}

/** Filters up to this size are summed in several slots at once, larger ones by tap and channel only. */
const SLOT_BYTES = 128 * 1024
const MOST_SLOTS = 16
/** Enough that some threads can share them evenly; the same whatever the threads, so that the sums are the same. */
const UNITS = 32
/** Bytes of x and dy that a thread's nearest cache holds. */
const BAND_BYTES = 24 * 1024

function conv2dBackpropFilter({ inputs, attrs, backend }: WasmKernelArgs): tf.TensorInfo {
  const [x, dy] = [input(inputs, 'x'), input(inputs, 'dy')]
  const info = filterGradientInfo(x, attrs)
  if (info.dataFormat !== 'channelsLast') throw new Error('Conv2DBackpropFilter takes channels-last tensors only.')
  if (isGradientForWinograd(info)) {
    const out = backend.makeOutput(info.filterShape, 'float32')
    filterGradientByWinograd(backend, info, { x, dy, out })
    return out
  }
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info
  const taps = info.filterHeight * info.filterWidth
  const rows = batchSize * outHeight
  const quads = Math.ceil(outChannels / 4)
  const slotBytes = taps * inChannels * quads * 16
  const slots = Math.max(1, Math.min(MOST_SLOTS, rows, Math.floor(SLOT_BYTES / slotBytes)))
  const blocks = Math.floor(inChannels / 4) + (inChannels % 4)
  const parts = Math.min(blocks, Math.ceil(UNITS / (taps * slots)))
  const groups = Math.min(taps * parts, Math.ceil(UNITS / slots))
  const rowBytes = 4 * (inWidth * inChannels * info.strideHeight + outWidth * outChannels)
  const bandRows = Math.max(1, Math.floor(BAND_BYTES / rowBytes))
  const out = backend.makeOutput(info.filterShape, 'float32')
  // Where dy has no whole quads, the last one of a pixel reads behind it: behind the last pixel there must be something.
  const outer = outChannels % 4 === 0 ? dy : withRoom(backend, dy)
  const direct = slots === 1 && outChannels % 4 === 0
  const partial = direct ? out : backend.makeOutput([(slots * slotBytes) / 4], 'float32')
  const table = backend.makeOutput([(taps * GRADIENT_TAP_BYTES) / 4], 'int32')
  try {
    integers(backend, table).set(tapTable(info))
    const at = (tensor: tf.TensorInfo) => address(backend, tensor)
    const { run } = parallel(backend)
    run(
      'filterGradient',
      ...[slots * groups, at(x), at(outer), at(table), at(partial), slotBytes, slots, taps, parts, groups, rows],
      ...[bandRows, inHeight, inWidth, inChannels, outHeight, outWidth, quads, 4 * outChannels],
      ...[info.strideHeight, info.strideWidth],
    )
    if (!direct) run('sumSlots', taps * inChannels, at(partial), slotBytes, slots, quads, outChannels, at(out))
  } finally {
    backend.disposeData(table.dataId)
    if (!direct) backend.disposeData(partial.dataId)
    if (outer !== dy) backend.disposeData(outer.dataId)
  }
  return out
}

function withRoom(backend: BackendWasm, tensor: tf.TensorInfo): tf.TensorInfo {
  const size = tf.util.sizeFromShape(tensor.shape)
  const copy = backend.makeOutput([size + 4], 'float32')
  floats(backend, copy).set(floats(backend, tensor))
  return copy
}

/** For each tap what filterGradient reads of it. */
function tapTable(info: tf.backend_util.Conv2DInfo): number[] {
  return Array.from({ length: info.filterHeight * info.filterWidth }, (_, tap) => {
    const row = Math.floor(tap / info.filterWidth) * info.dilationHeight - info.padInfo.top
    const column = (tap % info.filterWidth) * info.dilationWidth - info.padInfo.left
    const [firstRow, endRow] = meeting(row, info.strideHeight, info.inHeight, info.outHeight)
    const [firstColumn, endColumn] = meeting(column, info.strideWidth, info.inWidth, info.outWidth)
    return [row, column, firstRow, endRow, firstColumn, endColumn - firstColumn]
  }).flat()
}

/** The run of outputs whose input, `stride` apart and moved by `shift`, lies inside; empty where none does. */
function meeting(shift: number, stride: number, inSize: number, outSize: number): [first: number, end: number] {
  const first = Math.min(outSize, Math.max(0, Math.ceil(-shift / stride)))
  const end = Math.min(outSize, Math.ceil((inSize - shift) / stride))
  return [first, Math.max(first, end)]
}
