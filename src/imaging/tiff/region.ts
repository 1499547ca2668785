import type { VoxelType } from '../../core/contract/schemas.ts'
import type { Pixels, Rectangle } from '../tiled.ts'
import type { VoxelArray } from '../types.ts'
import type { Block } from './block.ts'
import type { PageLayout } from './layout.ts'
import type { Page } from './page.ts'
import { newSamples } from './samples.ts'
import { Photometric, Tag } from './tags.ts'

/** What is made of the samples of a page. */
export interface Wanted {
  /** Of grey channels, which one. */
  readonly channel: number
  /**
   * `image`: colours and grey values, white above black, grey of less than 8 bits spread to 8. `labels`: numbers as they are
   * stored, palettes left out of account.
   */
  readonly as: 'image' | 'labels'
}

/** Gives a block, from a cache or decoded. */
export type BlockOf = (page: Page, column: number, row: number, sample: number) => Promise<Block>

/** Blocks of one region that are decoded at the same time. */
const AT_ONCE = 4

/** Type and channels of what `readRegion` gives. */
export function regionKind(layout: PageLayout, wanted: Wanted): { type: VoxelType; channels: 1 | 3 } {
  if (!layout.colour || wanted.as === 'labels') return { type: layout.sampleType, channels: 1 }
  const wide = layout.photometric === Photometric.rgb && layout.bits > 8
  return { type: wide ? 'uint16' : 'uint8', channels: 3 }
}

/**
 * Pixels of a rectangle within a page as it is stored, not turned. Throws CodedError('bad-file') where a block is damaged.
 */
export async function readRegion(
  page: Page,
  rectangle: Rectangle,
  wanted: Wanted,
  options: { blockOf?: BlockOf | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Pixels> {
  const { layout } = page
  const { blockWidth, blockHeight, planar, photometric } = layout
  const { type, channels } = regionKind(layout, wanted)
  const isPalette = channels === 3 && photometric === Photometric.palette
  // The samples to fetch: of a palette the number, of a colour three, else the wanted channel.
  const samples = channels === 3 && !isPalette ? [0, 1, 2] : [layout.colour ? 0 : wanted.channel]
  const target = newSamples(isPalette ? layout.sampleType : type, rectangle.width * rectangle.height * samples.length)
  const blockOf = options.blockOf ?? ((from, column, row, sample) => from.block(column, row, sample))
  const jobs: (() => Promise<void>)[] = []
  const lastColumn = Math.floor((rectangle.x + rectangle.width - 1) / blockWidth)
  const lastRow = Math.floor((rectangle.y + rectangle.height - 1) / blockHeight)
  for (let row = Math.floor(rectangle.y / blockHeight); row <= lastRow; row++) {
    for (let column = Math.floor(rectangle.x / blockWidth); column <= lastColumn; column++) {
      for (const plane of planar ? samples : [0]) {
        jobs.push(async () => {
          const block = await blockOf(page, column, row, plane)
          const place = { x: column * blockWidth - rectangle.x, y: row * blockHeight - rectangle.y }
          // In a planar page a block holds one sample, which goes to its place among the others.
          const from = planar ? [0] : samples
          paste(block, from, place, target, rectangle, { of: samples.length, at: planar ? samples.indexOf(plane) : 0 })
        })
      }
    }
  }
  await inTurns(jobs, options.signal)
  const { width, height } = rectangle
  if (isPalette) return { width, height, channels, data: await throughPalette(layout, target) }
  if (channels === 3) spread(target, layout)
  else if (wanted.as === 'image' || photometric === Photometric.minIsWhite) shade(target, layout, wanted)
  return { width, height, channels, data: target }
}

async function inTurns(jobs: readonly (() => Promise<void>)[], signal: AbortSignal | undefined): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined; job = jobs[next++]) {
      signal?.throwIfAborted()
      try {
        await job()
      } catch (error) {
        // The others stop after the block that they are at.
        next = jobs.length
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, jobs.length) }, worker))
}

/** Copies what a block and a rectangle share. `place` is where the block begins, seen from the rectangle. */
function paste(
  block: Block,
  samples: readonly number[],
  place: { x: number; y: number },
  target: VoxelArray,
  { width, height }: Rectangle,
  lane: { of: number; at: number },
): void {
  const { data, shape } = block
  const left = Math.max(0, place.x)
  const right = Math.min(width, place.x + shape.width)
  const bottom = Math.min(height, place.y + shape.height)
  const count = right - left
  for (let y = Math.max(0, place.y); y < bottom; y++) {
    let from = ((y - place.y) * shape.width + (left - place.x)) * shape.samples
    let to = (y * width + left) * lane.of + lane.at
    if (shape.samples === lane.of && samples.length === lane.of) {
      target.set(data.subarray(from, from + count * lane.of), to)
      continue
    }
    for (let x = 0; x < count; x++, from += shape.samples, to += lane.of) {
      for (let c = 0; c < samples.length; c++) target[to + c] = data[from + (samples[c] ?? 0)] ?? 0
    }
  }
}

/** Grey as it is meant to be seen: white above black, and less than 8 bits as 8. Numbers of labels are not spread. */
function shade(data: VoxelArray, { photometric, bits, format }: PageLayout, { as }: Wanted): void {
  const invert = photometric === Photometric.minIsWhite && format !== 'float'
  const most = 2 ** bits - 1
  const factor = bits < 8 && as === 'image' ? 255 / most : 1
  if (!invert && factor === 1) return
  // Of signed numbers the lowest becomes the highest.
  const top = format === 'int' ? -1 : most
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0
    data[i] = Math.round((invert ? top - value : value) * factor)
  }
}

/** Colours of fewer bits than their type. */
function spread(data: VoxelArray, { bits, photometric }: PageLayout): void {
  if (photometric !== Photometric.rgb || bits === 8 || bits === 16) return
  const factor = (bits < 8 ? 255 : 65535) / (2 ** bits - 1)
  for (let i = 0; i < data.length; i++) data[i] = Math.round((data[i] ?? 0) * factor)
}

async function throughPalette(layout: PageLayout, indices: VoxelArray): Promise<Uint8Array<ArrayBuffer>> {
  const map = await readPalette(layout)
  const out = new Uint8Array(indices.length * 3)
  for (let i = 0; i < indices.length; i++) {
    const entry = (indices[i] ?? 0) * 3
    out[3 * i] = map[entry] ?? 0
    out[3 * i + 1] = map[entry + 1] ?? 0
    out[3 * i + 2] = map[entry + 2] ?? 0
  }
  return out
}

/** RGB triples of the colour map, 8 bits each. Old programs wrote 8-bit numbers into the 16 bits that are meant. */
export async function readPalette({ directory, bits }: PageLayout): Promise<Uint8Array<ArrayBuffer>> {
  const entries = 2 ** Math.min(16, bits)
  const map = await directory.numbers(Tag.colorMap, 3 * entries)
  const size = Math.floor(map.length / 3)
  const divisor = map.some((value) => value > 255) ? 256 : 1
  const out = new Uint8Array(size * 3)
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) out[3 * i + c] = Math.floor((map[c * size + i] ?? 0) / divisor)
  }
  return out
}
