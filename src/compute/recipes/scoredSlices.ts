import type { Axis, Dims, Vec3 } from '../../core/contract/schemas.ts'
import type { TrainingCase } from './types.ts'

type Only = NonNullable<TrainingCase['only']>
type Values = Uint8Array | Uint32Array

/** The slices of a volume that are a case, stacked: a volume of these alone. x fastest. */
export function stackedSlices<V extends Values>(values: V, dims: Dims, only: Only): V {
  const { before, extent, after } = strides(dims, only.axis)
  const stacked = values.slice(0, before * only.indices.length * after)
  for (let outer = 0; outer < after; outer++) {
    only.indices.forEach((index, at) => {
      const from = before * (index + extent * outer)
      stacked.set(values.subarray(from, from + before), before * (at + only.indices.length * outer))
    })
  }
  return stacked as V
}

/** The whole volume with 0 in all slices that are not of the case. */
export function slicesAlone<V extends Values>(values: V, dims: Dims, only: Only): V {
  const { before, extent, after } = strides(dims, only.axis)
  const kept = new Set(only.indices)
  const alone = values.slice()
  for (let outer = 0; outer < after; outer++) {
    for (let index = 0; index < extent; index++) {
      if (!kept.has(index)) alone.fill(0, before * (index + extent * outer), before * (index + 1 + extent * outer))
    }
  }
  return alone as V
}

/** Of the stack: as many slices as there are, as far apart as they are on average. */
export function stackGeometry(
  dims: Dims,
  spacing: Vec3 | null,
  { axis, indices }: Only,
): { dims: Dims; spacing: Vec3 | null } {
  const stacked: Dims = [dims[0], dims[1], dims[2]]
  stacked[axis] = indices.length
  const span = (indices.at(-1) ?? 0) - (indices[0] ?? 0)
  const gap = indices.length > 1 ? span / (indices.length - 1) : 1
  if (spacing === null) return { dims: stacked, spacing }
  const apart: [number, number, number] = [spacing[0], spacing[1], spacing[2]]
  apart[axis] *= gap
  return { dims: stacked, spacing: apart }
}

function strides(dims: Dims, axis: Axis): { before: number; extent: number; after: number } {
  const before = dims.slice(0, axis).reduce((product, extent) => product * extent, 1)
  const after = dims.slice(axis + 1).reduce((product, extent) => product * extent, 1)
  return { before, extent: dims[axis], after }
}
