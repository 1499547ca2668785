import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { recipeSchema } from '../../../core/contract/recipes.ts'
import { writePng, writeVolume } from '../../../imaging/index.ts'
import { createRandom, randomInt } from '../random.ts'
import type { RecipeOrder } from '../../../core/contract/compute.ts'
import type { InstanceSettings, Recipe } from '../../../core/contract/recipes.ts'
import type { Random } from '../random.ts'

export const GREY = { channels: 1 } as const

/** A picture of one value, or of given ones. */
export async function picture(
  file: string,
  width: number,
  height: number,
  value: number | ((x: number, y: number) => number) = 0,
): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true })
  const data = Uint8Array.from({ length: width * height }, (_, i) =>
    typeof value === 'number' ? value : value(i % width, Math.floor(i / width)),
  )
  await writePng(file, { width, height, ...GREY, data })
  return file
}

/** DIR/images and DIR/masks: bright disks (255 in the mask) on uneven ground, named case00, case01 … */
export async function diskFolder(dir: string, count: number, size = 48): Promise<void> {
  const random = createRandom(11)
  for (let n = 0; n < count; n++) {
    const name = `case${String(n).padStart(2, '0')}.png`
    const disk = disks(size, random)
    await picture(path.join(dir, 'images', name), size, size, (x, y) => (disk(x, y) ? 170 : 60) + randomInt(random, 40))
    await picture(path.join(dir, 'masks', name), size, size, (x, y) => (disk(x, y) ? 255 : 0))
  }
}

function disks(size: number, random: Random): (x: number, y: number) => boolean {
  const radius = size / 8 + randomInt(random, Math.floor(size / 8))
  const [cx, cy] = [size / 4 + randomInt(random, size / 2), size / 4 + randomInt(random, size / 2)]
  return (x, y) => Math.hypot(x - cx, y - cy) <= radius
}

/** DIR/images and DIR/masks: volumes with a box of label 5 and one of label 9. */
export async function volumeFolder(
  dir: string,
  count: number,
  dims: [number, number, number] = [12, 10, 9],
): Promise<void> {
  const [nx, ny, nz] = dims
  const affine = [
    [-1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 2, 0],
    [0, 0, 0, 1],
  ]
  for (const part of ['images', 'masks']) await mkdir(path.join(dir, part), { recursive: true })
  for (let n = 0; n < count; n++) {
    const label = (x: number, y: number, z: number): number =>
      x > 2 && x < 6 && y > 2 && y < 7 && z > 1 && z < 6 ? 5 : x > 7 && y > 7 && z > 3 ? 9 : 0
    const at = (i: number) => [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))] as const
    const voxels = { length: nx * ny * nz }
    const labels = Uint8Array.from(voxels, (_, i) => label(...at(i)))
    const image = Int16Array.from(voxels, (_, i) => (labels[i] ?? 0) * 20 + (i % 7) + n)
    const name = `volume${n}.nii.gz`
    await writeVolume(path.join(dir, 'images', name), { dims, affine, data: image })
    await writeVolume(path.join(dir, 'masks', name), { dims, affine, data: labels })
  }
}

const BEST = {
  model: { kind: 'unet', levels: 2, base: 4, normalization: 'none', upsampling: 'nearest' },
  input: { colour: 'grey', normalization: { kind: 'zscore' }, resize: { kind: 'none' } },
  loss: { kind: 'cross-entropy', output: 'softmax' },
  optimizer: { kind: 'adam', rate: 0.001, schedule: 'constant' },
  training: { epochs: 1, batch: 2, patch: 32 },
} as const

/** A recipe for black and white masks (label 1), or for what the masks hold where `classes` is empty. */
export function testRecipe(change: Partial<Recipe> = {}): Recipe {
  return recipeSchema.parse({
    ...{ name: 'test', title: 'Test', summary: '', article: '', layouts: [], patient: null, metrics: ['dice'] },
    classes: [{ value: 1, name: 'Disk', from: 1, to: 65_535 }],
    presets: { best: BEST, article: BEST },
    ...change,
  })
}

type Settings = RecipeOrder['settings']

export function orderFor(
  dataDir: string,
  change: { recipe?: Partial<Recipe>; settings?: Partial<Settings>; seed?: number; limit?: number } = {},
): RecipeOrder {
  const recipe = testRecipe(change.recipe)
  return {
    ...{ recipe, preset: 'best', dataDir, limit: change.limit ?? null, seed: change.seed ?? 1 },
    settings: { ...recipe.presets.best, ...change.settings },
  }
}

/** Objects of label 1, told apart by borders two pixels wide. */
export const borders: InstanceSettings = {
  ...{ kind: 'border', label: 1, threshold: 0.5, seed: 0.7 },
  ...{ smooth: 1, smallest: 0, smallestSeed: 0, border: 2 },
}
