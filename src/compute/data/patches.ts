import { augmentation, copyAugmented } from './augmentation.ts'
import { randomInt } from './random.ts'
import { IGNORED } from './trainingImage.ts'
import type { AugmentationOptions } from './augmentation.ts'
import type { Random } from './random.ts'
import type { TrainingImage } from './trainingImage.ts'

/** How often a patch comes from what a person corrected rather than from what is replayed. */
const CORRECTED_SHARE = 0.75
/** So many places of each class are remembered in each slice. */
const PLACES = 2048

export interface PatchBatch {
  /** count x size x size intensities. */
  readonly images: Float32Array
  /** count x size x size classes. */
  readonly classes: Uint8Array
}

export interface PatchSampler {
  /** Fills and returns the same buffers each time. */
  next(): PatchBatch
}

export interface PatchOptions extends AugmentationOptions {
  readonly count: number
  /** Width and height of a patch in pixels. */
  readonly size: number
}

interface Place {
  readonly image: TrainingImage
  /** Pixel indices where the class lies. */
  readonly pixels: Uint32Array
}

/**
 * Random patches, balanced: first whether corrected or replayed, then the class (background too, each as likely), then
 * a slice that has it, then one of its pixels; the patch lies so that the pixel is somewhere in its middle half.
 */
export function createPatchSampler(
  images: readonly TrainingImage[],
  classCount: number,
  { count, size, ...augment }: PatchOptions,
  random: Random,
): PatchSampler {
  const pools = (['corrected', 'replay'] as const)
    .map((role) =>
      placesByClass(
        images.filter((image) => image.role === role),
        classCount,
        random,
      ),
    )
    .filter((pool) => pool.length > 0)
  const batch: PatchBatch = {
    images: new Float32Array(count * size * size),
    classes: new Uint8Array(count * size * size),
  }
  const fill = (index: number) => {
    const pool = pools.length > 1 && random() >= CORRECTED_SHARE ? pools[1] : pools[0]
    const places = pool?.[randomInt(random, pool.length)]
    const place = places?.[randomInt(random, places.length)]
    if (place === undefined) throw new Error('There is no slice to take patches from.')
    const { image, pixels } = place
    const pixel = pixels[randomInt(random, pixels.length)] ?? 0
    const centerX = patchCenter(pixel % image.width, image.width, size, random)
    const centerY = patchCenter(Math.floor(pixel / image.width), image.height, size, random)
    const change = augmentation(augment, random)
    copyAugmented(image, { centerX, centerY, size }, change, random, batch.images, batch.classes, index * size * size)
  }
  return {
    next() {
      for (let i = 0; i < count; i++) fill(i)
      return batch
    },
  }
}

/** Per class that occurs, the slices it occurs in. */
function placesByClass(images: readonly TrainingImage[], classCount: number, random: Random): Place[][] {
  const byClass: Place[][] = Array.from({ length: classCount }, () => [])
  for (const image of images) {
    const pixels: number[][] = Array.from({ length: classCount }, () => [])
    const seen = new Uint32Array(classCount)
    image.classes.forEach((value, i) => {
      if (value === IGNORED || value >= classCount) return
      const kept = pixels[value] ?? []
      const n = (seen[value] = (seen[value] ?? 0) + 1)
      // Reservoir sampling: every pixel of the class is as likely to be kept.
      if (kept.length < PLACES) kept.push(i)
      else {
        const j = randomInt(random, n)
        if (j < PLACES) kept[j] = i
      }
    })
    pixels.forEach((kept, value) => {
      if (kept.length > 0) byClass[value]?.push({ image, pixels: Uint32Array.from(kept) })
    })
  }
  return byClass.filter((places) => places.length > 0)
}

/** The middle of a patch that holds pixel `at` in its middle half, inside the image where the image is large enough. */
function patchCenter(at: number, extent: number, size: number, random: Random): number {
  if (extent <= size) return (extent - 1) / 2
  const start = Math.round(at - size / 2 + ((random() - 0.5) * size) / 2)
  return Math.max(0, Math.min(extent - size, start)) + (size - 1) / 2
}
