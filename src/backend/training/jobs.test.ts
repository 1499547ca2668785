import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import type { Affine } from '../../core/contract/schemas.ts'
import {
  cleanUp,
  insideBlock,
  jobEnd,
  LPS,
  openBackend,
  openWithCase,
  readMaskOf,
  rectangle,
  type WithCase,
} from '../testing/fixtures.ts'
import { drawBlock, retrain } from '../testing/versions.ts'
import { untilAborted, waitUntil } from '../testing/waiting.ts'

afterEach(cleanUp)

/** One corrected slice and a model trained on it. */
async function withModel(options: { affine?: Affine } = {}): Promise<WithCase> {
  const test = await openWithCase(options)
  await drawBlock(test, test.caseId, 1)
  await retrain(test)
  return test
}

async function predict(test: WithCase, index = 2): Promise<void> {
  const { id } = await test.call('predict.start', { caseId: test.caseId, index })
  expect((await jobEnd(test, id)).error).toBeNull()
}

/** The bright block of the fixture in every slice. */
const block = Uint8Array.from({ length: 240 }, (_, i) => Number(insideBlock(i % 8, Math.floor(i / 8) % 6)))

describe('predict.start', () => {
  it('asks for a model first', async () => {
    const test = await openWithCase()
    await expect(test.call('predict.start', { caseId: test.caseId, index: 0 })).rejects.toMatchObject({
      code: 'no-model',
    })
  })

  it('does the visible slice first and alone, then outwards, and keeps the layer across a restart', async () => {
    const test = await withModel()
    await predict(test, 3)
    const asked = test.compute.predicted.map(({ slices }) => slices.map((slice) => slice.index))
    expect(asked).toEqual([[3], [4, 2, 1, 0]])
    const [first] = test.told('prediction.slices')
    expect(first).toMatchObject({ caseId: test.caseId, axis: 2, revision: 1 })
    expect(first?.slices.map((slice) => slice.index)).toEqual([3])
    expect(first?.slices[0]?.data).toEqual(block.slice(0, 48))
    expect(test.told('case.slices').at(-1)?.predicted).toEqual([0, 1, 2, 3, 4])
    const { id } = (await test.call('project.get', {})).models[0] ?? {}
    await test.backend.close()

    const again = await openBackend(test.dir)
    const slice = { caseId: test.caseId, layer: 'prediction' } as const
    const axial = await again.call('annotation.slice', { ...slice, axis: 2, index: 4 })
    expect(axial).toMatchObject({ width: 8, height: 6, modelId: id, revision: 1 })
    expect(axial.data).toEqual(block.slice(0, 48))
    const sagittal = await again.call('annotation.slice', { ...slice, axis: 0, index: 2 })
    expect([...sagittal.data]).toEqual(Array.from({ length: 5 }, () => [0, 1, 1, 1, 0, 0]).flat())
    expect((await again.call('case.open', { caseId: test.caseId })).status).toBe('corrected')
  })

  it('tells how far it is inside the slices that compute is at', async () => {
    const test = await withModel()
    let asked = 0
    let reached = -1
    const progress = (): number => test.told('job.changed').at(-1)?.job.progress ?? -1
    test.compute.beforePredict = async () => {
      // The first slice is alone, and a quarter of the other four is done.
      if (asked++ === 0) return
      await waitUntil(() => progress() === 2 / 5)
      reached = progress()
    }
    await predict(test)
    expect(reached).toBe(2 / 5)
  })

  it('shows the network what a radiologist sees, whatever the order in the file', async () => {
    // RAS: x to the right and y to anterior, so the screen shows columns and rows mirrored.
    const ras: Affine = LPS.map((row, i) => (i < 2 ? row.map((value) => -value) : row))
    const test = await withModel({ affine: ras })
    await predict(test)
    const slice = test.compute.predicted[0]?.slices[0]
    const seen = new Int16Array(slice?.data.slice().buffer ?? new ArrayBuffer(0))
    for (let y = 0; y < 6; y++) {
      for (let x = 0; x < 8; x++) expect(seen[x + 8 * y] === 100).toBe(insideBlock(7 - x, 5 - y))
    }
    const { data } = await test.call('annotation.slice', {
      caseId: test.caseId,
      layer: 'prediction',
      axis: 2,
      index: 2,
    })
    expect(data).toEqual(block.slice(0, 48))
    const trained = test.compute.trained[0]?.samples?.[0]
    for (let y = 0; y < 6; y++) {
      for (let x = 0; x < 8; x++) expect(trained?.labels[x + 8 * y] === 1).toBe(insideBlock(7 - x, 5 - y))
    }
  })

  it('can be cancelled, and asks once more after a crash of compute', async () => {
    const test = await withModel()
    let crashes = 1
    test.compute.beforePredict = async () => {
      if (crashes-- > 0) throw new CodedError('compute-crashed', 'The compute process stopped.')
    }
    await predict(test)
    crashes = 2
    const failed = await test.call('predict.start', { caseId: test.caseId, index: 0 })
    expect(await jobEnd(test, failed.id)).toMatchObject({ state: 'failed', error: { code: 'compute-crashed' } })

    test.compute.beforePredict = untilAborted
    const job = await test.call('predict.start', { caseId: test.caseId, index: 0 })
    await test.call('job.cancel', { jobId: job.id })
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'cancelled', error: null })
  })

  it('moves a slice to the front while the case is being predicted', async () => {
    const test = await withModel()
    let release: () => void = () => undefined
    test.compute.beforePredict = () => new Promise((resolve) => (release = resolve))
    const { caseId } = test
    const job = await test.call('predict.start', { caseId, index: 0 })
    await waitUntil(() => test.compute.predicted.length === 1)
    expect((await test.call('predict.start', { caseId, index: 4 })).id).toBe(job.id)
    test.compute.beforePredict = async () => undefined
    release()
    await jobEnd(test, job.id)
    expect(test.compute.predicted.map(({ slices }) => slices.map((slice) => slice.index))).toEqual([
      [0],
      [4],
      [1, 2, 3],
    ])
  })
})

