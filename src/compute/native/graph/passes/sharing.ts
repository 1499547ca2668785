import type { Attributes, Elements, GraphNode, Value } from '../types.ts'

/** Constants of more elements than this are the same only where they are one array. */
const COMPARED = 1024

/** Finds what is there already. */
export interface Sharing {
  /** The first constant of the same elements, shape and type. */
  constant(value: Value): Value
  /** The first node of the same operation, attributes and inputs. */
  node(node: GraphNode): GraphNode
}

export function createSharing(): Sharing {
  const constants = new Map<string, Value>()
  const nodes = new Map<string, GraphNode>()
  const numbers = new Map<object, number>()
  const numberOf = (thing: object): number => {
    const known = numbers.get(thing)
    if (known !== undefined) return known
    numbers.set(thing, numbers.size)
    return numbers.size - 1
  }
  const elementsKey = (elements: Elements): string => {
    if (elements.length > COMPARED) return `@${numberOf(elements)}`
    const bytes = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)
    return Buffer.from(bytes).toString('latin1')
  }
  return {
    constant(value) {
      if (value.source.kind !== 'constant') return value
      const key = `${value.type}|${value.shape.join()}|${elementsKey(value.source.elements)}`
      const known = constants.get(key)
      if (known === undefined) constants.set(key, value)
      return known ?? value
    },
    node(node) {
      const { op, domain, inputs, attributes, outputs } = node
      const read = inputs.map((input) => (input === null ? '' : numberOf(input))).join()
      const key = `${domain}|${op}|${read}|${outputs.length}|${attributesKey(attributes)}`
      const known = nodes.get(key)
      if (known === undefined) nodes.set(key, node)
      return known ?? node
    },
  }
}

function attributesKey(attributes: Attributes): string {
  // Not as JSON, which has no infinite numbers.
  return Object.entries(attributes)
    .map(([name, { kind, value }]) => `${name}:${kind}:${String(value)}`)
    .join(';')
}
