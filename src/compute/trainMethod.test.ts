import { mkdtemp, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHandlers } from './handlers.ts'
import { startRuntime } from './runtime/start.ts'
import { DISK_LABELS, diskSample } from './training/testing/samples.ts'
import type { ComputeHandlers } from './server.ts'

type Order = Parameters<ComputeHandlers['train']>[0]

let dir = ''
let handlers: ComputeHandlers

beforeAll(async () => {
  const options = { backend: 'wasm', threads: 1 } as const
  const runtime = startRuntime(options)
  handlers = createHandlers(runtime, options)
  await runtime
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-method-'))
}, 60_000)

afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

function order(change: Partial<Order> = {}): Order {
  return {
    ...{ parentDir: null, outDir: path.join(dir, 'first'), modelId: 'a', name: 'First', createdAt: 'now' },
    ...{ labels: DISK_LABELS, samples: [diskSample(1), diskSample(2)], kept: [], steps: 12, seconds: 600, seed: 1 },
    ...{ recipe: 'interactive', continuing: {} },
    ...change,
  }
}

const train = (change: Partial<Order> = {}) =>
  handlers.train(order(change), {
    signal: new AbortController().signal,
    onProgress: () => undefined,
    notify: () => undefined,
  })

describe('train', () => {
  it('writes a model, goes on from it as it is told, and leaves nothing of a training that went wrong', async () => {
    const { card } = await train()
    expect(card).toMatchObject({ id: 'a', parentId: null, data: { samples: 2, corrected: 2, replay: 0 } })
    const parentDir = path.join(dir, 'first')
    const child = (name: string, continuing: Order['continuing'], steps = 3) =>
      train({ parentDir, outDir: path.join(dir, name), modelId: name, continuing, steps })

    // So small a rate leaves the weights where they were.
    const still = await child('still', { learningRate: 1e-12 })
    expect(still.card).toMatchObject({ parentId: 'a', training: { steps: 3 } })
    expect(still.card.training?.lossBefore).toBeCloseTo(still.card.training?.lossAfter ?? NaN, 6)
    // What three steps come to hangs on the patches that they happen to see.
    const moved = await child('moved', { learningRate: 1e-2 }, 30)
    expect(moved.card.training?.lossAfter).toBeLessThan((moved.card.training?.lossBefore ?? NaN) - 1e-3)

    // A normalization keeps values finite up to the head, whatever its weights are; these are beyond what a float holds.
    const before = (await readdir(dir)).sort()
    await expect(child('wrong', { learningRate: 1e38 })).rejects.toMatchObject({ code: 'compute-failed' })
    expect((await readdir(dir)).sort()).toEqual(before)
    expect((await child('after', {})).card.training?.steps).toBe(3)
  }, 120_000)

  it('names a case that is not kept, before anything is computed', async () => {
    const kept = [{ caseId: 'unknown', index: 0, role: 'corrected' as const }]
    const wanted = train({ kept, outDir: path.join(dir, 'none') })
    await expect(wanted).rejects.toMatchObject({ code: 'not-resident', detail: 'unknown' })
  })
})
