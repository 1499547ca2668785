import {
  add,
  choose,
  divide,
  FunctionBuilder,
  i32,
  isBelow,
  load,
  loadInteger,
  multiply,
  remainder,
  splat,
  subtract,
  vAtLeast,
} from './assembler.ts'
import { storeValid } from './narrowStore.ts'
import { createProducts } from './products.ts'
import { QUAD } from './quads.ts'
import type { I32, Local } from './assembler.ts'

const FLOAT = 4
/** Output channels that are computed together: the width of the blocks of a packed filter (packFilter.ts). */
export const OUT_BLOCK = 8
/** Pixels of a row that are computed together, largest first: 6 x 8 sums fill the registers. */
export const TILE_WIDTHS = [6, 4, 1] as const
/** Bytes of an entry of the table of taps: row and column of its pixel relative to the first, and its place in the filter. */
export const TAP_BYTES = 12

/**
 * convolve(begin, end, x, taps, tapCount, packed, bias, y, zeros, floor, height, width, channels, outChannels,
 *   rows, blocks, blockMajor, outHeight, rowStep, columnStep, yImage, yRow, yPixel, sixes, fours, ones):
 * y[n, i, j, o] = max(floor, bias[o] + sum over taps t and c of x[n, i rowStep + row t, j columnStep + column t, c] *
 * packed[t, c, o]), x being zero outside of its height and width. All of convolution is in the list of taps: padding,
 * dilation, a rotated filter, the taps that meet one phase of a strided one. Addresses are bytes: `taps` of a table of
 * [row, column, place] integers, `packed` and `bias` of what packFilter made, `zeros` of `channels` zeros; yImage, yRow
 * and yPixel are the bytes from one to the next. A row is cut into `sixes`, `fours` and `ones` (tiles of so many pixels).
 * Units: output rows of all images times blocks of eight output channels, all rows of a block first if blockMajor.
 */
export function convolveFunction(): FunctionBuilder {
  const f = new FunctionBuilder('convolve')
  const integer = () => f.parameter('i32')
  const [begin, end, x, taps, tapCount, packed, bias] = [
    integer(),
    integer(),
    integer(),
    integer(),
    integer(),
    integer(),
    integer(),
  ]
  const [y, zeros, floor] = [integer(), integer(), f.parameter('f32')]
  const [height, width, channels, outChannels] = [integer(), integer(), integer(), integer()]
  const [rows, blocks, blockMajor, outHeight] = [integer(), integer(), integer(), integer()]
  const [rowStep, columnStep, yImage, yRow, yPixel] = [integer(), integer(), integer(), integer(), integer()]
  const counts = [integer(), integer(), integer()]

  const pixel = f.let(multiply(channels, i32(FLOAT)))
  const xRow = f.let(multiply(width, pixel))
  const weightBytes = f.let(multiply(multiply(tapCount, channels), i32(OUT_BLOCK * FLOAT)))
  const [block, row, image, firstRow] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  const [weights, biasAt, to, valid, column] = [
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
  ]
  const least = f.let(splat(floor))
  const unit = f.let(begin)
  const tile = createTile(f)
  const place: Place = {
    ...{ taps, tapCount, zeros, height, width, channels, columnStep, pixel, xRow, yPixel },
    ...{ image, firstRow, weights, biasAt, to, valid, column, least },
  }

  f.repeat(subtract(end, begin), () => {
    f.when(
      blockMajor,
      () => {
        f.set(block, divide(unit, rows))
        f.set(row, remainder(unit, rows))
      },
      () => {
        f.set(row, divide(unit, blocks))
        f.set(block, remainder(unit, blocks))
      },
    )
    f.set(image, divide(row, outHeight))
    f.set(firstRow, remainder(row, outHeight))
    f.set(to, add(y, add(multiply(image, yImage), multiply(firstRow, yRow))))
    f.set(to, add(to, multiply(block, i32(OUT_BLOCK * FLOAT))))
    f.set(image, add(x, multiply(image, multiply(height, xRow))))
    f.set(firstRow, multiply(firstRow, rowStep))
    f.set(weights, add(packed, multiply(block, weightBytes)))
    f.set(biasAt, add(bias, multiply(block, i32(OUT_BLOCK * FLOAT))))
    f.set(valid, subtract(outChannels, multiply(block, i32(OUT_BLOCK))))
    f.set(column, i32(0))
    const tiles = (quads: 1 | 2) => {
      TILE_WIDTHS.forEach((pixels, index) => {
        f.repeat(counts[index] ?? i32(0), () => {
          tile(pixels, quads, place)
          f.set(column, add(column, multiply(columnStep, i32(pixels))))
        })
      })
    }
    f.when(
      isBelow(valid, i32(5)),
      () => {
        tiles(1)
      },
      () => {
        f.set(valid, subtract(valid, i32(4)))
        tiles(2)
      },
    )
    f.set(unit, add(unit, i32(1)))
  })
  return f
}

