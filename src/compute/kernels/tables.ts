import { address, floats, integers } from './heap.ts'
import { parallel } from './threads/index.ts'
import type * as tf from '@tensorflow/tfjs-core'
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm'

/** Distances in bytes into a, b and z; or, in the middle, a weight. */
export type Entry = readonly [a: number, b: number, z: number]

export interface Tables {
  /** For each unit the entries of its rows: places of a row in a, b and z. */
  readonly rows: readonly (readonly Entry[])[]
  readonly columns: readonly Entry[]
  readonly channels: number
}

/** z[c] += a[c] * b[c] at the places of the tables (simd/tableProducts.ts); units must write to places of their own. */
export function addProducts(
  backend: BackendWasm,
  tables: Tables,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  z: tf.TensorInfo,
): void {
  withTables(backend, tables, integers, (...placed) => {
    const at = (tensor: tf.TensorInfo) => address(backend, tensor)
    parallel(backend).run('tableProducts', tables.rows.length, ...placed, at(a), at(b), at(z), tables.channels)
  })
}

/** z[c] += a[c] * weight of the row * weight of the column. */
export function addWeighted(backend: BackendWasm, tables: Tables, a: tf.TensorInfo, z: tf.TensorInfo): void {
  withTables(backend, tables, floats, (...placed) => {
    const at = (tensor: tf.TensorInfo) => address(backend, tensor)
    parallel(backend).run('tableWeights', tables.rows.length, ...placed, at(a), 0, at(z), tables.channels)
  })
}

/** Lays the tables down for the call; `middle` reads the memory as what the middle of an entry is. */
function withTables(
  backend: BackendWasm,
  { rows, columns }: Tables,
  middle: typeof integers | typeof floats,
  use: (starts: number, rows: number, columns: number, columnCount: number) => void,
): void {
  const entries = rows.flat()
  const starts = backend.makeOutput([rows.length + 1], 'float32')
  const rowTable = backend.makeOutput([3 * entries.length], 'float32')
  const columnTable = backend.makeOutput([3 * columns.length], 'float32')
  let start = 0
  integers(backend, starts).set([0, ...rows.map((each) => (start += each.length))])
  for (const [table, source] of [
    [rowTable, entries],
    [columnTable, columns],
  ] as const) {
    const [whole, other] = [integers(backend, table), middle(backend, table)]
    source.forEach(([a, b, z], i) => {
      whole[3 * i] = a
      other[3 * i + 1] = b
      whole[3 * i + 2] = z
    })
  }
  use(address(backend, starts), address(backend, rowTable), address(backend, columnTable), columns.length)
  for (const { dataId } of [starts, rowTable, columnTable]) backend.disposeData(dataId)
}
