import { runByElement } from './program.ts'
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import type * as tf from '@tensorflow/tfjs-core'
import type { Source } from './program.ts'

/** So many invocations occupy a large card; fewer elements than this for one would cost more than they save. */
const INVOCATIONS = 2 ** 15
const LEAST_ELEMENTS = 32

export interface Sums extends Pick<Source, 'key' | 'inputs' | 'uniforms'> {
  /** The extents of what is summed up, as [outer, count, inner]: over count. */
  readonly extents: readonly [number, number, number]
  /** So many sums of each. */
  readonly kinds?: number
  readonly divisor: number
  /** Of kinds x outer x inner elements. */
  readonly outputShape: readonly number[]
  /** WGSL that adds to `sum`, for element `at` = [outer, element, channel] of kind `kind`. */
  readonly code: string
}

/**
 * Sums over the middle of three axes, divided by `divisor`: each is split into parts, read along the channels, and the
 * parts are added up in order, so that the sums are the same on each run.
 */
export function sums(backend: WebGPUBackend, wanted: Sums): tf.TensorInfo {
  const { extents, kinds = 1, outputShape, divisor } = wanted
  const [outer, count, inner] = extents
  const most = Math.max(1, Math.ceil(count / LEAST_ELEMENTS))
  const parts = Math.min(most, Math.ceil(INVOCATIONS / (kinds * outer * inner)))
  if (parts === 1) return pass(backend, wanted, extents, 1)
  const whole = kinds * outer
  const partial = pass(backend, { ...wanted, divisor: 1, outputShape: [whole, parts, inner] }, extents, parts)
  const inputs = [{ name: 'x', tensor: partial }]
  const added = { key: 'parts', inputs, uniforms: [], divisor, outputShape, extents, code: 'sum += f32(x[at]);' }
  const result = pass(backend, added, [whole, parts, inner], 1)
  backend.disposeData(partial.dataId)
  return result
}

function pass(
  backend: WebGPUBackend,
  { key, inputs, uniforms, divisor, outputShape, code }: Sums,
  [outer, count, inner]: Sums['extents'],
  parts: number,
): tf.TensorInfo {
  return runByElement(
    backend,
    {
      key: `sums_${key}`,
      inputs,
      outputShape,
      uniforms: [
        { name: 'extents', values: [outer, count, inner] },
        { name: 'parts', values: [parts] },
        { name: 'share', values: [Math.ceil(count / parts)] },
        { name: 'divisor', values: [divisor] },
        ...uniforms,
      ],
    },
    `
    let channel = index % uniforms.extents.z;
    let row = index / uniforms.extents.z;
    let first = (row % uniforms.parts) * uniforms.share;
    let last = min(uniforms.extents.y, first + uniforms.share);
    let image = (row / uniforms.parts) % uniforms.extents.x;
    let kind = row / (uniforms.parts * uniforms.extents.x);
    var sum = 0.0;
    for (var element = first; element < last; element++) {
      let at = (image * uniforms.extents.y + element) * uniforms.extents.z + channel;
      ${code}
    }
    return sum / f32(uniforms.divisor);`,
  )
}
