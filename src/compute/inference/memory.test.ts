import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { buildUNet } from '../models/unet.ts'
import { OutOfMemoryError } from '../runtime/failures.ts'
import { predictionCost, trainingCost } from '../runtime/cost.ts'
import { startRuntime } from '../runtime/start.ts'
import { wasmHeap, WASM_HEAP_MOST } from '../runtime/wasmHeap.ts'
import { forwardPass } from './forwardPass.ts'
import { runNetwork } from './network.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { Budget } from '../runtime/memory.ts'
import type { ForwardPass } from './forwardPass.ts'
import type { RunOptions } from './network.ts'

const MINUTES = 60_000
const MB = 2 ** 20

let network: LayersModel

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
}, MINUTES)

afterEach(() => {
  network.dispose()
  wasmHeap()?.limit(WASM_HEAP_MOST)
})

function small(normalization: 'none' | 'instance' = 'none'): LayersModel {
  network = buildUNet({ levels: 2, base: 4, classes: 3, seed: 1, normalization, upsampling: 'nearest' })
  return network
}

function picture(width: number, height: number): Float32Array {
  return Float32Array.from({ length: width * height }, (_, i) => ((i * 7919) % 1013) / 1013)
}

const tensors = (bytes: number): Budget => ({ tensors: bytes, process: 1e9, largest: Infinity, heapLive: null })

interface Result {
  /** Class values of each pixel of each image. */
  readonly logits: readonly Float32Array[]
  readonly sizes: readonly (readonly [number, number, number])[]
  readonly notices: readonly string[]
}

/** Runs the network and puts together what it kept; each pixel must come once. */
async function run(sizes: readonly { width: number; height: number }[], options: RunOptions = {}): Promise<Result> {
  const logits = sizes.map(({ width, height }) => new Float32Array(width * height * 3).fill(NaN))
  const passes: [number, number, number][] = []
  const notices: string[] = []
  const { pass = forwardPass } = options
  await runNetwork(
    network,
    4,
    sizes,
    (i) => picture(sizes[i]?.width ?? 0, sizes[i]?.height ?? 0),
    (slice, { input, keep }, values, classes) => {
      const out = logits[slice] ?? new Float32Array()
      const width = sizes[slice]?.width ?? 0
      for (let y = keep.top; y < keep.top + keep.height; y++) {
        const from = ((y - input.top) * input.width + keep.left - input.left) * classes
        const to = (y * width + keep.left) * classes
        expect(out[to]).toBeNaN()
        out.set(values.subarray(from, from + keep.width * classes), to)
      }
    },
    {
      ...options,
      notify: (message) => notices.push(message),
      pass: async (...args) => {
        const result = await pass(...args)
        passes.push([args[2][0], args[2][2], args[2][1]])
        return result
      },
    },
  )
  return { logits, sizes: passes, notices }
}

function largestDifference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let most = 0
  a.forEach((values, i) => {
    values.forEach((value, at) => {
      const difference = Math.abs(value - (b[i]?.[at] ?? NaN))
      if (!(difference <= most)) most = difference
    })
  })
  return most
}

/** Runs out of memory above so many pixels in all, and so many a picture. */
function shortOfMemory(pixels: number): ForwardPass {
  return (...args) => {
    const [count, height, width] = args[2]
    if (count * height * width > pixels) throw new RangeError('Array buffer allocation failed')
    return forwardPass(...args)
  }
}

describe('what a pass costs', () => {
  it('is what a larger picture then takes', async () => {
    small('instance')
    const cost = await predictionCost(network, 4)
    expect(await predictionCost(network, 4)).toBe(cost)
    const heap = wasmHeap()
    const before = heap?.live() ?? NaN
    heap?.takePeak()
    await forwardPass(network, picture(320, 256), [1, 256, 320, 1], async () => undefined)
    const peak = (heap?.takePeak() ?? NaN) - before
    expect((cost.perPixel * 320 * 256 + cost.fixed) / peak).toBeGreaterThan(0.9)
    expect((cost.perPixel * 320 * 256 + cost.fixed) / peak).toBeLessThan(1.15)
    expect(heap?.live()).toBe(before)
  })

  it('is more for a training step, which keeps what the gradients need', async () => {
    small()
    const tensorsBefore = tf.memory().numTensors
    const [predicting, training] = [await predictionCost(network, 4), await trainingCost(network, 4)]
    expect(training.perPixel).toBeGreaterThan(2 * predicting.perPixel)
    expect(tf.memory().numTensors).toBe(tensorsBefore)
  })
})

