import * as tf from '@tensorflow/tfjs-core'
import { setDeviceMemory } from './deviceMemory.ts'
import { openDevice } from './webgpuAdapter.ts'
import { watchDevice } from './webgpuErrors.ts'
import type { OpenedDevice } from './webgpuAdapter.ts'

export interface StartedWebgpu {
  readonly device: OpenedDevice['described']
  readonly software: boolean
}

const NAME = 'webgpu'
const listeners = new Set<(reason: string) => void>()

/** Tells when the device is lost or fails, once a device; returns what takes the listener off again. */
export function onDeviceLost(listener: (reason: string) => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

/**
 * Opens the graphics device, makes it TensorFlow.js's current backend and registers our kernels for it. `packagesDir` as
 * in findPackage. Throws RungUnavailable with one sentence and a remedy when there is no package, driver or card.
 * Nothing of it is loaded before it is asked for.
 */
export async function startWebgpu(packagesDir: string | null = null): Promise<StartedWebgpu> {
  const { device, info, described, software } = await openDevice(packagesDir)
  let closing = false
  const failures = watchDevice(device, (reason) => {
    if (closing) return
    for (const listener of listeners) listener(reason)
  })
  const close = () => {
    closing = true
    device.destroy()
  }
  // A readback that is under way when Node ends would be answered into what is gone, which crashes the process.
  process.on('exit', close)
  const [{ GuardedWebgpuBackend }, { registerWebgpuKernels }] = await Promise.all([
    import('./webgpuBackend.ts'),
    import('../kernels/webgpu/index.ts'),
  ])
  // The package registers a backend of its own, which opens the device without any of this.
  const registered: unknown = tf.findBackendFactory(NAME)
  if (registered !== null) tf.removeBackend(NAME)
  tf.registerBackend(NAME, () => {
    return new GuardedWebgpuBackend(device, info, failures, () => {
      process.off('exit', close)
      close()
    })
  })
  registerWebgpuKernels()
  if (!(await tf.setBackend(NAME))) throw new Error('The WebGPU backend did not start.')
  await tf.ready()
  setDeviceMemory(described.memoryMB)
  return { device: described, software }
}
