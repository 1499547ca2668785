import { emit } from '../graph/build.ts'
import { collectGraph } from '../graph/collect.ts'
import { inputName, outputName } from '../onnx/encode.ts'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { DeviceTensor, ElementType, Graph, Held, Value } from '../graph/types.ts'
import type { Naming } from '../onnx/encode.ts'
import type { OnnxRuntime } from './package.ts'

/** Values that stay on the device from one run to the next. */
export interface DeviceValues {
  /** What holds a result that lies on the device; null for one that does not. */
  take(result: Tensor | undefined): Held | null
  read(device: DeviceTensor): Promise<Tensor | undefined>
  release(held: Held): void
  bytes(): number
}

type Run = (
  graph: Graph,
  naming: Naming,
  feeds: Readonly<Record<string, Tensor>>,
) => Promise<InferenceSession.ReturnType>

/**
 * Only with WebGPU: under Node, ONNX Runtime gives out no memory of other providers. The package cannot read such a
 * tensor either (its getData ends the process), so a graph that does nothing brings it.
 */
export function deviceValues(runtime: OnnxRuntime, provider: string, run: Run): DeviceValues | null {
  if (provider !== 'webgpu') return null
  let bytes = 0
  return {
    take(result) {
      if (result?.location !== 'gpu-buffer') return null
      bytes += bytesOf(result)
      return { elements: null, device: result }
    },
    async read(device) {
      const type = typeOf(device.type)
      const input: Value = { shape: [device.size], type, source: { kind: 'input', held: null } }
      const graph = collectGraph([emit('Identity', [input], [device.size])])
      const anyLength = () => ['n']
      const feeds = { [inputName(0)]: runtime.deviceTensor(device, type, [device.size]) }
      return (await run(graph, { inputShape: anyLength, outputShape: anyLength }, feeds))[outputName(0)]
    },
    release(held) {
      if (held.device === null) return
      bytes -= bytesOf(held.device)
      held.device.dispose()
      held.device = null
    },
    bytes: () => bytes,
  }
}

function bytesOf({ type, size }: Pick<DeviceTensor, 'type' | 'size'>): number {
  return (type === 'bool' || type === 'uint8' ? 1 : 4) * size
}

function typeOf(type: string): ElementType {
  if (type === 'float32' || type === 'int32' || type === 'bool' || type === 'uint8') return type
  throw new Error(`Values of the type ${type} cannot be read from the device.`)
}
