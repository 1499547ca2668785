import {
  add,
  divide,
  FunctionBuilder,
  i32,
  minimum,
  multiply,
  quarter,
  remainder,
  splat,
  subtract,
  threadNumber,
  vConstant,
} from './assembler.ts'
import { OUT_BLOCK } from './convolution.ts'
import { createProducts } from './products.ts'
import { QUAD } from './quads.ts'
import { createInputTransform, createOutputTransform, createTileLoop } from './winogradTransforms.ts'
import type { I32 } from './assembler.ts'

const FLOAT = 4
/** Values of a tile of 4 x 4 pixels, and so matrix products that a tile takes part in. */
const PLACES = 16
/** Tiles of a row of registers. */
const ROW = 6
/** A group has at most so many tiles; groups are multiples of ROW. */
export const MOST_TILES = 24
/** Bytes of a transformed output channel block for all tiles of a group. */
const PRODUCT_BYTES = MOST_TILES * OUT_BLOCK * FLOAT

/** Bytes that each thread needs for groups of `tiles` tiles. */
export function winogradScratch(tiles: number, channels: number): number {
  return PLACES * (tiles * channels * FLOAT + PRODUCT_BYTES + channels * FLOAT)
}

/**
 * winograd(begin, end, x, filter, bias, y, scratch, scratchBytes, floor, height, width, channels, outHeight, outWidth,
 *   firstRow, firstColumn, tileRows, tileColumns, tiles, groupTiles, blocks, blockGroups, yImage, yRow, yPixel):
 * convolution by 3 x 3 at stride 1 with 16 multiplications for every 2 x 2 outputs instead of 36 (Winograd 1980; Lavin and
 * Gray, arXiv 1509.09308, F(2x2, 3x3)): y = A' [(B' d B) * (G g G')] A for tiles d of 4 x 4 pixels, summed over channels
 * before the last transformation. `filter` holds G g G' as winogradFilter makes it. firstRow and firstColumn are the place
 * of the filter's first tap relative to an output; x is zero outside. Channels in multiples of four, outputs in blocks of
 * eight. Addresses, scratchBytes and the steps of y are bytes; each thread has scratchBytes of the scratch.
 * Units: groups of groupTiles tiles times blockGroups runs of the blocks.
 */
export function winogradFunction(): FunctionBuilder {
  const f = new FunctionBuilder('winograd')
  const integer = () => f.parameter('i32')
  const local = () => f.local('i32')
  const [begin, end, x, filter, bias, y] = [integer(), integer(), integer(), integer(), integer(), integer()]
  const [scratch, scratchBytes, floor] = [integer(), integer(), f.parameter('f32')]
  const [height, width, channels, outHeight, outWidth] = [integer(), integer(), integer(), integer(), integer()]
  const [firstRow, firstColumn, tileRows, tileColumns] = [integer(), integer(), integer(), integer()]
  const [tiles, groupTiles, blocks, blockGroups] = [integer(), integer(), integer(), integer()]
  const [yImage, yRow, yPixel] = [integer(), integer(), integer()]

  const pixel = f.let(multiply(channels, i32(FLOAT)))
  const placeBytes = f.let(multiply(groupTiles, pixel))
  const inputs = f.let(add(scratch, multiply(threadNumber, scratchBytes)))
  const products = f.let(add(inputs, multiply(placeBytes, i32(PLACES))))
  const patch = f.let(add(products, i32(PLACES * PRODUCT_BYTES)))
  const least = f.let(splat(floor))
  const [unit, first, count, block, blockEnd] = [f.let(begin), local(), local(), local(), local()]
  const [to, from, weights] = [local(), local(), local()]
  const transformInput = createInputTransform(f, {
    x,
    height,
    width,
    quads: f.let(quarter(channels)),
    pixel,
    placeBytes,
    patch,
  })
  const multiplyAll = createMultiplication(f, { channels, pixel })
  const transformOutput = createOutputTransform(f, {
    productBytes: PRODUCT_BYTES,
    least,
    outHeight,
    outWidth,
    yRow,
    yPixel,
  })

  const forEachTile = createTileLoop(f, { first, count, tileRows, tileColumns })
  f.repeat(subtract(end, begin), () => {
    f.set(first, multiply(divide(unit, blockGroups), groupTiles))
    f.set(count, minimum(groupTiles, subtract(tiles, first)))
    f.set(to, inputs)
    forEachTile(({ image, row, column }) => {
      const top = add(multiply(row, i32(2)), firstRow)
      const left = add(multiply(column, i32(2)), firstColumn)
      transformInput(image, top, left, to)
      f.set(to, add(to, pixel))
    })
    const part = remainder(unit, blockGroups)
    f.set(block, divide(multiply(blocks, part), blockGroups))
    f.set(blockEnd, divide(multiply(blocks, add(part, i32(1))), blockGroups))
    f.repeat(subtract(blockEnd, block), () => {
      f.set(weights, add(filter, multiply(block, multiply(pixel, i32(PLACES * OUT_BLOCK)))))
      f.set(from, inputs)
      f.set(to, products)
      f.repeat(i32(PLACES), () => {
        multiplyAll(from, weights, to, divide(add(count, i32(ROW - 1)), i32(ROW)))
        f.set(from, add(from, placeBytes))
        f.set(weights, add(weights, multiply(pixel, i32(OUT_BLOCK))))
        f.set(to, add(to, i32(PRODUCT_BYTES)))
      })
      f.set(from, products)
      forEachTile(({ image, row, column }) => {
        f.set(to, add(multiply(image, yImage), multiply(multiply(row, i32(2)), yRow)))
        f.set(to, add(to, multiply(multiply(column, i32(2)), yPixel)))
        f.set(to, add(add(y, to), multiply(block, i32(OUT_BLOCK * FLOAT))))
        transformOutput(from, add(bias, multiply(block, i32(OUT_BLOCK * FLOAT))), to, row, column)
        f.set(from, add(from, i32(OUT_BLOCK * FLOAT)))
      })
      f.set(block, add(block, i32(1)))
    })
    f.set(unit, add(unit, i32(1)))
  })
  return f
}

/** Code that multiplies `rows` times six tiles' channels by the weights of eight output channels. */
function createMultiplication(
  f: FunctionBuilder,
  { channels, pixel }: { readonly channels: I32; readonly pixel: I32 },
): (from: I32, weights: I32, to: I32, rows: I32) => void {
  const products = createProducts(f, ROW)
  const [at, next] = [f.local('i32'), f.local('i32')]
  return (from, weights, to, rows) => {
    f.set(at, from)
    f.set(next, to)
    f.repeat(rows, () => {
      for (const pointer of products.pointers) {
        f.set(pointer, at)
        f.set(at, add(at, pixel))
      }
      f.set(products.weights, weights)
      const sums = products.sumsOf(ROW, 2)
      for (const sum of sums) f.set(sum, vConstant(0))
      products.add(ROW, 2, channels)
      sums.forEach((sum, index) => {
        f.store(next, sum, index * QUAD)
      })
      f.set(next, add(next, i32(ROW * OUT_BLOCK * FLOAT)))
    })
  }
}
