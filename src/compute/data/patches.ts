import { augmentation, copyAugmented, IDENTITY } from './augmentation.ts'
import { randomInt } from './random.ts'
import { IGNORED } from './trainingImage.ts'
import type { Augmentation, AugmentationOptions } from './augmentation.ts'
import type { Random } from './random.ts'
import type { TrainingImage } from './trainingImage.ts'

/** A patch comes at least so often from what a person corrected rather than from what is replayed. */
const LEAST_CORRECTED = 0.3

/**
 * How often a patch comes from what a person corrected: more often than those slices are among all, but a few of them do not
 * crowd out what was learned before. On hippocampi half of the patches from the ten newest of a hundred slices made the next
 * version no better than the last one, or worse; a third of them was best.
 */
export function correctedShareOf(images: readonly { readonly role: 'corrected' | 'replay' }[]): number {
  const corrected = images.filter(({ role }) => role === 'corrected').length
  return Math.max(LEAST_CORRECTED, Math.sqrt(corrected / Math.max(1, images.length)))
}
/** So many places of each class are remembered in each slice. */
const PLACES = 2048

export interface PatchBatch {
  /** count x size x size intensities. */
  readonly images: Float32Array
  /** count x size x size classes. */
  readonly classes: Uint8Array
  /** count x classes: 1 for background and what it may be in that patch, 0 for the others; null where it is background alone. */
  readonly merged?: Float32Array | null
}

export interface PatchSampler {
  /** Fills and returns the same buffers each time. */
  next(): PatchBatch
}

export interface PatchOptions extends AugmentationOptions {
  readonly count: number
  /** Width and height of a patch in pixels. */
  readonly size: number
  /** How often a patch comes from a corrected slice, where there are others, 0 to 1; by their numbers unless given. */
  readonly correctedShare?: number | undefined
}

interface Place {
  readonly image: TrainingImage
  /** Pixel indices where the class lies. */
  readonly pixels: Uint32Array
}

/**
 * Random patches, balanced: first whether corrected or replayed, then the class (background too, each as likely), then
 * a slice that has it, by its weight, then one of its pixels; the patch lies so that the pixel is somewhere in its middle
 * half. Every patch has a pixel that teaches.
 */
export function createPatchSampler(
  images: readonly TrainingImage[],
  classCount: number,
  { count, size, correctedShare = correctedShareOf(images), ...augment }: PatchOptions,
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
  const batch = {
    images: new Float32Array(count * size * size),
    classes: new Uint8Array(count * size * size),
    merged: images.some(({ hidden = [] }) => hidden.length > 0) ? new Float32Array(count * classCount) : null,
  }
  const fill = (index: number) => {
    const pool = pools.length > 1 && random() >= correctedShare ? pools[1] : pools[0]
    const places = pool?.[randomInt(random, pool.length)]
    const place = places === undefined ? undefined : placeByWeight(places, random)
    if (place === undefined) throw new Error('There is no slice to take patches from.')
    const { image, pixels } = place
    batch.merged?.fill(0, index * classCount, (index + 1) * classCount)
    for (const value of [0, ...(image.hidden ?? [])])
      batch.merged?.fill(1, index * classCount + value, index * classCount + value + 1)
    const pixel = pixels[randomInt(random, pixels.length)] ?? 0
    const centerX = patchCenter(pixel % image.width, image.width, size, random)
    const centerY = patchCenter(Math.floor(pixel / image.width), image.height, size, random)
    const change = augmentation(augment, random)
    const copy = (varied: Augmentation): void => {
      const at = { centerX, centerY, size }
      copyAugmented(image, at, varied, random, batch.images, batch.classes, index * size * size)
    }
    copy(change)
    // What is turned or enlarged may leave the few pixels that teach outside; as it is, the chosen one is inside.
    const classes = batch.classes.subarray(index * size * size, (index + 1) * size * size)
    if (classes.every((value) => value === IGNORED)) copy({ ...change, matrix: IDENTITY.matrix })
  }
  return {
    next() {
      for (let i = 0; i < count; i++) fill(i)
      return batch
    },
  }
}

/** As often as its weight says, against the others. */
function placeByWeight(places: readonly Place[], random: Random): Place | undefined {
  const weights = places.map(({ image }) => image.weight ?? 1)
  if (weights.every((weight) => weight === weights[0])) return places[randomInt(random, places.length)]
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0)
  return places.find((_, at) => (left -= weights[at] ?? 0) < 0) ?? places.at(-1)
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
