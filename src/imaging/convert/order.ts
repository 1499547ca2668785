import type { Dims } from '../../core/contract/schemas.ts'
import { isIdentity, reorderVoxels, type Reorientation } from '../../core/geometry/index.ts'
import type { VoxelArray } from '../types.ts'
import type { StoreOptions, VoxelStore } from '../voxels/index.ts'

/** Slices of a volume across its third axis in another order of storage, one after the other: no more than some are held. */
export async function* slicesInOrder(
  voxels: VoxelStore,
  order: Reorientation,
  options: StoreOptions,
): AsyncGenerator<VoxelArray> {
  const across = order.axes[2]
  const count = order.dims[2]
  const dims: Dims = [...voxels.dims]
  dims[across] = 1
  for (let z = 0; z < count; z++) {
    options.signal?.throwIfAborted()
    const slice = await voxels.slice(across, order.flips[2] ? count - 1 - z : z, options)
    yield reorderVoxels(
      slice,
      dims,
      { axes: order.axes, flips: [order.flips[0], order.flips[1], false] },
      voxels.channels,
    )
  }
}

/** All voxels in another order of storage, x fastest, in pieces that are not to be kept. */
export async function* inOrder(
  voxels: VoxelStore,
  order: Reorientation | null,
  options: StoreOptions,
): AsyncGenerator<VoxelArray> {
  if (order === null || isIdentity(order)) yield* voxels.pieces(options)
  else yield* slicesInOrder(voxels, order, options)
}
