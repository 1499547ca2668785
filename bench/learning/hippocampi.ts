import { readdirSync } from 'node:fs'
import path from 'node:path'
import { labelsForCompute, networkLayout, sliceForCompute } from '../../src/backend/index.ts'
import type { TrainingSample } from '../../src/core/contract/compute.ts'
import { extractSlice } from '../../src/core/labelmap/index.ts'
import { rangeOf, readImage, readLabelMap } from '../../src/imaging/index.ts'
import { shuffled } from './random.ts'

/** A volume slice by slice, each with what is true of it, as the network sees both. */
export interface TrueVolume {
  readonly id: string
  readonly slices: readonly TrueSlice[]
}

export type TrueSlice = Omit<TrainingSample, 'role'>

export const HIPPOCAMPUS_LABELS = [
  { value: 1, name: 'Anterior' },
  { value: 2, name: 'Posterior' },
]

/** `counts` lists of volumes of the folder (images/ and masks/), none of them twice, drawn by the seed. */
export async function readVolumes(folder: string, counts: readonly number[], seed: number): Promise<TrueVolume[][]> {
  const names = shuffled(readdirSync(path.join(folder, 'images')).sort(), seed)
  const parts: TrueVolume[][] = []
  let from = 0
  for (const count of counts) {
    parts.push(await Promise.all(names.slice(from, from + count).map((name) => readVolume(folder, name))))
    from += count
  }
  return parts
}

async function readVolume(folder: string, name: string): Promise<TrueVolume> {
  const image = await readImage(path.join(folder, 'images', name))
  const mask = await readLabelMap(path.join(folder, 'masks', name))
  const layout = networkLayout(image.dims, image.affine, image.spacing)
  const range = await rangeOf(image)
  const slices: TrueSlice[] = []
  for (let index = 0; index < layout.slices; index++) {
    const stored = extractSlice(mask.labels, image.dims, layout.sliceAxis, index)
    const slice = await sliceForCompute(image, layout, index, range)
    slices.push({ ...slice, labels: labelsForCompute(stored, layout), geometry: null })
  }
  return { id: name, slices }
}
