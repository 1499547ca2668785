import { afterEach, describe, expect, it } from 'vitest'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { addVolume, cleanUp, DIMS, openBackend, openWithCase, readMaskOf, rectangle } from '../testing/fixtures.ts'

afterEach(cleanUp)

const count = (labels: Uint8Array, value: number): number => labels.filter((label) => label === value).length

describe('annotation.commit', () => {
  it('writes the stroke into the mask, and only there', async () => {
    const test = await openWithCase()
    const delta = rectangle({ index: 3, at: [1, 2], size: [3, 2], after: 1 })
    const { revision, history } = await test.call('annotation.commit', { caseId: test.caseId, delta })
    expect(revision).toBe(1)
    expect(history).toEqual({ canUndo: true, canRedo: false, undoName: 'brush Liver', redoName: null })
    const expected = new Uint8Array(8 * 6 * 5)
    for (const y of [2, 3]) for (const x of [1, 2, 3]) expected[x + 8 * (y + 6 * 3)] = 1
    expect(await readMaskOf(test, test.caseId)).toEqual(expected)
    const [applied] = test.told('annotation.applied')
    expect(applied).toMatchObject({ caseId: test.caseId, revision: 1, origin: 'session-1' })
    expect(applied?.delta).toEqual(delta)
  })

  it('changes nothing when the same stroke is sent again, and answers the same', async () => {
    const test = await openWithCase()
    const delta = rectangle({ index: 3, at: [1, 2], size: [3, 2], after: 1 })
    const first = await test.call('annotation.commit', { caseId: test.caseId, delta })
    expect(await test.call('annotation.commit', { caseId: test.caseId, delta })).toEqual(first)
    const next = rectangle({ index: 0, at: [0, 0], size: [1, 1], after: 2 })
    expect((await test.call('annotation.commit', { caseId: test.caseId, delta: next })).revision).toBe(2)
    expect((await test.call('annotation.commit', { caseId: test.caseId, delta })).revision).toBe(1)
    expect(count(await readMaskOf(test, test.caseId), 1)).toBe(6)
  })

  it('refuses a stroke that does not fit the mask, out of bounds, of no label, or that is not drawn', async () => {
    const test = await openWithCase()
    const commit = (delta: ReturnType<typeof rectangle>) =>
      test.call('annotation.commit', { caseId: test.caseId, delta })
    await expect(commit(rectangle({ index: 0, at: [0, 0], size: [2, 2], before: 1, after: 2 }))).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(commit(rectangle({ index: 5, at: [0, 0], size: [1, 1], after: 1 }))).rejects.toMatchObject({
      code: 'bad-request',
    })
    await expect(commit(rectangle({ index: 0, at: [7, 0], size: [2, 1], after: 1 }))).rejects.toMatchObject({
      code: 'bad-request',
    })
    await expect(commit(rectangle({ index: 0, at: [0, 0], size: [1, 1], after: 9 }))).rejects.toMatchObject({
      code: 'bad-request',
    })
    await expect(
      commit(rectangle({ index: 0, at: [0, 0], size: [1, 1], after: 1, kind: 'undo' })),
    ).rejects.toMatchObject({ code: 'bad-request' })
    expect(await readMaskOf(test, test.caseId)).toEqual(new Uint8Array(240))
    expect(await test.call('annotation.history', { caseId: test.caseId })).toMatchObject({ canUndo: false })
    expect((await test.call('case.open', { caseId: test.caseId })).revision).toBe(0)
  })

  it('protects a locked label from being drawn, overwritten, erased, undone and redone', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const commit = (delta: ReturnType<typeof rectangle>) => test.call('annotation.commit', { caseId, delta })
    await commit(rectangle({ index: 1, at: [0, 0], size: [2, 2], after: 1 }))
    await test.call('labels.update', { value: 1, change: { locked: true } })
    const locked = { code: 'locked' }
    await expect(commit(rectangle({ index: 1, at: [4, 0], size: [1, 1], after: 1 }))).rejects.toMatchObject(locked)
    await expect(commit(rectangle({ index: 1, at: [0, 0], size: [1, 1], before: 1, after: 2 }))).rejects.toMatchObject(
      locked,
    )
    await expect(commit(rectangle({ index: 1, at: [0, 0], size: [1, 1], before: 1, after: 0 }))).rejects.toMatchObject(
      locked,
    )
    await expect(test.call('annotation.undo', { caseId })).rejects.toThrow('"Liver" is locked; unlock it to undo')
    await expect(test.call('labels.remove', { value: 1 })).rejects.toMatchObject(locked)
    await commit(rectangle({ index: 1, at: [5, 5], size: [1, 1], after: 2 }))
    await test.call('annotation.undo', { caseId })
    await test.call('labels.update', { value: 1, change: { locked: false } })
    await test.call('annotation.undo', { caseId })
    await test.call('labels.update', { value: 1, change: { locked: true } })
    await expect(test.call('annotation.redo', { caseId })).rejects.toMatchObject(locked)
  })
})

