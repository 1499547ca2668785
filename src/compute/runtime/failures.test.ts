import { describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { isDeviceLost, isOutOfMemory, OutOfMemoryError, unlessOutOfMemory } from './failures.ts'

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name })
}

const outOfMemory: [string, unknown][] = [
  ['our own refusal', new OutOfMemoryError('Out of memory: a block of 5 bytes does not fit.')],
  ['V8 arrays', new RangeError('Array buffer allocation failed')],
  ['V8 lengths', new RangeError('Invalid typed array length: 99999999999')],
  ['growing WebAssembly', new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded')],
  ['webgpu by name', { name: 'GPUOutOfMemoryError', message: 'Failed to allocate memory for buffer.' }],
  ['our webgpu backend', named('DeviceMemoryError', 'The graphics device has too little memory for this at once.')],
  ['Dawn, a buffer', new Error('Buffer size (8589934592) exceeds the max buffer size limit (268435456).')],
  ['Dawn, a binding', new Error('Binding size is larger than the maximum storage buffer binding size (134217728).')],
  ['Dawn, limits', new Error('requested maxStorageBufferBindingSize cannot be met')],
  ['TensorFlow', new Error('OOM when allocating tensor with shape[1,4096,4096,64] and type float on /job:localhost')],
  ['TensorFlow status', new Error('RESOURCE_EXHAUSTED: failed to allocate memory')],
  ['a cause', new Error('The step failed.', { cause: new RangeError('Array buffer allocation failed') })],
  ['a string', 'out of memory'],
]
const deviceLost: [string, unknown][] = [
  ['webgpu', new Error('Device is lost.')],
  ['webgpu, mapping', named('AbortError', 'Device lost: Vulkan error VK_ERROR_DEVICE_LOST')],
  ['our webgpu backend', new CodedError('backend-lost', 'The graphics device stopped working.')],
  ['emscripten, even of memory', named('RuntimeError', 'Aborted(OOM). Build with -sASSERTIONS for more info.')],
  ['a stray pointer', named('RuntimeError', 'memory access out of bounds')],
  ['CUDA', new Error('CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered')],
]
const neither: [string, unknown][] = [
  ['a fault of ours', new TypeError('x is not a function')],
  ['shapes', new Error('Error in matMul: inner shapes (3) and (4) of Tensors do not match')],
  ['an index', new RangeError('offset is out of bounds')],
  ['a cancel', new CodedError('cancelled', 'Cancelled.')],
  ['nothing', undefined],
]

describe('what backends throw', () => {
  it.each(outOfMemory)('is out of memory: %s', (_, error) => {
    expect([isOutOfMemory(error), isDeviceLost(error)]).toEqual([true, false])
  })

  it.each(deviceLost)('is a lost device: %s', (_, error) => {
    expect([isOutOfMemory(error), isDeviceLost(error)]).toEqual([false, true])
  })

  it('is an operation that the backend does not have, and named', async () => {
    const missing = new Error("Kernel 'Erf' not registered for backend 'native'")
    const run = unlessOutOfMemory(() => Promise.reject(missing))
    await expect(run).rejects.toMatchObject({ code: 'backend-lost' })
    await expect(run).rejects.toThrow(/no operation Erf; another way/)
  })

  it.each(neither)('is neither: %s', (_, error) => {
    expect([isOutOfMemory(error), isDeviceLost(error)]).toEqual([false, false])
  })
})
