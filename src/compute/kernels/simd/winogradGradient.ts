import {
  add,
  choose,
  divide,
  FunctionBuilder,
  i32,
  isBelow,
  load,
  minimum,
  multiply,
  quarter,
  remainder,
  subtract,
  threadNumber,
  vAdd,
  vConstant,
  vMultiply,
  vSubtract,
} from './assembler.ts'
import { createAccumulate } from './filterGradient.ts'
import { QUAD } from './quads.ts'
import { createInputTransform, createTileLoop } from './winogradTransforms.ts'
import type { I32, Local, V128 } from './assembler.ts'

const FLOAT = 4
const PLACES = 16
/** Tiles that are transformed before their products are added up. */
export const GRADIENT_TILES = 24

/** Bytes that each thread needs. */
export function winogradGradientScratch(channels: number, outChannels: number): number {
  return PLACES * FLOAT * (GRADIENT_TILES * (channels + outChannels) + channels)
}

/**
 * winogradGradient(begin, end, x, dy, partial, slotBytes, scratch, scratchBytes, height, width, channels, outHeight,
 *   outWidth, outChannels, firstRow, firstColumn, tileRows, tileColumns, tiles, slots, parts):
 * the gradient of `winograd` (winograd.ts) by its transformed filter: partial[slot][place, c, o] = sum over the slot's tiles of
 * (B' d B)[c] * (A dy A')[o]. Both numbers of channels in multiples of four. A slot is one of `slots` equal runs of the
 * tiles. Units: slots times `parts` equal runs of the input channels, by fours.
 */
export function winogradGradientFunction(): FunctionBuilder {
  const f = new FunctionBuilder('winogradGradient')
  const integer = () => f.parameter('i32')
  const local = () => f.local('i32')
  const [begin, end, x, dy, partial, slotBytes] = [integer(), integer(), integer(), integer(), integer(), integer()]
  const [scratch, scratchBytes, height, width, channels] = [integer(), integer(), integer(), integer(), integer()]
  const [outHeight, outWidth, outChannels, firstRow, firstColumn] = [
    integer(),
    integer(),
    integer(),
    integer(),
    integer(),
  ]
  const [tileRows, tileColumns, tiles, slots, parts] = [integer(), integer(), integer(), integer(), integer()]

  const pixel = f.let(multiply(channels, i32(FLOAT)))
  const outPixel = f.let(multiply(outChannels, i32(FLOAT)))
  const outQuads = f.let(quarter(outChannels))
  const pairs = f.let(quarter(quarter(multiply(outChannels, i32(2)))))
  const rest = f.let(subtract(outQuads, multiply(pairs, i32(2))))
  const inputs = f.let(add(scratch, multiply(threadNumber, scratchBytes)))
  const inputBytes = f.let(multiply(pixel, i32(GRADIENT_TILES)))
  const outer = f.let(add(inputs, multiply(inputBytes, i32(PLACES))))
  const outerBytes = f.let(multiply(outPixel, i32(GRADIENT_TILES)))
  const patch = f.let(add(outer, multiply(outerBytes, i32(PLACES))))
  const [unit, slot, part, firstQuad, quads] = [f.let(begin), local(), local(), local(), local()]
  const [first, slotEnd, count, from, over] = [local(), local(), local(), local(), local()]
  const [to, weights, xPart, blockAt] = [local(), local(), local(), local()]
  const forEachTile = createTileLoop(f, { first, count, tileRows, tileColumns })
  const transformInput = createInputTransform(f, {
    x: xPart,
    height,
    width,
    quads,
    pixel,
    placeBytes: inputBytes,
    patch,
  })
  const transformOuter = createOuterTransform(f, {
    dy,
    outHeight,
    outWidth,
    outPixel,
    outQuads,
    placeBytes: outerBytes,
  })
  const accumulate = createAccumulate(f, {
    ...{ dyAt: over, columns: count, step: pixel, outPixel, pairs, rest, weightRow: outPixel },
  })
  /** Runs the body at the first of the part's weights of each place. */
  const forEachPlace = (body: () => void) => {
    f.set(weights, add(add(partial, multiply(slot, slotBytes)), multiply(multiply(firstQuad, i32(4)), outPixel)))
    f.repeat(i32(PLACES), () => {
      body()
      f.set(weights, add(weights, multiply(channels, outPixel)))
    })
  }

  f.repeat(subtract(end, begin), () => {
    f.set(slot, divide(unit, parts))
    f.set(part, remainder(unit, parts))
    f.set(firstQuad, divide(multiply(quarter(channels), part), parts))
    f.set(quads, subtract(divide(multiply(quarter(channels), add(part, i32(1))), parts), firstQuad))
    f.set(xPart, add(x, multiply(firstQuad, i32(QUAD))))
    forEachPlace(() => {
      f.set(to, weights)
      f.repeat(multiply(multiply(quads, i32(4)), outQuads), () => {
        f.store(to, vConstant(0))
        f.set(to, add(to, i32(QUAD)))
      })
    })
    f.set(first, divide(multiply(tiles, slot), slots))
    f.set(slotEnd, divide(multiply(tiles, add(slot, i32(1))), slots))
    const groups = divide(add(subtract(slotEnd, first), i32(GRADIENT_TILES - 1)), i32(GRADIENT_TILES))
    f.repeat(groups, () => {
      f.set(count, minimum(subtract(slotEnd, first), i32(GRADIENT_TILES)))
      f.set(to, inputs)
      f.set(over, outer)
      forEachTile(({ image, row, column }) => {
        const top = add(multiply(row, i32(2)), firstRow)
        transformInput(image, top, add(multiply(column, i32(2)), firstColumn), to)
        transformOuter(image, row, column, over)
        f.set(to, add(to, pixel))
        f.set(over, add(over, outPixel))
      })
      f.set(from, inputs)
      f.set(over, outer)
      forEachPlace(() => {
        f.set(to, weights)
        f.set(blockAt, from)
        f.repeat(quads, () => {
          accumulate(4, blockAt, to)
          f.set(blockAt, add(blockAt, i32(QUAD)))
          f.set(to, add(to, multiply(outPixel, i32(4))))
        })
        f.set(from, add(from, inputBytes))
        f.set(over, add(over, outerBytes))
      })
      f.set(first, add(first, i32(GRADIENT_TILES)))
    })
    f.set(unit, add(unit, i32(1)))
  })
  return f
}

