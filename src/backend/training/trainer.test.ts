import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { readImage } from '../../imaging/index.ts'
import { OUT_OF_MEMORY } from '../compute/words.ts'
import {
  addVolume,
  cleanUp,
  DIMS,
  jobEnd,
  LPS,
  openBackend,
  openWithCase,
  readMaskOf,
  rectangle,
  volumeData,
} from '../testing/fixtures.ts'
import { drawBlock, predict, train, TRAIN, versionsOf } from '../testing/versions.ts'
import { gate, untilAborted, waitUntil } from '../testing/waiting.ts'

afterEach(cleanUp)

describe('train.start', () => {
  it('needs a corrected slice', async () => {
    const test = await openWithCase()
    await expect(test.call('train.start', TRAIN)).rejects.toMatchObject({ code: 'nothing-to-train' })
    await drawBlock(test, test.caseId, 1)
    const job = await test.call('train.start', TRAIN)
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done', progress: 1, message: 'version 1 is ready' })
  })

  it('lets a second one wait, which takes the state of when its turn comes, and a third click answers that', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await drawBlock(test, caseId, 1)
    const open = gate()
    test.compute.beforeTrainingEnds = () => open.passed
    const first = await test.call('train.start', TRAIN)
    await waitUntil(() => test.compute.trained.length === 1)
    const second = await test.call('train.start', TRAIN)
    expect(second).toMatchObject({ state: 'queued', message: 'waiting for the training before it' })
    expect((await test.call('train.start', TRAIN)).id).toBe(second.id)
    await drawBlock(test, caseId, 3)
    expect(test.compute.trained).toHaveLength(1)
    open.pass()
    expect(await jobEnd(test, first.id)).toMatchObject({ state: 'done' })
    expect(await jobEnd(test, second.id)).toMatchObject({ state: 'done', message: 'version 2 is ready' })
    expect(test.compute.trained.map(({ samples }) => samples?.map(({ index, role }) => [index, role]))).toEqual([
      [[1, 'corrected']],
      [
        [3, 'corrected'],
        [1, 'replay'],
      ],
    ])
    expect(test.compute.trained[1]?.parentDir).toBe(join(test.dir, 'models', '001'))
  })

  it('cancels the one that waits alone, and lets another one wait in its place', async () => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    const open = gate()
    test.compute.beforeTrainingEnds = () => open.passed
    const first = await test.call('train.start', TRAIN)
    const second = await test.call('train.start', TRAIN)
    await test.call('job.cancel', { jobId: second.id })
    expect(await jobEnd(test, second.id)).toMatchObject({ state: 'cancelled' })
    const third = await test.call('train.start', TRAIN)
    expect(third.id).not.toBe(second.id)
    open.pass()
    expect(await jobEnd(test, first.id)).toMatchObject({ state: 'done' })
    expect(await jobEnd(test, third.id)).toMatchObject({ state: 'done' })
    expect(test.compute.trained).toHaveLength(2)
  })

  it('goes on with the one that waits when the first one fails', async () => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    const open = gate()
    test.compute.beforeTrainingEnds = async () => {
      await open.passed
      test.compute.beforeTrainingEnds = async () => undefined
      throw new CodedError('compute-failed', 'The loss is not a number any more.')
    }
    const first = await test.call('train.start', TRAIN)
    const second = await test.call('train.start', TRAIN)
    open.pass()
    expect(await jobEnd(test, first.id)).toMatchObject({
      state: 'failed',
      error: { message: 'The loss is not a number any more.' },
    })
    expect(await jobEnd(test, second.id)).toMatchObject({ state: 'done', message: 'version 1 is ready' })
  })

  it('makes the next version, activates it, counts the slices as learned, and predicts what is shown', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 }) })
    const summary = async () => (await test.call('project.get', {})).cases[0]
    expect(await summary()).toMatchObject({ correctedSlices: 1, newCorrectedSlices: 1 })
    const job = await test.call('train.start', { ...TRAIN, show: { caseId, index: 2 } })
    const ended = await jobEnd(test, job.id)
    expect(ended.curve.map((point) => point.step)).toEqual([1, 2, 3])
    const { models, jobs } = await test.call('project.get', {})
    expect(models).toMatchObject([{ version: 1, active: true, parentId: null, id: ended.modelId, labels: [1, 2] }])
    expect(existsSync(join(test.dir, 'models', '001', 'card.json'))).toBe(true)
    expect(await summary()).toMatchObject({ correctedSlices: 1, newCorrectedSlices: 0 })
    await jobEnd(test, jobs.find((candidate) => candidate.kind === 'predict')?.id ?? '')
    expect(test.compute.predicted[0]?.slices.map((slice) => slice.index)).toEqual([2])

    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 3, at: [2, 1], size: [3, 3], after: 1 }) })
    const added = await test.call('labels.add', { name: 'Kidney', color: null })
    expect(await summary()).toMatchObject({ correctedSlices: 2, newCorrectedSlices: 1 })
    await train(test)
    const second = test.compute.trained[1]
    expect(second?.parentDir).toBe(join(test.dir, 'models', '001'))
    expect(second?.samples?.map((sample) => [sample.index, sample.role])).toEqual([
      [3, 'corrected'],
      [1, 'replay'],
    ])
    expect(second?.labels.map((label) => label.value)).toEqual([1, 2, added.value])
    expect(await versionsOf(test)).toMatchObject([{ active: false }, { active: true, version: 2 }])
    await test.call('models.activate', { modelId: models[0]?.id ?? '' })
    expect(await summary()).toMatchObject({ newCorrectedSlices: 1 })
  })

  it('makes no version where nothing better was found, and what was to be learned is still new', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 }) })
    await train(test)
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 3, at: [2, 1], size: [3, 3], after: 1 }) })
    const report = { slices: 2, steps: 1, seconds: 7.7, seed: 1, backend: 'wasm', keptStep: 0, curve: [] }
    test.compute.training = { ...report, lossBefore: 1, lossAfter: 1, diceBefore: 0.9, diceAfter: 0.9 }
    const job = await test.call('train.start', TRAIN)
    const ended = await jobEnd(test, job.id)
    expect(ended).toMatchObject({ state: 'failed', modelId: null, error: { code: 'nothing-learned' } })
    expect(ended.error?.message).toBe(
      'In 8 s (1 step) nothing better was found. Give Retrain more time, or correct more slices.',
    )
    const none = { count: 0, mended: 0, broken: 0 }
    test.compute.training = { ...test.compute.training, steps: 0, mistakes: none }
    const right = await jobEnd(test, (await test.call('train.start', TRAIN)).id)
    expect(right.error?.message).toContain('are as the model predicts them already, so there is nothing to learn.')
    expect(await versionsOf(test)).toMatchObject([{ version: 1, active: true }])
    expect(existsSync(join(test.dir, 'models', '002'))).toBe(false)
    expect((await test.call('project.get', {})).cases[0]).toMatchObject({ newCorrectedSlices: 1 })

    test.compute.training = { ...test.compute.training, keptStep: 1 }
    await jobEnd(test, (await test.call('train.start', TRAIN)).id)
    expect(await versionsOf(test)).toMatchObject([{ active: false }, { version: 2, active: true }])
  })

  it('fails with a sentence when compute crashes, loses nothing, and can be started again', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 }) })
    test.compute.beforeTrainingEnds = async ({ outDir }) => {
      mkdirSync(`${outDir}.tmp`)
      writeFileSync(join(`${outDir}.tmp`, 'weights.bin'), 'half')
      throw new CodedError('compute-crashed', 'The compute process stopped.')
    }
    const failed = await train(test)
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'compute-crashed' } })
    expect(failed.error?.message).toContain('press Retrain again')
    expect(readdirSync(join(test.dir, 'models'))).toEqual([])
    expect((await readMaskOf(test, caseId)).filter((label) => label === 1)).toHaveLength(9)
    test.compute.beforeTrainingEnds = async () => undefined
    expect(await train(test)).toMatchObject({ state: 'done' })
  })

  it('begins its curve anew when another rung has to take over', async () => {
    const test = await openWithCase()
    const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    test.compute.attempts = 2
    const ended = await train(test)
    expect(ended).toMatchObject({ state: 'done', progress: 1 })
    expect(ended.curve.map((point) => point.step)).toEqual([1, 2, 3])
  })

  it('says when it needed more memory than there is', async () => {
    const test = await openWithCase()
    const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    test.compute.beforeTrainingEnds = async () => {
      throw new CodedError('compute-crashed', OUT_OF_MEMORY)
    }
    const ended = await train(test)
    expect(ended.error?.message).toMatch(/needed more memory than compute may hold.*nothing is lost/)
  })

  it('can be cancelled and leaves no model', async () => {
    const test = await openWithCase()
    const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    test.compute.beforeTrainingEnds = untilAborted
    const job = await test.call('train.start', TRAIN)
    await waitUntil(() => test.compute.trained.length === 1)
    await test.call('job.cancel', { jobId: job.id })
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'cancelled' })
    expect(await versionsOf(test)).toEqual([])
  })

  it('reads what several cases have, and goes on without those whose image is missing or damaged', async () => {
    const test = await openWithCase()
    const [gone, broken] = [await addVolume(test, { seed: 5 }), await addVolume(test, { seed: 6 })]
    for (const caseId of [test.caseId, gone.id, broken.id]) {
      const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
      await test.call('annotation.commit', { caseId, delta })
    }
    await train(test)
    expect(test.compute.trained[0]?.samples).toHaveLength(3)
    const { sourcePath } = await test.call('case.open', { caseId: gone.id })
    await test.backend.close()
    rmSync(sourcePath)
    const sentence = 'volume-6.nii.gz ends too early; get the file again from where it came from.'
    const again = await openBackend(test.dir, undefined, {
      readImage: async (path, options) => {
        if (path.includes('volume-6')) throw new CodedError('bad-file', sentence)
        return readImage(path, options)
      },
    })
    expect(await train(again)).toMatchObject({ state: 'done' })
    expect(again.compute.trained[0]?.samples).toHaveLength(1)
    expect(again.told('notice').map(({ message }) => message)).toEqual([
      'Not learned from volume-5, since the image is missing; find the file and train again.',
      `Not learned from volume-6: ${sentence}`,
    ])
  })
})

