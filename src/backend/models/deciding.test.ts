import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, jobEnd, openWithCase, restart } from '../testing/fixtures.ts'
import {
  compare,
  drawBlock,
  openWithHoldout,
  predictAs,
  retrain,
  train,
  TRAIN,
  usedVersion,
  versionOf,
} from '../testing/versions.ts'
import { pause } from '../testing/waiting.ts'

afterEach(cleanUp)

describe('going back to a version', () => {
  it('that was used without proof needs a reason once a comparison speaks against it, and it is recorded', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right'])
    const [first, second] = [await retrain(test), await retrain(test)]
    expect([first.judged?.verdict, second.judged?.verdict]).toEqual(['unproven', 'promoted'])
    // Nothing was found against it yet.
    await test.call('models.activate', { modelId: first.id })
    await test.call('models.activate', { modelId: second.id })
    await compare(test, first.id)
    expect(await versionOf(test, 0)).toMatchObject({ judged: { verdict: 'aside' } })
    await expect(test.call('models.activate', { modelId: first.id })).rejects.toMatchObject({ code: 'conflict' })
    expect(await usedVersion(test)).toBe(2)
    await test.call('models.activate', { modelId: first.id, reason: 'For a figure.' })
    const { judgements } = await test.call('models.detail', { modelId: first.id })
    expect(judgements.map(({ verdict }) => verdict)).toEqual(['overridden', 'aside', 'unproven', 'unproven'])
    expect(judgements[0]).toMatchObject({ override: { reason: 'For a figure.' }, againstId: second.id })
  })

  it('that was used against a comparison needs another reason where a later one speaks against it too', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['right', 'all'])
    const [first, second] = [await retrain(test), await retrain(test)]
    await test.call('models.activate', { modelId: second.id, reason: 'To see.' })
    await test.call('models.activate', { modelId: first.id })
    // What was said of the latest comparison holds.
    await test.call('models.activate', { modelId: second.id })
    await test.call('models.activate', { modelId: first.id })
    await compare(test, second.id)
    await expect(test.call('models.activate', { modelId: second.id })).rejects.toMatchObject({ code: 'conflict' })
    expect(await usedVersion(test)).toBe(1)
  })

  it('that was shown to be better once needs none; against what is recorded', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['none', 'all', 'right'])
    await retrain(test)
    const [second, third] = [await retrain(test), await retrain(test)]
    expect([second.judged?.verdict, third.judged?.verdict]).toEqual(['promoted', 'promoted'])
    await compare(test, second.id)
    expect(await versionOf(test, 1)).toMatchObject({ active: false, judged: { verdict: 'aside' } })
    expect(await test.call('models.activate', { modelId: second.id })).toMatchObject({ active: true })
    const { judgement } = await test.call('models.judgement', { modelId: second.id })
    expect(judgement).toMatchObject({
      ...{ verdict: 'overridden', againstId: third.id },
      override: { reason: 'No reason was given: it had been shown to be better before.' },
    })
  })
})

describe('the weights of a version', () => {
  it('stay while it is compared, and those of the one it is held against, whichever is in use by then', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['right', 'all', 'all'])
    const [first, second, third] = [await retrain(test), await retrain(test), await retrain(test)]
    // Scored anew.
    for (const caseId of test.aside) await drawBlock(test, caseId, 2)
    const tried: unknown[] = []
    const prune = (modelId: string) => test.call('models.prune', { modelIds: [modelId] })
    test.compute.learning.before = async (method) => {
      if (method !== 'score' || tried.length > 0) return
      const others = { modelId: third.id, reason: 'Meanwhile.' }
      await test.call('models.activate', others)
      for (const { id } of [first, second, third]) tried.push(await prune(id).catch((error: unknown) => error))
      await test.call('models.activate', { modelId: first.id })
    }
    await compare(test, second.id)
    const held = (version: number) =>
      `Version ${version} is being compared, written or trained from; wait for the end of that, or cancel it.`
    expect(tried).toMatchObject([
      { code: 'conflict', message: held(1) },
      { code: 'conflict', message: held(2) },
      { code: 'conflict', message: expect.stringContaining('Version 3 is in use') as string },
    ])
    // It has ended.
    expect((await prune(second.id)).freedBytes).toBeGreaterThan(0)
  })

  it('stay while the next one is trained from it, also where another one is used meanwhile, and after a failure go', async () => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    const [first, second] = [await retrain(test), await retrain(test)]
    let refused: unknown = null
    test.compute.beforeTrainingEnds = async () => {
      await test.call('models.activate', { modelId: first.id })
      refused = await test.call('models.prune', { modelIds: [second.id] }).catch((error: unknown) => error)
      throw new Error('It ended.')
    }
    expect(await train(test)).toMatchObject({ state: 'failed' })
    expect(refused).toMatchObject({ code: 'conflict' })
    expect(existsSync(join(test.dir, 'models', '002', 'weights.bin'))).toBe(true)
    const twice = await test.call('models.prune', { modelIds: [second.id, second.id] })
    expect(twice.freedBytes).toBe(second.bytes)
    expect(existsSync(join(test.dir, 'models', '002'))).toBe(false)
  })
})

describe('the first version with a hold-out', () => {
  it('predicts the slice on screen before it is scored, and is ready also where it cannot be', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['right'])
    const happened: string[] = []
    test.compute.beforePredict = async () => void happened.push('predict')
    test.compute.learning.before = async (method) => {
      if (method !== 'score') return
      // What is asked first goes first, in the end.
      await pause(20)
      happened.push('score')
      if (happened.filter((what) => what === 'score').length > 1) throw new Error('It ended.')
    }
    const job = await test.call('train.start', { ...TRAIN, show: { caseId: test.caseId, index: 2 } })
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done', message: 'version 1 is ready', error: null })
    expect(happened).toContain('predict')
    expect(happened.indexOf('predict')).toBeLessThan(happened.lastIndexOf('score'))
    expect(await usedVersion(test)).toBe(1)
  })

  it('does not wait for images that are gone', async () => {
    const test = await openWithHoldout(2)
    for (const caseId of test.aside) rmSync((await test.call('case.open', { caseId })).sourcePath)
    const again = await restart(test)
    const first = await retrain(again)
    expect(first).toMatchObject({ active: true, judged: { verdict: 'unproven' } })
    const { judgements } = await again.call('models.detail', { modelId: first.id })
    expect(judgements.map(({ verdict }) => verdict)).toEqual(['unproven'])
  })
})
