import { labelsFromCompute, networkLayout, sliceForCompute, type ComputePort } from '../backend/index.ts'
import { boxOfSlice, writeBox } from '../core/labelmap/index.ts'
import { rangeOf, type ImageVolume } from '../imaging/index.ts'

/** Pixels that go to the compute process at once, about: what an interruption has to wait for. */
const batchPixels = 2 ** 20

/**
 * Predicts a whole image slice by slice across its training axis.
 *
 * `onProgress` is told slices that are done, with a fraction inside large ones.
 *
 * @returns One label a voxel, x fastest, in the image's own voxel order.
 */
export async function predictVolume(
  compute: ComputePort,
  modelDir: string,
  volume: ImageVolume,
  options: { signal: AbortSignal; onProgress: (done: number, total: number) => void },
): Promise<Uint8Array<ArrayBuffer>> {
  const { dims } = volume
  const range = await rangeOf(volume, { signal: options.signal })
  const layout = networkLayout(dims, volume.affine, volume.spacing)
  const labels = new Uint8Array(dims[0] * dims[1] * dims[2])
  const batch = Math.max(1, Math.floor(batchPixels / (layout.width * layout.height)))
  for (let first = 0; first < layout.slices; first += batch) {
    const count = Math.min(batch, layout.slices - first)
    const slices = await Promise.all(
      Array.from({ length: count }, (_, at) => sliceForCompute(volume, layout, first + at, range)),
    )
    const answer = await compute.call(
      'predict',
      { modelDir, slices },
      {
        signal: options.signal,
        onProgress: ({ step, steps }) => options.onProgress(first + (count * step) / steps, layout.slices),
      },
    )
    for (const slice of answer.slices) {
      const box = boxOfSlice(dims, layout.sliceAxis, slice.index)
      writeBox(labels, dims, box, labelsFromCompute(slice.labels, layout))
    }
    options.onProgress(first + count, layout.slices)
  }
  return labels
}
