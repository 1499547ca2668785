import { statedFactsSchema } from '../../core/contract/network.ts'
import { ModelMessage } from '../native/onnx/schema.ts'
import type { StatedFacts } from '../../core/contract/network.ts'

/** What is read of an ONNX file, before anything of it is run. */
export interface NetworkFile {
  readonly input: { readonly name: string; readonly dims: readonly (number | null)[] }
  readonly outputs: readonly Output[]
  readonly parameters: number
  /** Output channels of the first convolution; 1 where there is none. */
  readonly base: number
  readonly opset: number
  readonly producer: string | null
  readonly stated: StatedFacts
}

interface Output {
  readonly name: string
  readonly type: number
  /** The operator that gives it, those left out that only move its elements. */
  readonly end: string
}

/** ONNX's numbers of element types that are looked at here. */
export const FLOAT = 1
const TYPE_NAMES: Readonly<Record<number, string>> = {
  ...{ 1: 'float32', 2: 'uint8', 3: 'int8', 4: 'uint16', 5: 'int16', 6: 'int32', 7: 'int64', 8: 'text', 9: 'bool' },
  ...{ 10: 'float16', 11: 'float64', 12: 'uint32', 13: 'uint64', 16: 'bfloat16' },
}
const FLOATS = new Set([1, 10, 11, 16])

