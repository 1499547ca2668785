import type { GraphNode, Value } from '../types.ts'

/** What a rule may know of the graph beyond its node. */
export interface RuleContext {
  /** How often a value is read, as an output of the graph too; at most so often once other rules have applied. */
  readonly uses: (value: Value) => number
  /** Whether Transposes may become more for now, since they may meet others further on. */
  readonly eager: boolean
  /** Constants of more elements than this are left for the session to compute. */
  readonly foldable: number
}

/**
 * A simplification of one node, whose inputs were simplified before: values that stand for its outputs, of new nodes where
 * need be, or null where there is nothing to simplify. Nodes are never changed, since live tensors refer to them.
 */
export type Rule = (node: GraphNode, context: RuleContext) => readonly Value[] | null

/** The node that computes a value, if it is of this operation of ONNX. */
export function nodeOf(value: Value | null | undefined, op: string): GraphNode | null {
  if (value?.source.kind !== 'node') return null
  const { node } = value.source
  return node.op === op && node.domain === '' ? node : null
}

export function isConstant(value: Value | null | undefined): boolean {
  return value?.source.kind === 'constant'
}

/** The integers of a constant of the type int64, or null. */
export function integersOf(value: Value | null | undefined): number[] | null {
  if (value?.source.kind !== 'constant' || value.type !== 'int64') return null
  return Array.from(value.source.elements, Number)
}

export function intsOf(node: GraphNode, name: string): readonly number[] | null {
  const attribute = node.attributes[name]
  return attribute?.kind === 'ints' ? attribute.value : null
}

export function intOf(node: GraphNode, name: string, otherwise: number): number {
  const attribute = node.attributes[name]
  return attribute?.kind === 'int' ? attribute.value : otherwise
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}

export function permOf(node: GraphNode): readonly number[] {
  return intsOf(node, 'perm') ?? (node.inputs[0]?.shape ?? []).map((_, axis, { length }) => length - 1 - axis)
}