interface Place {
  readonly taps: I32
  readonly tapCount: I32
  readonly zeros: I32
  readonly height: I32
  readonly width: I32
  readonly channels: I32
  readonly columnStep: I32
  readonly pixel: I32
  readonly xRow: I32
  readonly yPixel: I32
  /** Byte address of the image that is read. */
  readonly image: I32
  /** Row of x that the tap (0, 0) of this output row reads, and column that it reads for the first pixel. */
  readonly firstRow: I32
  readonly column: I32
  readonly weights: I32
  readonly biasAt: I32
  /** Byte address of the first output pixel; moved on behind the tile. */
  readonly to: Local<'i32'>
  /** Output channels of the last quad that exist: four or more, or fewer. */
  readonly valid: I32
  readonly least: Local<'v128'>
}

type Tile = (pixels: number, quads: 1 | 2, place: Place) => void

/** Code for one tile: a few pixels of a row by four or eight output channels, summed in registers over all taps. */
function createTile(f: FunctionBuilder): Tile {
  const products = createProducts(f, TILE_WIDTHS[0])
  const [tap, atRow, atColumn] = [f.local('i32'), f.local('i32'), f.local('i32')]
  return (pixels, quads, place) => {
    const used = products.sumsOf(pixels, quads)
    used.forEach((sum, index) => {
      f.set(sum, load(place.biasAt, (index % quads) * QUAD))
    })
    f.set(tap, place.taps)
    f.set(products.weights, place.weights)
    f.repeat(place.tapCount, () => {
      f.set(atRow, add(place.firstRow, loadInteger(tap)))
      f.when(
        isBelow(atRow, place.height),
        () => {
          f.set(atRow, add(place.image, multiply(atRow, place.xRow)))
          f.set(atColumn, add(place.column, loadInteger(tap, FLOAT)))
          for (const pointer of products.pointers.slice(0, pixels)) {
            const inside = isBelow(atColumn, place.width)
            f.set(pointer, choose(inside, add(atRow, multiply(atColumn, place.pixel)), place.zeros))
            f.set(atColumn, add(atColumn, place.columnStep))
          }
          products.add(pixels, quads, place.channels)
        },
        () => {
          f.set(products.weights, add(products.weights, multiply(place.channels, i32(quads * QUAD))))
        },
      )
      f.set(tap, add(tap, i32(TAP_BYTES)))
    })
    used.forEach((sum) => {
      f.set(sum, vAtLeast(sum, place.least))
    })
    const storeAll = (storeLast: (value: Local<'v128'>, distance: number) => void) => {
      for (let p = 0; p < pixels; p++) {
        for (let q = 0; q < quads; q++) {
          const sum = used[p * quads + q]
          if (sum === undefined) continue
          if (q < quads - 1) f.store(place.to, sum, q * QUAD)
          else storeLast(sum, q * QUAD)
        }
        f.set(place.to, add(place.to, place.yPixel))
      }
    }
    f.when(
      isBelow(place.valid, i32(4)),
      () => {
        storeAll((sum, distance) => {
          storeValid(f, place.to, sum, distance, place.valid)
        })
      },
      () => {
        storeAll((sum, distance) => {
          f.store(place.to, sum, distance)
        })
      },
    )
  }
}
