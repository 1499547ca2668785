import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { addVolume, cleanUp, jobEnd, openWithCase, rectangle, restart, type TestBackend } from '../testing/fixtures.ts'
import { drawBlock, openPredicted, openWithHoldout, predict, retrain, TRAIN, versionOf } from '../testing/versions.ts'

afterEach(cleanUp)

const set = (test: TestBackend, caseIds: string[]) => test.call('holdout.set', { caseIds, chosenBy: 'user' })

/** As another volume of a file, or another region of a slide, is: the same bytes, another case. */
async function ofTheSameFile(test: TestBackend, caseId: string, as: string): Promise<TestBackend> {
  await test.backend.close()
  const database = new DatabaseSync(join(test.dir, 'project.sqlite'))
  const hash = database.prepare('SELECT content_hash AS hash FROM cases WHERE id = ?').get(as)?.hash ?? ''
  database.prepare(`UPDATE cases SET content_hash = ?, selection_key = 'other' WHERE id = ?`).run(hash, caseId)
  database.close()
  return restart(test)
}

describe('the hold-out', () => {
  it('is frozen, told to every window, and still there after a restart', async () => {
    const test = await openWithHoldout(2, 3)
    const state = await test.call('holdout.get', {})
    expect(state).toMatchObject({ chosenBy: 'user', cases: test.aside.map((caseId) => ({ caseId, slices: 3 })) })
    expect(Date.parse(state.frozenAt ?? '')).toBeGreaterThan(0)
    // Annotated since it was frozen.
    expect(test.told('holdout.changed')).toEqual([state])
    const { cases } = await test.call('project.get', {})
    expect(cases.map(({ heldOut }) => heldOut)).toEqual([false, true, true])
    expect(await (await restart(test)).call('holdout.get', {})).toEqual(state)
  })

  it('has the same id for the same cases in any order, and another one for others', async () => {
    const test = await openWithHoldout(3, 0)
    const { id, frozenAt } = await test.call('holdout.get', {})
    const [a = '', b = '', c = ''] = test.aside
    expect(await set(test, [c, a, b])).toMatchObject({ id, frozenAt })
    const fewer = await set(test, [a, b])
    expect(fewer.id).not.toBe(id)
    expect((await set(test, [b, a, c])).id).toBe(id)
    // Taken off the worklist: scores are of other cases from then on.
    await test.call('case.remove', { caseId: c })
    expect(await test.call('holdout.get', {})).toMatchObject({ id: fewer.id, cases: [{ caseId: b }, { caseId: a }] })
  })

  it('can be given up', async () => {
    const test = await openWithHoldout(2)
    expect(await set(test, [])).toEqual({ id: null, frozenAt: null, chosenBy: null, cases: [] })
    expect(await test.call('holdout.get', {})).toEqual({ id: null, frozenAt: null, chosenBy: null, cases: [] })
  })

  it('counts slices that a person answers for as a whole', async () => {
    const test = await openWithHoldout(1, 0)
    const [caseId = ''] = test.aside
    const slices = async () => (await test.call('holdout.get', {})).cases[0]?.slices
    expect(await slices()).toBe(0)
    await drawBlock(test, caseId, 0)
    await drawBlock(test, caseId, 1)
    expect(await slices()).toBe(2)
    await test.call('slice.coverage', { caseId, index: 1, coverage: 'painted' })
    expect(await slices()).toBe(1)
    await test.call('slice.approve', { caseId, index: 1, approved: true })
    await test.call('slice.approve', { caseId, index: 3, approved: true })
    expect(await slices()).toBe(3)
    await test.call('annotation.undo', { caseId })
    expect(await slices()).toBe(2)
  })

  it('tells slices that somebody drew on from those that are as they were predicted', async () => {
    const test = await openPredicted()
    const { id: caseId } = await addVolume(test, { seed: 7 })
    await predict(test, caseId)
    await set(test, [caseId])
    const scored = async () => (await test.call('holdout.get', {})).cases.map(({ slices, drawn }) => [slices, drawn])
    const region = { x0: 0, y0: 0, x1: 2, y1: 2 }
    await test.call('slice.approve', { caseId, index: 1, takeOver: true, approved: true })
    const scope = { kind: 'slice', axis: 2, index: 2 } as const
    await test.call('annotation.accept', { caseId, scope, labels: null, keepCorrected: true })
    // These are not scored: of one only a part is approved, of the other only what was painted teaches.
    await test.call('slice.approve', { caseId, index: 3, region, takeOver: true, approved: true })
    await test.call('slice.coverage', { caseId: null, index: null, coverage: 'painted' })
    await drawBlock(test, caseId, 0)
    expect(await scored()).toEqual([[2, 0]])
    const { data } = await test.call('annotation.slice', { caseId, axis: 2, index: 1, layer: 'mask' })
    const [before = 0] = data
    expect(data).toContain(1)
    const delta = rectangle({ index: 1, at: [0, 0], size: [1, 1], before, after: before === 0 ? 1 : 0 })
    await test.call('annotation.commit', { caseId, delta })
    expect(await scored()).toEqual([[2, 1]])
    await test.call('annotation.undo', { caseId })
    expect(await scored()).toEqual([[2, 0]])
  })

  it('refuses what the model in use, or an ancestor of it, learned from, by name', async () => {
    const test = await openWithCase()
    const other = await addVolume(test, { seed: 1 })
    const third = await addVolume(test, { seed: 2 })
    await drawBlock(test, test.caseId, 1)
    await retrain(test)
    await drawBlock(test, other.id, 1)
    await retrain(test)
    const refused = set(test, [third.id, other.id, test.caseId])
    await expect(refused).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/volume-1, volume-0|volume-0, volume-1/) as string,
    })
    expect((await test.call('holdout.get', {})).cases).toEqual([])
    // The first version did not learn it.
    const { models } = await test.call('project.get', {})
    await test.call('models.activate', { modelId: models[0]?.id ?? '' })
    expect((await set(test, [other.id])).cases).toHaveLength(1)
  })

  it('never teaches, neither as a correction nor in a replay', async () => {
    const test = await openWithHoldout(2, 2)
    await retrain(test)
    const delta = rectangle({ index: 3, at: [0, 0], size: [2, 2], after: 2 })
    await test.call('annotation.commit', { caseId: test.aside[0] ?? '', delta })
    await drawBlock(test, test.caseId, 2)
    await retrain(test)
    const [first, second] = test.compute.trained
    expect([first?.samples?.length, second?.samples?.length]).toEqual([1, 2])
    const { models, cases } = await test.call('project.get', {})
    const { data } = await test.call('models.detail', { modelId: models[1]?.id ?? '' })
    expect(data.map(({ caseId, slices }) => [caseId, slices])).toEqual([[test.caseId, 2]])
    expect(cases.map(({ newCorrectedSlices }) => newCorrectedSlices)).toEqual([0, 0, 0])
    // With nothing else, there is nothing to learn.
    await test.call('case.remove', { caseId: test.caseId })
    await expect(test.call('train.start', TRAIN)).rejects.toMatchObject({ code: 'nothing-to-train' })
  })

  it('is never learned by another case of the same bytes, added before or after, and none of these is ranked', async () => {
    const test = await openWithHoldout(1)
    const [aside = ''] = test.aside
    const other = await addVolume(test, { seed: 7 })
    await drawBlock(test, other.id, 1)
    const again = await ofTheSameFile(test, other.id, aside)
    const { cases } = await again.call('project.get', {})
    expect(cases.map(({ heldOut, newCorrectedSlices }) => [heldOut, newCorrectedSlices])).toEqual([
      [false, 1],
      [true, 0],
      [true, 0],
    ])
    await retrain(again)
    expect(again.compute.trained[0]?.samples).toHaveLength(1)
    const { data } = await again.call('models.detail', { modelId: (await versionOf(again, 0)).id })
    expect(data.map(({ caseId }) => caseId)).toEqual([test.caseId])
    // It is not scored either: it was not chosen.
    expect((await again.call('holdout.get', {})).cases).toEqual([{ caseId: aside, slices: 1, drawn: 1 }])
    await jobEnd(again, (await again.call('queue.rank', {})).id)
    const { slices } = await again.call('queue.get', {})
    expect(new Set(slices.map(({ caseId }) => caseId))).toEqual(new Set([test.caseId]))
    await again.call('case.remove', { caseId: aside })
    expect((await again.call('project.get', {})).cases.at(-1)).toMatchObject({ id: other.id, heldOut: true })
    await set(again, [])
    expect((await again.call('project.get', {})).cases.at(-1)).toMatchObject({ heldOut: false, newCorrectedSlices: 1 })
  })

  it('refuses another case of the same bytes as one that was learned, and knows it for what it is afterwards', async () => {
    const test = await openWithCase()
    const other = await addVolume(test, { seed: 1 })
    await drawBlock(test, test.caseId, 1)
    await retrain(test)
    const again = await ofTheSameFile(test, other.id, test.caseId)
    await expect(set(again, [other.id])).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('learned from volume-1, or from the same file') as string,
    })
    expect((await again.call('holdout.suggest', {})).caseIds).toEqual([])
    // Set aside while the next version learns from the other one.
    const third = await addVolume(again, { seed: 2 })
    const fourth = await addVolume(again, { seed: 3 })
    await drawBlock(again, third.id, 1)
    const last = await ofTheSameFile(again, fourth.id, third.id)
    last.compute.beforeTrainingEnds = async () => {
      await set(last, [fourth.id])
    }
    const second = await retrain(last)
    expect(second).toMatchObject({ active: false, judged: { verdict: 'aside' } })
    expect(second.judged?.reason).toContain('It learned from volume-3')
  })

  it('knows cases by their images where a version learned them in another project', async () => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    const { id } = await retrain(test)
    const { path } = await test.call('models.export', { modelId: id, fileId: null })
    const elsewhere = await openWithCase()
    const fileId = elsewhere.backend.registerFile(path, 'open').id
    const model = await elsewhere.call('models.importVersion', { fileId })
    // Not in use: it may still be set aside.
    await set(elsewhere, [elsewhere.caseId])
    await set(elsewhere, [])
    await elsewhere.call('models.activate', { modelId: model.id })
    await expect(set(elsewhere, [elsewhere.caseId])).rejects.toMatchObject({ code: 'conflict' })
    expect((await elsewhere.call('holdout.suggest', {})).caseIds).toEqual([])
  })
})

