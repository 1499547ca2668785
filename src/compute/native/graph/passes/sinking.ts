import { emit, int64s, ints, int, reshape, transpose } from '../build.ts'
import { intOf, integersOf, intsOf, isConstant, nodeOf, permOf, sameShape } from './rule.ts'
import { asReshape } from './transposes.ts'
import type { Rule, RuleContext } from './rule.ts'
import type { Attributes, GraphNode, Value } from '../types.ts'

const ELEMENTWISE = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Max', 'Min', 'Sum', 'Where'],
  ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'And', 'Or', 'Xor', 'Not'],
  ...['Neg', 'Abs', 'Sqrt', 'Reciprocal', 'Exp', 'Log', 'Sign', 'Floor', 'Ceil', 'Round', 'Sin', 'Cos', 'Erf'],
  ...['Relu', 'LeakyRelu', 'Elu', 'Selu', 'Sigmoid', 'HardSigmoid', 'Tanh', 'Softplus', 'Softsign', 'Clip', 'Cast'],
  ...['IsNaN', 'IsInf'],
])
const AXIS_IN_ATTRIBUTES = new Set([
  'ReduceMean',
  'ReduceMax',
  'ReduceMin',
  'ReduceProd',
  'ReduceSumSquare',
  'ReduceL2',
])
const ONE_AXIS = new Set(['Softmax', 'LogSoftmax', 'Concat'])

/**
 * Moves Transposes behind the work that can be done in the order before: there they meet others that undo them.
 * Elementwise operations, joins and reductions of values that were transposed alike are computed of what was before, and
 * their result is transposed. Unless eager, only where this makes no Transpose more.
 */
export const sinkTransposes: Rule = (node, context) => {
  const output = node.outputs[0]
  if (output === undefined || node.domain !== '' || node.outputs.length > 1) return null
  const { op } = node
  // A Transpose of truth values costs a quarter.
  if (op === 'Cast' && node.inputs[0]?.type === 'bool') return null
  if (ELEMENTWISE.has(op)) return sinkThroughElementwise(node, output, context)
  if (ONE_AXIS.has(op)) return sinkThroughAxis(node, output, context)
  if (op === 'ReduceSum' || AXIS_IN_ATTRIBUTES.has(op)) return sinkThroughReduction(node, output)
  return null
}

function sinkThroughElementwise(node: GraphNode, output: Value, context: RuleContext): Value[] | null {
  const turned = node.inputs.map((input) => nodeOf(input, 'Transpose'))
  const perm = commonPerm(turned)
  if (perm === null || !paysOff(node, turned, context)) return null
  const sources = node.inputs.map((input, index) => {
    if (input === null) return null
    return turned[index]?.inputs[0] ?? beforeTranspose(input, perm)
  })
  if (sources.some((source, index) => source === null && node.inputs[index] !== null)) return null
  if (!turned.some((each) => each !== null && sameShape(each.outputs[0]?.shape ?? [], output.shape))) return null
  return [again(node, sources, output, perm)]
}

function sinkThroughAxis(node: GraphNode, output: Value, context: RuleContext): Value[] | null {
  const turned = node.inputs.map((input) => nodeOf(input, 'Transpose'))
  const perm = commonPerm(turned)
  if (perm === null || turned.includes(null) || !paysOff(node, turned, context)) return null
  const axis = intOf(node, 'axis', -1)
  const before = perm[axis < 0 ? axis + perm.length : axis] ?? 0
  const sources = turned.map((each) => each?.inputs[0] ?? null)
  return [again(node, sources, output, perm, { ...node.attributes, axis: int(before) })]
}

/** A reduction of a Transpose reduces other axes; what is left is transposed only where its order changes. */
function sinkThroughReduction(node: GraphNode, output: Value): Value[] | null {
  const [x, given] = node.inputs
  const turned = nodeOf(x, 'Transpose')
  const source = turned?.inputs[0]
  if (turned === null || source === undefined || source === null) return null
  const inInput = node.op === 'ReduceSum'
  const axes = inInput ? integersOf(given) : intsOf(node, 'axes')
  if (axes === null) return null
  const perm = permOf(turned)
  const reduced = axes.map((axis) => perm[axis < 0 ? axis + perm.length : axis] ?? 0).sort((a, b) => a - b)
  const keeps = intOf(node, 'keepdims', 1) === 1
  const left = perm.filter((axis) => !reduced.includes(axis))
  const order = keeps ? perm : left.map((axis) => [...left].sort((a, b) => a - b).indexOf(axis))
  const shape = Array<number>(order.length).fill(1)
  order.forEach((axis, place) => (shape[axis] = output.shape[place] ?? 1))
  const attributes = inInput ? node.attributes : { ...node.attributes, axes: ints(reduced) }
  const sum = emit(node.op, inInput ? [source, int64s(reduced)] : [source], shape, { attributes, type: output.type })
  return [order.every((axis, place) => axis === place) ? sum : transpose(sum, order)]
}

function again(
  node: GraphNode,
  sources: readonly (Value | null)[],
  output: Value,
  perm: readonly number[],
  attributes: Attributes = node.attributes,
): Value {
  const shape = Array<number>(perm.length).fill(1)
  perm.forEach((axis, place) => (shape[axis] = output.shape[place] ?? 1))
  return transpose(emit(node.op, sources, shape, { attributes, type: output.type }), perm)
}

function commonPerm(turned: readonly (GraphNode | null)[]): readonly number[] | null {
  const perms = turned.flatMap((each) => (each === null ? [] : [permOf(each)]))
  const [first] = perms
  return first !== undefined && perms.every((perm) => sameShape(perm, first)) ? first : null
}

/** The one that is added is made up for by one that nothing reads any more. */
function paysOff({ inputs }: GraphNode, turned: readonly (GraphNode | null)[], { uses, eager }: RuleContext): boolean {
  if (eager) return true
  return inputs.some((input, index) => {
    const reads = inputs.filter((other) => other === input).length
    return input !== null && turned[index] !== null && uses(input) <= reads
  })
}

/** What broadcasts to the values before the Transpose as this one does to those behind it; null where it costs more. */
function beforeTranspose(value: Value, perm: readonly number[]): Value | null {
  const { shape } = value
  if (shape.length === 0) return value
  const rank = perm.length
  if (shape.length > rank) return null
  const full = [...Array<number>(rank - shape.length).fill(1), ...shape]
  const back = perm.map((_, axis) => perm.indexOf(axis))
  const extents = back.map((axis) => full[axis] ?? 1)
  const wide = full.filter((extent) => extent !== 1).length
  if (wide <= 1) {
    if (sameShape(extents, shape)) return value
    const target = wide === 0 ? extents : extents.map((extent) => (extent === 1 ? 1 : -1))
    return emit('Reshape', [value, int64s(target)], extents)
  }
  if (isConstant(value)) return transpose(reshape(value, full), back)
  return shape.length === rank ? asReshape(value, back) : null
}