describe('annotation.accept', () => {
  const accept = { labels: null, keepCorrected: true }

  it('takes the whole volume but keeps corrected slices and locked labels, as one stroke', async () => {
    const test = await withModel()
    const { caseId } = test
    const spleen = rectangle({ axis: 1, index: 1, at: [2, 0], size: [1, 1], after: 2 })
    await test.call('annotation.commit', { caseId, delta: spleen })
    await test.call('labels.update', { value: 2, change: { locked: true } })
    await predict(test)
    const answer = await test.call('annotation.accept', { caseId, scope: { kind: 'volume' }, ...accept })
    expect(answer).toMatchObject({ changedVoxels: 9 * 4 - 1, keptLockedVoxels: 1, keptCorrectedSlices: 1 })
    const expected = block.slice()
    expected[2 + 8] = 2
    expect(await readMaskOf(test, caseId)).toEqual(expected)
    expect(answer.history.undoName).toBe('accept prediction')
    await test.call('annotation.undo', { caseId })
    const before = new Uint8Array(240)
    before.set(block.subarray(48, 96), 48)
    before[2 + 8] = 2
    expect(await readMaskOf(test, caseId)).toEqual(before)
  })

  it('takes one slice by name, also a corrected one, and marks it as found right', async () => {
    const test = await withModel()
    const { caseId } = test
    await predict(test)
    const slice = (index: number) => ({ caseId, scope: { kind: 'slice', axis: 2, index } as const, ...accept })
    const erase = rectangle({ index: 1, at: [2, 1], size: [3, 3], before: 1, after: 0 })
    await test.call('annotation.commit', { caseId, delta: erase })
    expect(await test.call('annotation.accept', slice(1))).toMatchObject({ changedVoxels: 9, keptCorrectedSlices: 0 })
    // The mask is as predicted already, and slice 1 is marked: nothing to do.
    expect((await test.call('annotation.accept', slice(1))).delta).toBeNull()
    expect(await test.call('annotation.accept', slice(3))).toMatchObject({ changedVoxels: 9 })
    expect((await test.call('case.open', { caseId })).corrected).toEqual([1, 3])
    await test.call('annotation.undo', { caseId })
    expect((await test.call('case.open', { caseId })).corrected).toEqual([1])
  })

  it('keeps what was drawn in another plane, in a slice by name and in the volume, unless it is not wanted', async () => {
    const test = await withModel()
    const { caseId } = test
    await predict(test)
    // Through slices 2 to 4, where background is predicted, and erased in slice 3 where it is not.
    await test.call('annotation.commit', {
      caseId,
      delta: rectangle({ axis: 0, index: 0, at: [2, 2], size: [1, 3], after: 2 }),
    })
    const spot = { axis: 1, index: 2, at: [3, 3], size: [1, 1] } satisfies Partial<Parameters<typeof rectangle>[0]>
    await test.call('annotation.commit', { caseId, delta: rectangle({ ...spot, after: 1 }) })
    await test.call('annotation.commit', { caseId, delta: rectangle({ ...spot, before: 1, after: 0 }) })
    const expected = block.slice()
    for (const slice of [2, 3, 4]) expected[slice * 48 + 16] = 2
    expected[3 * 48 + 16 + 3] = 0
    const part = (all: Uint8Array, index: number) => all.slice(index * 48, (index + 1) * 48)
    const slice = (axis: 0 | 1 | 2, index: number) => ({
      caseId,
      scope: { kind: 'slice', axis, index } as const,
      ...accept,
    })
    expect(await test.call('annotation.accept', slice(2, 3))).toMatchObject({ changedVoxels: 8 })
    expect(part(await readMaskOf(test, caseId), 3)).toEqual(part(expected, 3))
    await test.call('annotation.undo', { caseId })
    const volume = { caseId, scope: { kind: 'volume' } as const }
    await test.call('annotation.accept', { ...volume, ...accept })
    expect(await readMaskOf(test, caseId)).toEqual(expected)
    // It is not the prediction's by now either.
    expect(await test.call('annotation.accept', slice(2, 3))).toMatchObject({ changedVoxels: 0, delta: null })
    await test.call('annotation.undo', { caseId })
    await test.call('annotation.accept', { ...volume, labels: null, keepCorrected: false })
    expect(await readMaskOf(test, caseId)).toEqual(block)
  })

  it('gives a plane that is named its own drawings back, not those of the others', async () => {
    const test = await withModel()
    const { caseId } = test
    await predict(test)
    // In the plane of row 2, and through it on slice 1.
    await test.call('annotation.commit', {
      caseId,
      delta: rectangle({ axis: 1, index: 2, at: [0, 3], size: [1, 1], after: 2 }),
    })
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [0, 2], size: [1, 1], after: 2 }) })
    await test.call('annotation.accept', { caseId, scope: { kind: 'slice', axis: 1, index: 2 }, ...accept })
    const mask = await readMaskOf(test, caseId)
    expect([mask[3 * 48 + 16], mask[48 + 16], mask[3 * 48 + 16 + 3]]).toEqual([0, 2, 1])
  })

  it('takes one label alone, and says when nothing is predicted', async () => {
    const test = await withModel()
    const { caseId } = test
    const volume = { caseId, scope: { kind: 'volume' } as const, keepCorrected: false }
    await expect(test.call('annotation.accept', { ...volume, labels: null })).rejects.toMatchObject({
      code: 'not-found',
    })
    test.compute.label = (scaled) => (scaled > 50 ? 1 : scaled > 38 ? 2 : 0)
    await predict(test)
    const answer = await test.call('annotation.accept', { ...volume, labels: [2] })
    const mask = await readMaskOf(test, caseId)
    expect(mask.filter((label) => label === 2)).toHaveLength(answer.changedVoxels)
    expect(mask.filter((label) => label === 1)).toHaveLength(9)
  })
})

describe('jobs of a host that ended', () => {
  it('are failed with a sentence at the next start', async () => {
    const test = await openWithCase()
    await test.backend.close()
    const { DatabaseSync } = await import('node:sqlite')
    const db = new DatabaseSync(join(test.dir, 'project.sqlite'))
    db.exec(`INSERT INTO jobs (id, kind, state, progress, message, curve, created_at)
      VALUES ('j', 'train', 'running', 0.4, 'step 4 of 10', '[]', '2026-01-01')`)
    db.close()
    const again = await openBackend(test.dir)
    const { jobs } = await again.call('project.get', {})
    expect(jobs).toMatchObject([
      { id: 'j', state: 'failed', error: { message: 'Maskwright was closed while this ran; start it again.' } },
    ])
  })
})
