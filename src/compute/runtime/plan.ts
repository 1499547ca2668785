import { roundUp } from '../data/padding.ts'
import type { PassCost } from './cost.ts'
import type { Budget } from './memory.ts'

/**
 * How much goes through a network at once: from what a pass costs and what it may take. Pure functions; kernels, pools
 * and fragmentation take some more than what is measured, which the budget leaves room for.
 */

/** Pixels of the largest single picture that one pass can take; at least 1. */
export function mostPixels(cost: PassCost, budget: Budget): number {
  return Math.max(1, Math.floor(Math.min(affordable(cost, budget, cost.perImagePixel), ...single(cost, budget))))
}

/** Pictures of so many pixels that one pass can take; at least 1. */
export function mostImages(cost: PassCost, budget: Budget, pixels: number): number {
  const tables = cost.perImagePixel * pixels
  const smaller = { ...budget, tensors: budget.tensors - tables }
  const all = Math.min(affordable(cost, smaller, 0), ...single(cost, budget))
  return Math.max(1, Math.floor(all / pixels))
}

function affordable(cost: PassCost, { tensors, process }: Budget, tables: number): number {
  // Where tensors lie in this process too, both come out of the same.
  const shared = process === tensors
  const ofTensors = (tensors - cost.fixed) / (cost.perPixel + tables + (shared ? cost.beside : 0))
  return Math.min(ofTensors, process / cost.beside)
}

function single(cost: PassCost, { largest }: Budget): number[] {
  return cost.largest > 0 ? [largest / cost.largest] : []
}

/** Bytes of tensors of a pass over so many pictures of so many pixels. */
export function passBytes(cost: PassCost, images: number, pixels: number): number {
  return cost.fixed + pixels * (images * cost.perPixel + cost.perImagePixel)
}

export interface BatchSize {
  /** Patches a step. */
  readonly count: number
  /** Width and height of each, in pixels. */
  readonly size: number
}

/** Patches are made no smaller than this, but for the step of the network. */
const LEAST_PATCH = 32

/**
 * What of the wanted batch fits: all of it, else fewer patches, else smaller ones. Fewer first, since normalization looks
 * at all of a patch. null when not even the least fits.
 */
export function fitBatch(cost: PassCost, budget: Budget, wanted: BatchSize, step: number): BatchSize | null {
  const count = Math.min(wanted.count, mostImages(cost, budget, wanted.size ** 2))
  if (fits(cost, budget, { count, size: wanted.size })) return { count, size: wanted.size }
  const least = Math.min(wanted.size, roundUp(LEAST_PATCH, step))
  for (let size = wanted.size - step; size >= least; size -= step) {
    if (fits(cost, budget, { count: 1, size })) return { count: 1, size }
  }
  return null
}

/** The next smaller batch after one that ran out of memory; null when there is none. */
export function smallerBatch({ count, size }: BatchSize, step: number): BatchSize | null {
  if (count > 1) return { count: Math.floor(count / 2), size }
  const half = roundUp(Math.ceil(size / 2), step)
  return half < size && half >= LEAST_PATCH ? { count: 1, size: half } : null
}

function fits(cost: PassCost, budget: Budget, { count, size }: BatchSize): boolean {
  const pixels = size ** 2
  return mostPixels(cost, budget) >= pixels && mostImages(cost, budget, pixels) >= count
}
