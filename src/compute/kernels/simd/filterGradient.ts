import {
  add,
  choose,
  divide,
  FunctionBuilder,
  i32,
  isBelow,
  isEqual,
  load,
  loadInteger,
  loadSplat,
  minimum,
  multiply,
  quarter,
  remainder,
  subtract,
  vAdd,
  vConstant,
  vMultiply,
} from './assembler.ts'
import { vMultiplyAdd } from './features.ts'
import { storeValid } from './narrowStore.ts'
import { QUAD } from './quads.ts'
import type { I32 } from './assembler.ts'

const FLOAT = 4
/** Bytes of an entry of the table of taps: see filterGradient. */
export const GRADIENT_TAP_BYTES = 24

/**
 * filterGradient(begin, end, x, dy, taps, partial, slotBytes, slots, tapCount, parts, groups, rows, bandRows, height, width,
 *   channels, outHeight, outWidth, outQuads, outPixel, rowStep, columnStep):
 * partial[slot][tap, c, o] = sum over the slot's output rows and over columns of x[row, column, c] * dy[row, column, o], x
 * being taken at the tap. A slot is one of `slots` equal runs of the `rows` output rows of all images; o goes to four
 * times outQuads, past what dy has, so four floats must be readable behind dy. Entries of the table are
 * [row, column] of the tap relative to an output's first pixel, then of output rows and columns that meet x by it
 * [first row, end row, first column, count of columns]. Addresses and outPixel are bytes.
 * Units: slots times `groups` equal runs of the taps times `parts` equal runs of the channels; a unit's taps meet bandRows
 * rows before they go on to the next, so that these stay in the nearest cache.
 */
export function filterGradientFunction(): FunctionBuilder {
  const f = new FunctionBuilder('filterGradient')
  const integer = () => f.parameter('i32')
  const [begin, end, x, dy, taps, partial, slotBytes] = [
    integer(),
    integer(),
    integer(),
    integer(),
    integer(),
    integer(),
    integer(),
  ]
  const [slots, tapCount, parts, groups] = [integer(), integer(), integer(), integer()]
  const [rows, bandRows, height, width, channels] = [integer(), integer(), integer(), integer(), integer()]
  const [outHeight, outWidth, outQuads, outPixel] = [integer(), integer(), integer(), integer()]
  const [rowStep, columnStep] = [integer(), integer()]

  const pixel = f.let(multiply(channels, i32(FLOAT)))
  const xRow = f.let(multiply(width, pixel))
  const weightRow = f.let(multiply(outQuads, i32(QUAD)))
  const fours = f.let(quarter(channels))
  const blocks = f.let(subtract(channels, multiply(fours, i32(3))))
  const pairs = f.let(divide(outQuads, i32(2)))
  const rest = f.let(subtract(outQuads, multiply(pairs, i32(2))))
  const step = f.let(multiply(columnStep, pixel))
  const runs = f.let(multiply(tapCount, parts))
  const [unit, slot, group, part, tap, run] = [
    f.let(begin),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
  ]
  const [slotRow, slotEnd, bandRow, row] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  const [firstBlock, endBlock, count, ones] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  const [weights, image, inImage, columns, firstColumn] = [
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
    f.local('i32'),
  ]
  const [xAt, dyAt, weightsAt] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const accumulate = createAccumulate(f, { dyAt, columns, step, outPixel, pairs, rest, weightRow })

  /** The channels of `part`: `count` blocks of four from `firstBlock` (then a channel) on, and `ones` single ones. */
  const findChannels = () => {
    const channelOf = (block: I32): I32 =>
      choose(isBelow(block, fours), multiply(block, i32(4)), add(block, multiply(fours, i32(3))))
    const foursUpTo = (block: I32): I32 => choose(isBelow(block, fours), block, fours)
    f.set(firstBlock, divide(multiply(blocks, part), parts))
    f.set(endBlock, divide(multiply(blocks, add(part, i32(1))), parts))
    f.set(count, subtract(foursUpTo(endBlock), foursUpTo(firstBlock)))
    f.set(ones, subtract(subtract(endBlock, firstBlock), count))
    f.set(firstBlock, channelOf(firstBlock))
  }
  const clear = () => {
    f.set(weightsAt, weights)
    f.repeat(multiply(add(multiply(count, i32(4)), ones), outQuads), () => {
      f.store(weightsAt, vConstant(0))
      f.set(weightsAt, add(weightsAt, i32(QUAD)))
    })
  }
  const addRow = () => {
    f.set(image, divide(row, outHeight))
    f.set(inImage, remainder(row, outHeight))
    const first = loadInteger(tap, 8)
    f.when(isBelow(subtract(inImage, first), subtract(loadInteger(tap, 12), first)), () => {
      f.set(xAt, add(multiply(inImage, rowStep), loadInteger(tap)))
      f.set(xAt, add(x, multiply(add(multiply(image, height), xAt), xRow)))
      f.set(xAt, add(xAt, multiply(add(multiply(firstColumn, columnStep), loadInteger(tap, 4)), pixel)))
      f.set(xAt, add(xAt, multiply(firstBlock, i32(FLOAT))))
      f.set(dyAt, add(dy, multiply(add(multiply(row, outWidth), firstColumn), outPixel)))
      f.set(weightsAt, weights)
      for (const [times, block] of [
        [count, 4],
        [ones, 1],
      ] as const) {
        f.repeat(times, () => {
          accumulate(block, xAt, weightsAt)
          f.set(xAt, add(xAt, i32(block * FLOAT)))
          f.set(weightsAt, add(weightsAt, multiply(weightRow, i32(block))))
        })
      }
    })
  }

  f.repeat(subtract(end, begin), () => {
    f.set(slot, divide(unit, groups))
    f.set(group, remainder(unit, groups))
    f.set(slotRow, divide(multiply(rows, slot), slots))
    f.set(slotEnd, divide(multiply(rows, add(slot, i32(1))), slots))
    f.set(bandRow, slotRow)
    f.repeat(divide(add(subtract(slotEnd, slotRow), subtract(bandRows, i32(1))), bandRows), () => {
      f.set(run, divide(multiply(runs, group), groups))
      f.repeat(subtract(divide(multiply(runs, add(group, i32(1))), groups), run), () => {
        f.set(part, remainder(run, parts))
        f.set(tap, divide(run, parts))
        findChannels()
        f.set(weights, multiply(add(multiply(tap, channels), firstBlock), weightRow))
        f.set(weights, add(weights, add(partial, multiply(slot, slotBytes))))
        f.when(isEqual(bandRow, slotRow), clear)
        f.set(tap, add(taps, multiply(tap, i32(GRADIENT_TAP_BYTES))))
        f.set(firstColumn, loadInteger(tap, 16))
        f.set(columns, loadInteger(tap, 20))
        f.set(row, bandRow)
        f.repeat(minimum(bandRows, subtract(slotEnd, bandRow)), () => {
          addRow()
          f.set(row, add(row, i32(1)))
        })
        f.set(run, add(run, i32(1)))
      })
      f.set(bandRow, add(bandRow, bandRows))
    })
    f.set(unit, add(unit, i32(1)))
  })
  return f
}

