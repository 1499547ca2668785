/** Extents of a picture (two) or a volume (three, also [x, y, 1]); the first axis is the fastest. */
export type GridDims = readonly [number, number, number] | readonly [number, number]

/** Distance of neighbours along each axis; missing ones are 1. */
export type GridSpacing = readonly number[]

/**
 * The three extents of a grid, the last one 1 of a picture.
 *
 * @throws RangeError when `voxels` is given and is not their product.
 */
export function extentsOf(dims: GridDims, voxels?: number): [number, number, number] {
  const extents: [number, number, number] = [dims[0], dims[1], dims[2] ?? 1]
  const product = extents[0] * extents[1] * extents[2]
  if (voxels !== undefined && voxels !== product) {
    throw new RangeError(`a grid of ${extents.join(' x ')} has ${product} voxels, not ${voxels}`)
  }
  return extents
}
