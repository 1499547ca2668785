import { createHash } from 'node:crypto'
import { elementsForTensor } from '../backend.ts'
import { encodeGraph, inputName, outputName } from '../onnx/encode.ts'
import { holds } from '../tensors.ts'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { Engine } from '../engine.ts'
import type { Elements, Graph, Held, Value } from '../graph/types.ts'
import type { OnnxRuntime } from './package.ts'

export interface EngineOptions {
  readonly runtime: OnnxRuntime
  /** What ONNX Runtime calls the provider: cpu, webgpu, cuda, dml, coreml. */
  readonly provider: string
  readonly threads: number
}

/** Computes recorded graphs by ONNX Runtime; a session is kept for each graph. */
export function createOnnxEngine({ runtime, provider, threads }: EngineOptions): Engine {
  const sessions = new Map<string, Promise<InferenceSession>>()

  async function sessionFor(graph: Graph): Promise<InferenceSession> {
    const bytes = encodeGraph(graph)
    const key = createHash('sha256').update(bytes).digest('hex')
    const session =
      sessions.get(key) ??
      runtime.createSession(bytes, {
        executionProviders: [provider],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
      })
    sessions.set(key, session)
    return await session
  }

  return {
    async compile(graph) {
      const session = await sessionFor(graph)
      const feed = (value: Value, held: Held | undefined): Tensor => {
        const elements = held?.elements ?? null
        if (elements === null) throw new Error('An input of the graph holds nothing.')
        return runtime.tensor(value.type, elements, value.shape)
      }
      return {
        async run(inputs) {
          const feeds = graph.inputs.map((value, index) => [inputName(index), feed(value, inputs[index])] as const)
          const results = await session.run(Object.fromEntries(feeds))
          return graph.outputs.map((_, index) => resultOf(results[outputName(index)]))
        },
      }
    },
    elements: (held) => {
      if (held.elements === null) throw new Error('It holds nothing.')
      return Promise.resolve(elementsForTensor(held.elements))
    },
    release: () => undefined,
    dispose() {
      for (const session of sessions.values()) void session.then((each) => each.release())
      sessions.clear()
    },
  }
}

function resultOf(result: Tensor | undefined): Held {
  const data = result?.data
  if (!isElements(data)) throw new Error('ONNX Runtime gave no result of a known type.')
  return holds(data)
}

function isElements(data: unknown): data is Elements {
  return (
    data instanceof Float32Array ||
    data instanceof Int32Array ||
    data instanceof BigInt64Array ||
    data instanceof Uint8Array
  )
}
