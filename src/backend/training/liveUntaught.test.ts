import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, openWithCase, rectangle, type WithCase } from '../testing/fixtures.ts'
import { begin, correct, end, learned } from '../testing/live.ts'
import { train } from '../testing/versions.ts'
import { waitUntil } from '../testing/waiting.ts'

afterEach(cleanUp)

/** Changes a slice that was corrected before. */
async function addPixel(test: WithCase, index: number): Promise<void> {
  const delta = rectangle({ index, at: [6, 4], size: [1, 1], after: 1 })
  await test.call('annotation.commit', { caseId: test.caseId, delta })
}

/** The next lessons take so long to prepare that their run is cut off before its first step. Resolves when it has begun. */
function holdNextLessons({ compute: { learning } }: WithCase): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  learning.before = async (method, params, signal) => {
    const { lessons = null } = params as { lessons?: unknown }
    if (method !== 'liveRun' || lessons === null) return
    learning.before = async () => undefined
    resolve(undefined)
    await new Promise((ended) => signal?.addEventListener('abort', ended))
  }
  return promise
}

describe('what came to no step', () => {
  it('is in no version, and is learned another time', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await begin(test)
    await learned(test)
    const preparing = holdNextLessons(test)
    await correct(test, 3)
    await addPixel(test, 1)
    await preparing
    await end(test)
    const { cases, models: made } = await test.call('project.get', {})
    expect(made).toMatchObject([{ mode: 'live', active: true }])
    expect(cases).toMatchObject([{ correctedSlices: 2, newCorrectedSlices: 2 }])
    const { data, settings } = await test.call('models.detail', { modelId: made[0]?.id ?? '' })
    expect(data).toMatchObject([{ revision: 1, slices: 1 }])
    expect(settings).toMatchObject({ corrected: 1, replay: 0 })
    // Nothing of it is there as it was learned.
    const { points } = await test.call('models.timeline', {})
    expect(points).toMatchObject([{ correctionDiceBefore: null, correctionDiceAfter: null }])
    await begin(test)
    await learned(test)
    await end(test)
    expect((await test.call('project.get', {})).cases).toMatchObject([{ newCorrectedSlices: 0 }])
  })

  it('is learned from the version that was kept of what was learned before it', async () => {
    const test = await openWithCase()
    await correct(test, 2)
    await train(test)
    await correct(test, 1)
    await begin(test)
    await learned(test)
    const { learning } = test.compute
    const preparing = holdNextLessons(test)
    await addPixel(test, 1)
    await preparing
    await test.call('compute.configure', { backend: 'wasm', threads: 1 })
    await waitUntil(() => learning.calls('liveOpen').length === 2)
    await learned(test)
    expect(learning.calls('liveOpen')[1]?.parentDir).toBe(join(test.dir, 'models', '002'))
    await end(test)
    expect((await test.call('project.get', {})).cases).toMatchObject([{ newCorrectedSlices: 0 }])
  })
})
