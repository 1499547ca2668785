import { add, FunctionBuilder, i32, loadInteger, loadSplat, multiply, subtract, vAdd, vMultiply } from './assembler.ts'
import { forEachFloat } from './lanes.ts'
import type { V128 } from './assembler.ts'

/** Bytes of a table's entry: three whole numbers or floats. */
const ENTRY = 12

/**
 * Sums of products of pixels at places that tables give, for operations that are rare: gradients of depthwise convolution and
 * of bilinear resizing. Unit u goes through the row entries starts[u] .. starts[u + 1] - 1, and for each of them through all
 * column entries; an entry is three numbers (a, b, z), which add up, row's and column's, to distances in bytes:
 *   z[c] += a[c] * b[c] for each channel c.
 * tableProducts(begin, end, starts, rows, columns, columnCount, a, b, z, channels): addresses in bytes.
 * tableWeights(the same): b is no address and its entries are floats, whose product is the factor: z[c] += a[c] * bRow * bColumn.
 */
export function tableProductsFunction(): FunctionBuilder {
  return tableFunction('tableProducts', true)
}

export function tableWeightsFunction(): FunctionBuilder {
  return tableFunction('tableWeights', false)
}

function tableFunction(name: string, vectors: boolean): FunctionBuilder {
  const f = new FunctionBuilder(name)
  const [begin, end, starts] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [rows, columns, columnCount] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [a, b, z, channels] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [unit, first, row, column] = [f.let(begin), f.local('i32'), f.local('i32'), f.local('i32')]
  const [aRow, bRow, zRow] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const [aAt, bAt, zAt] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const [rowWeight, weight] = [f.local('v128'), f.local('v128')]
  f.repeat(subtract(end, begin), () => {
    const start = add(starts, multiply(unit, i32(4)))
    f.set(first, loadInteger(start))
    f.set(row, add(rows, multiply(first, i32(ENTRY))))
    f.repeat(subtract(loadInteger(start, 4), first), () => {
      f.set(aRow, add(a, loadInteger(row)))
      f.set(zRow, add(z, loadInteger(row, 8)))
      if (vectors) f.set(bRow, add(b, loadInteger(row, 4)))
      else f.set(rowWeight, loadSplat(row, 4))
      f.set(column, columns)
      f.repeat(columnCount, () => {
        f.set(aAt, add(aRow, loadInteger(column)))
        f.set(zAt, add(zRow, loadInteger(column, 8)))
        if (vectors) f.set(bAt, add(bRow, loadInteger(column, 4)))
        else f.set(weight, vMultiply(rowWeight, loadSplat(column, 4)))
        forEachFloat(f, channels, vectors ? [aAt, bAt, zAt] : [aAt, zAt], ({ load, store }) => {
          const factor: V128 = vectors ? load(bAt) : weight
          store(zAt, vAdd(load(zAt), vMultiply(load(aAt), factor)))
        })
        f.set(column, add(column, i32(ENTRY)))
      })
      f.set(row, add(row, i32(ENTRY)))
    })
    f.set(unit, add(unit, i32(1)))
  })
  return f
}