describe('what teaches', () => {
  it('is no slice of the hold-out, of a removed case, or one whose mask was only taken over as a whole', async () => {
    const test = await openWithCase()
    const [aside, removed] = [await addVolume(test, { seed: 5 }), await addVolume(test, { seed: 6 })]
    for (const caseId of [test.caseId, aside.id, removed.id]) await drawBlock(test, caseId, 1)
    await test.call('holdout.set', { caseIds: [aside.id], chosenBy: 'user' })
    await test.call('case.remove', { caseId: removed.id })
    await train(test)
    await predict(test, test.caseId)
    const all = { scope: { kind: 'volume' }, labels: null, keepCorrected: true } as const
    await test.call('annotation.accept', { caseId: test.caseId, ...all })
    await train(test)
    // The second time there is nothing new: what was corrected is learned once more, and what was predicted is not.
    const taught = test.compute.trained.map(({ samples }) => samples?.map(({ index }) => index))
    expect(taught).toEqual([[1], [1]])
  })

  it('of a slice that is annotated where it was painted is what is close to strokes, as the network sees it', async () => {
    // RAS: the screen, and so the network, shows columns and rows mirrored.
    const ras = LPS.map((row, i) => (i < 2 ? row.map((value) => -value) : row))
    const test = await openWithCase({ affine: ras })
    await test.call('slice.coverage', { caseId: null, index: null, coverage: 'painted' })
    const delta = rectangle({ index: 1, at: [0, 0], size: [1, 1], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    await train(test)
    const sample = test.compute.trained[0]?.samples?.[0]
    const taught = Array.from({ length: 48 }, (_, i) => {
      const [x, y] = [7 - (i % 8), 5 - Math.floor(i / 8)]
      return Number(x * x + y * y <= 9)
    })
    expect(Array.from(sample?.trusted ?? [])).toEqual(taught)
    expect(sample?.labels.lastIndexOf(1)).toBe(47)
  })

  it('makes cases with many slices weigh less, slice by slice', async () => {
    const test = await openWithCase()
    const other = await addVolume(test, { seed: 5 })
    for (const slice of [0, 1, 2, 3]) await drawBlock(test, test.caseId, slice)
    await drawBlock(test, other.id, 2)
    await train(test)
    const weights = test.compute.trained[0]?.samples?.map(({ weight }) => Number(weight?.toFixed(4)))
    // 1 / sqrt(4) and 1 / sqrt(1), made to be 1 on average: the mean of 1, 1/2, 1/2, 1/2, 1/2 is 0.6.
    expect(weights).toEqual([1.6667, 0.8333, 0.8333, 0.8333, 0.8333])
  })
})

describe('a version that was trained', () => {
  it('knows what it learned from, in which state, and what had to be corrected before and after', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await drawBlock(test, caseId, 1)
    await jobEnd(test, (await test.call('train.start', { ...TRAIN, seed: 4 })).id)
    // The mask is the block of 9 pixels; the first version finds that and whatever is 0 or 1.
    test.compute.label = (scaled, dir) => Number(dir.endsWith('001') ? [100, 0, 1].includes(scaled) : scaled > 50)
    await drawBlock(test, caseId, 3)
    await train(test)
    const [, second] = await versionsOf(test)
    const detail = await test.call('models.detail', { modelId: second?.id ?? '' })
    expect(second).toMatchObject({ mode: 'retrain', version: 2 })
    expect(detail.settings).toMatchObject({ steps: 3, seconds: 10, seed: 1, corrected: 1, replay: 1 })
    expect(detail.data).toMatchObject([{ caseId, revision: 2, slices: 2, changedSince: 0, removed: false }])
    const { points } = await test.call('models.timeline', {})
    const found = 9 + pixelsOf([0, 1])
    expect(points[1]?.correctionDiceBefore).toBeCloseTo((2 * 9) / (9 + found), 10)
    expect(points[1]?.correctionDiceAfter).toBe(1)
    expect(points[0]?.correctionDiceBefore).toBeNull()
  })

  it('takes each case in the state of when it was read, whatever happens to it while it trains', async () => {
    const test = await openWithCase()
    const removed = await addVolume(test, { seed: 5 })
    for (const caseId of [test.caseId, removed.id]) await drawBlock(test, caseId, 1)
    const open = gate()
    test.compute.beforeTrainingEnds = () => open.passed
    const job = await test.call('train.start', TRAIN)
    await waitUntil(() => test.compute.trained.length === 1)
    const erase = rectangle({ index: 1, at: [2, 1], size: [1, 1], before: 1, after: 0 })
    await test.call('annotation.commit', { caseId: test.caseId, delta: erase })
    await test.call('case.remove', { caseId: removed.id })
    const added = await test.call('labels.add', { name: 'Kidney', color: null })
    open.pass()
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
    const { cases, models } = await test.call('project.get', {})
    expect(cases).toMatchObject([{ id: test.caseId, correctedSlices: 1, newCorrectedSlices: 1 }])
    expect(models).toMatchObject([{ active: true, labels: [1, 2] }])
    await train(test)
    expect(test.compute.trained[1]?.labels.map(({ value }) => value)).toEqual([1, 2, added.value])
    expect(test.compute.trained[1]?.samples?.map(({ index, role }) => [index, role])).toEqual([[1, 'corrected']])
  })

  it.each(['disk-full', 'compute-failed', 'compute-crashed'] as const)('leaves nothing behind on %s', async (code) => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    await train(test)
    const [first] = await versionsOf(test)
    await drawBlock(test, test.caseId, 2)
    test.compute.beforeTrainingEnds = async ({ outDir }) => {
      mkdirSync(`${outDir}.tmp`)
      writeFileSync(join(`${outDir}.tmp`, 'weights.bin'), 'half')
      throw new CodedError(code, 'This went wrong.')
    }
    const job = await train(test)
    expect(job).toMatchObject({ state: 'failed', error: { code }, modelId: null })
    const { models, cases } = await test.call('project.get', {})
    expect(models).toMatchObject([{ id: first?.id, active: true }])
    expect(cases[0]?.newCorrectedSlices).toBe(1)
    expect(readdirSync(join(test.dir, 'models'))).toEqual(['001'])
  })

  it('stays aside where the hold-out does not prove it better, and waits where that could not be found out', async () => {
    const test = await openWithCase()
    const aside = await addVolume(test, { seed: 5 })
    await drawBlock(test, test.caseId, 1)
    await train(test)
    const [first] = await versionsOf(test)
    for (const slice of [0, 1, 2, 3, 4]) await drawBlock(test, aside.id, slice)
    const more = await addVolume(test, { seed: 6 })
    for (const slice of [0, 1, 2, 3, 4]) await drawBlock(test, more.id, slice)
    await test.call('holdout.set', { caseIds: [aside.id, more.id], chosenBy: 'user' })
    await drawBlock(test, test.caseId, 2)
    const show = { caseId: test.caseId, index: 0 }
    const same = await jobEnd(test, (await test.call('train.start', { ...TRAIN, show })).id)
    expect(same).toMatchObject({ state: 'done', progress: 1 })
    expect(same.message).toMatch(/^version 2 is kept aside: /)
    expect(test.compute.predicted).toEqual([])

    test.compute.learning.before = async (method, params) => {
      const { modelDir } = params as { modelDir?: string }
      if (method === 'score' && modelDir?.endsWith('003') === true && test.compute.trained.length === 3) {
        const { models } = await test.call('project.get', {})
        if (models.length === 3) throw new CodedError('compute-crashed', 'The compute process stopped.')
      }
    }
    await drawBlock(test, test.caseId, 3)
    const job = await train(test)
    expect(job).toMatchObject({ state: 'failed', error: { code: 'compute-failed' } })
    expect(job.error?.message).toContain('Version 3 was trained')
    const { models } = await test.call('project.get', {})
    expect(models.map(({ active, judged }) => [active, judged?.verdict])).toEqual([
      [true, 'unproven'],
      [false, 'aside'],
      [false, 'waiting'],
    ])
    expect(models[1]?.parentId).toBe(first?.id)
    expect(job.modelId).toBe(models[2]?.id)
  })

  it('is not there where its folder turns out to be incomplete', async () => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    test.compute.learning.before = async (method) => {
      if (method === 'score') rmSync(join(test.dir, 'models', '001', 'weights.bin'))
    }
    const job = await train(test)
    expect(job).toMatchObject({ state: 'failed', error: { code: 'bad-file' } })
    expect(await versionsOf(test)).toEqual([])
    expect(readdirSync(join(test.dir, 'models'))).toEqual([])
  })
})

/** Pixels of slice 3 of the fixture outside the block that have one of these values. */
function pixelsOf(values: readonly number[]): number {
  return Array.from(volumeData(DIMS).subarray(3 * 48, 4 * 48)).filter((value) => values.includes(value)).length
}
