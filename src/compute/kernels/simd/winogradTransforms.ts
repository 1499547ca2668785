import {
  add,
  and,
  choose,
  divide,
  i32,
  isBelow,
  isEqual,
  load,
  multiply,
  remainder,
  subtract,
  vAdd,
  vAtLeast,
  vConstant,
  vSubtract,
} from './assembler.ts'
import { QUAD } from './quads.ts'
import type { FunctionBuilder, I32, Local, V128 } from './assembler.ts'

/** The transformations of tiles around the products of a Winograd convolution: see winograd.ts. */

type Vector = Local<'v128'>
type Four = readonly [Vector, Vector, Vector, Vector]

/** Variables for a matrix of four by four, row by row. */
function fourByFour(f: FunctionBuilder): readonly [Four, Four, Four, Four] {
  const four = (): Four => [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')]
  return [four(), four(), four(), four()]
}

/** Where a tile is: image, row and column, counted in tiles. */
export interface TilePlace {
  readonly image: Local<'i32'>
  readonly row: Local<'i32'>
  readonly column: Local<'i32'>
}

export interface Tiles {
  readonly first: I32
  readonly count: I32
  readonly tileRows: I32
  readonly tileColumns: I32
}

/** Code that runs a body for each of `count` tiles from `first` on, in the order of images, rows and columns. */
export function createTileLoop(
  f: FunctionBuilder,
  { first, count, tileRows, tileColumns }: Tiles,
): (body: (place: TilePlace) => void) => void {
  const place = { image: f.local('i32'), row: f.local('i32'), column: f.local('i32') }
  const { image, row, column } = place
  return (body) => {
    f.set(column, remainder(first, tileColumns))
    f.set(row, divide(first, tileColumns))
    f.set(image, divide(row, tileRows))
    f.set(row, remainder(row, tileRows))
    f.repeat(count, () => {
      body(place)
      f.set(column, add(column, i32(1)))
      f.when(isEqual(column, tileColumns), () => {
        f.set(column, i32(0))
        f.set(row, add(row, i32(1)))
        f.when(isEqual(row, tileRows), () => {
          f.set(row, i32(0))
          f.set(image, add(image, i32(1)))
        })
      })
    })
  }
}

export interface WinogradInput {
  readonly x: I32
  readonly height: I32
  readonly width: I32
  /** How many channels, by fours, are transformed, and the bytes of a pixel, which may have more. */
  readonly quads: I32
  readonly pixel: I32
  readonly placeBytes: I32
  /** Room for a tile of pixels. */
  readonly patch: I32
}

/** Code that writes B' d B of the tile at (top, left) of an image: each place of it by channel, placeBytes apart. */
export function createInputTransform(
  f: FunctionBuilder,
  { x, height, width, quads, pixel, placeBytes, patch }: WinogradInput,
): (image: I32, top: I32, left: I32, to: I32) => void {
  const local = () => f.local('i32')
  const [top, left, from, rowBytes, at, next, column] = [local(), local(), local(), local(), local(), local(), local()]
  const rows = [local(), local(), local(), local()] as const
  const spot = local()
  const tile = fourByFour(f)
  const pixels: Four = [f.local('v128'), f.local('v128'), f.local('v128'), f.local('v128')]
  const lastTop = f.let(choose(isBelow(height, i32(4)), i32(0), subtract(height, i32(3))))
  const lastLeft = f.let(choose(isBelow(width, i32(4)), i32(0), subtract(width, i32(3))))
  /** B' of four values: the first less the third, second and third, third less second, second less fourth. */
  const combined = ([a, b, c, d]: Four): V128[] => [vSubtract(a, c), vAdd(b, c), vSubtract(c, b), vSubtract(b, d)]
  const copyWithZeros = (image: I32) => {
    f.set(spot, patch)
    f.repeat(i32(4), () => {
      f.set(column, left)
      f.repeat(i32(4), () => {
        f.set(at, spot)
        f.when(
          and(isBelow(top, height), isBelow(column, width)),
          () => {
            f.set(next, multiply(add(multiply(add(multiply(image, height), top), width), column), pixel))
            f.set(next, add(x, next))
            f.repeat(quads, () => {
              f.store(at, load(next))
              f.set(at, add(at, i32(QUAD)))
              f.set(next, add(next, i32(QUAD)))
            })
          },
          () => {
            f.repeat(quads, () => {
              f.store(at, vConstant(0))
              f.set(at, add(at, i32(QUAD)))
            })
          },
        )
        f.set(column, add(column, i32(1)))
        f.set(spot, add(spot, pixel))
      })
      f.set(top, add(top, i32(1)))
    })
  }
  return (image, topOfTile, leftOfTile, to) => {
    f.set(top, topOfTile)
    f.set(left, leftOfTile)
    f.when(
      and(isBelow(top, lastTop), isBelow(left, lastLeft)),
      () => {
        f.set(rowBytes, multiply(width, pixel))
        f.set(from, add(multiply(add(multiply(image, height), top), rowBytes), multiply(left, pixel)))
        f.set(from, add(x, from))
      },
      () => {
        copyWithZeros(image)
        f.set(from, patch)
        f.set(rowBytes, multiply(pixel, i32(4)))
      },
    )
    f.set(next, to)
    for (const pointer of rows) {
      f.set(pointer, from)
      f.set(from, add(from, rowBytes))
    }
    f.repeat(quads, () => {
      // Column by column, then row by row; the four by four that result are stored as they come.
      for (const column of tile) {
        pixels.forEach((value, i) => {
          f.set(value, load(rows[i] ?? from))
        })
        for (const pointer of rows) f.set(pointer, add(pointer, pixel))
        combined(pixels).forEach((value, i) => {
          f.set(column[i] ?? column[0], value)
        })
      }
      f.set(at, next)
      for (const i of [0, 1, 2, 3] as const) {
        const [a, b, c, d] = tile
        for (const value of combined([a[i], b[i], c[i], d[i]])) {
          f.store(at, value)
          f.set(at, add(at, placeBytes))
        }
      }
      for (const pointer of rows) f.set(pointer, add(subtract(pointer, multiply(pixel, i32(4))), i32(QUAD)))
      f.set(next, add(next, i32(QUAD)))
    })
  }
}

export interface WinogradOutput {
  /** Bytes from one place of a tile's products to the next. */
  readonly productBytes: number
  readonly least: V128
  readonly outHeight: I32
  readonly outWidth: I32
  readonly yRow: I32
  readonly yPixel: I32
}

/** Code that writes the 2 x 2 outputs of a tile, as far as there are so many rows and columns. */
export function createOutputTransform(
  f: FunctionBuilder,
  { productBytes, least, outHeight, outWidth, yRow, yPixel }: WinogradOutput,
): (from: I32, bias: I32, to: I32, row: I32, column: I32) => void {
  const products = fourByFour(f)
  const [added, above, below] = [f.local('v128'), f.local('v128'), f.local('v128')]
  const [hasRight, hasBelow] = [f.local('i32'), f.local('i32')]
  /** A' of four values: the sum of the first three, and the second less the third and the fourth. */
  const upper = ([a, b, c]: Four): V128 => vAdd(vAdd(a, b), c)
  const lower = ([, b, c, d]: Four): V128 => vSubtract(vSubtract(b, c), d)
  return (from, bias, to, row, column) => {
    f.set(hasRight, isBelow(add(multiply(column, i32(2)), i32(1)), outWidth))
    f.set(hasBelow, isBelow(add(multiply(row, i32(2)), i32(1)), outHeight))
    for (let q = 0; q < 2; q++) {
      products.flat().forEach((value, place) => {
        f.set(value, load(from, place * productBytes + q * QUAD))
      })
      f.set(added, load(bias, q * QUAD))
      const [first, second, third, fourth] = products
      for (const j of [0, 1, 2, 3] as const) {
        const column: Four = [first[j], second[j], third[j], fourth[j]]
        f.set(above, upper(column))
        f.set(below, lower(column))
        f.set(first[j], above)
        f.set(second[j], below)
      }
      const storeRow = (four: Four, at: I32) => {
        f.store(at, vAtLeast(vAdd(upper(four), added), least), q * QUAD)
        f.when(hasRight, () => {
          f.store(add(at, yPixel), vAtLeast(vAdd(lower(four), added), least), q * QUAD)
        })
      }
      storeRow(first, to)
      f.when(hasBelow, () => {
        storeRow(second, add(to, yRow))
      })
    }
  }
}
