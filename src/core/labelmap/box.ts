import type { Axis, Box, Dims } from '../contract/schemas.ts'

/** A rectangle of pixels inside one slice; x along the slice's fast axis. */
export interface Rect {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Extent of a box along the three voxel axes. */
export function boxExtent(box: Box): [number, number, number] {
  return [box.max[0] - box.min[0], box.max[1] - box.min[1], box.max[2] - box.min[2]]
}

/** Number of voxels in a box. */
export function boxVolume(box: Box): number {
  const [x, y, z] = boxExtent(box)
  return Math.max(0, x) * Math.max(0, y) * Math.max(0, z)
}

export function wholeBox(dims: Dims): Box {
  return { min: [0, 0, 0], max: [...dims] }
}

/** The voxel axes of a slice across `axis`: [fast, slow], ascending. */
export function sliceAxes(axis: Axis): readonly [Axis, Axis] {
  return axis === 0 ? [1, 2] : axis === 1 ? [0, 2] : [0, 1]
}

/** Extent [width, height] in voxels of a slice across `axis`. */
export function sliceExtent(dims: Dims, axis: Axis): [number, number] {
  const [fast, slow] = sliceAxes(axis)
  return [dims[fast], dims[slow]]
}

/** The box of one whole slice across `axis`. */
export function boxOfSlice(dims: Dims, axis: Axis, index: number): Box {
  const box = wholeBox(dims)
  box.min[axis] = index
  box.max[axis] = index + 1
  return box
}

/**
 * The box of a rectangle in a slice across `axis`. Its voxels in x-fastest order are the rectangle's pixels in
 * row order, so runs found in the rectangle are runs of the box.
 */
export function boxOfSliceRect(axis: Axis, index: number, rect: Rect): Box {
  const [fast, slow] = sliceAxes(axis)
  const box: Box = { min: [0, 0, 0], max: [0, 0, 0] }
  box.min[axis] = index
  box.max[axis] = index + 1
  box.min[fast] = rect.x
  box.max[fast] = rect.x + rect.width
  box.min[slow] = rect.y
  box.max[slow] = rect.y + rect.height
  return box
}

/** The smallest rectangle that holds both; null stands for an empty one. */
export function joinRects(a: Rect | null, b: Rect | null): Rect | null {
  if (a === null) return b
  if (b === null) return a
  const x = Math.min(a.x, b.x)
  const y = Math.min(a.y, b.y)
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  }
}
