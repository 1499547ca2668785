import { afterEach, describe, expect, it } from 'vitest'
import { Journal } from '../annotation/journal.ts'
import { Settings } from '../project/settings.ts'
import {
  cleanUp,
  inClosedProject,
  onlyCase,
  openWithCase,
  readMaskOf,
  rectangle,
  restart,
  type WithCase,
} from '../testing/fixtures.ts'
import { openPredicted, retrain } from '../testing/versions.ts'

afterEach(cleanUp)

const slice = (test: WithCase, index: number | null, approved = true): ReturnType<typeof approveOf> =>
  approveOf(test, { index, region: null, approved })

function approveOf(
  test: WithCase,
  params: {
    index: number | null
    region: { x0: number; y0: number; x1: number; y1: number } | null
    approved: boolean
  },
) {
  return test.call('slice.approve', { caseId: test.caseId, ...params })
}

describe('slice.approve', () => {
  it('marks a slice by one step of the history that changes no voxel, and undo takes it back', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 2, at: [1, 1], size: [2, 2], after: 1 }) })
    const before = await readMaskOf(test, caseId)
    const said = await slice(test, 3)
    expect(said).toMatchObject({ revision: 2, history: { undoName: 'approve' } })
    expect(said.marks).toEqual({ corrected: [2], predicted: [], approved: [3], painted: [] })
    expect(said.delta).toMatchObject({ kind: 'approve', axis: 2, box: { min: [0, 0, 3], max: [8, 6, 4] } })
    expect(said.delta?.runs).toHaveLength(0)
    expect(await readMaskOf(test, caseId)).toEqual(before)
    // Untouched slices teach too once somebody says that nothing is there.
    expect(await onlyCase(test)).toMatchObject({ correctedSlices: 1, approvedSlices: 1, newCorrectedSlices: 2 })
    expect(test.told('case.slices').at(-1)).toEqual({ caseId, ...said.marks })
    expect(test.told('annotation.applied').at(-1)).toMatchObject({ revision: 2, delta: { kind: 'approve' } })

    const undone = await test.call('annotation.undo', { caseId })
    expect(undone).toMatchObject({ revision: 3, history: { undoName: 'brush Liver', redoName: 'approve' } })
    expect(test.told('case.slices').at(-1)).toMatchObject({ approved: [] })
    expect(await onlyCase(test)).toMatchObject({ approvedSlices: 0, newCorrectedSlices: 1 })
    await test.call('annotation.redo', { caseId })
    expect(test.told('case.slices').at(-1)).toMatchObject({ corrected: [2], approved: [3] })
  })

  it('says nothing twice, and is taken back by a step of its own', async () => {
    const test = await openWithCase()
    await slice(test, 1)
    expect(await slice(test, 1)).toMatchObject({ revision: 1, delta: null })
    const withdrawn = await slice(test, 1, false)
    expect(withdrawn).toMatchObject({
      revision: 2,
      history: { undoName: 'withdraw approval' },
      marks: { approved: [] },
    })
    expect(await slice(test, 1, false)).toMatchObject({ revision: 2, delta: null })
    await test.call('annotation.undo', { caseId: test.caseId })
    expect(test.told('case.slices').at(-1)).toMatchObject({ approved: [1] })
  })

  it('takes a whole case in one step, and gives back what was approved before', async () => {
    const test = await openWithCase()
    await slice(test, 4)
    const all = await slice(test, null)
    expect(all.marks.approved).toEqual([0, 1, 2, 3, 4])
    expect(all.delta).toMatchObject({ axis: null, box: { min: [0, 0, 0], max: [8, 6, 5] } })
    expect(await onlyCase(test)).toMatchObject({ status: 'approved', approvedSlices: 5 })
    await test.call('annotation.undo', { caseId: test.caseId })
    expect(test.told('case.slices').at(-1)).toMatchObject({ approved: [4] })
    expect((await onlyCase(test)).status).toBe('corrected')
  })

  it('takes regions, which add up to the slice and are cut out of it again', async () => {
    const test = await openWithCase()
    const left = { x0: 0, y0: 0, x1: 3, y1: 6 }
    const right = { x0: 3, y0: 0, x1: 8, y1: 6 }
    const part = await approveOf(test, { index: 1, region: left, approved: true })
    expect(part.delta?.box).toEqual({ min: [0, 0, 1], max: [3, 6, 2] })
    expect(part.marks).toEqual({ corrected: [1], predicted: [], approved: [], painted: [1] })
    // A part of a part says nothing new.
    const again = await approveOf(test, { index: 1, region: { ...left, x1: 2 }, approved: true })
    expect(again.delta).toBeNull()
    const whole = await approveOf(test, { index: 1, region: right, approved: true })
    expect(whole.marks).toMatchObject({ corrected: [], approved: [1], painted: [] })
    const cut = await approveOf(test, { index: 1, region: { x0: 7, y0: 5, x1: 8, y1: 6 }, approved: false })
    expect(cut.marks).toMatchObject({ corrected: [1], approved: [], painted: [1] })
    for (let steps = 0; steps < 3; steps++) await test.call('annotation.undo', { caseId: test.caseId })
    expect(test.told('case.slices').at(-1)).toMatchObject({ corrected: [], approved: [], painted: [] })
  })

  it('takes slices of a case that are named, in one step', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const some = (slices: number[]) => test.call('slice.approve', { caseId, index: null, slices, approved: true })
    const { marks, history } = await some([3, 1, 3])
    expect([marks.approved, history.undoName]).toEqual([[1, 3], 'approve'])
    await test.call('annotation.undo', { caseId })
    expect(test.told('case.slices').at(-1)).toMatchObject({ approved: [] })
    await expect(some([1, 5])).rejects.toMatchObject({ code: 'bad-request' })
    const both = { caseId, index: 1, slices: [1], approved: true }
    await expect(test.call('slice.approve', both)).rejects.toMatchObject({ code: 'bad-request' })
  })

  it('refuses what lies outside', async () => {
    const test = await openWithCase()
    const region = { x0: 0, y0: 0, x1: 9, y1: 6 }
    await expect(slice(test, 5)).rejects.toMatchObject({ code: 'bad-request' })
    await expect(approveOf(test, { index: 0, region, approved: true })).rejects.toMatchObject({ code: 'bad-request' })
    const empty = { x0: 2, y0: 0, x1: 2, y1: 6 }
    await expect(approveOf(test, { index: 0, region: empty, approved: true })).rejects.toMatchObject({
      code: 'bad-request',
    })
    const inside = { x0: 0, y0: 0, x1: 1, y1: 1 }
    await expect(approveOf(test, { index: null, region: inside, approved: true })).rejects.toMatchObject({
      code: 'bad-request',
    })
    expect((await test.call('annotation.history', { caseId: test.caseId })).canUndo).toBe(false)
  })

  it('survives a restart, and the journal goes on to hold', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 0, at: [1, 1], size: [2, 2], after: 1 }) })
    await slice(test, 0)
    await slice(test, null)
    await approveOf(test, { index: 2, region: { x0: 0, y0: 0, x1: 2, y1: 2 }, approved: false })
    await test.call('annotation.undo', { caseId })
    await test.call('annotation.undo', { caseId })
    const again = await restart(test)
    expect(await again.call('case.open', { caseId })).toMatchObject({ corrected: [0], approved: [0], revision: 6 })
    expect(await again.call('annotation.history', { caseId })).toMatchObject({
      undoName: 'approve',
      redoName: 'approve',
    })
    await again.call('annotation.redo', { caseId })
    expect(again.told('case.slices').at(-1)).toMatchObject({ approved: [0, 1, 2, 3, 4] })
    expect(await inClosedProject(again, ({ db }) => new Journal(db).verify())).toEqual({ rows: 7, broken: null })
  })

  it('leaves a saved mask saved', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 0, at: [1, 1], size: [2, 2], after: 1 }) })
    await test.call('export.mask', { caseId, fileId: null })
    await slice(test, 0)
    expect((await onlyCase(test)).status).toBe('saved')
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [1, 1], size: [2, 2], after: 1 }) })
    expect((await onlyCase(test)).status).toBe('corrected')
  })

  it('keeps approved slices from being overwritten with the volume, unless that is wanted: then nobody has seen them', async () => {
    const test = await openPredicted()
    const { caseId } = test
    await slice(test, 2)
    const volume = { caseId, scope: { kind: 'volume' } as const, labels: null }
    expect(await test.call('annotation.accept', { ...volume, keepCorrected: true })).toMatchObject({
      keptCorrectedSlices: 2,
    })
    const marks = async () => {
      const { corrected, approved, painted } = await test.call('case.open', { caseId })
      return { corrected, approved, painted }
    }
    expect(await marks()).toEqual({ corrected: [0], approved: [2], painted: [] })
    await test.call('annotation.accept', { ...volume, keepCorrected: false })
    expect(await marks()).toEqual({ corrected: [0], approved: [], painted: [0] })
    expect((await onlyCase(test)).newCorrectedSlices).toBe(0)
    // Drawing on it again is looking at it.
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 0, at: [7, 5], size: [1, 1], after: 1 }) })
    expect(await marks()).toEqual({ corrected: [0], approved: [], painted: [] })
    expect((await onlyCase(test)).newCorrectedSlices).toBe(1)
    await test.call('annotation.undo', { caseId })
    expect(await marks()).toEqual({ corrected: [0], approved: [], painted: [0] })
    await test.call('annotation.undo', { caseId })
    expect(await marks()).toEqual({ corrected: [0], approved: [2], painted: [] })
  })
})

