import { ModelMessage } from './schema.ts'
import type { Attribute, Elements, ElementType, Graph, GraphNode, Value } from '../graph/types.ts'

/** ONNX's numbers for element types (TensorProto.DataType). */
export const ELEMENT_TYPES: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
}

const IR_VERSION = 8
/** The newest operators that every reader of 2022 and later knows. */
export const OPSET = 17

/** What the file says beside the graph: how values are called (by default by their place), and of itself. */
export interface Naming {
  readonly input?: (index: number) => string
  readonly output?: (index: number) => string
  /** Extents of inputs and outputs: a name for one that may differ from run to run. */
  readonly inputShape?: (index: number, value: Value) => readonly (number | string)[]
  readonly outputShape?: (index: number, value: Value) => readonly (number | string)[]
  /** What the file says of itself. */
  readonly metadata?: Readonly<Record<string, string>>
}

export const inputName = (index: number): string => `in${index}`
export const outputName = (index: number): string => `out${index}`

/**
 * A graph as an ONNX file. The same graph gives the same bytes: names come from the order of inputs, constants and nodes
 * alone. An output that is an input, a constant or asked for twice is handed on by an Identity node.
 */
export function encodeGraph(graph: Graph, naming: Naming = {}): Uint8Array {
  const { input = inputName, output = outputName, inputShape = shapeOf, outputShape = shapeOf, metadata = {} } = naming
  const names = new Map<Value, string>()
  const initializers: object[] = []
  const nodes: object[] = []
  graph.inputs.forEach((value, index) => names.set(value, input(index)))
  const nameOf = (value: Value | null): string => {
    if (value === null) return ''
    const known = names.get(value)
    if (known !== undefined) return known
    if (value.source.kind !== 'constant') throw new Error('A node reads what no node before it computes.')
    const name = `c${initializers.length}`
    names.set(value, name)
    initializers.push(tensorMessage(name, value.source.elements, value))
    return name
  }
  const wanted = new Map<Value, string>()
  graph.outputs.forEach((value, index) => {
    if (value.source.kind === 'node' && !wanted.has(value)) wanted.set(value, output(index))
  })
  graph.nodes.forEach((node, place) => {
    const inputs = node.inputs.map(nameOf)
    node.outputs.forEach((value, index) => names.set(value, wanted.get(value) ?? `v${place}_${index}`))
    nodes.push(nodeMessage(node, `n${place}`, inputs, node.outputs.map(nameOf)))
  })
  graph.outputs.forEach((value, index) => {
    if (nameOf(value) === output(index)) return
    nodes.push({ opType: 'Identity', name: `o${index}`, input: [nameOf(value)], output: [output(index)] })
  })
  const domains = new Set(graph.nodes.map(({ domain }) => domain).filter((domain) => domain !== ''))
  return ModelMessage.encode({
    irVersion: IR_VERSION,
    producerName: 'Maskwright',
    opsetImport: [{ domain: '', version: OPSET }, ...[...domains].map((domain) => ({ domain, version: 1 }))],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: 'maskwright',
      node: nodes,
      initializer: initializers,
      input: graph.inputs.map((value, index) => infoMessage(input(index), value.type, inputShape(index, value))),
      output: graph.outputs.map((value, index) => infoMessage(output(index), value.type, outputShape(index, value))),
    },
  }).finish()
}

function shapeOf(_index: number, value: Value): readonly number[] {
  return value.shape
}

function nodeMessage(node: GraphNode, name: string, inputs: readonly string[], outputs: readonly string[]): object {
  return {
    opType: node.op,
    domain: node.domain,
    name,
    input: inputs,
    output: outputs,
    attribute: Object.entries(node.attributes).map(([key, attribute]) => attributeMessage(key, attribute)),
  }
}

function attributeMessage(name: string, attribute: Attribute): object {
  switch (attribute.kind) {
    case 'float':
      return { name, type: 1, f: attribute.value }
    case 'int':
      return { name, type: 2, i: attribute.value }
    case 'string':
      return { name, type: 3, s: new TextEncoder().encode(attribute.value) }
    case 'floats':
      return { name, type: 6, floats: attribute.value }
    case 'ints':
      return { name, type: 7, ints: attribute.value }
  }
}

function tensorMessage(name: string, elements: Elements, { shape, type }: Value): object {
  const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)
  return { name, dims: shape, dataType: ELEMENT_TYPES[type], rawData: bytes }
}

function infoMessage(name: string, type: ElementType, shape: readonly (number | string)[]): object {
  const dim = shape.map((extent) => (typeof extent === 'string' ? { dimParam: extent } : { dimValue: extent }))
  return { name, type: { tensorType: { elemType: ELEMENT_TYPES[type], shape: { dim } } } }
}
