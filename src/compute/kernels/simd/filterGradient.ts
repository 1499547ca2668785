import {
  add,
  FunctionBuilder,
  i32,
  load,
  loadSplat,
  multiply,
  quarter,
  subtract,
  vAdd,
  vMultiply,
} from './assembler.ts'
import type { I32, Local } from './assembler.ts'

const FLOAT = 4
const QUAD = 16

/**
 * The gradient of a convolution by one tap of its filter, added to what is in `dw`:
 * dw[c, o] += sum over rows and width of x[row, column, c] * dy[row, column, o].
 * filterGradientN(x, dy, dw, rows, width, xRow, dyRow, channels, outChannels, blocks): byte addresses of the first pixels
 * that the tap pairs and of the tap's [channels, outChannels]; xRow and dyRow are the bytes from row to row. N is how many
 * input channels are held in registers at once: the first N * blocks of them are done. outChannels in multiples of four.
 */
export function filterGradientFunction(block: 1 | 4): FunctionBuilder {
  const f = new FunctionBuilder(`filterGradient${block}`)
  const [x, dy, dw] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [rows, width, xRow, dyRow] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [channels, outChannels, blocks] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const pixel = f.let(multiply(channels, i32(FLOAT)))
  const outPixel = f.let(multiply(outChannels, i32(FLOAT)))
  const pairs = f.let(quarter(quarter(multiply(outChannels, i32(2)))))
  const rest = f.let(subtract(quarter(outChannels), multiply(pairs, i32(2))))
  const [xBlock, weights, from, outer] = [f.local('i32'), f.local('i32'), f.local('i32'), f.local('i32')]
  const [at, over] = [f.local('i32'), f.local('i32')]
  const sums = Array.from({ length: block * 2 }, () => f.local('v128'))
  const [a, b, s] = [f.local('v128'), f.local('v128'), f.local('v128')]
  const registers: Registers = { sums, a, b, s, at, over }

  f.repeat(rows, () => {
    f.set(xBlock, x)
    f.set(weights, dw)
    f.repeat(blocks, () => {
      f.set(from, weights)
      f.set(outer, dy)
      for (const [count, quads] of [
        [pairs, 2],
        [rest, 1],
      ] as const) {
        f.repeat(count, () => {
          accumulate(f, registers, block, quads, { xBlock, outer, from, width, pixel, outPixel })
          f.set(from, add(from, i32(quads * QUAD)))
          f.set(outer, add(outer, i32(quads * QUAD)))
        })
      }
      f.set(xBlock, add(xBlock, i32(block * FLOAT)))
      f.set(weights, add(weights, multiply(outPixel, i32(block))))
    })
    f.set(x, add(x, xRow))
    f.set(dy, add(dy, dyRow))
  })
  return f
}

interface Registers {
  readonly sums: readonly Local<'v128'>[]
  readonly a: Local<'v128'>
  readonly b: Local<'v128'>
  readonly s: Local<'v128'>
  readonly at: Local<'i32'>
  readonly over: Local<'i32'>
}

interface Place {
  readonly xBlock: I32
  readonly outer: I32
  readonly from: I32
  readonly width: I32
  readonly pixel: I32
  readonly outPixel: I32
}

/** One row of pixels for `block` input channels and 4 or 8 output channels, summed in registers. */
function accumulate(
  f: FunctionBuilder,
  { sums, a, b, s, at, over }: Registers,
  block: number,
  quads: 1 | 2,
  { xBlock, outer, from, width, pixel, outPixel }: Place,
): void {
  const used = sums.slice(0, block * quads)
  const addressOf = (index: number): I32 => add(from, multiply(outPixel, i32(Math.floor(index / quads))))
  used.forEach((sum, index) => f.set(sum, load(addressOf(index), (index % quads) * QUAD)))
  f.set(at, xBlock)
  f.set(over, outer)
  f.repeat(width, () => {
    f.set(a, load(over))
    if (quads === 2) f.set(b, load(over, QUAD))
    for (let c = 0; c < block; c++) {
      f.set(s, loadSplat(at, c * FLOAT))
      for (let q = 0; q < quads; q++) {
        const sum = used[c * quads + q]
        if (sum !== undefined) f.set(sum, vAdd(sum, vMultiply(s, q === 0 ? a : b)))
      }
    }
    f.set(at, add(at, pixel))
    f.set(over, add(over, outPixel))
  })
  used.forEach((sum, index) => {
    f.store(addressOf(index), sum, (index % quads) * QUAD)
  })
}