export interface GradientRow {
  /** Byte address of the row's first pixel of dy that meets x, and how many do. */
  readonly dyAt: I32
  readonly columns: I32
  /** Bytes from pixel to pixel of x. */
  readonly step: I32
  readonly outPixel: I32
  readonly pairs: I32
  readonly rest: I32
  readonly weightRow: I32
}

/** Code for one row of pixels and one or four input channels: all output channels, four or eight at a time in registers. */
export function createAccumulate(
  f: FunctionBuilder,
  { dyAt, columns, step, outPixel, pairs, rest, weightRow }: GradientRow,
): (block: 1 | 4, xAt: I32, weightsAt: I32) => void {
  const sums = Array.from({ length: 8 }, () => f.local('v128'))
  const [a, b, value] = [f.local('v128'), f.local('v128'), f.local('v128')]
  const [at, over, outer, to] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  return (block, xAt, weightsAt) => {
    f.set(outer, dyAt)
    f.set(to, weightsAt)
    for (const [times, quads] of [
      [pairs, [a, b]],
      [rest, [a]],
    ] as const) {
      const used = sums.slice(0, block * quads.length)
      const addressOf = (index: number): I32 => add(to, multiply(weightRow, i32(Math.floor(index / quads.length))))
      f.repeat(times, () => {
        used.forEach((sum, index) => {
          f.set(sum, load(addressOf(index), (index % quads.length) * QUAD))
        })
        f.set(at, xAt)
        f.set(over, outer)
        f.repeat(columns, () => {
          quads.forEach((quad, index) => {
            f.set(quad, load(over, index * QUAD))
          })
          for (let c = 0; c < block; c++) {
            f.set(value, loadSplat(at, c * FLOAT))
            quads.forEach((quad, index) => {
              const sum = used[c * quads.length + index] ?? value
              // With few sums it is the time from sum to sum that counts, and an addition alone is the quickest.
              f.set(sum, block === 1 ? vAdd(vMultiply(value, quad), sum) : vMultiplyAdd(value, quad, sum))
            })
          }
          f.set(at, add(at, step))
          f.set(over, add(over, outPixel))
        })
        used.forEach((sum, index) => {
          f.store(addressOf(index), sum, (index % quads.length) * QUAD)
        })
        f.set(to, add(to, i32(quads.length * QUAD)))
        f.set(outer, add(outer, i32(quads.length * QUAD)))
      })
    }
  }
}

/**
 * sumSlots(begin, end, partial, slotBytes, slots, outQuads, outChannels, to): adds up the slots' [rows, 4 outQuads] in
 * their order and writes [rows, outChannels]. Units: rows.
 */
export function sumSlotsFunction(): FunctionBuilder {
  const f = new FunctionBuilder('sumSlots')
  const integer = () => f.parameter('i32')
  const [begin, end, partial, slotBytes, slots] = [integer(), integer(), integer(), integer(), integer()]
  const [outQuads, outChannels, to] = [integer(), integer(), integer()]
  const [from, valid, at] = [f.local('i32'), f.local('i32'), f.local('i32')]
  const sum = f.local('v128')
  f.set(partial, add(partial, multiply(begin, multiply(outQuads, i32(QUAD)))))
  f.set(to, add(to, multiply(begin, multiply(outChannels, i32(FLOAT)))))
  f.repeat(subtract(end, begin), () => {
    f.set(at, to)
    f.set(valid, outChannels)
    f.repeat(outQuads, () => {
      f.set(sum, load(partial))
      f.set(from, partial)
      f.repeat(subtract(slots, i32(1)), () => {
        f.set(from, add(from, slotBytes))
        f.set(sum, vAdd(sum, load(from)))
      })
      storeValid(f, at, sum, 0, valid)
      f.set(at, add(at, i32(QUAD)))
      f.set(valid, subtract(valid, i32(4)))
      f.set(partial, add(partial, i32(QUAD)))
    })
    f.set(to, add(to, multiply(outChannels, i32(FLOAT))))
  })
  return f
}
