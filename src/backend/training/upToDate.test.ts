import { afterEach, describe, expect, it } from 'vitest'
import { readImage } from '../../imaging/index.ts'
import { addVolume, cleanUp, jobEnd, openBackend, openWithCase, rectangle, type WithCase } from '../testing/fixtures.ts'
import { end, learned } from '../testing/live.ts'
import { retrain, TRAIN } from '../testing/versions.ts'
import { pause, waitUntil } from '../testing/waiting.ts'

afterEach(cleanUp)

async function correct(test: WithCase, index: number, after = 1): Promise<void> {
  const delta = rectangle({ index, at: [2, 1], size: [3, 3], after })
  await test.call('annotation.commit', { caseId: test.caseId, delta })
}

/** By slice, the labels that came later than what is known of it. */
function latestTaught(test: WithCase): (readonly [number, readonly number[] | undefined])[] {
  const samples = test.compute.trained.at(-1)?.samples ?? []
  return samples.map(({ index, later }) => [index, later] as const)
}

/** Something else computes until what is returned is called. */
async function occupyCompute(test: WithCase): Promise<() => Promise<unknown>> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  test.compute.beforePredict = async () => {
    await promise
  }
  const job = await test.call('predict.start', { caseId: test.caseId, index: 0 })
  await waitUntil(() => test.compute.predicted.length === 1)
  return () => {
    resolve(undefined)
    return jobEnd(test, job.id)
  }
}

describe('labels that came later than a slice was annotated', () => {
  it('are those of when a training has its turn, also where its images were read before', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await retrain(test)
    await correct(test, 2)
    const release = await occupyCompute(test)
    const job = await test.call('train.start', TRAIN)
    // By then it has read what was corrected, and waits.
    await pause(200)
    const { value } = await test.call('labels.add', { name: 'Late', color: null })
    await release()
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
    expect(latestTaught(test)).toEqual([
      [2, undefined],
      [1, [value]],
    ])
  })

  it('are those of now in Live, also where it had its lessons before', async () => {
    const test = await openWithCase()
    const { learning } = test.compute
    await correct(test, 1)
    await retrain(test)
    await correct(test, 2)
    await test.call('live.set', { on: true, show: null })
    await learned(test, 1)
    const { value } = await test.call('labels.add', { name: 'Late', color: null })
    await waitUntil(() => learning.calls('liveOpen').length === 2)
    await learned(test, 1)
    const given = learning.calls('liveRun').findLast(({ lessons }) => lessons !== null)?.lessons?.kept
    expect(given?.map(({ index, later }) => [index, later])).toEqual([
      [2, undefined],
      [1, [value]],
    ])
    await end(test)
  })
})

describe('images', () => {
  it('are read once where nothing changed until the training has its turn', async () => {
    const first = await openWithCase({ dims: [8, 6, 40] })
    const other = await addVolume(first, { dims: [8, 6, 40], seed: 5 })
    // More than one training learns anew, of labels that nobody has counted by slice yet.
    for (let index = 0; index < 40; index++) {
      for (const caseId of [first.caseId, other.id])
        await correct({ ...first, caseId }, index, 1 + Number(index % 5 === 0))
    }
    await first.backend.close()
    let reads = 0
    const counting: typeof readImage = async (path, options) => {
      reads++
      return readImage(path, options)
    }
    // One image at most stays open that is not in use.
    const again = await openBackend(first.dir, undefined, { readImage: counting, budget: 0 })
    const test = { ...first, ...again }
    await retrain(test)
    expect(latestTaught(test)).toHaveLength(80)
    expect(reads).toBe(2)
  })
})
