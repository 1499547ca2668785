import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { addVolume, cleanUp, jobEnd, openBackend, openWithCase, type TestBackend } from '../testing/fixtures.ts'
import { begin, correct, end, learned, live, openWithVersionAndHoldout, reopen } from '../testing/live.ts'
import { train, versionsOf } from '../testing/versions.ts'
import { pause, waitUntil } from '../testing/waiting.ts'

afterEach(cleanUp)

const phases = (test: TestBackend): string[] => test.told('live.changed').map(({ phase }) => phase)
const runs = (test: TestBackend): number => test.compute.learning.calls('liveRun').length

describe('Live', () => {
  it('begins anew without a case that is set aside or taken off while it trains', async () => {
    const test = await openWithCase()
    const [other, third] = [await addVolume(test, { seed: 5 }), await addVolume(test, { seed: 6 })]
    await correct(test, 1)
    await correct(test, 1, other.id)
    await correct(test, 1, third.id)
    await begin(test)
    await learned(test, 1)
    const before = test.compute.learning.live?.modelId
    await test.call('holdout.set', { caseIds: [other.id], chosenBy: 'user' })
    const isAnew = () => test.compute.learning.live !== null && test.compute.learning.live.modelId !== before
    await waitUntil(() => isAnew() && (live(test)?.unsavedSteps ?? 0) > 0)
    const next = test.compute.learning.live?.modelId
    await test.call('case.remove', { caseId: third.id })
    await waitUntil(() => test.compute.learning.live?.modelId !== next && (live(test)?.unsavedSteps ?? 0) > 0)
    await end(test)
    const { models } = await test.call('project.get', {})
    const { data } = await test.call('models.detail', { modelId: models.at(-1)?.id ?? '' })
    expect(data.map(({ caseId }) => caseId)).toEqual([test.caseId])
  })

  it('remembers all that it learned, also what is no lesson any more', async () => {
    const test = await openWithCase()
    const other = await addVolume(test, { seed: 5 })
    await correct(test, 1)
    await correct(test, 2, other.id)
    await begin(test)
    await learned(test, 1)
    await test.call('annotation.undo', { caseId: other.id })
    await waitUntil(() => live(test)?.slices === 1)
    await end(test)
    const { models } = await test.call('project.get', {})
    const { data } = await test.call('models.detail', { modelId: models.at(-1)?.id ?? '' })
    expect(data.map(({ caseId }) => caseId).sort()).toEqual([test.caseId, other.id].sort())
  })

  it('is off at first, and waits for something to learn', async () => {
    const test = await openWithCase()
    expect(await test.call('live.get', {})).toMatchObject({ on: false, phase: 'off', problem: null })
    await begin(test)
    await waitUntil(() => live(test)?.phase === 'waiting')
    expect(test.compute.learning.calls('liveOpen')).toEqual([])
    await correct(test, 1)
    await waitUntil(() => live(test)?.phase === 'training')
    expect(test.compute.learning.calls('liveOpen')).toMatchObject([
      { parentDir: null, labels: [{ value: 1 }, { value: 2 }] },
    ])
  })

  it('learns what is corrected by name, shows what it sees of the slice on screen, and follows strokes', async () => {
    const test = await openWithCase()
    const { caseId } = test
    const { learning } = test.compute
    await correct(test, 1)
    await begin(test, 4)
    await waitUntil(() => test.told('prediction.slices').length > 0)
    const [first] = learning.calls('liveRun')
    expect(first?.lessons?.kept).toEqual([{ caseId, index: 1, role: 'corrected', weight: 1 }])
    expect(first?.lessons?.samples).toBeUndefined()
    const modelId = learning.live?.modelId
    expect(test.told('prediction.slices')).toMatchObject([{ caseId, modelId, revision: 1, slices: [{ index: 4 }] }])
    const shown = await test.call('annotation.slice', { caseId, layer: 'prediction', axis: 2, index: 4 })
    expect(shown.modelId).toBe(modelId)
    expect(shown.data.filter((label) => label === 1)).toHaveLength(9)
    // The same again is not told again, and what was given stays given.
    await waitUntil(() => runs(test) > 3)
    expect(test.told('prediction.slices')).toHaveLength(1)
    expect(
      learning
        .calls('liveRun')
        .slice(1, 3)
        .map(({ lessons }) => lessons),
    ).toEqual([null, null])

    await correct(test, 3)
    await waitUntil(() => live(test)?.slices === 2)
    const given = learning.calls('liveRun').findLast(({ lessons }) => lessons !== null)
    expect(given?.lessons?.kept?.map(({ index }) => index)).toEqual([3, 1])
    expect(learning.resident.get(caseId)?.revision).toBe(2)
    await test.call('live.show', { show: { caseId, index: 0 } })
    await waitUntil(() => test.told('prediction.slices').at(-1)?.slices[0]?.index === 0)
  })

  it('ends a run as soon as the pen is down, and goes on in the quiet after it', async () => {
    const test = await openWithCase()
    const { learning } = test.compute
    await correct(test, 1)
    let steps = 0
    learning.afterStep = (_, signal) => {
      steps++
      return new Promise((resolve) => signal?.addEventListener('abort', () => resolve()))
    }
    await begin(test)
    await waitUntil(() => steps === 1)
    await test.call('live.pen', { down: true })
    await waitUntil(() => live(test)?.phase === 'paused')
    const liftedAfter = runs(test)
    expect(live(test)?.steps).toBe(1)
    await pause(400)
    expect(runs(test)).toBe(liftedAfter)
    learning.afterStep = async () => undefined
    await test.call('live.pen', { down: false })
    const lifted = performance.now()
    await waitUntil(() => runs(test) > liftedAfter)
    expect(performance.now() - lifted).toBeGreaterThanOrEqual(295)
  })

  it('lets everything else compute first', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await train(test)
    await correct(test, 2)
    await begin(test)
    await waitUntil(() => live(test)?.phase === 'training')
    let release: () => void = () => undefined
    test.compute.beforePredict = () => new Promise((resolve) => (release = resolve))
    const job = await test.call('predict.start', { caseId: test.caseId, index: 0 })
    await waitUntil(() => live(test)?.phase === 'paused' && test.compute.predicted.length === 1)
    const before = runs(test)
    await pause(50)
    expect(runs(test)).toBe(before)
    test.compute.beforePredict = async () => undefined
    release()
    await jobEnd(test, job.id)
    await waitUntil(() => runs(test) > before)
  })

  it('keeps what it learned as a version when it is switched off, and shows it', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await begin(test)
    await learned(test, 6)
    const modelId = live(test)?.modelId
    const shown = { caseId: test.caseId, index: 2 }
    expect(await test.call('live.set', { on: false, show: shown })).toMatchObject({ on: false, phase: 'saving' })
    await waitUntil(() => live(test)?.phase === 'off')
    const { models, cases, jobs } = await test.call('project.get', {})
    expect(models).toMatchObject([{ id: modelId, version: 1, mode: 'live', active: true }])
    expect(cases).toMatchObject([{ correctedSlices: 1, newCorrectedSlices: 0 }])
    expect(test.compute.learning.live).toBeNull()
    expect(jobs.filter(({ kind }) => kind === 'predict')).toHaveLength(1)
    // There is nothing that it has not learned.
    await begin(test)
    await waitUntil(() => live(test)?.phase === 'waiting')
    expect(await end(test)).toMatchObject({ on: false, steps: 0, modelId: null })
    expect(await versionsOf(test)).toHaveLength(1)
  })

  it('keeps versions while it is quiet, and goes on from one that is used', async () => {
    const test = await reopen(await openWithCase(), { keepSteps: 6, keepMs: 100 })
    await test.call('case.open', { caseId: test.caseId })
    await correct(test, 1)
    await begin(test)
    await waitUntil(() => phases(test).includes('saving') && live(test)?.phase === 'waiting')
    const [first] = await versionsOf(test)
    expect(first).toMatchObject({ version: 1, mode: 'live', active: true })
    expect(live(test)).toMatchObject({ parentId: first?.id, unsavedSteps: 0 })
    await correct(test, 2)
    await waitUntil(() => test.compute.learning.calls('liveOpen').length === 2)
    expect(test.compute.learning.calls('liveOpen')[1]?.parentDir).toBe(join(test.dir, 'models', '001'))
  })

  it('makes no second version of the same lessons where the first was not better', async () => {
    const test = await reopen(await openWithVersionAndHoldout(), { keepSteps: 6, keepMs: 50 })
    await correct(test, 2)
    await begin(test)
    await waitUntil(() => phases(test).includes('saving') && live(test)?.phase === 'waiting')
    const verdicts = async (): Promise<unknown[]> =>
      (await versionsOf(test)).map(({ active, judged }) => [active, judged?.verdict])
    const used = [true, 'unproven']
    expect(await verdicts()).toEqual([used, [false, 'aside']])
    await pause(200)
    expect(live(test)).toMatchObject({ on: true, phase: 'waiting', unsavedSteps: 0 })
    await correct(test, 3)
    await waitUntil(() => test.compute.learning.calls('liveSave').length === 2 && live(test)?.phase === 'waiting')
    expect(await verdicts()).toEqual([used, [false, 'aside'], [false, 'aside']])
    expect(test.compute.learning.calls('liveOpen').map(({ parentDir }) => parentDir?.endsWith('001'))).toEqual([
      true,
      true,
    ])
  })

  it('begins anew when compute was started again, and brings what it needs', async () => {
    const test = await openWithCase()
    const { learning } = test.compute
    await correct(test, 1)
    await begin(test)
    await waitUntil(() => (live(test)?.steps ?? 0) >= 3)
    let crashed = false
    learning.afterStep = async () => {
      if (crashed) return
      crashed = true
      test.compute.setStatus({ state: 'restarting' })
      test.compute.restart()
      test.compute.setStatus({ state: 'ready' })
      throw new CodedError('compute-crashed', 'The compute process stopped.')
    }
    await waitUntil(() => crashed && learning.live !== null && (live(test)?.steps ?? 0) > 0)
    expect(live(test)).toMatchObject({ on: true, problem: null })
    expect(learning.resident.get(test.caseId)?.slices.has(1)).toBe(true)
    learning.resident.clear()
    const before = runs(test)
    await correct(test, 2)
    await waitUntil(() => live(test)?.slices === 2 && runs(test) > before)
    expect(await end(test)).toMatchObject({ problem: null })
  })

  it('stops with the reason when the loss is no number any more, and leaves no version', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    test.compute.learning.afterStep = async () => {
      throw new CodedError('compute-failed', 'The loss is not a number any more.')
    }
    await begin(test)
    await waitUntil(() => live(test)?.phase === 'off')
    expect(live(test)).toMatchObject({ on: false, problem: 'The loss is not a number any more.' })
    expect(test.told('notice').at(-1)).toMatchObject({ level: 'error' })
    expect(await versionsOf(test)).toEqual([])
    test.compute.learning.afterStep = async () => undefined
    await begin(test)
    await waitUntil(() => live(test)?.phase === 'training')
    expect(live(test)?.problem).toBeNull()
  })

  it('gives up when compute keeps stopping', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    test.compute.learning.afterStep = async () => {
      throw new CodedError('compute-crashed', 'The compute process stopped.')
    }
    await begin(test)
    await waitUntil(() => live(test)?.phase === 'off')
    expect(live(test)?.problem).toContain('keeps stopping')
    expect(runs(test)).toBe(7)
  })

  it('goes on where the disk refuses a version, and leaves none behind', async () => {
    const test = await reopen(await openWithCase(), { keepSteps: 6, keepMs: 0 })
    await correct(test, 1)
    test.compute.learning.before = async (method) => {
      if (method === 'liveSave') throw new CodedError('disk-full', 'The disk is full.')
    }
    await begin(test)
    await waitUntil(() => test.told('notice').length > 0 && live(test)?.phase === 'training')
    expect(live(test)).toMatchObject({ on: true, problem: 'The disk is full.' })
    expect(existsSync(join(test.dir, 'models', '001'))).toBe(false)
    test.compute.learning.before = async () => undefined
    await waitUntil(() => live(test)?.parentId !== null)
    expect(live(test)?.problem).toBeNull()
    expect(readdirSync(join(test.dir, 'models'))).toEqual(['001'])
  })

  it('takes a label that was added, and a case that is not open, in an excerpt of its own', async () => {
    const test = await openWithCase()
    const { learning } = test.compute
    const other = await addVolume(test, { seed: 5 })
    await correct(test, 3, other.id)
    await correct(test, 1, other.id)
    await begin(test)
    await waitUntil(() => (live(test)?.steps ?? 0) > 0)
    const excerpt = `${other.id}/part`
    expect(learning.calls('liveRun')[0]?.lessons?.kept).toMatchObject([
      { caseId: excerpt, index: 0 },
      { caseId: excerpt, index: 1 },
    ])
    expect(learning.resident.get(excerpt)).toMatchObject({ dims: [8, 6, 2] })
    expect(learning.resolve([{ caseId: excerpt, index: 1, role: 'corrected' }])[0]?.labels.indexOf(1)).toBe(10)
    const { value } = await test.call('labels.add', { name: 'Kidney', color: null })
    await waitUntil(() => learning.calls('liveOpen').length === 2)
    expect(learning.calls('liveOpen')[1]?.labels.map((label) => label.value)).toEqual([1, 2, value])
    await end(test)
    expect([...learning.resident.keys()].filter((name) => name.endsWith('/part'))).toEqual([])
  })

  it('begins anew from another version that is used', async () => {
    const test = await openWithCase()
    const { learning } = test.compute
    await correct(test, 1)
    await train(test)
    await correct(test, 2)
    await begin(test)
    await waitUntil(() => (live(test)?.steps ?? 0) > 0)
    await train(test)
    const [first] = await versionsOf(test)
    await waitUntil(() => live(test)?.phase === 'waiting')
    await test.call('models.activate', { modelId: first?.id ?? '' })
    await waitUntil(() => learning.calls('liveOpen').length === 2 && live(test)?.phase === 'training')
    expect(learning.calls('liveOpen').map(({ parentDir }) => parentDir)).toEqual([
      join(test.dir, 'models', '001'),
      join(test.dir, 'models', '001'),
    ])
  })

  it('is kept when the project is closed', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await begin(test)
    await learned(test, 1)
    await test.backend.close()
    const again = await openBackend(test.dir)
    expect(await versionsOf(again)).toMatchObject([{ version: 1, mode: 'live' }])
  })
})