describe('the bound on the heap of WebAssembly', () => {
  it('refuses a tensor before it is made, and everything goes on', () => {
    small()
    const heap = wasmHeap()
    if (heap === null) throw new Error('The wasm rung has a heap.')
    const [live, size] = [heap.live(), heap.size()]
    heap.limit(live + MB)
    expect(() => tf.zeros([2 * MB])).toThrow(OutOfMemoryError)
    expect([heap.live(), heap.size()]).toEqual([live, size])
    heap.limit(WASM_HEAP_MOST)
    expect(() => tf.zeros([2 ** 30])).toThrow(OutOfMemoryError)
    const tensor = tf.ones([1000])
    expect(heap.live()).toBe(live + 4000)
    expect(tensor.dataSync().every((value) => value === 1)).toBe(true)
    tensor.dispose()
  })
})

describe('a picture that memory does not take in one piece', () => {
  it(
    'is the same in tiles where the network looks no further than their margins',
    async () => {
      small()
      const size = [{ width: 1100, height: 700 }]
      const whole = await run(size)
      expect(whole.sizes).toEqual([[1, 1100, 700]])
      const { perPixel, beside } = await predictionCost(network, 4)
      const tiled = await run(size, { memory: { ...tensors(perPixel * 256 * 256), process: 1e9 + beside } })
      expect(tiled.sizes.length).toBeGreaterThan(12)
      for (const [count, width, height] of tiled.sizes) expect(count * width * height).toBeLessThanOrEqual(256 * 256)
      expect(tiled.notices).toEqual([])
      expect(largestDifference(whole.logits, tiled.logits)).toBeLessThan(1e-5)
    },
    2 * MINUTES,
  )

  it('is normalized piece by piece, each as large as memory allows', async () => {
    small('instance')
    const size = [{ width: 300, height: 200 }]
    const { perPixel } = await predictionCost(network, 4)
    const { sizes } = await run(size, { memory: tensors(perPixel * 300 * 200 * 1.01) })
    expect(sizes).toEqual([[1, 300, 200]])
    const halves = await run(size, { memory: tensors(perPixel * 300 * 200 * 0.9) })
    expect(halves.sizes).toHaveLength(2)
    // Its labels may depend on where the pieces end, so that is said, once for all slices of a volume.
    expect(halves.notices).toEqual([expect.stringContaining('too large for one piece')])
    expect((await run(size, { memory: tensors(perPixel * 300 * 200 * 0.9) })).notices).toEqual([])
  })
})

