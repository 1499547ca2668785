import { z } from 'zod'
import { assemble } from './assembler.ts'
import { biasGradientFunction } from './biasGradient.ts'
import { convolveFunction } from './convolution.ts'
import { joinChannelsFunction, reluGradientFunction, splitChannelsFunction } from './copies.ts'
import { filterGradientFunction, sumSlotsFunction } from './filterGradient.ts'
import { adamUpdateFunction, momentumUpdateFunction, pullUpdateFunction, squareSumFunction } from './optimizer.ts'
import {
  normalizationApplyFunction,
  normalizationGradientApplyFunction,
  normalizationGradientSumsFunction,
  normalizationSumsFunction,
} from './normalization.ts'
import { winogradFunction } from './winograd.ts'
import { winogradFilterFunction } from './winogradFilter.ts'
import { winogradGradientEndFunction, winogradGradientFunction } from './winogradGradient.ts'
import { packFilterFunction } from './packFilter.ts'
import { maxPool2Function, maxPool2GradientFunction, upsample2Function, upsample2GradientFunction } from './pool.ts'
import { lossGradientFunction, lossSumsFunction } from './segmentationLoss.ts'
import { swapAxesFunction } from './swapAxes.ts'
import { tableProductsFunction, tableWeightsFunction } from './tableProducts.ts'
import type { FunctionBuilder } from './assembler.ts'

/**
 * The assembled functions; each documented where it is written. They do the units begin..end-1 of their work, which do
 * not depend on each other, so that threads can share them. Addresses are bytes in the backend's memory.
 */
export interface SimdFunctions {
  readonly maxPool2: (...args: number[]) => void
  readonly upsample2: (...args: number[]) => void
  readonly biasGradient: (...args: number[]) => void
  readonly reluBiasGradient: (...args: number[]) => void
  readonly maxPool2Gradient: (
    ...args: [begin: number, end: number, x: number, dy: number, dx: number, width: number, channels: number]
  ) => void
  readonly upsample2Gradient: (
    ...args: [begin: number, end: number, dy: number, dx: number, width: number, channels: number]
  ) => void
  readonly convolve: (...args: number[]) => void
  readonly packFilter: (...args: number[]) => void
  readonly winograd: (...args: number[]) => void
  readonly winogradFilter: (...args: number[]) => void
  readonly winogradGradient: (...args: number[]) => void
  readonly winogradGradientEnd: (...args: number[]) => void
  readonly filterGradient: (...args: number[]) => void
  readonly sumSlots: (...args: number[]) => void
  readonly splitChannels: (
    ...args: [begin: number, end: number, from: number, first: number, second: number, a: number, b: number]
  ) => void
  readonly joinChannels: (
    ...args: [begin: number, end: number, to: number, first: number, second: number, a: number, b: number]
  ) => void
  readonly reluGradient: (...args: [begin: number, end: number, y: number, dy: number, dx: number]) => void
  readonly adamUpdate: (...args: number[]) => void
  readonly normalizationSums: (...args: number[]) => void
  readonly normalizationApply: (...args: number[]) => void
  readonly normalizationGradientSums: (...args: number[]) => void
  readonly normalizationGradientApply: (...args: number[]) => void
  readonly momentumUpdate: (...args: number[]) => void
  readonly pullUpdate: (...args: number[]) => void
  readonly squareSum: (...args: number[]) => void
  readonly tableProducts: (...args: number[]) => void
  readonly tableWeights: (...args: number[]) => void
  readonly swapAxes: (
    ...args: [begin: number, end: number, from: number, to: number, a: number, b: number, run: number]
  ) => void
  readonly lossSums: (
    ...args: [
      ...[begin: number, end: number, logits: number, classes: number, probabilities: number, sums: number],
      ...[pixels: number, classCount: number],
    ]
  ) => void
  readonly lossGradient: (
    ...args: [
      ...[begin: number, end: number, probabilities: number, classes: number, terms: number],
      ...[pixels: number, classCount: number],
    ]
  ) => void
}

/** What builds each of them. */
const builders: Readonly<Record<keyof SimdFunctions, () => FunctionBuilder>> = {
  maxPool2: maxPool2Function,
  upsample2: upsample2Function,
  biasGradient: () => biasGradientFunction(false),
  reluBiasGradient: () => biasGradientFunction(true),
  maxPool2Gradient: maxPool2GradientFunction,
  upsample2Gradient: upsample2GradientFunction,
  convolve: convolveFunction,
  packFilter: packFilterFunction,
  winograd: winogradFunction,
  winogradFilter: winogradFilterFunction,
  winogradGradient: winogradGradientFunction,
  winogradGradientEnd: winogradGradientEndFunction,
  filterGradient: filterGradientFunction,
  sumSlots: sumSlotsFunction,
  splitChannels: splitChannelsFunction,
  joinChannels: joinChannelsFunction,
  reluGradient: reluGradientFunction,
  adamUpdate: adamUpdateFunction,
  normalizationSums: normalizationSumsFunction,
  normalizationApply: normalizationApplyFunction,
  normalizationGradientSums: normalizationGradientSumsFunction,
  normalizationGradientApply: normalizationGradientApplyFunction,
  momentumUpdate: momentumUpdateFunction,
  pullUpdate: pullUpdateFunction,
  squareSum: squareSumFunction,
  swapAxes: swapAxesFunction,
  tableProducts: tableProductsFunction,
  tableWeights: tableWeightsFunction,
  lossSums: lossSumsFunction,
  lossGradient: lossGradientFunction,
}

export interface Assembled {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly functions: SimdFunctions & Readonly<Record<string, (...args: number[]) => void>>
}

/** Assembles and starts the functions over a memory, in a few milliseconds. */
export function startSimd(memory: WebAssembly.Memory): Assembled {
  const functions = Object.values(builders).map((build) => build())
  const module = new WebAssembly.Module(assemble(functions, memory.buffer instanceof SharedArrayBuffer))
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const named = Object.fromEntries(Object.keys(builders).map((name) => [name, exports[name]]))
  if (!areFunctions(named)) throw new Error('The assembled module lacks a function.')
  return { module, memory, functions: named }
}

function areFunctions(named: Record<string, unknown>): named is Assembled['functions'] {
  return Object.values(named).every((value) => typeof value === 'function')
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
