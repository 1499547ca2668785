import { sha256 } from '../models/checksums.ts'
import { observe } from './behaviour.ts'
import { readNetworkFile } from './file.ts'
import { openSession } from './run.ts'
import { someOf } from './sample.ts'
import { findFit } from './trials.ts'
import { loadProblem } from './words.ts'
import type { NetworkFacts } from '../../core/contract/network.ts'
import type { InferenceSession } from 'onnxruntime-common'
import type { OnnxRuntime } from '../native/session/package.ts'
import type { NetworkFile } from './file.ts'
import type { Fit } from './trials.ts'
import type { Behaviour } from './behaviour.ts'

/** Values of the output that are kept to compare with. */
const SAMPLED = 256

/**
 * All that is to be known of an ONNX file, by reading and by running it. It may be anybody's, and may end the process: for a
 * process of its own (inspectChild.ts). Throws an Error that completes the sentence "net.onnx …".
 */
export async function inspectNetwork(bytes: Uint8Array, runtime: OnnxRuntime, threads: number): Promise<NetworkFacts> {
  const file = readNetworkFile(bytes)
  const session = await open(runtime, bytes, threads)
  try {
    const subject = { runtime, session, file }
    const fit = await findFit(subject)
    const behaviour = await observe(subject, fit)
    return {
      sha256: sha256(bytes),
      bytes: bytes.length,
      parameters: file.parameters,
      inputChannels: fit.channels,
      step: fit.step,
      base: file.base,
      use: useOf(file, fit, behaviour),
      stated: file.stated,
      remarks: remarksOf(file, fit, behaviour),
      sample: { width: fit.width, height: fit.height, values: someOf(behaviour.output, SAMPLED) },
    }
  } finally {
    await session.release()
  }
}

async function open(runtime: OnnxRuntime, bytes: Uint8Array, threads: number): Promise<InferenceSession> {
  try {
    return await openSession(runtime, bytes, threads)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new Error(loadProblem(said, runtime.version), { cause: error })
  }
}

function useOf(file: NetworkFile, fit: Fit, behaviour: Behaviour): NetworkFacts['use'] {
  const { scores, classes, single, reach, bytesPerPixel, pixelsPerSecond } = behaviour
  const { name, layout, channels } = fit.output
  return {
    input: { name: file.input.name, layout: fit.layout },
    output: { name, layout, channels },
    ...{ scores, classes, size: fit.size, single, reach, bytesPerPixel, pixelsPerSecond },
    ...{ opset: file.opset, producer: file.producer },
  }
}

function remarksOf({ outputs }: NetworkFile, { size, output, unused }: Fit, { classes }: Behaviour): string[] {
  const remarks: string[] = []
  if (size !== null) {
    const exactly = `${size.width} x ${size.height} pixels`
    remarks.push(`It takes exactly ${exactly}: smaller images are mirrored out, larger ones are predicted in pieces.`)
  }
  if (unused > 0) remarks.push(`Of its ${outputs.length} outputs "${output.name}" is used.`)
  if (classes === 'independent' && output.channels > 1) {
    remarks.push('Its classes do not exclude each other; where several say yes, the strongest is taken.')
  }
  return remarks
}
