import { emit, int, text, transpose } from '../../graph/build.ts'
import { padWith } from '../../kernels/movement/pad.ts'
import { nodeOf, permOf } from '../../graph/passes/rule.ts'
import { windowAttributes } from '../../kernels/image/geometry.ts'
import { geometryIn } from '../composite.ts'
import { marginsOf } from '../inputGradient.ts'
import { blockedNode, wholeBlocks } from './blocks.ts'
import { blockedFilterGradient } from './filterGradient.ts'
import { filterFor, filterForPlain, filterPart, turnedFilterFor, turnedFilterForPlain } from './weights.ts'
import type { Attributes, GraphNode, Value } from '../../graph/types.ts'
import type { Geometry } from '../../kernels/image/geometry.ts'
import type { Blocked } from './blocks.ts'
import type { Forms } from './forms.ts'

/** Convolutions and their gradients, blocked. Each returns whether it took the node. */

/** An image with so few channels is not worth blocking for its own sake. */
const fewFor = (block: number): number => block / 2

export function lowerConvolution(node: GraphNode, forms: Forms): boolean {
  const [x = null, weights = null, bias = null] = node.inputs
  const [y] = node.outputs
  if (x === null || weights === null || y === undefined || x.shape.length !== 4) return false
  const group = node.attributes.group
  if (group?.kind === 'int' && group.value !== 1) return false
  const outputs = weights.shape[0] ?? 1
  if (!forms.isBlocked(x) && outputs < fewFor(forms.block)) return false
  const geometry = geometryIn(node)
  const filter = channelsLast(forms.plain(weights))
  const shift = bias === null ? null : filledUp(forms.plain(bias), forms.block)
  forms.setPending(y, {
    make: (relu) => {
      let from = 0
      let sum: Value | null = null
      const parts = forms.partsOf(x)
      parts.forEach((part, index) => {
        const size = part.shape[1] ?? 1
        const last = index === parts.length - 1
        const weightsOf = filterPart(filter, from, size)
        const given = imageFor(part, forms)
        const tiles = given.blocked ? filterFor(weightsOf, forms.block) : filterForPlain(weightsOf, forms.block)
        sum = convolved([given.value, tiles, last ? shift : null, sum], y, geometry, forms, last && relu)
        from += size
      })
      return blockedResult(sum, outputs)
    },
    takesRelu: true,
    part: null,
  })
  return true
}

/** The gradient by the input, for strides of one. */
export function lowerInputGradient(node: GraphNode, forms: Forms): boolean {
  const [dy = null, weights = null] = node.inputs
  const [dx] = node.outputs
  if (dy === null || weights === null || dx === undefined) return false
  const geometry = geometryIn(node)
  const channels = dx.shape[1] ?? 1
  if (!forms.isBlocked(dy) && channels < fewFor(forms.block)) return false
  if (geometry.strides.some((stride) => stride !== 1)) return false
  const margins = marginsOf(dy, dx.shape, geometry)
  if (Object.values(margins).some((margin) => margin < 0)) return false
  const filter = forms.plain(weights)
  const some = (from: number, size: number): Blocked => {
    const weightsOf = filterPart(filter, from, size)
    const given = imageFor(dy, forms)
    const tiles = given.blocked ? turnedFilterFor(weightsOf, forms.block) : turnedFilterForPlain(weightsOf, forms.block)
    const shape = dx.shape.with(1, size)
    const value = convolved([given.value, tiles, null, null], { shape }, { ...geometry, ...margins }, forms, false)
    return blockedResult(value, size)
  }
  forms.setPending(dx, { make: () => some(0, channels), takesRelu: false, part: some })
  return true
}

export function lowerFilterGradient(node: GraphNode, forms: Forms): boolean {
  const [x = null, dy = null] = node.inputs
  const [dw] = node.outputs
  if (x === null || dy === null || dw === undefined) return false
  if (!forms.isBlocked(x) && !forms.isBlocked(dy)) return false
  const geometry = geometryIn(node)
  const gradient = forms.image(dy)
  const parts = forms
    .partsOf(x)
    .map((part) => blockedFilterGradient(forms.image(part), gradient, geometry, forms.block))
  forms.setPlain(dw, joinedFilters(parts, dw.shape))
  return true
}

function joinedFilters(parts: readonly Value[], shape: readonly number[]): Value {
  const [only, ...more] = parts
  if (only === undefined) throw new Error('A filter has input channels.')
  return more.length === 0 ? only : emit('Concat', parts, shape, { attributes: { axis: int(2) } })
}

function convolved(
  inputs: readonly (Value | null)[],
  { shape: [n = 1, channels = 1, h = 1, w = 1] }: Pick<Value, 'shape'>,
  geometry: Geometry,
  forms: Forms,
  relu: boolean,
): Value {
  const attributes: Attributes = {
    ...windowAttributes(geometry),
    group: int(1),
    ...(relu ? { activation: text('Relu') } : {}),
  }
  const last = inputs.findLastIndex((input) => input !== null)
  return blockedNode('Conv', inputs.slice(0, last + 1), [n, wholeBlocks(channels, forms.block), h, w], attributes)
}

/** An image of fewer channels than a block has is taken as it is, unless it is blocked already. */
function imageFor(value: Value, forms: Forms): { value: Value; blocked: boolean } {
  const blocked = forms.isBlocked(value) || (value.shape[1] ?? 1) >= forms.block
  return { value: blocked ? forms.blocked(value).value : forms.plain(value), blocked }
}

function blockedResult(value: Value | null, channels: number): Blocked {
  if (value === null) throw new Error('A convolution has input channels.')
  return { value, channels, spare: 'zero' }
}

/** [o, c, rows, columns] as [rows, columns, c, o]. */
function channelsLast(weights: Value): Value {
  const turned = nodeOf(weights, 'Transpose')
  const before = turned === null ? null : turned.inputs[0]
  if (turned !== null && before?.shape.length === 4 && permOf(turned).join() === '3,2,0,1') return before
  return transpose(weights, [2, 3, 1, 0])
}

function filledUp(bias: Value, block: number): Value {
  const [size = 1] = bias.shape
  return padWith(bias, [[0, wholeBlocks(size, block) - size]], 0)
}
