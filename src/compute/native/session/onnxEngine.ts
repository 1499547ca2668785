import { createHash } from 'node:crypto'
import { memoryBound } from '../../runtime/memory.ts'
import { elementsForTensor } from '../backend.ts'
import { footprintOf } from '../graph/footprint.ts'
import { lower as lowered } from '../lowering/lower.ts'
import { withSafeChannels } from '../lowering/webgpuChannels.ts'
import { encodeGraph, inputName, outputName } from '../onnx/encode.ts'
import { deviceValues } from './deviceValues.ts'
import { sessionFailure } from './failures.ts'
import { sessionMaker } from './modelFiles.ts'
import { keepSessions } from './sessions.ts'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { CompileOptions, Engine } from '../engine.ts'
import type { Elements, Graph, Held, Value } from '../graph/types.ts'
import type { Naming } from '../onnx/encode.ts'
import type { OnnxRuntime } from './package.ts'
import type { Profiles } from './profile.ts'

export interface EngineOptions {
  readonly runtime: OnnxRuntime
  /** What ONNX Runtime calls the provider: cpu, webgpu, cuda, dml, coreml. */
  readonly provider: string
  readonly threads: number
  /** Where simplified graphs are kept from one process to the next; null: nowhere. */
  readonly stateDir?: string | null
  /** As lowering/blockSize.ts finds it out, for the processor; null: its blocked layout is not used. */
  readonly block?: number | null
}

interface Runnable {
  readonly name: string
  /** As an ONNX file. */
  readonly encode: () => Uint8Array
  readonly nodes: number
  /** Names of outputs that stay there. */
  readonly onDevice: readonly string[]
}

/** Graphs whose sessions are kept, if memory allows: a handful of programs at a few sizes each, and what is read lazily. */
const SESSIONS = 48
/** Of what this process may hold: sessions keep their weights and what their runs need. */
const SHARE_OF_MEMORY = 0.4

/** Computes recorded graphs by ONNX Runtime; see docs/adr/0018. */
export function createOnnxEngine(options: EngineOptions): Engine {
  const { runtime, provider, threads, stateDir = null, block = null } = options
  let profiles: Profiles | null = null
  const lower = (graph: Graph): Graph => {
    const lowest = lowered(graph, block)
    return provider === 'webgpu' ? withSafeChannels(lowest) : lowest
  }
  const maker = sessionMaker(runtime, { name: provider, threads }, { stateDir, block })
  const sessions = keepSessions({ count: SESSIONS, bytes: () => SHARE_OF_MEMORY * memoryBound() })
  const devices = deviceValues(runtime, provider, (graph, naming, feeds) => {
    const encoded = encodeGraph(graph, naming)
    return runIn({ name: hashOf(encoded, []), encode: () => encoded, nodes: graph.nodes.length, onDevice: [] }, feeds)
  })

  /** Runs the graph in its session, which is made if need be; without feeds it is only made. */
  async function runIn(
    { name, encode, nodes, onDevice }: Runnable,
    feeds: Readonly<Record<string, Tensor>> | null,
  ): Promise<InferenceSession.ReturnType> {
    const make = async () => {
      const session = await maker.make(encode(), nodes, { onDevice, profileTo: profiles?.prefix() ?? null })
      profiles?.add(session)
      return session
    }
    try {
      return await sessions.use(name, elementsIn(feeds), make, async (session) =>
        feeds === null ? {} : await session.run(feeds),
      )
    } catch (error) {
      const failure = sessionFailure(error, provider)
      // What other graphs keep for their next run may be what is missing.
      sessions.trim()
      throw failure
    }
  }

  return {
    async compile(recorded, compileOptions = {}) {
      const graph = lower(recorded)
      const naming = namingFor(compileOptions)
      let encoded: Uint8Array | null = encodeGraph(graph, naming)
      const onDevice = devices === null ? [] : outputsThatStay(graph, compileOptions)
      const runnable: Runnable = {
        name: hashOf(encoded, onDevice),
        encode: () => encoded ?? encodeGraph(graph, naming),
        nodes: graph.nodes.length,
        onDevice,
      }
      await runIn(runnable, null)
      // The session has what is in it; it is made again where the session is, seldom.
      encoded = null
      const feed = (value: Value, held: Held | undefined): Tensor => {
        if (held?.device !== null && held?.device !== undefined) {
          return runtime.deviceTensor(held.device, value.type, value.shape)
        }
        if (held === undefined || held.elements === null) throw new Error('An input of the graph holds nothing.')
        return runtime.tensor(value.type, held.elements, value.shape)
      }
      return {
        async run(inputs) {
          const feeds = graph.inputs.map((value, index) => [inputName(index), feed(value, inputs[index])] as const)
          const results = await runIn(runnable, Object.fromEntries(feeds))
          return graph.outputs.map((_, index) => {
            const result = results[outputName(index)]
            return devices?.take(result) ?? { elements: elementsOf(result), device: null }
          })
        },
      }
    },
    footprint: (graph) => footprintOf(lower(graph)),
    async elements(held) {
      if (held.elements === null && held.device !== null && devices !== null) {
        held.elements = elementsOf(await devices.read(held.device))
      }
      if (held.elements === null) throw new Error('It holds nothing.')
      return elementsForTensor(held.elements)
    },
    release: (held) => devices?.release(held),
    trim: () => {
      sessions.trim()
    },
    profileTo(given) {
      profiles = given
      // Those of graphs that are there already write nothing down, or too much.
      sessions.trim()
    },
    idleBytes: () => sessions.idleBytes(),
    deviceBytes: () => (IN_PROCESS.has(provider) ? null : (devices?.bytes() ?? 0)),
    dispose() {
      sessions.trim()
    },
  }
}

/** Providers that compute in this process's memory, or in memory that is shared with it. */
const IN_PROCESS: ReadonlySet<string> = new Set(['cpu', 'coreml'])

function elementsIn(feeds: Readonly<Record<string, Tensor>> | null): number {
  return feeds === null ? 0 : 1 + Object.values(feeds).reduce((sum, { size }) => sum + size, 0)
}

function hashOf(encoded: Uint8Array, onDevice: readonly string[]): string {
  return createHash('sha256').update(encoded).update(onDevice.join()).digest('hex')
}

function outputsThatStay({ outputs }: Graph, { staysFrom = Infinity }: CompileOptions): string[] {
  return outputs.flatMap(({ type }, index) => (index >= staysFrom && type === 'float32' ? [outputName(index)] : []))
}

/** Extents that may differ get names; the last one, of channels, does not. */
function namingFor({ anySize = false }: CompileOptions): Naming {
  if (!anySize) return {}
  return {
    inputShape: (index, { shape }) =>
      shape.map((extent, axis) => (index === 0 && axis < shape.length - 1 ? `d${axis}` : extent)),
    outputShape: (index, { shape }) => shape.map((_, axis) => `o${index}_${axis}`),
  }
}

function elementsOf(result: Tensor | undefined): Elements {
  const data = result?.data
  if (!isElements(data)) throw new Error('ONNX Runtime gave no result of a known type.')
  return data
}

function isElements(data: unknown): data is Elements {
  return (
    data instanceof Float32Array ||
    data instanceof Int32Array ||
    data instanceof BigInt64Array ||
    data instanceof Uint8Array
  )
}