describe('slice.coverage', () => {
  it('is a matter of the project for what is corrected from now on, and of a slice for what is', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const draw = (index: number) =>
      test.call('annotation.commit', { caseId, delta: rectangle({ index, at: [1, 1], size: [2, 2], after: 1 }) })
    const painted = async () => (await test.call('case.open', { caseId })).painted
    await draw(0)
    expect(await test.call('slice.coverage', { caseId: null, index: null, coverage: 'painted' })).toEqual({
      coverage: 'painted',
    })
    expect((await test.call('project.get', {})).coverage).toBe('painted')
    expect(await painted()).toEqual([])
    await draw(1)
    await draw(2)
    expect(await painted()).toEqual([1, 2])
    await test.call('slice.coverage', { caseId, index: 1, coverage: 'whole' })
    expect(test.told('case.slices').at(-1)).toMatchObject({ painted: [2] })
    // A choice that was made stays when more is drawn.
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [5, 1], size: [2, 2], after: 1 }) })
    expect(await painted()).toEqual([2])
    await test.call('slice.coverage', { caseId, index: null, coverage: 'painted' })
    expect(await painted()).toEqual([0, 1, 2])
    // Approving all of it makes all of it teach.
    await slice(test, 2)
    expect(await painted()).toEqual([0, 1])
    await expect(test.call('slice.coverage', { caseId, index: 4, coverage: 'whole' })).rejects.toMatchObject({
      code: 'bad-request',
    })
    await expect(test.call('slice.coverage', { caseId: null, index: 0, coverage: 'whole' })).rejects.toMatchObject({
      code: 'bad-request',
    })
    expect(await inClosedProject(test, ({ db }) => new Settings(db).get('.coverage'))).toBe('painted')
  })

  it('is learned anew when it changes', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const draw = (index: number) =>
      test.call('annotation.commit', { caseId, delta: rectangle({ index, at: [1, 1], size: [2, 2], after: 1 }) })
    await draw(0)
    await draw(1)
    await retrain(test)
    expect((await onlyCase(test)).newCorrectedSlices).toBe(0)
    await test.call('slice.coverage', { caseId, index: 0, coverage: 'painted' })
    expect((await onlyCase(test)).newCorrectedSlices).toBe(1)
    // To find right what teaches as a whole is to annotate it with the labels of now; to take that back says nothing of it.
    await slice(test, 1)
    expect((await onlyCase(test)).newCorrectedSlices).toBe(2)
    await retrain(test)
    await slice(test, 1, false)
    expect((await onlyCase(test)).newCorrectedSlices).toBe(0)
  })
})

