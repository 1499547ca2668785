import { afterEach, describe, expect, it } from 'vitest'
import { Journal } from '../annotation/journal.ts'
import { cleanUp, inClosedProject, onlyCase, rectangle, restart } from '../testing/fixtures.ts'
import { openPredicted, predict } from '../testing/versions.ts'

afterEach(cleanUp)

describe('slice.approve of what is predicted', () => {
  /** Slice 0 is drawn on, and all are predicted. */
  async function predicted() {
    const test = await openPredicted()
    const { caseId } = test
    const look = (index: number, layer: 'mask' | 'prediction') =>
      test.call('annotation.slice', { caseId, axis: 2, index, layer })
    const same = async (index: number) => {
      const [mask, prediction] = [await look(index, 'mask'), await look(index, 'prediction')]
      return Buffer.compare(mask.data, prediction.data) === 0
    }
    const { revision } = await test.call('case.open', { caseId })
    return { ...test, look, same, revision }
  }

  it('takes it into the mask in the same step, and one undo takes back both', async () => {
    const test = await predicted()
    const { caseId, revision } = test
    const told = test.told('annotation.applied').length
    const said = await test.call('slice.approve', { caseId, index: 2, takeOver: true, approved: true })
    expect(said).toMatchObject({
      revision: revision + 1,
      tookOver: 1,
      delta: { kind: 'accept', axis: 2, box: { min: [0, 0, 2], max: [8, 6, 3] } },
      history: { undoName: 'accept and approve prediction' },
      marks: { corrected: [0], approved: [2], painted: [] },
    })
    expect(said.delta?.runs.length).toBeGreaterThan(0)
    expect(test.told('annotation.applied')).toHaveLength(told + 1)
    expect(await test.same(2)).toBe(true)
    expect(await onlyCase(test)).toMatchObject({ approvedSlices: 1, newCorrectedSlices: 1 })

    const undone = await test.call('annotation.undo', { caseId })
    expect(undone.history).toMatchObject({ undoName: 'brush Liver', redoName: 'accept and approve prediction' })
    expect(test.told('case.slices').at(-1)).toMatchObject({ corrected: [0], approved: [] })
    expect((await test.look(2, 'mask')).data.every((label) => label === 0)).toBe(true)
    expect(await onlyCase(test)).toMatchObject({ approvedSlices: 0, newCorrectedSlices: 0 })

    await test.call('annotation.redo', { caseId })
    expect(await test.same(2)).toBe(true)
    // Taken back by hand, it is a prediction that nobody vouches for: it teaches nothing.
    const back = await test.call('slice.approve', { caseId, index: 2, approved: false })
    expect(back).toMatchObject({ tookOver: 0, marks: { corrected: [0], approved: [] } })
    expect((await onlyCase(test)).newCorrectedSlices).toBe(0)
    // It is in the mask already.
    const again = await test.call('slice.approve', { caseId, index: 2, takeOver: true, approved: true })
    expect(again).toMatchObject({ tookOver: 0, delta: { kind: 'approve' }, marks: { approved: [2] } })

    const reopened = await restart(test)
    expect(await reopened.call('case.open', { caseId })).toMatchObject({ corrected: [0], approved: [2] })
    expect((await inClosedProject(reopened, ({ db }) => new Journal(db).verify())).broken).toBeNull()
  })

  it('keeps what was drawn, takes only the slices that were named, and leaves the mask where it is not wanted', async () => {
    const test = await predicted()
    const { caseId } = test
    const drawn = await test.look(0, 'mask')
    const all = { caseId, index: null, slices: [0, 1, 3], takeOver: true, approved: true }
    const said = await test.call('slice.approve', all)
    expect(said).toMatchObject({ tookOver: 2, marks: { approved: [0, 1, 3] } })
    expect((await test.look(0, 'mask')).data).toEqual(drawn.data)
    expect([await test.same(1), await test.same(3), await test.same(2)]).toEqual([true, true, false])
    await test.call('annotation.undo', { caseId })
    expect(test.told('case.slices').at(-1)).toMatchObject({ corrected: [0], approved: [] })
    expect(await test.same(1)).toBe(false)
    const plain = await test.call('slice.approve', { caseId, index: 4, approved: true })
    expect(plain).toMatchObject({ tookOver: 0, delta: { kind: 'approve' } })
    expect(await test.same(4)).toBe(false)
  })

  it('keeps what was drawn through it in another plane, one by one and together', async () => {
    const test = await predicted()
    const { caseId } = test
    // Through slices 1 to 3, in a column that is predicted to be background.
    const across = rectangle({ axis: 0, index: 0, at: [2, 1], size: [2, 3], after: 2 })
    await test.call('annotation.commit', { caseId, delta: across })
    // Erased through slice 2, where the prediction has a label.
    const at = (await test.look(2, 'prediction')).data.indexOf(1)
    expect(at).toBeGreaterThan(0)
    const [x, y] = [at % 8, Math.floor(at / 8)]
    const spot = { axis: 0, index: x, at: [y, 2], size: [1, 1] } as const
    for (const [before, after] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const delta = rectangle({ ...spot, at: [y, 2], size: [1, 1], before, after })
      await test.call('annotation.commit', { caseId, delta })
    }
    const expected = async (index: number, ...erased: number[]) => {
      const labels = (await test.look(index, 'prediction')).data.slice()
      for (const pixel of [16, 24]) labels[pixel] = 2
      for (const pixel of erased) labels[pixel] = 0
      return labels
    }
    const one = await test.call('slice.approve', { caseId, index: 2, takeOver: true, approved: true })
    expect(one).toMatchObject({ tookOver: 1, marks: { approved: [2] } })
    expect((await test.look(2, 'mask')).data).toEqual(await expected(2, at))
    await test.call('annotation.undo', { caseId })
    const all = { caseId, index: null, slices: [1, 2, 3, 4], takeOver: true, approved: true }
    expect(await test.call('slice.approve', all)).toMatchObject({ tookOver: 4 })
    expect((await test.look(1, 'mask')).data).toEqual(await expected(1))
    expect((await test.look(2, 'mask')).data).toEqual(await expected(2, at))
    expect((await test.look(3, 'mask')).data).toEqual(await expected(3))
    expect(await test.same(4)).toBe(true)
  })

  it('leaves a mask that was accepted with the volume as it is, whatever is predicted since', async () => {
    const test = await predicted()
    const { caseId } = test
    await test.call('annotation.accept', { caseId, scope: { kind: 'volume' }, labels: null, keepCorrected: true })
    const accepted = await test.look(2, 'mask')
    test.compute.label = () => 2
    await predict(test, caseId, 2)
    expect(await test.same(2)).toBe(false)
    const said = await test.call('slice.approve', { caseId, index: 2, takeOver: true, approved: true })
    expect(said).toMatchObject({ tookOver: 0, delta: { kind: 'approve' }, marks: { approved: [2] } })
    expect((await test.look(2, 'mask')).data).toEqual(accepted.data)
  })

  it('of a part takes the slice over first, of which only the part teaches', async () => {
    const test = await predicted()
    const { caseId, revision } = test
    const region = { x0: 0, y0: 0, x1: 3, y1: 6 }
    const said = await test.call('slice.approve', { caseId, index: 2, region, takeOver: true, approved: true })
    expect(said).toMatchObject({
      revision: revision + 2,
      tookOver: 1,
      history: { undoName: 'approve' },
      marks: { corrected: [0, 2], approved: [], painted: [2] },
    })
    expect(await test.same(2)).toBe(true)
    const { history } = await test.call('annotation.undo', { caseId })
    expect(history.undoName).toBe('accept prediction')
    expect(test.told('case.slices').at(-1)).toMatchObject({ corrected: [0, 2], painted: [2] })
    await test.call('annotation.undo', { caseId })
    expect(test.told('case.slices').at(-1)).toMatchObject({ corrected: [0], painted: [] })
  })
})
