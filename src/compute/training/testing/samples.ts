import { createRandom } from '../../data/random.ts'
import type { TrainingSample } from '../../../core/contract/compute.ts'

export const DISK_LABELS = [{ value: 2, name: 'Disk' }]

/** A bright disk of label 2 on noise, at a place and of a radius that the seed gives; size x size pixels. */
export function diskSample(seed: number, role: TrainingSample['role'] = 'corrected', size = 40): TrainingSample {
  const random = createRandom(seed)
  const [cx, cy, r] = [12 + 16 * random(), 12 + 16 * random(), 6 + 4 * random()]
  const mask = new Uint8Array(size * size)
  const data = new Uint8Array(size * size)
  mask.forEach((_, i) => {
    const inside = ((i % size) - cx) ** 2 + (Math.floor(i / size) - cy) ** 2 < r * r
    mask[i] = inside ? 2 : 0
    data[i] = (inside ? 130 : 80) + 40 * random()
  })
  return {
    ...{ index: seed, width: size, height: size, channels: 1, voxelType: 'uint8', data, labels: mask, role },
    ...{ slope: 1, inter: 0, low: 60, high: 190 },
  }
}
