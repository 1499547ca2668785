import { deviceMemory, releaseIdle } from '../runtime/deviceMemory.ts'
import { budgetOf, collectGarbage, readMemory } from '../runtime/memory.ts'
import { mostImages, mostPixels, passBytes } from '../runtime/plan.ts'
import { wasmHeap, WASM_HEAP_MOST } from '../runtime/wasmHeap.ts'
import type { Budget } from '../runtime/memory.ts'
import type { PassCost } from '../runtime/cost.ts'
import type { Runnable } from './runnable.ts'
import type { TileBounds } from './tiles.ts'

/** How much goes through the network at once. */
export interface PassSizes {
  /** For planTiles. */
  readonly bounds: TileBounds
  /** Pictures of so many pixels in one pass; at least 1. */
  images(pixels: number): number
  /** After a pass of so many pictures of so many pixels ran out of memory; false when there is nothing smaller. */
  shrink(images: number, pixels: number): 'batch' | 'tile'
  /** The memory is others' again. */
  release(): void
}

/**
 * So many pixels in one pass of several pictures, where memory allows: the processor is no faster with more, and a cancel
 * waits for the pass; a graphics device is not busy with less.
 */
const PREFERRED_PIXELS = { processor: 4 * 160 * 160, device: 4 * 512 * 512 } as const

/** What is remembered of a network: what ran out of memory is not tried again in this process. */
interface Learned {
  /** Of all pictures of a pass. */
  batch: number
  /** Of one picture. */
  pixels: number
  /** What memory allowed of one picture when that was last decided anew. */
  tile: number
}

/** Memory that is so much more or less than last time changes nothing: the same picture is to get the same tiles. */
const STEADY = 1.5
/** What is allocated may be so much more than what was estimated, before it is refused. */
const ALLOWANCE = 1.25

const learned = new WeakMap<object, Learned>()

/**
 * Measures the network, if that was not done yet, and reads the memory. `pixels`: of the largest picture that comes;
 * `given` goes before the memory that there is.
 */
export async function passSizes(network: Runnable, step: number, pixels: number, given?: Budget): Promise<PassSizes> {
  const { key, elsewhere } = network
  const cost = await network.cost(step)
  const known = learned.get(key) ?? { batch: Infinity, pixels: Infinity, tile: NaN }
  learned.set(key, known)
  const budget = given ?? currentBudget(cost, pixels, elsewhere)
  const preferred = PREFERRED_PIXELS[!elsewhere && deviceMemory() !== null ? 'device' : 'processor']
  const allowed = mostPixels(cost, budget)
  const steady = given === undefined && known.tile >= allowed / STEADY && known.tile <= allowed * STEADY
  if (!steady) known.tile = allowed
  const most = known.tile
  if (budget.heapLive !== null) {
    const bytes = Math.max(budget.tensors, passBytes(cost, 1, Math.min(most, pixels)))
    wasmHeap()?.limit(budget.heapLive + ALLOWANCE * bytes)
  }
  return {
    get bounds() {
      return { step, margin: network.reach.local, pixels: Math.min(most, known.pixels, network.mostPixels) }
    },
    images(each) {
      if (network.single) return 1
      const most = Math.min(preferred, known.batch)
      return Math.min(mostImages(cost, budget, each), Math.max(1, Math.floor(most / each)))
    },
    shrink(images, each) {
      releaseIdle()
      collectGarbage()
      if (images > 1) {
        known.batch = Math.floor(images / 2) * each
        return 'batch'
      }
      known.pixels = Math.floor(each / 2)
      known.batch = known.pixels
      return 'tile'
    },
    release() {
      wasmHeap()?.limit(WASM_HEAP_MOST)
    },
  }
}

/** Where it seems too little for the whole picture, what nobody uses any more is given back first. */
function currentBudget(cost: PassCost, pixels: number, elsewhere: boolean): Budget {
  const read = (): Budget => budgetOf(elsewhere ? { ...readMemory(), heap: null, device: null } : readMemory())
  const budget = read()
  if (mostPixels(cost, budget) >= pixels) return budget
  releaseIdle()
  collectGarbage()
  return read()
}
