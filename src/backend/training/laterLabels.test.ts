import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, jobEnd, openWithCase, rectangle } from '../testing/fixtures.ts'

type TestBackend = Awaited<ReturnType<typeof openWithCase>>

afterEach(cleanUp)

async function correct(test: TestBackend, index: number, after: number): Promise<void> {
  const delta = rectangle({ index, at: [2, 1], size: [3, 3], after })
  await test.call('annotation.commit', { caseId: test.caseId, delta })
}

/** By slice, the labels that came later than what is known of it. */
async function taught(test: TestBackend): Promise<(readonly [number, readonly number[] | undefined])[]> {
  const job = await test.call('train.start', { steps: 3, seconds: 10, seed: 1, show: null })
  expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
  const samples = test.compute.trained.at(-1)?.samples ?? []
  return samples.map(({ index, later }) => [index, later] as const).sort(([a], [b]) => a - b)
}

describe('labels that came later than a slice was annotated', () => {
  it('are those that the first version which learned it did not know, until it changes', async () => {
    const test = await openWithCase()
    await correct(test, 1, 1)
    await correct(test, 2, 1)
    expect(await taught(test)).toEqual([
      [1, undefined],
      [2, undefined],
    ])
    const { value } = await test.call('labels.add', { name: 'Late', color: null })
    await correct(test, 3, value)
    expect(await taught(test)).toEqual([
      [1, [value]],
      [2, [value]],
      [3, undefined],
    ])
    // That a version knows the label by now says nothing of what was annotated before.
    const delta = rectangle({ index: 2, at: [0, 1], size: [1, 1], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    expect(await taught(test)).toEqual([
      [1, [value]],
      [2, undefined],
      [3, undefined],
    ])
  })
})
