import { DatabaseSync } from 'node:sqlite'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { cleanUp, jobEnd, openBackend, openWithCase, rectangle, restart } from '../testing/fixtures.ts'
import {
  compare,
  DICE_OF_ALL,
  drawBlock,
  isOfHoldout,
  openWithHoldout,
  predictAs,
  retrain,
  train,
  TRAIN,
  usedVersion,
  versionOf,
  type WithHoldout,
} from '../testing/versions.ts'
import { untilAborted } from '../testing/waiting.ts'

afterEach(cleanUp)

/** How often slices of the hold-out were scored, by version; what was corrected is scored for the curves too. */
function scored(test: WithHoldout): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { modelDir, samples = [] } of test.compute.learning.calls('score')) {
    const slices = samples.filter((sample) => isOfHoldout({ samples: [sample] })).length
    const version = modelDir.slice(-3)
    counts[version] = (counts[version] ?? 0) + slices
  }
  return counts
}

describe('a new version without anything that could judge it', () => {
  it('is used at once, and says so', async () => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    expect(await retrain(test)).toMatchObject({
      active: true,
      judged: { verdict: 'unproven', reason: 'The first version: there was none to compare it with.' },
    })
    expect(await retrain(test)).toMatchObject({
      ...{ version: 2, active: true },
      judged: {
        verdict: 'unproven',
        reason: 'Used without proof: no cases are set aside to compare versions on.',
        diceAfter: null,
      },
    })
  })

  it('is used where nothing is annotated in the hold-out, or too little to tell', async () => {
    const nothing = await openWithHoldout(2, 0)
    await retrain(nothing)
    expect((await retrain(nothing)).judged?.reason).toBe(
      'Used without proof: nothing is corrected or approved yet in the cases that are set aside.',
    )
    const little = await openWithHoldout(2, 3)
    predictAs(little, ['right', 'none'])
    await retrain(little)
    // Six slices are too few to say that it is better; that it lost a label is told of any.
    expect(await retrain(little)).toMatchObject({ active: false, judged: { verdict: 'aside' } })
    predictAs(little, ['all', 'none', 'right'])
    const third = await retrain(little)
    expect(third).toMatchObject({ active: true, judged: { verdict: 'unproven', diceAfter: 1 } })
    expect(third.judged?.reason).toContain('only 6 slices')
  })
})

describe('a new version that can be judged', () => {
  it('is used where it is better by more than its noise, with the table that shows it', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right'])
    const first = await retrain(test)
    expect(first.judged).toMatchObject({ verdict: 'unproven', diceBefore: null })
    expect(first.judged?.diceAfter).toBeCloseTo(DICE_OF_ALL, 12)
    const second = await retrain(test)
    expect(second).toMatchObject({ version: 2, active: true, judged: { verdict: 'promoted', diceAfter: 1 } })
    const { judgement } = await test.call('models.judgement', { modelId: second.id })
    expect(judgement).toMatchObject({ againstId: first.id, override: null })
    // All five differences are the same: of the 32 choices of signs one is as large.
    expect(judgement?.test).toMatchObject({ kind: 'sign-flip', unit: 'case', pairs: 5, p: 1 / 32, level: 0.05 })
    expect(judgement?.test?.difference).toBeCloseTo(1 - DICE_OF_ALL, 12)
    expect(judgement?.cases.map(({ caseId, slices }) => [caseId, slices])).toEqual(test.aside.map((id) => [id, 1]))
    expect(judgement?.mean[0]).toMatchObject({ label: null, after: 1 })
    expect(test.told('model.judged').at(-1)).toEqual(judgement)
    expect(
      test
        .told('models.changed')
        .at(-1)
        ?.models.map(({ active }) => active),
    ).toEqual([false, true])
    for (const { samples } of test.compute.trained) expect(samples).toHaveLength(1)
  })

  it('is kept aside where it is worse; what was known of the hold-out is not scored again', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['right', 'all', 'none'])
    await retrain(test)
    expect(await retrain(test)).toMatchObject({
      version: 2,
      active: false,
      judged: { verdict: 'aside', diceBefore: 1 },
    })
    expect(await retrain(test)).toMatchObject({ version: 3, active: false, judged: { verdict: 'aside', diceAfter: 0 } })
    expect(await usedVersion(test)).toBe(1)
    expect(scored(test)).toEqual({ '001': 5, '002': 5, '003': 5 })
    // One stroke on one case: that slice alone.
    const delta = rectangle({ index: 0, at: [2, 1], size: [1, 1], before: 1, after: 0 })
    await test.call('annotation.commit', { caseId: test.aside[0] ?? '', delta })
    await retrain(test)
    expect(scored(test)).toEqual({ '001': 6, '002': 5, '003': 5, '004': 5 })
  })

  it('goes on from the one in use, not from one that was kept aside', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['right', 'all', 'all'])
    const first = await retrain(test)
    await retrain(test)
    expect((await retrain(test)).parentId).toBe(first.id)
  })
})

