import type { InferenceSession } from 'onnxruntime-common'

export interface Provider {
  /** What ONNX Runtime calls it: cpu, webgpu, cuda, dml, coreml. */
  readonly name: string
  readonly threads: number
}

export interface SessionRequest {
  /** Names of outputs that stay on the device. */
  readonly onDevice: readonly string[]
  /** The file was written by ONNX Runtime after it had simplified the graph. */
  readonly simplified: boolean
  /** Where to write the simplified graph; null: nowhere. */
  readonly writeTo: string | null
  /** The beginning of the path of the profile; null: none is made. */
  readonly profileTo: string | null
}

/** An optional compute unit of Apple's is used as an ML program, the newer of its two formats. */
const COREML_ML_PROGRAM = 0x010

/**
 * Tells a session how to compute. Measured with a training step of the reference network: without `enableMemPattern` the
 * memory is a third less (at the second run the pattern is laid out beside what the first run took) at the same speed, and
 * without the arena a step takes twice as long.
 */
export function sessionOptions({ name, threads }: Provider, request: SessionRequest): InferenceSession.SessionOptions {
  const { onDevice, simplified, writeTo, profileTo } = request
  return {
    executionProviders: [name === 'coreml' ? { name, coreMlFlags: COREML_ML_PROGRAM } : name],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: simplified ? 'disabled' : 'all',
    enableMemPattern: false,
    // What goes wrong is thrown as well; standard error is the host's log.
    logSeverityLevel: 4,
    extra: {
      session: {
        // Else threads of the session that ran last spin on, and take the cores from the next one.
        force_spinning_stop: '1',
        // Microseconds that a thread waits for work before it sleeps. By default they are so many that on a busy computer
        // threads hold the cores that others need to finish: a step then took two to four times as long, and is as fast else.
        intra_op: { spin_duration_us: '50' },
        // Moments of weights that no longer change decay to numbers that processors are slow with.
        set_denormal_as_zero: '1',
      },
    },
    ...(onDevice.length === 0 ? {} : { preferredOutputLocation: locations(onDevice) }),
    ...(writeTo === null ? {} : { optimizedModelFilePath: writeTo }),
    ...(profileTo === null ? {} : { enableProfiling: true, profileFilePrefix: profileTo }),
  }
}

function locations(names: readonly string[]): Record<string, 'gpu-buffer'> {
  return Object.fromEntries(names.map((name) => [name, 'gpu-buffer'] as const))
}