describe('annotation.undo and redo', () => {
  it('walks back and forth, tells the applied change, and forgets redo after a new stroke', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 2, at: [0, 0], size: [4, 4], after: 1 }) })
    const second = rectangle({ index: 2, at: [1, 1], size: [2, 2], before: 1, after: 2 })
    await test.call('annotation.commit', { caseId, delta: second })
    const undone = await test.call('annotation.undo', { caseId })
    expect(undone.revision).toBe(3)
    expect(undone.delta?.kind).toBe('undo')
    expect([...(undone.delta?.runs ?? [])]).toEqual([0, 4, 2, 1])
    expect(undone.delta?.box).toEqual(second.box)
    expect(undone.history).toMatchObject({ undoName: 'brush Liver', redoName: 'brush Spleen' })
    expect(count(await readMaskOf(test, caseId), 1)).toBe(16)
    const redone = await test.call('annotation.redo', { caseId })
    expect([...(redone.delta?.runs ?? [])]).toEqual([0, 4, 1, 2])
    expect(count(await readMaskOf(test, caseId), 2)).toBe(4)
    await test.call('annotation.undo', { caseId })
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 0, at: [0, 0], size: [1, 1], after: 2 }) })
    expect((await test.call('annotation.redo', { caseId })).delta).toBeNull()
    await test.call('annotation.undo', { caseId })
    await test.call('annotation.undo', { caseId })
    expect((await test.call('annotation.undo', { caseId })).delta).toBeNull()
    expect(await readMaskOf(test, caseId)).toEqual(new Uint8Array(240))
  })

  it('works across a restart, step by step', async () => {
    const test = await openWithCase()
    const { caseId, dir } = test
    const states = [await readMaskOf(test, caseId)]
    for (let i = 0; i < 5; i++) {
      const delta = rectangle({ index: i, at: [i, 0], size: [2, 3], after: 1 + (i % 2) })
      await test.call('annotation.commit', { caseId, delta })
      states.push(await readMaskOf(test, caseId))
    }
    await test.call('annotation.undo', { caseId })
    await test.backend.close()

    const again = await openBackend(dir)
    expect(await readMaskOf(again, caseId)).toEqual(states[4])
    await again.call('annotation.redo', { caseId })
    expect(await readMaskOf(again, caseId)).toEqual(states[5])
    for (let i = 4; i >= 0; i--) {
      await again.call('annotation.undo', { caseId })
      expect(await readMaskOf(again, caseId)).toEqual(states[i])
    }
  })
})

describe('corrected slices', () => {
  it('are those with strokes in force, so that undoing the only one unmarks the slice', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const corrected = async () => (await test.call('case.open', { caseId })).corrected
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 3, at: [0, 0], size: [2, 2], after: 1 }) })
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [0, 0], size: [2, 2], after: 1 }) })
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [4, 0], size: [2, 2], after: 1 }) })
    expect(await corrected()).toEqual([1, 3])
    await test.call('annotation.undo', { caseId })
    expect(await corrected()).toEqual([1, 3])
    await test.call('annotation.undo', { caseId })
    expect(await corrected()).toEqual([3])
    await test.call('annotation.redo', { caseId })
    expect(await corrected()).toEqual([1, 3])
    expect(test.told('case.slices').map((event) => event.corrected)).toEqual([[3], [1, 3], [3], [1, 3]])
    const { cases } = await test.call('project.get', {})
    expect(cases[0]).toMatchObject({ correctedSlices: 2, newCorrectedSlices: 2, status: 'corrected' })
  })

  it('do not come from strokes in another plane alone', async () => {
    const test = await openWithCase()
    const delta = rectangle({ axis: 1, index: 2, at: [0, 0], size: [3, 5], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    expect((await test.call('case.open', { caseId: test.caseId })).corrected).toEqual([])
  })
})