describe('a decision of the user', () => {
  it('uses one that was kept aside only with a reason, which is recorded, and rolls back without one', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['right', 'all'])
    const [first, second] = [await retrain(test), await retrain(test)]
    await expect(test.call('models.activate', { modelId: second.id })).rejects.toMatchObject({ code: 'conflict' })
    expect(await usedVersion(test)).toBe(1)
    const used = await test.call('models.activate', { modelId: second.id, reason: 'The hold-out is too easy.' })
    expect(used).toMatchObject({ active: true, judged: { verdict: 'overridden' } })
    const { judgements } = await test.call('models.detail', { modelId: second.id })
    expect(judgements.map(({ verdict }) => verdict)).toEqual(['overridden', 'aside'])
    expect(judgements[0]).toMatchObject({ override: { reason: 'The hold-out is too easy.' }, againstId: first.id })
    await test.call('models.activate', { modelId: first.id })
    expect(await usedVersion(test)).toBe(1)
    await test.call('models.activate', { modelId: second.id })
    expect(await usedVersion(test)).toBe(2)
    const again = await restart(test)
    expect(await usedVersion(again)).toBe(2)
    expect((await again.call('models.judgement', { modelId: second.id })).judgement).toEqual(judgements[0])
  })

  it('compares a version on request, and uses it only when it is told to', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'none'])
    const [first, second] = [await retrain(test), await retrain(test)]
    // The same weights as far as the record is concerned: nobody else can say that it predicts better now.
    predictAs(test, ['all', 'right'])
    for (const caseId of test.aside) await drawBlock(test, caseId, 2)
    await compare(test, second.id)
    expect(await versionOf(test, 1)).toMatchObject({ active: false, judged: { verdict: 'promoted' } })
    await test.call('models.activate', { modelId: second.id })
    expect(await usedVersion(test)).toBe(2)
    await expect(test.call('models.judge', { modelId: second.id })).rejects.toMatchObject({ code: 'conflict' })
    await test.call('models.activate', { modelId: first.id })
    await test.call('holdout.set', { caseIds: [], chosenBy: 'user' })
    await expect(test.call('models.judge', { modelId: second.id })).rejects.toMatchObject({ code: 'conflict' })
  })
})

