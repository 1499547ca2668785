import { connectedComponents, type GridDims } from '../voxels/index.ts'

/**
 * The objects of a mask file: where more than one value above 0 occurs, each is the number of an object; where there is only
 * one (black and white), the connected parts are the objects, neighbours at corners included (8 in a picture, 26 in a volume).
 *
 * @returns One number a voxel, 0 where no object is.
 */
export function objectsOf(raw: Uint8Array | Uint16Array | Uint32Array, dims: GridDims): Uint32Array {
  let only = 0
  for (const value of raw) {
    if (value === 0 || value === only) continue
    if (only !== 0) return Uint32Array.from(raw)
    only = value
  }
  return connectedComponents(raw, dims, (dims[2] ?? 1) > 1 ? 26 : 8).ids
}
