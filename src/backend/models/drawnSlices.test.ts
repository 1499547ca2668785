import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { writeVolume } from '../../imaging/index.ts'
import {
  addVolume,
  cleanUp,
  DIMS,
  LPS,
  readMaskOf,
  rectangle,
  temporaryFolder,
  type TestBackend,
} from '../testing/fixtures.ts'
import { openPredicted, predict } from '../testing/versions.ts'

afterEach(cleanUp)

interface WithAside extends TestBackend {
  readonly aside: string
}

/** One case is set aside, and predicted. */
async function openWithAside(): Promise<WithAside> {
  const test = await openPredicted()
  const { id: aside } = await addVolume(test, { seed: 7 })
  await predict(test, aside)
  await test.call('holdout.set', { caseIds: [aside], chosenBy: 'user' })
  return { ...test, aside }
}

/** How many slices are scored, and how many of them count as drawn on. */
async function scored(test: WithAside): Promise<(number | undefined)[]> {
  const [one] = (await test.call('holdout.get', {})).cases
  return [one?.slices, one?.drawn]
}

const commit = (test: WithAside, of: Parameters<typeof rectangle>[0]) =>
  test.call('annotation.commit', { caseId: test.aside, delta: rectangle(of) })
const accept = (test: WithAside, slice: number | null, keepCorrected = true) =>
  test.call('annotation.accept', {
    ...{ caseId: test.aside, labels: null, keepCorrected },
    scope: slice === null ? { kind: 'volume' } : { kind: 'slice', axis: 2, index: slice },
  })
const approve = (test: WithAside, index: number) =>
  test.call('slice.approve', { caseId: test.aside, index, approved: true })

describe('slices that are scored and drawn on', () => {
  it('are those that were crossed in another plane before the volume was accepted, which keeps what was drawn', async () => {
    const test = await openWithAside()
    // Row 2 of the slices 1 and 3.
    for (const at of [1, 3]) await commit(test, { axis: 1, index: 2, at: [7, at], size: [1, 1], after: 2 })
    await accept(test, null)
    for (const index of [0, 1]) await approve(test, index)
    expect((await readMaskOf(test, test.aside))[48 + 2 * 8 + 7]).toBe(2)
    // Slice 3 is not scored.
    expect(await scored(test)).toEqual([2, 1])
    await approve(test, 3)
    expect(await scored(test)).toEqual([3, 2])
    // Accepted by name too: that gives up what was drawn on the slice itself alone.
    await accept(test, 3)
    expect((await readMaskOf(test, test.aside))[3 * 48 + 2 * 8 + 7]).toBe(2)
    expect(await scored(test)).toEqual([3, 2])
  })

  it.each(['keep', 1] as const)('are those that came from a file, taken as %s', async (labels) => {
    const test = await openWithAside()
    const path = join(temporaryFolder(), 'mask.nii.gz')
    const data = new Uint8Array(DIMS[0] * DIMS[1] * DIMS[2])
    data[2 * 48 + 7] = 1
    await writeVolume(path, { dims: DIMS, affine: LPS, data })
    const fileId = test.backend.registerFile(path, 'open').id
    await test.call('mask.import', { caseId: test.aside, fileId, resample: false, labels })
    for (const index of [1, 2]) await approve(test, index)
    expect(await scored(test)).toEqual([2, 1])
  })

  it('are none over which the prediction was accepted since, until somebody draws there again', async () => {
    const test = await openWithAside()
    const before = await readMaskOf(test, test.aside)
    await accept(test, 1)
    const predicted = await readMaskOf(test, test.aside)
    await test.call('annotation.undo', { caseId: test.aside })
    expect(await readMaskOf(test, test.aside)).toEqual(before)
    await commit(test, { index: 1, at: [7, 0], size: [1, 1], after: 2 })
    await commit(test, { index: 2, at: [7, 0], size: [1, 1], after: 2 })
    expect(await scored(test)).toEqual([2, 2])
    await accept(test, 1)
    expect(await readMaskOf(test, test.aside)).toMatchObject({ [48 + 7]: predicted[48 + 7], [96 + 7]: 2 })
    expect(await scored(test)).toEqual([2, 1])
    await test.call('annotation.undo', { caseId: test.aside })
    expect(await scored(test)).toEqual([2, 2])
    await test.call('annotation.redo', { caseId: test.aside })
    expect(await scored(test)).toEqual([2, 1])
    await commit(test, { index: 1, at: [7, 0], size: [1, 1], before: predicted[48 + 7] ?? 0, after: 2 })
    expect(await scored(test)).toEqual([2, 2])
    await accept(test, null, false)
    for (const index of [1, 2]) await approve(test, index)
    expect(await scored(test)).toEqual([2, 0])
  })
})