describe('what happens while a version is judged', () => {
  it('a cancel leaves it waiting, over a restart, and the old one in use', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right'])
    await retrain(test)
    const { id } = await cutOff(test)
    await test.call('job.cancel', { jobId: id })
    expect(await jobEnd(test, id)).toMatchObject({ state: 'cancelled' })
    const waiting = { version: 2, active: false, judged: { verdict: 'waiting' } }
    expect(await versionOf(test, 1)).toMatchObject(waiting)
    const again = await restart(test)
    predictAs(again, ['all', 'right'])
    expect(await versionOf(again, 1)).toMatchObject(waiting)
    const { id: modelId } = await versionOf(again, 1)
    await expect(again.call('models.activate', { modelId })).rejects.toMatchObject({ code: 'conflict' })
    await compare(again, modelId)
    expect(await versionOf(again, 1)).toMatchObject({ active: false, judged: { verdict: 'promoted' } })
  })

  it('a crash of compute costs one batch, and a second one leaves the version waiting', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right', 'right'])
    await retrain(test)
    let crashes = 1
    test.compute.learning.before = async (method, params) => {
      if (method !== 'score' || !isOfHoldout(params) || crashes-- <= 0) return
      throw new CodedError('compute-crashed', 'It ended.')
    }
    expect(await retrain(test)).toMatchObject({ active: true, judged: { verdict: 'promoted' } })
    crashes = 2
    const job = await train(test)
    expect(job.state).toBe('failed')
    expect(await versionOf(test, -1)).toMatchObject({ version: 3, active: false, judged: { verdict: 'waiting' } })
    expect(await usedVersion(test)).toBe(2)
  })

  it('it is held against the version that is used meanwhile, and judged on the masks as they are then', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['right', 'all', 'right'])
    const first = await retrain(test)
    const second = await retrain(test)
    await test.call('models.activate', { modelId: second.id, reason: 'to be replaced' })
    beforeHoldout(test, async () => {
      await test.call('models.activate', { modelId: first.id })
    })
    const third = await retrain(test)
    // Better than the second, and no better than the first, which is the one that it is held against.
    const { judgement } = await test.call('models.judgement', { modelId: third.id })
    expect(judgement).toMatchObject({ againstId: first.id, verdict: 'aside', test: { difference: 0, p: 1 } })
    expect(await usedVersion(test)).toBe(1)
  })

  it('both are held against the same mask, drawn on meanwhile or not', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right'])
    await retrain(test)
    const [caseId = ''] = test.aside
    beforeHoldout(test, async () => {
      const delta = rectangle({ index: 0, at: [2, 1], size: [3, 1], before: 1, after: 0 })
      await test.call('annotation.commit', { caseId: test.aside[4] ?? '', delta })
      await test.call('case.remove', { caseId })
    })
    const { id } = await retrain(test)
    const { judgement } = await test.call('models.judgement', { modelId: id })
    expect(judgement?.cases.map((one) => one.caseId)).toEqual(test.aside.slice(1))
    // 6 of 48 are left: 2 x 6 / (48 + 6), and 2 x 6 / (9 + 6).
    expect(judgement?.cases.at(-1)?.dice[0]).toEqual({ label: null, before: 12 / 54, after: 12 / 15 })
  })

  it('it is kept aside where what it learned from was set aside meanwhile', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right'])
    await retrain(test)
    const other = test.aside[4] ?? ''
    await test.call('holdout.set', { caseIds: test.aside.slice(0, 4), chosenBy: 'user' })
    test.compute.beforeTrainingEnds = async () => {
      await test.call('holdout.set', { caseIds: [other], chosenBy: 'user' })
    }
    const second = await retrain(test)
    expect(second).toMatchObject({ active: false, judged: { verdict: 'aside' } })
    expect(second.judged?.reason).toContain('It learned from volume-5')
    const { id } = await versionOf(test, 0)
    expect(await usedVersion(test)).toBe(1)
    expect((await test.call('models.detail', { modelId: id })).data.map(({ caseId }) => caseId)).toEqual([test.caseId])
  })

  it('it is kept aside where what it learned from is set aside while it is judged, and cannot be compared after', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right'])
    await retrain(test)
    await test.call('holdout.set', { caseIds: test.aside.slice(0, 4), chosenBy: 'user' })
    const hasBegun = beforeHoldout(test, async () => {
      await test.call('holdout.set', { caseIds: [...test.aside], chosenBy: 'user' })
    })
    const second = await retrain(test)
    expect(hasBegun()).toBe(true)
    expect(second).toMatchObject({ active: false, judged: { verdict: 'aside' } })
    expect(second.judged?.reason).toContain('It learned from volume-5')
    await expect(test.call('models.judge', { modelId: second.id })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('a version that goes on from one that was left meanwhile is not used by itself', async () => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    const first = await retrain(test)
    await retrain(test)
    test.compute.beforeTrainingEnds = async () => {
      await test.call('models.activate', { modelId: first.id })
    }
    const third = await retrain(test)
    expect(third).toMatchObject({ version: 3, active: false, judged: { verdict: 'aside' } })
    expect(third.judged?.reason).toContain('version 1 was chosen')
    expect(await usedVersion(test)).toBe(1)
    await test.call('models.activate', { modelId: third.id, reason: 'All the same.' })
    expect(await usedVersion(test)).toBe(3)
  })

  it('images that are gone are left out and named; without any it waits', async () => {
    const test = await openWithHoldout(2, 4)
    predictAs(test, ['all', 'right', 'right'])
    await retrain(test)
    const [first = '', second = ''] = await Promise.all(
      test.aside.map(async (caseId) => (await test.call('case.open', { caseId })).sourcePath),
    )
    rmSync(first)
    const again = await restart(test)
    predictAs(again, ['all', 'right', 'all'])
    const version = await retrain(again)
    expect(version).toMatchObject({ active: true, judged: { verdict: 'unproven' } })
    expect(version.judged?.reason).toContain('Not compared on volume-1, whose images cannot be read.')
    await again.backend.close()
    rmSync(second)
    const last = await openBackend(test.dir)
    // Nothing of the hold-out can be read, so nothing that is new is used.
    expect(await retrain(last)).toMatchObject({ version: 3, active: false, judged: { verdict: 'waiting' } })
    expect(await usedVersion(last)).toBe(2)
  })
})

