import type { Dims } from '../../contract/schemas.ts'

/** An ellipsoid by its centre and half axes in voxels, and its label. */
export type Blob = readonly [label: number, centre: readonly number[], half: readonly number[]]

/** A label map of ellipsoids, later ones over earlier ones. */
export function drawn(dims: Dims, blobs: readonly Blob[]): Uint8Array {
  const labels = new Uint8Array(dims[0] * dims[1] * dims[2])
  for (let i = 0; i < labels.length; i++) {
    const at = [i % dims[0], Math.floor(i / dims[0]) % dims[1], Math.floor(i / (dims[0] * dims[1]))]
    for (const [label, centre, half] of blobs) {
      const square = at.reduce((sum, value, axis) => sum + ((value - (centre[axis] ?? 0)) / (half[axis] ?? 1)) ** 2, 0)
      if (square <= 1) labels[i] = label
    }
  }
  return labels
}

export const volumeDims: Dims = [24, 20, 12]
/** mm */
export const volumeSpacing = [0.8, 0.9, 2.5] as const

export const trueVolume = drawn(volumeDims, [
  [1, [9, 9, 5], [7, 6, 4]],
  [2, [17, 10, 6], [4, 7, 3]],
  [3, [2, 2, 1], [2, 2, 1]],
])

/** Shifted, one of it too small, an island far off, and one label left out. */
export const predictedVolume = drawn(volumeDims, [
  [1, [10, 9, 6], [7, 5, 4]],
  [2, [17, 11, 6], [3, 6, 3]],
  [1, [22, 18, 11], [1, 1, 0.5]],
])

export const pictureDims: Dims = [40, 32, 1]

/** Nuclei: some touching, some at the edge. */
export const trueObjects = drawn(pictureDims, [
  [1, [6, 6, 0], [5, 4, 1]],
  [2, [16, 7, 0], [5, 5, 1]],
  [3, [30, 5, 0], [6, 4, 1]],
  [4, [8, 22, 0], [6, 6, 1]],
  [5, [22, 22, 0], [5, 7, 1]],
  [6, [36, 24, 0], [5, 5, 1]],
])

/** Shifted, one split into two, one missed, one too many. */
export const predictedObjects = drawn(pictureDims, [
  [9, [6, 6, 0], [5, 4, 1]],
  [4, [17, 8, 0], [5, 4, 1]],
  [7, [30, 3, 0], [6, 4, 1]],
  [3, [8, 19, 0], [6, 3, 1]],
  [2, [8, 25, 0], [6, 3, 1]],
  [1, [23, 22, 0], [5, 7, 1]],
  [8, [32, 14, 0], [2, 2, 1]],
])
