import { connectedComponents } from '../../core/voxels/index.ts'
import { borderOf } from './border.ts'
import { ByteCache } from './cache.ts'
import { openCase, readTruth } from './caseReader.ts'
import { imageSlice, labelSlice, outsideSlice } from './gridSampling.ts'
import { sliceGrid } from './planes.ts'
import { preparePicture } from './prepare.ts'
import { networkSize, resizeNearest } from './resize.ts'
import { IGNORED } from './trainingImage.ts'
import { weightMap } from './weightMap.ts'
import type { ImageVolume } from '../../imaging/index.ts'
import type { NetworkSlice } from '../recipes/types.ts'
import type { Truth } from '../../imaging/index.ts'
import type { SliceGrid } from './planes.ts'
import type { PlanCase, PlanSlice, ReadingPlan } from './plan.ts'

interface OpenCase {
  readonly image: ImageVolume
  readonly truth: Truth
}

/** Reads slices of a plan as the network takes them. Files are opened when they are needed; what is kept is bounded. */
export interface SliceReader {
  /** `at`: its place in the plan. Throws what reading a file throws, with its name. */
  slice(at: number): Promise<NetworkSlice>
  close(): Promise<void>
}

export function createSliceReader(plan: ReadingPlan): SliceReader {
  // A volume is opened once for many slices; a picture once for all, and only what was made of it is kept.
  const cases = new ByteCache<Promise<OpenCase>>(plan.cacheBytes / 2, (open) => void closeCase(open))
  const slices = new ByteCache<NetworkSlice>(plan.cacheBytes / 2)
  const classOf = classTable(plan.labels)
  const slicesOf = new Uint32Array(plan.cases.length)
  for (const { case: at } of plan.slices) slicesOf[at] = (slicesOf[at] ?? 0) + 1

  const open = async (of: PlanCase): Promise<OpenCase> => {
    const kept = cases.get(of.id)
    if (kept !== undefined) return kept
    const opening = openBoth(of, plan)
    cases.set(of.id, opening, 0)
    try {
      const opened = await opening
      const { truth, image } = opened
      const voxels = truth.labels.length
      cases.set(of.id, opening, image.voxels.heldBytes + voxels * (truth.objects === null ? 1 : 5))
      return opened
    } catch (error) {
      cases.delete(of.id)
      throw error
    }
  }

  const read = async (at: number): Promise<NetworkSlice> => {
    const key = String(at)
    const kept = slices.get(key)
    if (kept !== undefined) return kept
    const wanted = plan.slices[at]
    const of = plan.cases[wanted?.case ?? -1]
    if (wanted === undefined || of === undefined) throw new RangeError('there is no such slice')
    const made = await makeSlice(await open(of), of, wanted, plan, classOf)
    if (slicesOf[wanted.case] === 1) cases.delete(of.id)
    slices.set(key, made, made.image.byteLength + made.classes.length + (made.weights?.byteLength ?? 0))
    return made
  }

  // One after the other: a volume is not closed while somebody reads it.
  let last: Promise<unknown> = Promise.resolve()
  return {
    slice(at) {
      const reading = last.then(() => read(at))
      last = reading.catch(() => undefined)
      return reading
    },
    async close() {
      await last
      cases.clear()
      slices.clear()
    },
  }
}

async function openBoth(of: PlanCase, plan: ReadingPlan): Promise<OpenCase> {
  const image = await openCase(of)
  try {
    return { image, truth: await readTruth(of, image, plan.rules) }
  } catch (error) {
    await image.voxels.close()
    throw error
  }
}

async function closeCase(open: Promise<OpenCase>): Promise<void> {
  const opened = await open.catch(() => null)
  await opened?.image.voxels.close()
}

/** Class of each label value; what is no label of the plan is background. */
export function classTable(labels: readonly number[]): Uint8Array {
  const table = new Uint8Array(256)
  labels.forEach((value, at) => (table[value] = at + 1))
  return table
}

async function makeSlice(
  { image, truth }: OpenCase,
  of: PlanCase,
  { plane, index }: PlanSlice,
  plan: ReadingPlan,
  classOf: Uint8Array,
): Promise<NetworkSlice> {
  const grid = sliceGrid(image, plane)
  if (grid === null) throw new RangeError('there is no such plane')
  const { data } = await imageSlice(image, grid, index)
  const prepared = preparePicture(
    {
      ...{ width: grid.width, height: grid.height, channels: image.channels },
      voxelType: grid.axis === null ? 'float32' : image.voxelType,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      ...{ slope: image.slope, inter: image.inter, low: of.low, high: of.high },
    },
    plan.input,
    plan.channels,
    plan.resize,
  )
  const size = networkSize(grid, plan.resize)
  const labels = labelSlice(truth.labels, truth.dims, grid, index, 0)
  const classes = resizeNearest(
    labels.map((value) => classOf[value] ?? 0),
    grid,
    size,
  )
  if (grid.axis === null) markOutside(classes, truth, grid, index, size)
  const { rules } = plan
  const objectsNeeded = plan.border !== null || (plan.weights !== null && plan.weights.w0 > 0)
  const ids = objectsNeeded ? objectsOfSlice(truth, labels, rules.objectLabel, grid, index) : null
  const resized = ids === null ? null : resizeNearest(ids, grid, size)
  if (plan.border !== null && resized !== null) {
    const border = borderOf(resized, size.width, size.height, plan.border)
    const borderClass = plan.labels.length + 1
    for (let i = 0; i < classes.length; i++) if (border[i] === 1 && classes[i] !== IGNORED) classes[i] = borderClass
  }
  const { weights } = plan
  return {
    ...prepared,
    channels: plan.channels,
    classes,
    weights:
      weights === null
        ? null
        : weightMap(classes, resized ?? new Uint32Array(classes.length), size.width, size.height, weights),
  }
}

function markOutside(
  classes: Uint8Array,
  { dims }: Truth,
  grid: SliceGrid,
  index: number,
  size: { readonly width: number; readonly height: number },
): void {
  const outside = resizeNearest(outsideSlice(dims, grid, index), grid, size)
  for (let i = 0; i < classes.length; i++) if (outside[i] === 1) classes[i] = IGNORED
}

/** Of volumes whose objects have no numbers of their own, the parts that are connected within the slice. */
function objectsOfSlice(
  { objects, dims }: Truth,
  labels: Uint8Array,
  objectLabel: number | null,
  grid: SliceGrid,
  index: number,
): Uint32Array {
  if (objects !== null) return labelSlice(objects, dims, grid, index, 0)
  const size = [grid.width, grid.height] as const
  return connectedComponents(labels, size, 8, objectLabel === null ? 'values' : { value: objectLabel }).ids
}