describe('running out of memory', () => {
  it('halves the batch down to one, with one notice, and then goes on with that', async () => {
    small()
    const sizes = Array.from({ length: 9 }, () => ({ width: 64, height: 48 }))
    const usual = await run(sizes)
    expect(usual.sizes).toEqual([[9, 64, 48]])
    const short = await run(sizes, { pass: shortOfMemory(2 * 64 * 48) })
    expect(short.sizes.map(([count]) => count)).toEqual([2, 2, 2, 2, 1])
    expect(short.notices).toEqual([expect.stringContaining('fewer slices are predicted at once')])
    expect(largestDifference(usual.logits, short.logits)).toBeLessThan(1e-5)
    // What was learned once is not tried again, nor told.
    const again = await run(sizes, { pass: shortOfMemory(2 * 64 * 48) })
    expect([again.notices, again.sizes[0]]).toEqual([[], [2, 64, 48]])
  })

  it('then halves the tiles, and gives the same labels for what was done and what is left', async () => {
    small()
    const sizes = [
      { width: 400, height: 300 },
      { width: 250, height: 260 },
    ]
    const usual = await run(sizes)
    const short = await run(sizes, { pass: shortOfMemory(160 * 160) })
    for (const [count, width, height] of short.sizes) expect(count * width * height).toBeLessThanOrEqual(160 * 160)
    expect(short.notices).toEqual([expect.stringContaining('in smaller pieces')])
    expect(largestDifference(usual.logits, short.logits)).toBeLessThan(1e-5)
  })

  it('says so when the smallest piece is too much, and there is no mask', async () => {
    small()
    const before = tf.memory().numTensors
    let tries = 0
    const pass: ForwardPass = () => {
      tries++
      throw new OutOfMemoryError('Out of memory: simulated')
    }
    const running = run([{ width: 500, height: 400 }], { pass })
    await expect(running).rejects.toThrow(/memory/)
    expect(tries).toBeLessThan(12)
    expect(tf.memory().numTensors).toBe(before)
  })

  it('happens for real, on the bound of the heap, with no wrong label', async () => {
    small()
    const sizes = Array.from({ length: 4 }, () => ({ width: 128, height: 128 }))
    const usual = await run(sizes)
    const heap = wasmHeap()
    if (heap === null) throw new Error('The wasm rung has a heap.')
    const { perPixel } = await predictionCost(network, 4)
    const pass: ForwardPass = (...args) => {
      heap.limit(heap.live() + perPixel * 1.2 * 128 * 128)
      return forwardPass(...args)
    }
    const short = await run(sizes, { pass })
    expect(short.sizes.map(([count]) => count)).toEqual([1, 1, 1, 1])
    expect(largestDifference(usual.logits, short.logits)).toBeLessThan(1e-6)
    expect(heap.live()).toBeLessThan(heap.size())
  })
})

describe('what cannot be trusted', () => {
  it('is no result when the device is lost in the middle', async () => {
    small()
    let passes = 0
    const pass: ForwardPass = (...args) => {
      if (passes++ > 0) throw new CodedError('backend-lost', 'The graphics device stopped working.')
      return forwardPass(...args)
    }
    const running = run(
      [
        { width: 64, height: 64 },
        { width: 32, height: 32 },
      ],
      { pass },
    )
    await expect(running).rejects.toMatchObject({
      code: 'backend-lost',
      message: 'The graphics device stopped working.',
    })
    const aborted = Object.assign(new Error('Aborted(OOM)'), { name: 'RuntimeError' })
    const heapGone = run([{ width: 64, height: 64 }], { pass: () => Promise.reject(aborted) })
    await expect(heapGone).rejects.toMatchObject({ code: 'backend-lost', detail: 'RuntimeError: Aborted(OOM)' })
  })

  it.each([NaN, Infinity, -Infinity])('is no label where a logit is %d', async (value) => {
    small()
    const head = network.getLayer('logits')
    const [kernel, bias] = head.getWeights()
    if (kernel === undefined || bias === undefined) throw new Error('The head has weights.')
    const broken = tf.tensor1d([0, value, 0])
    head.setWeights([kernel, broken])
    const running = run([{ width: 40, height: 40 }], { model: 'Lungs 3' })
    await expect(running).rejects.toThrow(/^The model Lungs 3 gives values/)
    broken.dispose()
  })

  it('passes errors of ours on as they are', async () => {
    small()
    const running = run([{ width: 40, height: 40 }], { pass: () => Promise.reject(new TypeError('a fault')) })
    await expect(running).rejects.toBeInstanceOf(TypeError)
  })
})

describe('a large picture', () => {
  it('tells how far it is and can be cancelled between two layers', async () => {
    small()
    const controller = new AbortController()
    const done: number[] = []
    const before = tf.memory().numTensors
    const running = run([{ width: 600, height: 600 }], {
      signal: controller.signal,
      onProgress: (share) => {
        done.push(share)
        if (share > 0.3) controller.abort()
      },
    })
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    expect(done.length).toBeGreaterThan(3)
    expect(done).toEqual([...done].sort((a, b) => a - b))
    expect(done.at(-1)).toBeLessThan(0.5)
    expect(tf.memory().numTensors).toBe(before)
  })

  it('works with networks of one layer', async () => {
    network = layers.sequential({
      layers: [layers.layers.conv2d({ inputShape: [null, null, 1], filters: 3, kernelSize: 1 })],
    })
    expect((await run([{ width: 600, height: 600 }])).sizes).toEqual([[1, 600, 600]])
  })
})