describe('the suggestion', () => {
  it('is one case in five, at least five, at most half, and none that was learned', async () => {
    const test = await openWithCase()
    const suggested = async () => (await test.call('holdout.suggest', {})).caseIds
    expect(await suggested(), 'of one case').toEqual([])
    const ids = [test.caseId]
    for (let seed = 1; seed < 8; seed++) ids.push((await addVolume(test, { seed })).id)
    expect(await suggested(), 'half of eight').toHaveLength(4)
    for (let seed = 8; seed < 12; seed++) ids.push((await addVolume(test, { seed })).id)
    const before = await suggested()
    expect(before).toHaveLength(5)
    expect(await suggested(), 'the same again').toEqual(before)
    const [learned = ''] = before
    await drawBlock(test, learned, 0)
    await jobEnd(test, (await test.call('train.start', TRAIN)).id)
    const after = await suggested()
    expect(after).toHaveLength(5)
    expect(after).not.toContain(learned)
    expect(await set(test, after)).toMatchObject({ chosenBy: 'user' })
    // Another volume of a file that was learned is too much like it.
    await test.backend.close()
    const other = new DatabaseSync(join(test.dir, 'project.sqlite'))
    other.exec(`UPDATE cases SET content_hash = (SELECT content_hash FROM cases WHERE id = '${learned}')`)
    other.close()
    expect((await (await restart(test)).call('holdout.suggest', {})).caseIds).toEqual([])
  })
})
