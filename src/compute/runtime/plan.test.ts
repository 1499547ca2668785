import { describe, expect, it } from 'vitest'
import { guessedTotal } from './deviceMemory.ts'
import { budgetOf } from './memory.ts'
import { fitBatch, mostImages, mostPixels, smallerBatch } from './plan.ts'
import { WASM_HEAP_MOST } from './wasmHeap.ts'
import type { PassCost } from './cost.ts'
import type { Budget, MemoryReading } from './memory.ts'

const MB = 2 ** 20
const GB = 2 ** 30

describe('budgetOf', () => {
  const plain: MemoryReading = { bound: 4 * GB, rss: 1 * GB, available: 8 * GB, heap: null, device: null }

  it('takes half of what is left below the bound, or of what the machine can give', () => {
    expect(budgetOf(plain)).toMatchObject({ tensors: 1.5 * GB, process: 1.5 * GB, heapLive: null })
    expect(budgetOf({ ...plain, available: 1 * GB })).toMatchObject({ tensors: 0.5 * GB })
  })

  it('leaves something to compute with when nothing is left', () => {
    expect(budgetOf({ ...plain, rss: 5 * GB })).toMatchObject({ tensors: 16 * MB })
  })

  it('uses the heap of WebAssembly again, as far as it was touched', () => {
    // 1 GB of heap: all but what emscripten grows in advance (96 MB) is in memory; 100 MB hold tensors.
    const heap = { size: 1 * GB, live: 100 * MB, highest: 300 * MB }
    const { tensors, heapLive } = budgetOf({ ...plain, rss: 1.2 * GB, bound: 1.2 * GB, heap })
    expect(heapLive).toBe(100 * MB)
    expect(tensors).toBe(GB - 96 * MB - 100 * MB)
    const once = { size: 150 * MB, live: 10 * MB, highest: 110 * MB }
    expect(budgetOf({ ...plain, rss: 1.2 * GB, bound: 1.2 * GB, heap: once })).toMatchObject({ tensors: 100 * MB })
  })

  it('never plans to fill the heap of WebAssembly', () => {
    const heap = { size: 16 * MB, live: 0, highest: 0 }
    const { tensors } = budgetOf({ bound: 64 * GB, rss: 0, available: 64 * GB, heap, device: null })
    expect(tensors).toBe(0.4 * WASM_HEAP_MOST)
  })

  it('takes a graphics device that does not tell for no larger than what the machine has free', () => {
    expect(guessedTotal(0.5 * GB, 8 * GB)).toBe(2 * GB)
    expect(guessedTotal(0.25 * GB, 0.5 * GB)).toBe(0.75 * GB)
  })

  it('keeps tensors of a graphics device apart from this process', () => {
    const device = { total: 10 * GB, held: 1 * GB, largest: 128 * MB }
    expect(budgetOf({ ...plain, device })).toEqual({
      ...{ tensors: 0.6 * 10 * GB - 1 * GB, process: 1.5 * GB, largest: 128 * MB, heapLive: null },
    })
  })
})

describe('a plan', () => {
  const cost: PassCost = { fixed: 1000, perPixel: 90, perImagePixel: 0, largest: 40, beside: 10 }
  const budget = (tensors: number, more: Partial<Budget> = {}): Budget => ({
    ...{ tensors, process: tensors, largest: Infinity, heapLive: null },
    ...more,
  })

  it.each([
    ['tensors and what lies beside them share the process', cost, budget(101_000), 1000],
    ['a device has its own', cost, budget(91_000, { process: 1e9 }), 1000],
    ['the process ends it', cost, budget(1e9, { process: 5000 }), 500],
    ['the largest tensor ends it', cost, budget(1e9, { largest: 4000 }), 100],
    ['tables count for one picture', { ...cost, perImagePixel: 100 }, budget(201_000), 1000],
    ['nothing left is still one pixel', cost, budget(10), 1],
  ])('of one picture: %s', (_, costs, memory, pixels) => {
    expect(mostPixels(costs, memory)).toBe(pixels)
  })

  it.each([
    ['as many as fit', cost, budget(101_000), 250, 4],
    ['tables count once', { ...cost, perImagePixel: 100 }, budget(126_000), 250, 4],
    ['at least one', cost, budget(10), 250, 1],
    ['the largest tensor is of all of them', cost, budget(1e9, { largest: 20_000 }), 250, 2],
  ])('of several pictures: %s', (_, costs, memory, pixels, images) => {
    expect(mostImages(costs, memory, pixels)).toBe(images)
  })

  it.each([
    ['all of it', 100 * 3 * 64 ** 2 + 1000, { count: 3, size: 64 }],
    ['fewer patches before smaller ones', 100 * 2 * 64 ** 2 + 1000, { count: 2, size: 64 }],
    ['then smaller ones', 100 * 48 ** 2 + 1000, { count: 1, size: 48 }],
    ['down to the least', 100 * 32 ** 2 + 1000, { count: 1, size: 32 }],
    ['or nothing', 100 * 32 ** 2, null],
  ])('of a training step: %s', (_, bytes, expected) => {
    expect(fitBatch(cost, budget(bytes), { count: 3, size: 64 }, 16)).toEqual(expected)
  })

  it('halves patches, then their size', () => {
    expect(smallerBatch({ count: 3, size: 160 }, 16)).toEqual({ count: 1, size: 160 })
    expect(smallerBatch({ count: 1, size: 160 }, 16)).toEqual({ count: 1, size: 80 })
    expect(smallerBatch({ count: 1, size: 72 }, 16)).toEqual({ count: 1, size: 48 })
    expect(smallerBatch({ count: 1, size: 48 }, 16)).toEqual({ count: 1, size: 32 })
    expect(smallerBatch({ count: 1, size: 32 }, 16)).toBeNull()
    expect(smallerBatch({ count: 1, size: 64 }, 64)).toBeNull()
  })
})
