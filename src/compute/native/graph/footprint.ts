import { sizeOf } from './types.ts'
import type { ElementType, Graph, GraphNode, Value } from './types.ts'

/** What running a graph takes of memory, in bytes, beside its inputs. */
export interface Footprint {
  /** Values that ONNX Runtime holds at the same time, outputs included, at most. */
  readonly peak: number
  /** The largest value. */
  readonly largest: number
  /** Values that are part of the graph. */
  readonly constants: number
}

const BYTES: Readonly<Record<ElementType, number>> = { float32: 4, int32: 4, int64: 8, bool: 1, uint8: 1 }

/** Their output is the input under another shape. */
const SAME_MEMORY = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity'])
/** Their output may be written over an input of its size that nobody reads afterwards. */
const IN_PLACE = new Set(
  [
    'Abs Add Ceil Clip Div Elu Exp Floor HardSigmoid LeakyRelu Log Max Min Mul Neg Pow Reciprocal Relu Round Sigmoid',
    'Sign Softplus Sqrt Sub Sum Tanh',
  ].flatMap((names) => names.split(' ')),
)

/** A piece of memory for one value after the other; it is taken once and given back after the last of them. */
interface Piece {
  readonly kind: string
  readonly bytes: number
  readonly from: number
  to: number
}

/**
 * By ONNX Runtime's plan: a value that is not read any more leaves its memory to a later one of the same size, and what
 * several use in turn is held from the first to the last.
 */
export function footprintOf({ inputs, nodes: given, outputs }: Graph): Footprint {
  const nodes = executionOrder(given)
  const lastRead = lastReads(nodes, outputs)
  const fed = new Set(inputs)
  const pieces = new Map<Value, Piece>()
  const all = new Set<Piece>()
  /** By shape: nobody reads what is in them. */
  const free = new Map<string, Piece[]>()

  nodes.forEach((node, place) => {
    for (const value of node.outputs) {
      const piece = pieceFor(node, value, place)
      pieces.set(value, piece)
      piece.to = Math.max(piece.to, place)
      all.add(piece)
    }
    const done = new Set([...node.inputs, ...node.outputs].filter((value) => value !== null).map(lastRead.owner))
    for (const value of done) {
      const piece = pieces.get(value)
      if (piece === undefined || fed.has(value) || lastRead.of(value, place) > place) continue
      piece.to = place
      // Written over by an output that is read later.
      if (node.outputs.some((output) => pieces.get(output) === piece && lastRead.of(output, place) > place)) continue
      free.set(piece.kind, [...(free.get(piece.kind) ?? []), piece])
    }
  })
  for (const output of outputs) {
    const piece = pieces.get(lastRead.owner(output))
    if (piece !== undefined) piece.to = nodes.length - 1
  }

  function pieceFor(node: GraphNode, value: Value, place: number): Piece {
    const kind = kindOf(value)
    const owner = lastRead.owner(value)
    const known = owner === value ? undefined : pieces.get(owner)
    if (known !== undefined) return known
    if (IN_PLACE.has(node.op)) {
      for (const input of node.inputs) {
        const piece = input === null ? undefined : pieces.get(lastRead.owner(input))
        if (input !== null && piece !== undefined && kindOf(input) === kind && lastRead.of(input, place) === place)
          return piece
      }
    }
    return free.get(kind)?.pop() ?? { kind, bytes: bytesOf(value), from: place, to: place }
  }

  const constants = new Set(nodes.flatMap((node) => node.inputs).filter((value) => value?.source.kind === 'constant'))
  return {
    peak: highest([...all], nodes.length),
    largest: Math.max(0, ...[...pieces.keys()].map(bytesOf)),
    constants: [...constants].reduce((sum, value) => sum + (value === null ? 0 : bytesOf(value)), 0),
  }
}

function highest(pieces: readonly Piece[], steps: number): number {
  const changes = new Float64Array(steps + 1)
  for (const { bytes, from, to } of pieces) {
    changes[from] = (changes[from] ?? 0) + bytes
    changes[to + 1] = (changes[to + 1] ?? 0) - bytes
  }
  let live = 0
  return changes.reduce((most, change) => Math.max(most, (live += change)), 0)
}

/** Whose memory a value lies in, and the place of the node that reads that memory last; of outputs none does. */
function lastReads(nodes: readonly GraphNode[], outputs: readonly Value[]) {
  const owners = new Map<Value, Value>()
  const owner = (value: Value): Value => owners.get(value) ?? value
  const readers = new Map<Value, number>()
  nodes.forEach(({ op, inputs, outputs: made }, place) => {
    const [first] = inputs
    if (SAME_MEMORY.has(op) && first !== undefined && first !== null) {
      for (const value of made) owners.set(value, owner(first))
    }
    for (const value of inputs) if (value !== null) readers.set(owner(value), place)
  })
  for (const value of outputs) readers.set(owner(value), Infinity)
  return { owner, of: (value: Value, otherwise: number): number => readers.get(owner(value)) ?? otherwise }
}

/**
 * The order in which ONNX Runtime runs nodes: depth first from those that nobody reads, the last one first, and from each
 * node to the one with the highest place among those that it reads.
 */
function executionOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const place = new Map(nodes.map((node, index) => [node, index]))
  const before = nodes.map(({ inputs }) => {
    const sources = inputs.flatMap((value) => (value?.source.kind === 'node' ? [value.source.node] : []))
    return [...new Set(sources)].sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0))
  })
  const read = new Set(before.flat())
  const order: GraphNode[] = []
  const seen = new Set<GraphNode>()
  const stack = nodes.filter((node) => !read.has(node)).map((node) => ({ node, leave: false }))
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, leave } = top
    if (leave) order.push(node)
    if (leave || seen.has(node)) continue
    seen.add(node)
    stack.push({ node, leave: true })
    for (const each of before[place.get(node) ?? 0] ?? []) if (!seen.has(each)) stack.push({ node: each, leave: false })
  }
  return order
}

/** What can lie in the same memory. */
function kindOf({ shape, type }: Value): string {
  return `${BYTES[type]}x${shape.join('x')}`
}

function bytesOf({ shape, type }: Value): number {
  return BYTES[type] * sizeOf(shape)
}