describe('a database that cannot be written', () => {
  it.each(['models', 'judgements'])('leaves no version, no folder and the old one in use: %s', async (table) => {
    const test = await openWithCase()
    await drawBlock(test, test.caseId, 1)
    await retrain(test)
    const other = new DatabaseSync(join(test.dir, 'project.sqlite'))
    other.exec(`CREATE TRIGGER no_room BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'no room'); END`)
    const job = await train(test)
    expect(job.state).toBe('failed')
    expect((await test.call('project.get', {})).models).toHaveLength(1)
    expect(await usedVersion(test)).toBe(1)
    expect(readdirSync(join(test.dir, 'models'))).toEqual(['001'])
    other.exec('DROP TRIGGER no_room')
    other.close()
    expect(await retrain(test)).toMatchObject({ version: 2, active: true })
  })

  it('promotes wholly or not at all', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right'])
    await retrain(test)
    const other = new DatabaseSync(join(test.dir, 'project.sqlite'))
    other.exec(
      `CREATE TRIGGER no_room BEFORE UPDATE OF active ON models WHEN new.active = 1 BEGIN SELECT RAISE(ABORT, 'no room'); END`,
    )
    expect(await train(test)).toMatchObject({ state: 'failed' })
    expect(await usedVersion(test)).toBe(1)
    expect(await versionOf(test, 1)).toMatchObject({ active: false, judged: { verdict: 'waiting' } })
    other.exec('DROP TRIGGER no_room')
    other.close()
    expect(existsSync(join(test.dir, 'models', '002', 'card.json'))).toBe(true)
  })
})

/** Retrain, as far as the first score on the hold-out, which takes until it is cancelled. */
async function cutOff(test: WithHoldout): Promise<{ id: string }> {
  const reached = Promise.withResolvers<undefined>()
  test.compute.learning.before = async (method, params, signal) => {
    if (method !== 'score' || !isOfHoldout(params)) return
    reached.resolve(undefined)
    await untilAborted(params, signal)
  }
  const job = await test.call('train.start', TRAIN)
  await reached.promise
  return job
}

/** Does something before slices of the hold-out are scored for the first time. Answers whether it has begun. */
function beforeHoldout(test: WithHoldout, work: () => Promise<unknown>): () => boolean {
  let begun = false
  test.compute.learning.before = async (method, params) => {
    if (method !== 'score' || !isOfHoldout(params) || begun) return
    begun = true
    await work()
  }
  return () => begun
}
