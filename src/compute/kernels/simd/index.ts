import { z } from 'zod'
import { assemble } from './assembler.ts'
import { joinChannelsFunction, reluGradientFunction, splitChannelsFunction } from './copies.ts'
import { filterGradientFunction } from './filterGradient.ts'
import { adamUpdateFunction, momentumUpdateFunction, squareSumFunction } from './optimizer.ts'
import { normFunction, normGradientFunction } from './norm.ts'
import { maxPool2GradientFunction, upsample2GradientFunction } from './pool.ts'

type FilterGradientArgs = [
  ...[x: number, dy: number, dw: number, rows: number, width: number, xRow: number, dyRow: number],
  ...[channels: number, outChannels: number, blocks: number],
]

/** The assembled functions; each documented where it is written. Addresses are bytes in the backend's memory. */
export interface SimdFunctions {
  readonly instanceNormRelu: (
    ...args: [x: number, y: number, stats: number, count: number, pixels: number, channels: number, epsilon: number]
  ) => void
  readonly instanceNormReluGradient: (
    ...args: [x: number, dy: number, dx: number, stats: number, count: number, pixels: number, channels: number]
  ) => void
  readonly maxPool2Gradient: (
    ...args: [x: number, dy: number, dx: number, rows: number, width: number, channels: number]
  ) => void
  readonly upsample2Gradient: (...args: [dy: number, dx: number, rows: number, width: number, channels: number]) => void
  readonly filterGradient1: (...args: FilterGradientArgs) => void
  readonly filterGradient4: (...args: FilterGradientArgs) => void
  readonly splitChannels: (
    ...args: [from: number, first: number, second: number, pixels: number, a: number, b: number]
  ) => void
  readonly joinChannels: (
    ...args: [to: number, first: number, second: number, pixels: number, a: number, b: number]
  ) => void
  readonly reluGradient: (...args: [y: number, dy: number, dx: number, quads: number]) => void
  readonly adamUpdate: (...args: number[]) => void
  readonly momentumUpdate: (...args: number[]) => void
  readonly squareSum: (...args: number[]) => void
}

const functionSchema = z.custom<(...args: number[]) => void>((value) => typeof value === 'function')
const functionsSchema = z.object({
  instanceNormRelu: functionSchema,
  instanceNormReluGradient: functionSchema,
  maxPool2Gradient: functionSchema,
  upsample2Gradient: functionSchema,
  filterGradient1: functionSchema,
  filterGradient4: functionSchema,
  splitChannels: functionSchema,
  joinChannels: functionSchema,
  reluGradient: functionSchema,
  adamUpdate: functionSchema,
  momentumUpdate: functionSchema,
  squareSum: functionSchema,
})

/** Assembles and starts the functions over a memory, in a few milliseconds. */
export function startSimd(memory: WebAssembly.Memory): SimdFunctions {
  const builders = [
    normFunction(),
    normGradientFunction(),
    maxPool2GradientFunction(),
    upsample2GradientFunction(),
    filterGradientFunction(1),
    filterGradientFunction(4),
    splitChannelsFunction(),
    joinChannelsFunction(),
    reluGradientFunction(),
    adamUpdateFunction(),
    momentumUpdateFunction(),
    squareSumFunction(),
  ]
  const module = new WebAssembly.Module(assemble(builders, memory.buffer instanceof SharedArrayBuffer))
  return functionsSchema.parse(new WebAssembly.Instance(module, { env: { memory } }).exports)
}

const heapSchema = z.looseObject({ wasmMemory: z.unknown().optional(), asm: z.record(z.string(), z.unknown()) })

/** The memory of tfjs-backend-wasm's module, whichever of its binaries runs. */
export function memoryOf(wasmModule: unknown): WebAssembly.Memory {
  const { wasmMemory, asm } = heapSchema.parse(wasmModule)
  for (const candidate of [wasmMemory, ...Object.values(asm)]) {
    if (candidate instanceof WebAssembly.Memory) return candidate
  }
  throw new Error('The WebAssembly backend does not show its memory.')
}
