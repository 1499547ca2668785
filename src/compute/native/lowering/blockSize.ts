import { emit } from '../graph/build.ts'
import { collectGraph } from '../graph/collect.ts'
import { encodeGraph, inputName, outputName } from '../onnx/encode.ts'
import type { Value } from '../graph/types.ts'
import type { OnnxRuntime } from '../session/package.ts'

const CHANNELS = 4

/**
 * How many channels a block of ONNX Runtime's blocked layout has on this machine: it depends on the processor. null where
 * there is no such layout.
 */
export async function blockSize(runtime: OnnxRuntime): Promise<number | null> {
  const x: Value = { shape: [1, CHANNELS, 1, 1], type: 'float32', source: { kind: 'input', held: null } }
  // The shape that is written into the file is not looked at: the result's own tells.
  const y = emit('ReorderInput', [x], [1, CHANNELS, 1, 1], { domain: 'com.microsoft.nchwc' })
  try {
    const bytes = encodeGraph(collectGraph([y]), {
      outputShape: (_, { shape }) => shape.map((_extent, axis) => `d${axis}`),
    })
    const session = await runtime.createSession(bytes, {
      ...{ executionProviders: ['cpu'], intraOpNumThreads: 1, interOpNumThreads: 1 },
      ...{ graphOptimizationLevel: 'disabled', logSeverityLevel: 4 },
    })
    try {
      const feeds = { [inputName(0)]: runtime.tensor('float32', new Float32Array(CHANNELS), x.shape) }
      const channels = (await session.run(feeds))[outputName(0)]?.dims[1] ?? 0
      return channels >= CHANNELS ? channels : null
    } finally {
      await session.release()
    }
  } catch {
    return null
  }
}
