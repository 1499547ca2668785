import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createComputeProcess } from '../../backend/compute/process.ts'
import { findPlaces } from '../../backend/host/places.ts'
import { writePng, writeVolume } from '../../imaging/index.ts'

export const size = 32

/** A bright disk (label 1) on a darker, uneven ground; drawn by arithmetic alone, so the same everywhere. */
export function disk(seed: number): { grey: Uint8Array<ArrayBuffer>; labels: Uint8Array<ArrayBuffer> } {
  const grey = new Uint8Array(size * size)
  const labels = new Uint8Array(size * size)
  const [cx, cy, radius] = [10 + ((seed * 7) % 12), 10 + ((seed * 5) % 12), 5 + (seed % 4)]
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      const inside = Math.hypot(x - cx, y - cy) <= radius
      const uneven = (x * 13 + y * 29 + seed * 17) % 31
      grey[x + size * y] = (inside ? 170 : 60) + uneven
      labels[x + size * y] = inside ? 1 : 0
    }
  }
  return { grey, labels }
}

/** Pictures and masks as `--data` takes them. `paint` may change what the masks say. */
export async function writeCases(
  dir: string,
  seeds: readonly number[],
  paint: (label: number) => number = (label) => label,
): Promise<void> {
  await mkdir(join(dir, 'images'), { recursive: true })
  await mkdir(join(dir, 'masks'), { recursive: true })
  for (const seed of seeds) {
    const { grey, labels } = disk(seed)
    const picture = { width: size, height: size, channels: 1 as const }
    await writePng(join(dir, 'images', `disk${seed}.png`), { ...picture, data: grey })
    await writePng(join(dir, 'masks', `disk${seed}.png`), { ...picture, data: labels.map(paint) })
  }
}

/** An LAS volume of two slices, each with a disk. */
export async function writeDiskVolume(path: string): Promise<void> {
  const data = new Int16Array(size * size * 2)
  for (const slice of [0, 1]) data.set(disk(3 + slice).grey, slice * size * size)
  const affine = [
    [-0.8, 0, 0, 40],
    [0, 0.8, 0, -30],
    [0, 0, 3, 5],
    [0, 0, 0, 1],
  ]
  await writeVolume(path, { dims: [size, size, 2], affine, data })
}

/** A model trained from nothing for a few steps: it finds disks, badly. */
export async function makeModel(outDir: string, steps: number): Promise<void> {
  const { nodePath, computeEntry } = findPlaces()
  const compute = createComputeProcess({ nodePath, entry: computeEntry })
  const samples = [1, 2, 3, 4].map((seed, index) => {
    const { grey, labels } = disk(seed)
    return {
      index,
      width: size,
      height: size,
      channels: 1 as const,
      voxelType: 'uint8' as const,
      data: grey,
      slope: 1,
      inter: 0,
      low: 60,
      high: 200,
      labels,
      role: 'corrected' as const,
    }
  })
  try {
    await compute.call('train', {
      parentDir: null,
      outDir,
      modelId: 'base-model',
      name: 'disks',
      createdAt: '2026-01-01T00:00:00.000Z',
      labels: [{ value: 1, name: 'Disk' }],
      samples,
      steps,
      seconds: 60,
      seed: 1,
    })
  } finally {
    await compute.close()
  }
}
