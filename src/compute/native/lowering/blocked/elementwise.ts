import { emit, reshape } from '../../graph/build.ts'
import { sizeOf } from '../../graph/types.ts'
import { asLanes, channelLanes } from './blocks.ts'
import { isSingle } from './forms.ts'
import type { GraphNode, Value } from '../../graph/types.ts'
import type { Blocked } from './blocks.ts'
import type { Forms } from './forms.ts'

/** Work element by element on blocked images, in place of the same on [n, c, h, w]. Returns whether it took the node. */
export function lowerElementwise(node: GraphNode, forms: Forms): boolean {
  const [y, ...more] = node.outputs
  const inputs = node.inputs.flatMap((input) => (input === null ? [] : [input]))
  if (y === undefined || more.length > 0 || inputs.length !== node.inputs.length || y.shape.length !== 4) return false
  if (!inputs.some((input) => isImageLike(input, y) && forms.isBlocked(input))) return false
  const operands = inputs.map((input) => operandOf(input, y))
  if (operands.some((operand) => operand === null)) return false
  // Truth values can only be had blocked where they were made so.
  if (inputs.some((input) => isImageLike(input, y) && input.type !== 'float32' && !forms.isBlocked(input))) return false
  if (node.op === 'Relu') {
    const [x] = inputs
    const pending = x === undefined ? null : forms.pendingOf(x)
    if (x !== undefined && pending?.takesRelu === true && forms.uses(x) === 1) {
      forms.setBlocked(y, pending.make(true))
      return true
    }
  }
  const channels = y.shape[1] ?? 1
  const fold = foldOf(inputs, y, forms)
  // Truth values cannot be moved into another fold.
  if (inputs.some((input) => input.type !== 'float32' && isImageLike(input, y) && forms.blocked(input).fold !== fold)) {
    return false
  }
  const spare = (fold * channels) % forms.block === 0 ? 'zero' : spareAfter(node.op, inputs, operands, forms)
  if (spare === null) return false
  forms.setBlocked(y, { value: computed(node, y, inputs, operands, fold, forms), channels, fold, spare })
  return true
}

type Operand = 'image' | 'channels' | 'single'

function operandOf(input: Value, y: Value): Operand | null {
  if (isImageLike(input, y)) return 'image'
  if (isSingle(input)) return 'single'
  const [h = 1, w = 1] = input.shape.slice(-2)
  const c = input.shape.at(-3) ?? 1
  const images = input.shape.length === 4 ? (input.shape[0] ?? 1) : 1
  const known = images === 1 || images === y.shape[0]
  return h * w === 1 && c === y.shape[1] && known && input.type === 'float32' ? 'channels' : null
}

function isImageLike(input: Value, y: Value): boolean {
  return input.shape.join() === y.shape.join()
}

/** That of the first image that comes blocked. */
function foldOf(inputs: readonly Value[], y: Value, forms: Forms): number {
  const first = inputs.find((input) => isImageLike(input, y) && forms.isBlocked(input))
  return first === undefined ? 1 : forms.blocked(first).fold
}

function computed(
  { op, attributes, domain }: GraphNode,
  y: Value,
  inputs: readonly Value[],
  operands: readonly (Operand | null)[],
  fold: number,
  forms: Forms,
): Value {
  const byChannel = operands.includes('channels')
  const whole: { shape: readonly number[] } = { shape: [] }
  const values = inputs.map((input, index) => {
    switch (operands[index]) {
      case 'image': {
        const { value } = forms.folded(input, fold)
        whole.shape = value.shape
        return byChannel ? asLanes(value, forms.block) : value
      }
      case 'channels': {
        const plain = forms.plain(input)
        const c = y.shape[1] ?? 1
        const filling = op === 'Div' || op === 'Pow' ? 1 : 0
        return channelLanes(reshape(plain, [sizeOf(plain.shape) / c, c]), forms.block, filling, fold)
      }
      default: {
        const plain = forms.plain(input)
        return plain.shape.length === 0 ? plain : reshape(plain, [])
      }
    }
  })
  const shape = byChannel ? asLanesShape(whole.shape, forms.block) : whole.shape
  const result = emit(op, values, shape, { attributes, domain, type: y.type })
  return byChannel ? reshape(result, whole.shape) : result
}

function asLanesShape([n = 1, whole = 1, h = 1, w = 1]: readonly number[], block: number): number[] {
  return [n, whole / block, h * w, block]
}

/** Operations of one operand that make 0 of 0. */
const KEEP_ZERO: ReadonlySet<string> = new Set([
  ...['Relu', 'LeakyRelu', 'Elu', 'Selu', 'Tanh', 'Abs', 'Neg', 'Sqrt', 'Sign', 'Identity', 'Floor', 'Ceil', 'Round'],
  ...['Sin', 'Tan', 'Erf', 'Softsign', 'ThresholdedRelu'],
])
/** Operations whose results are never infinite. */
const FINITE: ReadonlySet<string> = new Set([
  ...['Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'Equal', 'Not', 'And', 'Or', 'Xor', 'Sigmoid', 'HardSigmoid'],
  ...['IsNaN', 'IsInf'],
])

/** What the spare lanes hold afterwards; null where that may be infinite. */
function spareAfter(
  op: string,
  inputs: readonly Value[],
  operands: readonly (Operand | null)[],
  forms: Forms,
): Blocked['spare'] | null {
  const states = inputs.map((input, index): Blocked['spare'] | 'other' => {
    if (operands[index] === 'image') return forms.blocked(input).spare
    if (operands[index] === 'channels') return 'zero'
    return input.source.kind === 'constant' && Number(input.source.elements[0]) === 0 ? 'zero' : 'other'
  })
  const [first, second, third] = states
  if (FINITE.has(op)) return 'finite'
  if (op === 'Cast') return first === 'other' ? null : (first ?? null)
  if (KEEP_ZERO.has(op)) return first === 'zero' ? 'zero' : null
  switch (op) {
    case 'Add':
    case 'Sub':
    case 'Max':
    case 'Min':
    case 'Sum':
      return states.every((state) => state === 'zero') ? 'zero' : null
    case 'Mul':
      return states.includes('zero') && !states.every((state) => state === 'other') ? 'zero' : null
    case 'Div':
      return first === 'zero' && (operands[1] === 'channels' || (operands[1] === 'single' && second === 'other'))
        ? 'zero'
        : null
    case 'Where':
      return second === 'zero' && third === 'zero' ? 'zero' : null
    default:
      return null
  }
}

/** Operations of ONNX that work element by element with broadcasting. */
export const ELEMENTWISE: ReadonlySet<string> = new Set([
  ...KEEP_ZERO,
  ...FINITE,
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Pow', 'Sum', 'Where', 'Cast', 'Exp', 'Log', 'Reciprocal', 'Clip'],
  ...['Softplus'],
])
