import { afterEach, describe, expect, it } from 'vitest'
import type { Axis, Dims } from '../../core/contract/schemas.ts'
import { sliceAxes } from '../../core/labelmap/index.ts'
import type { Pixels } from '../annotation/standing.ts'
import { createServices } from '../services.ts'
import { FakeCompute } from '../testing/fakeCompute.ts'
import { AXIAL_ACROSS, cleanUp, inClosedProject, openWithCase, rectangle, type WithCase } from '../testing/fixtures.ts'
import { openPredicted, predict, retrain } from '../testing/versions.ts'
import { teachingSlices, type TeachingSlice } from './teaching.ts'
import { trustedVoxels } from './trusted.ts'

afterEach(cleanUp)

const dims: Dims = [17, 19, 13]

/** What the project holds, as a training sees it; nothing else works in it meanwhile. */
async function closedLook(
  test: WithCase,
  slices: readonly number[],
): Promise<{ trusted: Map<number, Pixels>; teaching: TeachingSlice[] }> {
  return inClosedProject(test, async (project) => {
    const services = createServices({ project, compute: new FakeCompute(), log: () => undefined })
    const parts = { ...services, db: project.db }
    const trusted = await services.masks.use(test.caseId, (mask) => trustedVoxels(parts, mask, slices))
    return { trusted, teaching: teachingSlices(project.db, services.models.activeId()) }
  })
}

/** The pixels of a slice for which `is` holds, one byte each. */
function pixelsWhere(width: number, height: number, is: (x: number, y: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, i) => Number(is(i % width, Math.floor(i / width))))
}

const within3 = (x: number, y: number, spots: readonly (readonly [number, number])[]): boolean =>
  spots.some(([a, b]) => (x - a) ** 2 + (y - b) ** 2 <= 9)

describe('trustedVoxels', () => {
  it.each([0, 1, 2] as const)('are what was painted, close to it, or approved, across axis %i', async (axis: Axis) => {
    const test = await openWithCase({ dims, affine: AXIAL_ACROSS[axis] })
    const { caseId } = test
    const [fast, slow] = sliceAxes(axis)
    const [width, height] = [dims[fast], dims[slow]]
    await test.call('slice.coverage', { caseId: null, index: null, coverage: 'painted' })
    const commit = (delta: ReturnType<typeof rectangle>) => test.call('annotation.commit', { caseId, delta })
    await commit(rectangle({ axis, index: 5, at: [1, 2], size: [1, 1], after: 1 }))
    // Erased again: somebody says that nothing is there.
    await commit(rectangle({ axis, index: 5, at: [10, 9], size: [1, 1], after: 1 }))
    await commit(rectangle({ axis, index: 5, at: [10, 9], size: [1, 1], before: 1, after: 0 }))
    // Taken back: nothing is said any more.
    await commit(rectangle({ axis, index: 5, at: [4, 11], size: [1, 1], after: 2 }))
    await test.call('annotation.undo', { caseId })
    // In another plane, through slices 4 to 6, at the last pixel along the lower axis.
    const crossing: Axis = fast
    const along = sliceAxes(crossing)[0] === axis ? 0 : 1
    const at: [number, number] = along === 0 ? [4, 0] : [0, 4]
    const size: [number, number] = along === 0 ? [3, 1] : [1, 3]
    await commit(rectangle({ axis: crossing, index: width - 1, at, size, after: 1 }))
    const region = { x0: 6, y0: 0, x1: 8, y1: height }
    await test.call('slice.approve', { caseId, index: 5, region, approved: true })
    await test.call('slice.approve', { caseId, index: 7, region, approved: true })
    const spots = [
      [1, 2],
      [10, 9],
      [width - 1, 0],
    ] as const
    const inRegion = (x: number): boolean => x >= 6 && x < 8
    const { trusted, teaching } = await closedLook(test, [5, 6, 7, 8])
    expect(trusted.get(5)).toEqual(pixelsWhere(width, height, (x, y) => within3(x, y, spots) || inRegion(x)))
    expect(trusted.get(6)).toEqual(pixelsWhere(width, height, (x, y) => within3(x, y, [[width - 1, 0]])))
    expect(trusted.get(7)).toEqual(pixelsWhere(width, height, inRegion))
    expect(trusted.get(8)).toBe('none')
    // A slice that was only crossed says nothing of itself.
    expect(teaching.map(({ slice, whole }) => [slice, whole])).toEqual([
      [7, false],
      [5, false],
    ])
  })

  it('are all of a slice that is corrected as a whole or approved, and none of what was predicted and accepted unseen', async () => {
    const test = await openPredicted()
    const { caseId } = test
    await test.call('annotation.accept', { caseId, scope: { kind: 'volume' }, labels: null, keepCorrected: true })
    await test.call('slice.approve', { caseId, index: 3, region: null, approved: true })
    // Across the accepted slices 1 and 2: only there did a person look.
    const across = rectangle({ axis: 0, index: 7, at: [0, 1], size: [1, 2], after: 2 })
    await test.call('annotation.commit', { caseId, delta: across })
    const { trusted, teaching } = await closedLook(test, [0, 1, 2, 3, 4])
    expect([trusted.get(0), trusted.get(3), trusted.get(4)]).toEqual(['all', 'all', 'none'])
    const near = pixelsWhere(8, 6, (x, y) => within3(x, y, [[7, 0]]))
    expect([trusted.get(1), trusted.get(2)]).toEqual([near, near])
    expect(teaching).toMatchObject([
      { slice: 1, whole: false, known: false, learned: false },
      { slice: 2, whole: false, known: false, learned: false },
      { slice: 3, whole: true, known: false, learned: false },
      { slice: 0, whole: true, known: true, learned: true },
    ])
  })

  it('are none of what a prediction was written over, until somebody draws there again', async () => {
    const test = await openWithCase({ dims: [8, 6, 5] })
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 0, at: [0, 0], size: [2, 2], after: 1 }) })
    await test.call('slice.approve', { caseId, index: 1, region: null, approved: true })
    await retrain(test)
    await predict(test, caseId)
    await test.call('annotation.accept', { caseId, scope: { kind: 'volume' }, labels: null, keepCorrected: false })
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 0, at: [7, 5], size: [1, 1], after: 2 }) })
    await test.call('annotation.undo', { caseId })
    const { trusted, teaching } = await closedLook(test, [0, 1])
    expect([trusted.get(0), trusted.get(1)]).toEqual(['none', 'none'])
    expect(teaching).toEqual([])
  })

  it('leave out the hold-out', async () => {
    const test = await openWithCase({ dims: [8, 6, 5] })
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 0, at: [0, 0], size: [2, 2], after: 1 }) })
    await test.call('holdout.set', { caseIds: [caseId], chosenBy: 'user' })
    expect((await test.call('project.get', {})).cases).toMatchObject([{ heldOut: true, newCorrectedSlices: 0 }])
    expect((await closedLook(test, [0])).teaching).toEqual([])
  })
})
