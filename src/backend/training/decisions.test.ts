import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { readImage } from '../../imaging/index.ts'
import { addVolume, cleanUp, jobEnd, openBackend, openWithCase } from '../testing/fixtures.ts'
import {
  drawBlock,
  isOfHoldout,
  openWithHoldout,
  predictAs,
  retrain,
  train,
  TRAIN,
  usedVersion,
  versionsOf,
} from '../testing/versions.ts'
import { gate, pause, waitUntil } from '../testing/waiting.ts'

afterEach(cleanUp)

describe('labels of a version', () => {
  it('are called as the project calls them by now; one that was deleted keeps its place and its name', async () => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    await retrain(test)
    await test.call('labels.update', { value: 1, change: { name: 'Lobe' } })
    await test.call('labels.remove', { value: 2 })
    await test.call('labels.add', { name: 'Kidney', color: null })
    await retrain(test)
    expect(test.compute.trained[1]?.labels).toEqual([
      { value: 1, name: 'Lobe' },
      { value: 2, name: 'Spleen' },
      { value: 3, name: 'Kidney' },
    ])
  })
})

describe('what the user decides while a training waits or runs', () => {
  it('goes on from what is in use when its turn comes, and learns what is to be learned then', async () => {
    const test = await openWithCase()
    const [aside, removed] = [await addVolume(test, { seed: 5 }), await addVolume(test, { seed: 6 })]
    await drawBlock(test, test.caseId, 1)
    await train(test)
    const [first] = await versionsOf(test)
    await drawBlock(test, test.caseId, 2)
    await train(test)
    for (const caseId of [test.caseId, aside.id, removed.id]) await drawBlock(test, caseId, 3)
    const open = gate()
    test.compute.beforePredict = () => open.passed
    const predicting = await test.call('predict.start', { caseId: test.caseId, index: 0 })
    await waitUntil(() => test.compute.predicted.length === 1)
    const job = await test.call('train.start', TRAIN)
    // By then it has read what was corrected, and waits.
    await pause(200)
    await test.call('models.activate', { modelId: first?.id ?? '' })
    await test.call('holdout.set', { caseIds: [aside.id], chosenBy: 'user' })
    await test.call('case.remove', { caseId: removed.id })
    await drawBlock(test, test.caseId, 4)
    open.pass()
    await jobEnd(test, predicting.id)
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
    const trained = test.compute.trained[2]
    expect(trained?.parentDir).toBe(join(test.dir, 'models', '001'))
    expect(trained?.samples?.map(({ index, role }) => [index, role])).toEqual([
      [4, 'corrected'],
      [3, 'corrected'],
      [2, 'corrected'],
      [1, 'replay'],
    ])
  })

  it('never learns from a case that is set aside while its image is read', async () => {
    const test = await openWithCase()
    const aside = await addVolume(test, { seed: 5 })
    for (const caseId of [test.caseId, aside.id]) await drawBlock(test, caseId, 1)
    await test.backend.close()
    const open = gate()
    let reads = 0
    const again = await openBackend(test.dir, undefined, {
      readImage: async (path, options) => {
        reads++
        await open.passed
        return readImage(path, options)
      },
    })
    const job = await again.call('train.start', TRAIN)
    await waitUntil(() => reads > 0)
    await again.call('holdout.set', { caseIds: [aside.id], chosenBy: 'user' })
    open.pass()
    expect(await jobEnd(again, job.id)).toMatchObject({ state: 'done' })
    expect(again.compute.trained[0]?.samples).toHaveLength(1)
    const [version] = await versionsOf(again)
    const { data } = await again.call('models.detail', { modelId: version?.id ?? '' })
    expect(data.map(({ caseId }) => caseId)).toEqual([test.caseId])
  })

  it('is not used without proof where another version was chosen since its training began', async () => {
    const test = await openWithHoldout(2, 3)
    predictAs(test, ['right', 'right', 'right', 'right'])
    const first = await retrain(test)
    const second = await retrain(test)
    expect(second).toMatchObject({ active: true, judged: { verdict: 'unproven' } })
    let once = true
    test.compute.beforeTrainingEnds = async () => {
      if (!once) return
      once = false
      await test.call('models.activate', { modelId: first.id })
    }
    const third = await retrain(test)
    expect(third).toMatchObject({ active: false, judged: { verdict: 'aside' } })
    expect(third.judged?.reason).toMatch(/^Version 1 was chosen since its training began\. .*only 6 slices/)
    expect(await usedVersion(test)).toBe(1)
    // The hold-out is given up while the next one is compared.
    await test.call('models.activate', { modelId: second.id })
    test.compute.beforeTrainingEnds = async () => {
      await test.call('models.activate', { modelId: first.id })
    }
    test.compute.learning.before = async (method, params) => {
      if (method === 'score' && isOfHoldout(params)) await test.call('holdout.set', { caseIds: [], chosenBy: 'user' })
    }
    await drawBlock(test, test.aside[0] ?? '', 3)
    const fourth = await retrain(test)
    expect(fourth).toMatchObject({ active: false, judged: { verdict: 'aside' } })
    expect(fourth.judged?.reason).toContain('While it was trained, version 1 was chosen')
    expect(await usedVersion(test)).toBe(1)
  })
})
