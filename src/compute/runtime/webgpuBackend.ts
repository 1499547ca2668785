import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import * as tf from '@tensorflow/tfjs-core'
import { guardBuffers } from './webgpuBuffers.ts'
import { DeviceMemoryError, deviceLost } from './webgpuErrors.ts'
import type { DeviceFailures } from './webgpuErrors.ts'

type DataId = object

/**
 * TensorFlow.js's WebGPU backend with every way into the device checked: a program that does not compile or does not
 * run, a buffer that was not allocated, a device that is gone. Each throws where it happens (Dawn reports within the
 * call), and once more is asked before values that were read are given out, so that zeros of a failed operation are
 * never taken for a result.
 */
export class GuardedWebgpuBackend extends WebGPUBackend {
  readonly #failures: DeviceFailures
  readonly #trim: () => void
  readonly #onDispose: () => void
  readonly #live = new Set<DataId>()
  #unwound = false

  constructor(
    device: GPUDevice,
    info: Pick<GPUAdapterInfo, 'vendor' | 'architecture'>,
    failures: DeviceFailures,
    onDispose: () => void,
  ) {
    super(device, adapterInfo(info))
    this.#failures = failures
    this.#onDispose = onDispose
    this.#trim = guardBuffers(this.bufferManager, device, failures, () => {
      this.ensureCommandEncoderReady()
      this.endComputePassEncoder()
      super.submitQueue()
    })
  }

  /** Gives up what is kept of freed tensors for later. */
  trim(): void {
    this.#trim()
  }

  /** The same, and waits until the device has given the memory back, which it does behind the work that it was handed. */
  async settle(): Promise<void> {
    this.#trim()
    await this.queue.onSubmittedWorkDone()
    this.queue.submit([])
  }

  override write(...[values, shape, dtype]: Parameters<WebGPUBackend['write']>): DataId {
    if (this.#unwound) this.#sweep()
    const dataId = super.write(values, shape, dtype)
    this.#live.add(dataId)
    return dataId
  }

  override disposeData(dataId: DataId, force?: boolean): boolean {
    const gone = super.disposeData(dataId, force)
    if (gone) this.#live.delete(dataId)
    return gone
  }

  override uploadToGPU(dataId: DataId): void {
    this.#guarded(() => {
      super.uploadToGPU(dataId)
    })
  }

  override runWebGPUProgram(...args: Parameters<WebGPUBackend['runWebGPUProgram']>): tf.TensorInfo {
    return this.#guarded(() => super.runWebGPUProgram(...args))
  }

  override submitQueue(): void {
    this.#guarded(() => {
      super.submitQueue()
    })
  }

  override async read(dataId: DataId): Promise<tf.backend_util.BackendValues> {
    this.#failures.check()
    try {
      const values = await super.read(dataId)
      this.#failures.check()
      return values
    } catch (error) {
      this.#unwound = true
      // A buffer that cannot be mapped: the device is gone, even if it has not said so yet.
      if (error instanceof Error && (error.name === 'AbortError' || error.name === 'OperationError')) {
        this.#failures.check()
        throw deviceLost(error.message)
      }
      throw error
    }
  }

  override readSync(dataId: DataId): tf.backend_util.BackendValues {
    const values: unknown = this.tensorMap.get(dataId).values
    if (values !== null && values !== undefined) return super.readSync(dataId)
    throw new Error('Values on a graphics device cannot be read at once; read them asynchronously.')
  }

  override dispose(): void {
    super.dispose()
    this.#live.clear()
    this.#onDispose()
  }

  #guarded<T>(run: () => T): T {
    try {
      this.#failures.check()
      const result = run()
      this.#failures.check()
      return result
    } catch (error) {
      this.#unwound = true
      // Of work that the device cannot be given in one go, TensorFlow.js says so itself.
      if (error instanceof Error && /exceeds WebGPU (limits|maximum)/.test(error.message)) {
        throw new DeviceMemoryError('This is more work than the graphics device takes at once.', { cause: error })
      }
      throw error
    }
  }

  /** Frees what a kernel left that ended by an error: data that no tensor refers to. */
  #sweep(): void {
    this.#unwound = false
    const { tensorInfo } = tf.engine().state
    for (const dataId of this.#live) {
      if (!tensorInfo.has(dataId)) this.disposeData(dataId, true)
    }
  }
}

/** TensorFlow.js asks for no more of it than this. */
function adapterInfo({ vendor, architecture }: Pick<GPUAdapterInfo, 'vendor' | 'architecture'>): GPUAdapterInfo {
  return { __brand: 'GPUAdapterInfo', vendor, architecture, device: '', description: '' }
}
