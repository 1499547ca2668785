import { backendLost, isOutOfMemory, OutOfMemoryError } from '../../runtime/failures.ts'

/** What ONNX Runtime and its providers say when memory ends, beyond what every backend says. */
const OUT_OF_MEMORY = [
  /failed to allocate memory/i,
  /bad allocation/i,
  // DirectML: E_OUTOFMEMORY.
  /8007000E/i,
  /CUDA_ERROR_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation|CUDNN_STATUS_ALLOC_FAILED/,
  // Dawn: a buffer that could not be had, seen when it is bound.
  /\[Invalid Buffer/,
  /exceeds the supported maximum/i,
  // WebGPU: a tensor that is larger than a binding is bound in several pieces, up to a limit.
  /Too many storage buffers in shader/,
]

/**
 * What a session threw, told apart: OutOfMemoryError, after which something smaller is worth a try; else
 * CodedError('backend-lost'), after which the next rung takes over.
 */
export function sessionFailure(error: unknown, provider: string): Error {
  const message = error instanceof Error ? error.message : String(error)
  if (isOutOfMemory(error) || OUT_OF_MEMORY.some((pattern) => pattern.test(message))) {
    const told = new OutOfMemoryError(`ONNX Runtime (${provider}) has too little memory for this at once.`)
    told.cause = error
    return told
  }
  return backendLost(`ONNX Runtime (${provider}) could not compute`, error)
}