describe('slice.approve of what a version has learned already', () => {
  it('stays in force when somebody draws there, and all of the slice teaches anew as it is then', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('slice.coverage', { caseId: null, index: null, coverage: 'painted' })
    await slice(test, 1)
    await retrain(test)
    expect((await onlyCase(test)).newCorrectedSlices).toBe(0)
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 }) })
    expect(test.told('case.slices').at(-1)).toMatchObject({ corrected: [1], approved: [1], painted: [] })
    // One slice, counted once.
    expect(await onlyCase(test)).toMatchObject({ correctedSlices: 0, approvedSlices: 1, newCorrectedSlices: 1 })
  })

  it('teaches it with the labels that there are by now, where all of it is approved', async () => {
    const test = await openWithCase()
    const { caseId } = test
    /** By slice, the labels that may be in its background. */
    const taught = async () => {
      await retrain(test)
      const samples = test.compute.trained.at(-1)?.samples ?? []
      return samples.map(({ index, later }) => [index, later] as const).sort(([a], [b]) => a - b)
    }
    for (const index of [1, 2]) {
      const delta = rectangle({ index, at: [2, 1], size: [3, 3], after: 1 })
      await test.call('annotation.commit', { caseId, delta })
    }
    await taught()
    const { value } = await test.call('labels.add', { name: 'Late', color: null })
    await slice(test, 1)
    await approveOf(test, { index: 2, region: { x0: 0, y0: 0, x1: 3, y1: 6 }, approved: true })
    const expected = [
      [1, undefined],
      [2, [value]],
    ]
    expect(await taught()).toEqual(expected)
    await slice(test, 1, false)
    expect(await taught()).toEqual(expected)
  })
})
