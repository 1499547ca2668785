/** Holds voxels in a scratch file until it is killed. `ready` on the standard output: they are all there. */
import { streamedStore } from '../index.ts'

const store = await streamedStore({
  ...{ path: 'x.nii', dims: [100, 100, 100], channels: 1, voxelType: 'uint8' },
  async *source() {
    for (let k = 0; k < 100; k++) yield Promise.resolve(new Uint8Array(10_000).fill(k))
  },
})
await store.complete()
process.stdout.write('ready\n')
setInterval(() => store.heldBytes, 1000)
