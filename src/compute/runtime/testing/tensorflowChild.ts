/**
 * Loads the real tfjs-node with a stand-in for its library, which knows just enough to let the backend start: what is
 * tried is that the package's own code runs on this Node. Sends what came of it.
 */
import * as tf from '@tensorflow/tfjs-core'
import { startNativeTensorflow } from '../nativeTensorflow.ts'
import { refusalOf } from '../unavailable.ts'

const dir = process.argv[2] ?? ''
const calls: string[] = []
/** Of the last tensor that the backend handed over. */
let values: unknown = null

const binding = {
  TF_Version: '2.9.1',
  TF_FLOAT: 1,
  TF_INT32: 3,
  TF_ATTR_TYPE: 6,
  TF_ATTR_BOOL: 4,
  isUsingGpuDevice: () => false,
  createTensor(_shape: unknown, _dtype: unknown, given: unknown) {
    values = given
    return 1
  },
  deleteTensor: () => undefined,
  executeOp(name: string, attributes: { value: unknown }[]) {
    calls.push(`${name} ${String(attributes[0]?.value)}`)
    return [{ id: 2, shape: [2], dtype: 1 }]
  },
  tensorDataSync: () => Float32Array.of(4, 6),
}

// Instead of the system's loader, which the text in the library's place would not please.
process.dlopen = (loaded: object) => {
  Reflect.set(loaded, 'exports', binding)
}

async function answer(): Promise<unknown> {
  try {
    await startNativeTensorflow('tensorflow', dir)
    const sum = tf.add(tf.tensor1d([1, 2]), tf.tensor1d([3, 4]))
    return { backend: tf.getBackend(), sum: [...sum.dataSync()], calls, given: values instanceof Float32Array }
  } catch (error) {
    return { refusal: refusalOf(error) }
  }
}

process.send?.(await answer(), () => process.exit(0))
