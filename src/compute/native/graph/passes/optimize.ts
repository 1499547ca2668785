import { collectGraph } from '../collect.ts'
import { constant, emitSeveral } from '../build.ts'
import { sizeOf } from '../types.ts'
import { foldConstants } from './constants.ts'
import { createSharing } from './sharing.ts'
import { forwardUnchanged } from './identities.ts'
import { simplifyReshape } from './reshapes.ts'
import { shrinkUniform } from './uniform.ts'
import { simplifyTranspose } from './transposes.ts'
import { sinkTransposes } from './sinking.ts'
import type { Rule, RuleContext } from './rule.ts'
import type { Elements, Graph, GraphNode, Value } from '../types.ts'

export interface OptimizeOptions {
  /** Constants of more elements than this are not computed here, but when a session is made. */
  readonly foldable?: number
  /** Inputs that become part of the graph with these elements; they are no inputs of the result. */
  readonly frozen?: ReadonlyMap<Value, Elements>
}

const FOLDABLE = 2 ** 16

const RULES: readonly Rule[] = [
  forwardUnchanged,
  foldConstants,
  shrinkUniform,
  simplifyReshape,
  simplifyTranspose,
  sinkTransposes,
]

/** Each round sees what the round before made possible; a third one is rare. */
const ROUNDS = 4

/**
 * The same outputs by fewer nodes: constants are computed, equal nodes become one, Transposes and Reshapes cancel, and
 * what nothing reads is left out. Inputs and outputs keep their order, and inputs stay even where nothing reads them
 * any more; an output may become an input or a constant. The given graph is not changed; nodes that stay are shared.
 */
export function optimize(graph: Graph, { foldable = FOLDABLE, frozen = new Map() }: OptimizeOptions = {}): Graph {
  const careful = repeated(graph, { foldable, frozen, eager: false })
  const cost = transposedElements(careful)
  if (cost === 0) return careful
  // What several read is only worth transposing later where all of them can be: tried, and measured.
  const eager = repeated(careful, { foldable, frozen: new Map(), eager: true })
  return transposedElements(eager) < cost ? eager : careful
}

interface RewriteOptions extends Required<OptimizeOptions> {
  readonly eager: boolean
}

function repeated(graph: Graph, options: RewriteOptions): Graph {
  let current = graph
  for (let round = 0; round < ROUNDS; round++) {
    const { graph: next, changed } = rewrite(current, options)
    current = next
    if (!changed) break
  }
  return current
}

function transposedElements({ nodes }: Graph): number {
  return nodes.reduce((sum, { op, inputs: [x] }) => {
    return op === 'Transpose' && x?.source.kind !== 'constant' ? sum + sizeOf(x?.shape ?? []) : sum
  }, 0)
}

function rewrite(graph: Graph, { foldable, frozen, eager }: RewriteOptions): { graph: Graph; changed: boolean } {
  const sharing = createSharing()
  const stands = new Map<Value, Value>()
  const finished = new Set<GraphNode>()
  const uses = usesIn(graph)
  const context: RuleContext = { uses: (value) => uses.get(value) ?? 0, foldable, eager }
  let changed = false

  const standIn = (value: Value): Value => {
    const known = stands.get(value)
    if (known !== undefined) return known
    const { source } = value
    if (source.kind === 'node') {
      // Made by a rule; the nodes of the graph itself come in order.
      if (!finished.has(source.node)) place(source.node)
      return stands.get(value) ?? value
    }
    const elements = frozen.get(value)
    const stand = sharing.constant(elements === undefined ? value : constant(elements, value.shape, value.type))
    remember(value, stand)
    return stand
  }
  const remember = (value: Value, stand: Value): void => {
    stands.set(value, stand)
    if (stand !== value) uses.set(stand, (uses.get(stand) ?? 0) + (uses.get(value) ?? 0))
  }
  const place = (node: GraphNode): void => {
    const inputs = node.inputs.map((input) => (input === null ? null : standIn(input)))
    const own = inputs.every((input, index) => input === node.inputs[index]) ? node : withInputs(node, inputs)
    const simpler = simplified(own, context)
    if (simpler !== null) {
      changed = true
      node.outputs.forEach((value, index) => remember(value, standIn(simpler[index] ?? value)))
      return
    }
    const shared = sharing.node(own)
    finished.add(shared)
    shared.outputs.forEach((value) => stands.set(value, value))
    if (shared === node) return
    node.outputs.forEach((value, index) => remember(value, shared.outputs[index] ?? value))
  }
  graph.nodes.forEach(place)
  const outputs = graph.outputs.map(standIn)
  const collected = collectGraph(
    outputs,
    graph.inputs.filter((input) => !frozen.has(input)),
  )
  return { graph: collected, changed }
}

function simplified(node: GraphNode, context: RuleContext): readonly Value[] | null {
  for (const rule of RULES) {
    const values = rule(node, context)
    if (values !== null) return values
  }
  return null
}

function withInputs({ op, domain, attributes, outputs }: GraphNode, inputs: readonly (Value | null)[]): GraphNode {
  const [first] = emitSeveral(op, inputs, outputs, { attributes, domain })
  if (first?.source.kind !== 'node') throw new Error('A node has an output.')
  return first.source.node
}

function usesIn({ nodes, outputs }: Graph): Map<Value, number> {
  const uses = new Map<Value, number>()
  const count = (value: Value | null) => {
    if (value !== null) uses.set(value, (uses.get(value) ?? 0) + 1)
  }
  for (const { inputs } of nodes) inputs.forEach(count)
  outputs.forEach(count)
  return uses
}
