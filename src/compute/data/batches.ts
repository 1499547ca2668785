import { changeIntensities } from './augment/intensity.ts'
import { resamplePatch } from './augment/resample.ts'
import { unitScale } from './augment/stain.ts'
import { drawTransform, IDENTITY } from './augment/transform.ts'
import { roundUp } from './padding.ts'
import { createRandom, randomInt } from './random.ts'
import { IGNORED } from './trainingImage.ts'
import type { BatchOptions, NetworkSlice, RecipeBatch } from '../recipes/types.ts'
import type { PatchPlace } from './augment/resample.ts'
import type { PlanSlice, ReadingPlan } from './plan.ts'
import type { Random } from './random.ts'
import type { SliceReader } from './sliceReader.ts'

/** How many patches it takes to see a slice once. */
export function patchesOf({ width, height }: Pick<PlanSlice, 'width' | 'height'>, patch: number | null): number {
  return patch === null ? 1 : Math.ceil(width / patch) * Math.ceil(height / patch)
}

/** A seed of its own for each combination (the mixing steps of MurmurHash3). */
function seedOf(...numbers: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const number of numbers) {
    hash = Math.imul(hash ^ number, 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return hash >>> 0
}

/** What of a plan batches hang on. Without cases all slices are at hand. */
export type BatchPlan = Pick<ReadingPlan, 'slices' | 'labels' | 'channels' | 'input' | 'weights'> &
  Partial<Pick<ReadingPlan, 'cases' | 'cacheBytes'>>

/** Makes the batches of an epoch, each from its number alone. */
export interface BatchMaker {
  batch(step: number): Promise<RecipeBatch>
}

interface Draw {
  /** Place of the slice in the plan. */
  readonly slice: number
  /** The patch is to hold a pixel of this class in its middle half; null: it lies anywhere. */
  readonly around: number | null
  /** For all else that is drawn. */
  readonly random: Random
}

/**
 * Patches as the options ask for them. Of `foreground` of them, spread evenly over the stream, a class is drawn first (each as
 * often), then a slice that has it, then one of its pixels; the others go through all slices in a random order, each as often as it
 * holds patches.
 */
export function createBatchMaker(plan: BatchPlan, reader: SliceReader, options: BatchOptions): BatchMaker {
  const draw = createDraws(plan, options)
  const unit = unitScale(plan.input)
  const most = options.most ?? {
    width: plan.slices.reduce((widest, { width }) => Math.max(widest, width), 1),
    height: plan.slices.reduce((highest, { height }) => Math.max(highest, height), 1),
  }
  return {
    async batch(step) {
      const draws = Array.from({ length: options.batch }, (_, i) => draw(step * options.batch + i))
      const slices: NetworkSlice[] = []
      for (const { slice } of draws) slices.push(await reader.slice(slice))
      const size = batchSize(slices, options, most)
      const batch = emptyBatch(size, options, plan)
      draws.forEach(({ around, random }, i) => {
        const slice = slices[i]
        if (slice === undefined) return
        const place = placeOf(slice, around, size, options, random)
        const transform = drawTransform(options.augmentation, place.width, place.height, random)
        const drawn = resamplePatch(slice, place, transform)
        const lost = options.teaching === true && drawn.classes.every((value) => value === IGNORED)
        const patch = lost ? resamplePatch(slice, place, IDENTITY) : drawn
        const { width, height } = place
        changeIntensities(patch.image, { width, height, channels: plan.channels }, options.augmentation, unit, random)
        interleave(patch.image, plan.channels, batch.images, i * patch.image.length)
        batch.classes.set(patch.classes, i * patch.classes.length)
        if (batch.weights !== null && patch.weights !== null) batch.weights.set(patch.weights, i * patch.weights.length)
      })
      return batch
    },
  }
}

/** Slices that are drawn from at a time: all of them, or those of a few volumes that are open together. */
interface Group {
  /** Each slice as often as it holds patches, in a random order. */
  readonly slots: Uint32Array
  /** Of each class that occurs, its number and the slices that have it. */
  readonly classes: readonly { readonly number: number; readonly slices: readonly number[] }[]
}

interface Round {
  readonly groups: readonly Group[]
  /** Where each group begins in the round. */
  readonly starts: readonly number[]
}

function createDraws(plan: BatchPlan, options: BatchOptions): (n: number) => Draw {
  const { seed, epoch, patch, foreground } = options
  const perRound = plan.slices.reduce((sum, slice) => sum + patchesOf(slice, patch), 0)
  if (perRound === 0) throw new Error('There is no slice to take patches from.')
  const rounds = new Map<number, Round>()
  const round = (number: number): Round => {
    const known = rounds.get(number) ?? roundOf(plan, patch, createRandom(seedOf(seed, epoch, 1, number)))
    rounds.set(number, known)
    return known
  }
  const share = patch === null || !plan.slices.some(({ counts }) => counts.some((count) => count > 0)) ? 0 : foreground
  return (n) => {
    const random = createRandom(seedOf(seed, epoch, 2, n))
    // Patches around a class go along with the others: where nothing but them is wanted they go through the rounds themselves.
    const around = Math.floor(n * share)
    const place = share === 1 ? n : n - around
    const { groups, starts } = round(Math.floor(place / perRound))
    const at = place % perRound
    const group = groups[starts.findLastIndex((start) => start <= at)]
    const slot = group?.slots[at - (starts.findLast((start) => start <= at) ?? 0)] ?? 0
    if (Math.floor((n + 1) * share) === around || group === undefined || group.classes.length === 0) {
      return { slice: slot, around: null, random }
    }
    const chosen = group.classes[randomInt(random, group.classes.length)]
    const slice = chosen?.slices[randomInt(random, chosen.slices.length)] ?? slot
    return { slice, around: chosen?.number ?? null, random }
  }
}

/** All slices once. Volumes that cannot be open all together are put into groups that can, in an order of their own each round. */
function roundOf(plan: BatchPlan, patch: number | null, random: Random): Round {
  const parts = partsOf(plan, random)
  const groups = parts.map((own): Group => {
    const slots = own.flatMap((at) => {
      const slice = plan.slices[at]
      return slice === undefined ? [] : new Array<number>(patchesOf(slice, patch)).fill(at)
    })
    const having = plan.labels.map((_, c) => own.filter((at) => (plan.slices[at]?.counts[c] ?? 0) > 0))
    return {
      slots: shuffled(slots, random),
      classes: having.flatMap((slices, c) => (slices.length > 0 ? [{ number: c + 1, slices }] : [])),
    }
  })
  const starts: number[] = []
  groups.reduce((start, { slots }) => {
    starts.push(start)
    return start + slots.length
  }, 0)
  return { groups, starts }
}

/** Slices by the volumes that are open together. */
function partsOf({ slices, cases = [], cacheBytes = 0 }: BatchPlan, random: Random): number[][] {
  const slicesOf: number[][] = cases.map(() => [])
  slices.forEach((slice, at) => slicesOf[slice.case]?.push(at))
  const bytes = cases.reduce((sum, each) => sum + each.bytes, 0)
  if (bytes <= cacheBytes / 2 || slicesOf.every((own) => own.length === 1)) return [slices.map((_, at) => at)]
  const order = shuffled(
    cases.map((_, at) => at),
    random,
  )
  const parts = inParts(order, (at) => cases[at]?.bytes ?? 0, cacheBytes / 2)
  return parts.map((part) => part.flatMap((at) => slicesOf[at] ?? []))
}

/** One after the other, as many together as there is room for, at least one. */
function inParts(values: Iterable<number>, bytesOf: (value: number) => number, room: number): number[][] {
  const parts: number[][] = []
  let left = 0
  for (const value of values) {
    const bytes = bytesOf(value)
    const last = parts.at(-1)
    if (last !== undefined && bytes <= left) last.push(value)
    else {
      parts.push([value])
      left = room
    }
    left -= bytes
  }
  return parts
}

function shuffled(values: readonly number[], random: Random): Uint32Array {
  const order = Uint32Array.from(values)
  for (let i = order.length - 1; i > 0; i--) {
    const j = randomInt(random, i + 1)
    const kept = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = kept
  }
  return order
}

interface BatchSize {
  readonly width: number
  readonly height: number
}

/** `most`: the largest extents among all slices. A patch is no larger: nothing is learned from mirrored surroundings. */
function batchSize(slices: readonly NetworkSlice[], { patch, step, margin }: BatchOptions, most: BatchSize): BatchSize {
  if (patch !== null && margin > 0) return { width: patch, height: patch }
  if (patch !== null) {
    return { width: Math.min(patch, roundUp(most.width, step)), height: Math.min(patch, roundUp(most.height, step)) }
  }
  // Results of valid convolutions are larger than a multiple of the step by the four pixels that a block takes off.
  const rest = margin > 0 ? 4 : 0
  const largest = (of: (slice: NetworkSlice) => number): number =>
    roundUp(slices.reduce((most, slice) => Math.max(most, of(slice)), 1) - rest, step) + rest + 2 * margin
  return { width: largest(({ width }) => width), height: largest(({ height }) => height) }
}

function emptyBatch({ width, height }: BatchSize, { batch, margin }: BatchOptions, plan: BatchPlan): RecipeBatch {
  const [outWidth, outHeight] = [width - 2 * margin, height - 2 * margin]
  return {
    ...{ count: batch, channels: plan.channels, width, height, outWidth, outHeight },
    images: new Float32Array(batch * width * height * plan.channels),
    classes: new Uint8Array(batch * outWidth * outHeight),
    weights: plan.weights === null ? null : new Float32Array(batch * outWidth * outHeight),
  }
}

function placeOf(
  slice: NetworkSlice,
  around: number | null,
  { width, height }: BatchSize,
  { margin, teaching = false }: BatchOptions,
  random: Random,
): PatchPlace {
  const pixel =
    around !== null
      ? pixelOf(slice.classes, (value) => value === around, random)
      : teaching && slice.classes.includes(IGNORED)
        ? pixelOf(slice.classes, (value) => value !== IGNORED, random)
        : null
  const x = pixel === null ? null : pixel % slice.width
  const y = pixel === null ? null : Math.floor(pixel / slice.width)
  return {
    ...{ width, height, margin },
    centerX: middle(x, slice.width, width, margin, random),
    centerY: middle(y, slice.height, height, margin, random),
  }
}

/** One of the pixels of some classes, each as likely; null where resizing left none. */
function pixelOf(classes: Uint8Array, wanted: (value: number) => boolean, random: Random): number | null {
  let count = 0
  for (const value of classes) if (wanted(value)) count++
  if (count === 0) return null
  let left = randomInt(random, count)
  return classes.findIndex((value) => wanted(value) && left-- === 0)
}

/**
 * The middle of a patch along one axis: so that what is learned of it lies inside of the slice, where the slice is large enough,
 * with pixel `at` in its middle half; anywhere where there is none.
 */
function middle(at: number | null, extent: number, size: number, margin: number, random: Random): number {
  const learned = size - 2 * margin
  const chance = random()
  if (extent <= learned) return (extent - 1) / 2
  const start = at === null ? chance * (extent - learned) : at - learned / 2 + ((chance - 0.5) * learned) / 2
  return Math.max(0, Math.min(extent - learned, Math.round(start))) + (learned - 1) / 2
}

/** From channels x height x width to height x width x channels. */
function interleave(planes: Float32Array, channels: number, out: Float32Array, offset: number): void {
  if (channels === 1) {
    out.set(planes, offset)
    return
  }
  const pixels = planes.length / channels
  for (let c = 0; c < channels; c++) {
    for (let i = 0, to = offset + c; i < pixels; i++, to += channels) out[to] = planes[c * pixels + i] ?? 0
  }
}
