/**
 * Runs every operation on the js backend and on webgpu and sends, for each, { name, difference } (the largest, relative
 * to the largest value) or { name, error }; bilinear resizing, whose gradient js computes wrongly, by `adjoint`.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { startWebgpu } from '../../../runtime/webgpu.ts'
import { registerJsKernels } from '../../index.ts'
import { bilinearDifference } from './adjoint.ts'
import { operations } from './operations.ts'
import type { Operation } from './operations.ts'

tf.enableProdMode()
registerJsKernels()
await startWebgpu()
// Small operations run on the processor unless told otherwise.
tf.env().set('WEBGPU_CPU_FORWARD', false)
for (const operation of operations()) process.send?.(await compared(operation))
for (const result of await bilinearDifference()) process.send?.(result)
process.disconnect()

async function compared({ name, run }: Operation): Promise<unknown> {
  try {
    const wanted = await valuesOn('cpu', run)
    const got = await valuesOn('webgpu', run)
    const differences = wanted.map((values, index) => difference(got[index] ?? [], values))
    return { name, difference: Math.max(...differences) }
  } catch (error) {
    return { name, error: String(error) }
  }
}

async function valuesOn(backend: string, run: () => tf.Tensor[]): Promise<ArrayLike<number>[]> {
  await tf.setBackend(backend)
  const tensors = tf.tidy(run)
  const values = await Promise.all(tensors.map((tensor) => tensor.data()))
  tf.dispose(tensors)
  return values
}

function difference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) return Infinity
  let scale = 1
  let worst = 0
  for (let i = 0; i < wanted.length; i++) {
    const want = wanted[i] ?? NaN
    const off = Math.abs((got[i] ?? NaN) - want)
    if (Number.isNaN(off)) return Infinity
    scale = Math.max(scale, Math.abs(want))
    worst = Math.max(worst, off)
  }
  return worst / scale
}