interface Outer {
  readonly dy: I32
  readonly outHeight: I32
  readonly outWidth: I32
  readonly outPixel: I32
  readonly outQuads: I32
  readonly placeBytes: I32
}

/** Code that writes A dy A' of a tile of 2 x 2 gradients, zero beyond the last row and column, places placeBytes apart. */
function createOuterTransform(
  f: FunctionBuilder,
  { dy, outHeight, outWidth, outPixel, outQuads, placeBytes }: Outer,
): (image: I32, row: I32, column: I32, to: I32) => void {
  const local = () => f.local('i32')
  const vector = () => f.local('v128')
  const [y, x, hasRight, hasBelow] = [local(), local(), local(), local()]
  const [from, right, below, corner, at, next] = [local(), local(), local(), local(), local(), local()]
  const [a, b, c, d] = [vector(), vector(), vector(), vector()]
  const nothing = f.let(vConstant(0))
  /** A of two values: the first, their sum, their difference, less the second. */
  const combined = (p: V128, q: V128): V128[] => [p, vAdd(p, q), vSubtract(p, q), vSubtract(nothing, q)]
  return (image, row, column, to) => {
    f.set(y, multiply(row, i32(2)))
    f.set(x, multiply(column, i32(2)))
    f.set(hasBelow, isBelow(add(y, i32(1)), outHeight))
    f.set(hasRight, isBelow(add(x, i32(1)), outWidth))
    f.set(from, add(multiply(add(multiply(image, outHeight), y), outWidth), x))
    f.set(from, add(dy, multiply(from, outPixel)))
    // Where there is none, the first of the four is read instead and not used.
    f.set(right, choose(hasRight, outPixel, i32(0)))
    f.set(below, choose(hasBelow, multiply(outPixel, outWidth), i32(0)))
    f.set(corner, add(right, below))
    f.set(next, to)
    f.repeat(outQuads, () => {
      f.set(a, load(from))
      f.set(b, choose(hasRight, load(add(from, right)), nothing))
      f.set(c, choose(hasBelow, load(add(from, below)), nothing))
      f.set(d, choose(multiply(hasRight, hasBelow), load(add(from, corner)), nothing))
      f.set(at, next)
      const left = combined(a, c)
      combined(b, d).forEach((second, i) => {
        for (const value of combined(left[i] ?? a, second)) {
          f.store(at, value)
          f.set(at, add(at, placeBytes))
        }
      })
      f.set(from, add(from, i32(QUAD)))
      f.set(next, add(next, i32(QUAD)))
    })
  }
}

/**
 * winogradGradientEnd(begin, end, partial, slotBytes, slots, channels, outChannels, to): adds up the slots of winogradGradient
 * in their order and writes G' (their sum) G, the gradient by the filter [3, 3, channels, outChannels]. Units: channels.
 */
export function winogradGradientEndFunction(): FunctionBuilder {
  const f = new FunctionBuilder('winogradGradientEnd')
  const integer = () => f.parameter('i32')
  const [begin, end, partial, slotBytes, slots] = [integer(), integer(), integer(), integer(), integer()]
  const [channels, outChannels, to] = [integer(), integer(), integer()]
  const rowBytes = f.let(multiply(outChannels, i32(FLOAT)))
  const placeBytes = f.let(multiply(channels, rowBytes))
  const [from, at, slot] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const sums: Local<'v128'>[] = Array.from({ length: 4 }, () => f.local('v128'))
  const halves: Local<'v128'>[] = Array.from({ length: 12 }, () => f.local('v128'))
  const half = f.let(vConstant(0.5))
  /** G' of four values: with s and d the sum and difference of the middle two: first + s / 2, d / 2, s / 2 + fourth. */
  const combined = (four: readonly V128[]): V128[] => {
    const [a = half, b = half, c = half, d = half] = four
    const middle = vMultiply(vAdd(b, c), half)
    return [vAdd(a, middle), vMultiply(vSubtract(b, c), half), vAdd(middle, d)]
  }
  f.set(partial, add(partial, multiply(begin, rowBytes)))
  f.set(to, add(to, multiply(begin, rowBytes)))
  f.repeat(multiply(subtract(end, begin), quarter(outChannels)), () => {
    f.set(from, partial)
    for (let i = 0; i < 4; i++) {
      for (const sum of sums) {
        f.set(sum, load(from))
        f.set(slot, from)
        f.repeat(subtract(slots, i32(1)), () => {
          f.set(slot, add(slot, slotBytes))
          f.set(sum, vAdd(sum, load(slot)))
        })
        f.set(from, add(from, placeBytes))
      }
      combined(sums).forEach((value, j) => {
        f.set(halves[3 * i + j] ?? half, value)
      })
    }
    f.set(at, to)
    const columns = [0, 1, 2].map((j) => combined(halves.filter((_, index) => index % 3 === j)))
    for (let i = 0; i < 3; i++) {
      for (const column of columns) {
        f.store(at, column[i] ?? half)
        f.set(at, add(at, placeBytes))
      }
    }
    f.set(partial, add(partial, i32(QUAD)))
    f.set(to, add(to, i32(QUAD)))
  })
  return f
}