describe('labels', () => {
  it('are erased in every case when deleted, and come back with the undo', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const other = await addVolume(test, { seed: 1 })
    for (const id of [caseId, other.id]) {
      const delta = rectangle({ index: 2, at: [1, 1], size: [3, 3], after: 2, id: randomUUID() })
      await test.call('annotation.commit', { caseId: id, delta })
    }
    expect(await test.call('labels.usage', { value: 2 })).toEqual({ voxels: 18, cases: 2 })
    await test.call('labels.remove', { value: 2 })
    expect(await readMaskOf(test, caseId)).toEqual(new Uint8Array(240))
    expect(await readMaskOf(test, other.id)).toEqual(new Uint8Array(240))
    expect(
      test
        .told('labels.changed')
        .at(-1)
        ?.labels.map((label) => label.name),
    ).toEqual(['Liver'])
    expect(await test.call('annotation.history', { caseId })).toMatchObject({ undoName: 'delete label Spleen' })

    await test.call('annotation.undo', { caseId })
    expect(count(await readMaskOf(test, caseId), 2)).toBe(9)
    expect(count(await readMaskOf(test, other.id), 2)).toBe(0)
    expect(
      test
        .told('labels.changed')
        .at(-1)
        ?.labels.map((label) => label.name),
    ).toEqual(['Liver', 'Spleen'])
    await test.call('annotation.redo', { caseId })
    expect((await test.call('project.get', {})).labels.map((label) => label.name)).toEqual(['Liver'])
    const fresh = await test.call('labels.add', { name: 'Spleen', color: '#112233' })
    expect(fresh.value).toBe(3)
  })

  it('come back under a name and colour of their own when others have taken theirs', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [0, 0], size: [2, 2], after: 1 }) })
    await test.call('labels.remove', { value: 1 })
    const taker = await test.call('labels.add', { name: 'liver', color: null })
    expect(taker.color).toBe(test.labels[0].color)
    await test.call('annotation.undo', { caseId })
    const { labels } = await test.call('project.get', {})
    expect(labels.map(({ value, name }) => [value, name])).toEqual([
      [1, 'Liver (2)'],
      [2, 'Spleen'],
      [3, 'liver'],
    ])
    expect(new Set(labels.map((label) => label.color)).size).toBe(3)
  })

  it('are deleted even where the count of their voxels is wrong', async () => {
    const test = await openWithCase()
    const db = new DatabaseSync(join(test.dir, 'project.sqlite'))
    db.prepare('INSERT INTO label_counts VALUES (?, 1, 5)').run(test.caseId)
    db.close()
    await test.call('labels.remove', { value: 1 })
    expect((await test.call('project.get', {})).labels.map((label) => label.value)).toEqual([2])
  })

  it('have names of their own and colours that stay apart', async () => {
    const test = await openWithCase()
    expect(test.labels[0].color).not.toBe(test.labels[1].color)
    await expect(test.call('labels.add', { name: ' liver ', color: null })).rejects.toMatchObject({ code: 'conflict' })
    await expect(test.call('labels.update', { value: 9, change: { name: 'x' } })).rejects.toMatchObject({
      code: 'not-found',
    })
    expect(await test.call('labels.update', { value: 1, change: { name: 'Liver' } })).toMatchObject({ name: 'Liver' })
  })
})

describe('annotation.slice', () => {
  it('cuts the mask across every axis', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 3, at: [1, 2], size: [3, 2], after: 1 }) })
    const cut = (axis: 0 | 1 | 2, index: number) =>
      test.call('annotation.slice', { caseId, axis, index, layer: 'mask' })
    const coronal = await cut(1, 2)
    expect([coronal.width, coronal.height]).toEqual([DIMS[0], DIMS[2]])
    expect([...coronal.data.subarray(8 * 3, 8 * 4)]).toEqual([0, 1, 1, 1, 0, 0, 0, 0])
    const sagittal = await cut(0, 1)
    expect([...sagittal.data.subarray(6 * 3, 6 * 4)]).toEqual([0, 0, 1, 1, 0, 0])
    await expect(cut(0, 8)).rejects.toMatchObject({ code: 'bad-request' })
  })
})
