import { emit, int, text, transpose } from '../../graph/build.ts'
import { padWith } from '../../kernels/movement/pad.ts'
import { nodeOf, permOf } from '../../graph/passes/rule.ts'
import { isPointwise, windowAttributes } from '../../kernels/image/geometry.ts'
import { geometryIn } from '../composite.ts'
import { marginsOf } from '../inputGradient.ts'
import { blockedNode, foldedPlain, refolded, timesOver, wholeBlocks } from './blocks.ts'
import { blockedFilterGradient } from './filterGradient.ts'
import {
  filterFor,
  filterForPlain,
  filterPart,
  foldedFilter,
  turnedFilterFor,
  turnedFilterForPlain,
  unfoldedFilter,
} from './weights.ts'
import type { Attributes, GraphNode, Value } from '../../graph/types.ts'
import type { Geometry } from '../../kernels/image/geometry.ts'
import type { Blocked } from './blocks.ts'
import type { Image } from './filterGradient.ts'
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
  const shift = bias === null ? null : forms.plain(bias)
  forms.setPending(y, {
    make: (relu) => {
      const parts = forms.partsOf(x)
      const fold = foldOf(parts, y, forms)
      let from = 0
      let sum: Value | null = null
      parts.forEach((part, index) => {
        const size = part.shape[1] ?? 1
        const last = index === parts.length - 1
        const weightsOf = foldedFilter(filterPart(filter, from, size), fold)
        const given = imageFor(part, fold, forms)
        const tiles = given.blocked ? filterFor(weightsOf, forms.block) : filterForPlain(weightsOf, forms.block)
        const lanes = last && shift !== null ? shiftFor(shift, fold, forms.block) : null
        sum = convolved([given.value, tiles, lanes, sum], y, { ...geometry, fold }, forms, last && relu)
        from += size
      })
      return blockedResult(sum, outputs, fold, forms)
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
    const shape = dx.shape.with(1, size)
    const fold = foldOf([dy], { shape }, forms)
    const weightsOf = foldedFilter(filterPart(filter, from, size), fold)
    const given = imageFor(dy, fold, forms)
    const tiles = given.blocked ? turnedFilterFor(weightsOf, forms.block) : turnedFilterForPlain(weightsOf, forms.block)
    const value = convolved(
      [given.value, tiles, null, null],
      { shape },
      { ...geometry, ...margins, fold },
      forms,
      false,
    )
    return blockedResult(value, size, fold, forms)
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
  const parts = forms.partsOf(x).map((part) => filterGradientOf(part, dy, geometry, forms))
  forms.setPlain(dw, joinedFilters(parts, dw.shape))
  return true
}

/** The lanes are filled by whichever has more channels; where those are folded images, the other one is folded too. */
function filterGradientOf(x: Value, dy: Value, geometry: Geometry, forms: Forms): Value {
  const oneByOne = geometry.strides.every((stride) => stride === 1)
  const xInLanes = oneByOne && (x.shape[1] ?? 1) > (dy.shape[1] ?? 1)
  const leading = xInLanes ? x : dy
  const fold = isPointwise(geometry)
    ? Math.max(...[x, dy].map((value) => naturalFold(value, forms)))
    : naturalFold(leading, forms)
  const gradient = blockedFilterGradient(
    imageOf(x, fold, forms),
    imageOf(dy, fold, forms),
    { ...geometry, xInLanes },
    forms.block,
  )
  return unfoldedFilter(gradient, fold)
}

/** As filter gradients take it: blocked where it is so with this fold, or where it has channels enough for that. */
function imageOf(value: Value, fold: number, forms: Forms): Image {
  const blocked = forms.isBlocked(value) ? refolded(forms.blocked(value), fold, forms.block) : null
  if (blocked !== null) return { blocked }
  const lanes = fold * (value.shape[1] ?? 1)
  return lanes >= forms.block
    ? { blocked: forms.folded(value, fold) }
    : { plain: foldedPlain(forms.plain(value), fold) }
}

/** The fold that it has, or would be given. */
function naturalFold(value: Value, forms: Forms): number {
  return forms.isBlocked(value) ? forms.blocked(value).fold : forms.foldFor(value)
}

function joinedFilters(parts: readonly Value[], shape: readonly number[]): Value {
  const [only, ...more] = parts
  if (only === undefined) throw new Error('A filter has input channels.')
  return more.length === 0 ? only : emit('Concat', parts, shape, { attributes: { axis: int(2) } })
}

function convolved(
  inputs: readonly (Value | null)[],
  { shape: [n = 1, channels = 1, h = 1, w = 1] }: Pick<Value, 'shape'>,
  { fold, ...geometry }: Geometry & { readonly fold: number },
  forms: Forms,
  relu: boolean,
): Value {
  const attributes: Attributes = {
    ...windowAttributes(geometry),
    group: int(1),
    ...(relu ? { activation: text('Relu') } : {}),
  }
  const last = inputs.findLastIndex((input) => input !== null)
  return blockedNode(
    'Conv',
    inputs.slice(0, last + 1),
    [n / fold, wholeBlocks(fold * channels, forms.block), h, w],
    attributes,
  )
}

/** The fold in which these images make that one: their own, else what its few channels ask for. */
function foldOf(parts: readonly Value[], y: Pick<Value, 'shape'>, forms: Forms): number {
  const folds = parts.map((part) => (forms.isBlocked(part) ? forms.blocked(part).fold : 1))
  const given = Math.max(...folds)
  return given > 1 ? given : forms.foldFor(y)
}

/** An image of fewer lanes than a block has is taken as it is, unless it is blocked already. */
function imageFor(value: Value, fold: number, forms: Forms): { value: Value; blocked: boolean } {
  const blocked = forms.isBlocked(value) || fold * (value.shape[1] ?? 1) >= forms.block
  if (blocked) return { value: forms.folded(value, fold).value, blocked }
  return { value: foldedPlain(forms.plain(value), fold), blocked }
}

function blockedResult(value: Value | null, channels: number, fold: number, { block }: Forms): Blocked {
  if (value === null) throw new Error('A convolution has input channels.')
  const result: Blocked = { value, channels, fold, spare: 'zero' }
  return refolded(result, 1, block) ?? result
}

/** [o, c, rows, columns] as [rows, columns, c, o]. */
function channelsLast(weights: Value): Value {
  const turned = nodeOf(weights, 'Transpose')
  const before = turned === null ? null : turned.inputs[0]
  if (turned !== null && before?.shape.length === 4 && permOf(turned).join() === '3,2,0,1') return before
  return transpose(weights, [2, 3, 1, 0])
}

function shiftFor(bias: Value, fold: number, block: number): Value {
  const all = timesOver(bias, 0, fold)
  const [size = 1] = all.shape
  return padWith(all, [[0, wholeBlocks(size, block) - size]], 0)
}