/** Sets of operators that ONNX Runtime brings. */
const DOMAINS = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'])
/** They hand elements on, in another place or of another type. */
const MOVERS = new Set(['Transpose', 'Reshape', 'Identity', 'Cast', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice'])
/** Subgraphs in subgraphs: more than that is no network but an attack. */
const MAX_DEPTH = 16
const STATED = ['name', 'classes', 'labels', 'input', 'spacing'] as const

/** What protobufjs gives for the messages of native/onnx/schema.ts, where every field is there. */
interface ModelMessage {
  readonly graph: GraphMessage | null
  readonly producerName: string
  readonly producerVersion: string
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[]
  readonly metadataProps: readonly { readonly key: string; readonly value: string }[]
  readonly functions: readonly {
    readonly name: string
    readonly domain: string
    readonly node: readonly NodeMessage[]
  }[]
}
interface GraphMessage {
  readonly node: readonly NodeMessage[]
  readonly initializer: readonly TensorMessage[]
  readonly sparseInitializer: readonly { values: TensorMessage | null; indices: TensorMessage | null }[]
  readonly input: readonly ValueMessage[]
  readonly output: readonly ValueMessage[]
}
interface NodeMessage {
  readonly opType: string
  readonly domain: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly attribute: readonly {
    readonly t: TensorMessage | null
    readonly g: GraphMessage | null
    readonly tensors: readonly TensorMessage[]
    readonly graphs: readonly GraphMessage[]
  }[]
}
interface TensorMessage {
  readonly name: string
  readonly dims: readonly number[]
  readonly dataType: number
  readonly externalData: readonly unknown[]
  readonly dataLocation: number
}
interface ValueMessage {
  readonly name: string
  readonly type: {
    readonly tensorType: {
      readonly elemType: number
      readonly shape: { readonly dim: readonly { readonly dimValue: number; readonly dimParam: string }[] } | null
    } | null
  } | null
}

/**
 * Understands an ONNX file. Throws an Error that completes the sentence "net.onnx …", such as "has several inputs (a, b);
 * only networks that take one image can be used".
 */
export function readNetworkFile(bytes: Uint8Array): NetworkFile {
  const model = decode(bytes)
  const { graph } = model
  if (graph === null || graph.node.length === 0)
    throw new Error('is no ONNX file, or holds no network; choose another file')
  const walk: Walk = { local: new Set(model.functions.map(({ domain, name }) => `${domain} ${name}`)), depth: 0 }
  checkGraph(graph, walk)
  for (const { node } of model.functions) checkNodes(node, walk)
  const given = new Set(graph.initializer.map(({ name }) => name))
  const inputs = graph.input.filter(({ name }) => !given.has(name))
  const [input, ...others] = inputs
  if (input === undefined) throw new Error('takes no image: it has no input')
  if (others.length > 0) {
    const names = inputs.map(({ name }) => name).join(', ')
    throw new Error(`has several inputs (${names}); only networks that take one image can be used`)
  }
  return {
    input: { name: input.name, dims: inputDims(input) },
    outputs: graph.output.map((value) => ({
      name: value.name,
      type: value.type?.tensorType?.elemType ?? 0,
      end: endOf(graph, value.name),
    })),
    parameters: graph.initializer
      .filter(({ dataType }) => FLOATS.has(dataType))
      .reduce((sum, { dims }) => sum + dims.reduce((product, size) => product * size, 1), 0),
    base: baseOf(graph),
    opset: model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 1,
    producer:
      [model.producerName, model.producerVersion]
        .filter((text) => text !== '')
        .join(' ')
        .slice(0, 100) || null,
    stated: statedFacts(model.metadataProps),
  }
}

/** "float32", or a number where it has no name here. */
export function typeName(type: number): string {
  return TYPE_NAMES[type] ?? `type ${type}`
}

function decode(bytes: Uint8Array): ModelMessage {
  try {
    const message = ModelMessage.decode(bytes)
    return ModelMessage.toObject(message, {
      longs: Number,
      defaults: true,
      arrays: true,
      objects: true,
    }) as ModelMessage
  } catch (error) {
    throw new Error('is cut off or is no ONNX file; export the network again or choose another file', { cause: error })
  }
}

interface Walk {
  readonly local: ReadonlySet<string>
  readonly depth: number
}

/** No weights elsewhere, and no operators that are not known. */
function checkGraph({ node, initializer, sparseInitializer }: GraphMessage, walk: Walk): void {
  if (walk.depth > MAX_DEPTH) throw new Error('nests graphs in graphs deeper than any network does')
  for (const tensor of initializer) checkTensor(tensor)
  for (const { values, indices } of sparseInitializer) for (const each of [values, indices]) checkTensor(each)
  checkNodes(node, walk)
}

function checkNodes(nodes: readonly NodeMessage[], walk: Walk): void {
  for (const { opType, domain, attribute } of nodes) {
    if (!DOMAINS.has(domain) && !walk.local.has(`${domain} ${opType}`)) {
      throw new Error(`uses the operator "${opType}" of "${domain}", which ONNX Runtime does not have`)
    }
    for (const { t, g, tensors, graphs } of attribute) {
      for (const tensor of [t, ...tensors]) checkTensor(tensor)
      for (const graph of [g, ...graphs]) if (graph !== null) checkGraph(graph, { ...walk, depth: walk.depth + 1 })
    }
  }
}

function checkTensor(tensor: TensorMessage | null): void {
  if (tensor === null || (tensor.externalData.length === 0 && tensor.dataLocation === 0)) return
  throw new Error('keeps its weights in other files; export it again as one file that holds them')
}

function inputDims({ name, type }: ValueMessage): (number | null)[] {
  const tensor = type?.tensorType ?? null
  if (tensor === null) throw new Error(`takes no image: its input "${name}" is no tensor`)
  if (tensor.elemType !== FLOAT) {
    throw new Error(`takes numbers of type ${typeName(tensor.elemType)}; export it with float32 as input`)
  }
  const dims = tensor.shape?.dim.map(({ dimValue }) => (dimValue > 0 ? dimValue : null)) ?? null
  if (dims === null) throw new Error(`does not say how many dimensions its input "${name}" has`)
  if (dims.length === 5) throw new Error('takes volumes (five dimensions); only networks for single slices can be used')
  if (dims.length === 4) return dims
  throw new Error(`takes ${dims.length} dimensions; images have four: number, channels, height and width`)
}

/** The operator behind Transpose, Reshape and the like that gives a value. */
function endOf({ node }: GraphMessage, output: string): string {
  const makers = new Map(node.flatMap((each) => each.output.map((name) => [name, each] as const)))
  let maker = makers.get(output)
  for (let steps = 0; maker !== undefined && MOVERS.has(maker.opType) && steps < 20; steps++) {
    maker = makers.get(maker.input[0] ?? '')
  }
  return maker?.opType ?? ''
}

function baseOf({ node, initializer }: GraphMessage): number {
  const shapes = new Map(initializer.map(({ name, dims }) => [name, dims]))
  const first = node.find(({ opType }) => opType === 'Conv')
  const channels = shapes.get(first?.input[1] ?? '')?.[0] ?? 1
  return Number.isInteger(channels) && channels >= 1 && channels <= 4096 ? channels : 1
}

/** What cannot be understood is as if it were not there. */
function statedFacts(entries: ModelMessage['metadataProps']): StatedFacts {
  let stated: StatedFacts = {}
  for (const name of STATED) {
    const text = entries.find(({ key }) => key === `maskwright.${name}`)?.value
    if (text === undefined) continue
    const parsed = statedFactsSchema.safeParse({ [name]: parsedJson(text) })
    if (parsed.success) stated = { ...stated, ...parsed.data }
  }
  return stated
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
