import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  addVolume,
  cleanUp,
  inClosedProject,
  jobEnd,
  openBackend,
  openWithCase,
  rectangle,
  type TestBackend,
  type WithCase,
} from '../testing/fixtures.ts'
import { begin, correct, end, learned, live, openWithVersionAndHoldout, reopen } from '../testing/live.ts'
import { train, versionsOf } from '../testing/versions.ts'
import { pause, waitUntil } from '../testing/waiting.ts'
import type { LivePace } from './live.ts'

afterEach(cleanUp)

const scores = (test: TestBackend): number => test.compute.learning.calls('score').length

/** Dice on what the newest version newly learned, before and after. */
async function measured(test: TestBackend): Promise<unknown[]> {
  const { points } = await test.call('models.timeline', {})
  const newest = points.at(-1)
  return [newest?.correctionDiceBefore, newest?.correctionDiceAfter]
}

/** A version in use, three cases, two of them set aside, and Live with steps of another version. */
async function withHoldout(pace: Partial<LivePace> = {}): Promise<WithCase> {
  const test = await reopen(await openWithVersionAndHoldout(), pace)
  await test.call('case.open', { caseId: test.caseId })
  await correct(test, 2)
  await begin(test)
  await learned(test)
  return test
}

describe('what Live learned is saved', () => {
  it('when the project is closed while a step runs and another job has its turn, and saving takes a while', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await train(test)
    await correct(test, 3)
    await begin(test)
    await learned(test)
    const { learning } = test.compute
    let stepping = false
    learning.afterStep = (_, signal) => {
      stepping = true
      return new Promise((resolve) => signal?.addEventListener('abort', () => setTimeout(resolve, 20)))
    }
    await waitUntil(() => stepping)
    test.compute.beforePredict = () => pause(50)
    await test.call('predict.start', { caseId: test.caseId, index: 0 })
    learning.before = (method) => (method === 'liveSave' ? pause(100) : Promise.resolve())
    await test.backend.close()
    // Compute may outlive the project, and has nothing of it.
    expect(learning.live).toBeNull()
    // Nothing else is waited for: that of the training before.
    expect(scores(test)).toBe(1)
    expect(await versionsOf(await openBackend(test.dir))).toMatchObject([{ version: 1 }, { version: 2, mode: 'live' }])
  })

  it('and waits to be judged where the project is closed meanwhile; what it predicted goes', async () => {
    const test = await withHoldout()
    await waitUntil(() => test.told('prediction.slices').length > 0)
    test.compute.learning.before = async (method, _, signal) => {
      if (method === 'score') await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    }
    await test.call('live.set', { on: false, show: null })
    await waitUntil(() => scores(test) > 0)
    await test.backend.close()
    const again = await openBackend(test.dir)
    const [, second] = await versionsOf(again)
    expect(second).toMatchObject({ mode: 'live', active: false, judged: { verdict: 'waiting' } })
    const shown = { caseId: test.caseId, layer: 'prediction', axis: 2, index: 2 } as const
    expect((await again.call('annotation.slice', shown)).modelId).not.toBe(second?.id)
  })

  it('before compute is set up in another way', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await begin(test)
    await learned(test)
    let saved = 0
    test.compute.beforeConfigured = async () => {
      saved = test.compute.learning.calls('liveSave').length
      test.compute.setStatus({ state: 'starting' })
      test.compute.restart()
      test.compute.setStatus({ state: 'ready' })
    }
    await test.call('compute.configure', { backend: 'wasm', threads: 1 })
    expect(saved).toBe(1)
    expect(await versionsOf(test)).toMatchObject([{ mode: 'live', active: true }])
    expect(live(test)).toMatchObject({ on: true })
    await correct(test, 3)
    await waitUntil(() => live(test)?.phase === 'training')
    // Nothing to save: nothing to wait for.
    await end(test)
    await test.call('compute.configure', { backend: 'auto', threads: 0 })
  })
})

describe('proving what Live learned', () => {
  it.each(['on', 'off'])('stops while a pen is down, and goes on in the quiet, switched %s', async (state) => {
    const test = await withHoldout({ keepSteps: state === 'on' ? 6 : 1000, keepMs: 0 })
    const { learning } = test.compute
    const batches = Promise.withResolvers<undefined>()
    let [running, aborted] = [0, 0]
    learning.before = async (method, _, signal) => {
      if (method !== 'score') return
      running++
      const ended = new Promise<undefined>((resolve) => signal?.addEventListener('abort', () => resolve(undefined)))
      await Promise.race([batches.promise, ended])
      if (signal?.aborted === true) aborted++
      running--
    }
    if (state === 'off') await test.call('live.set', { on: false, show: null })
    await waitUntil(() => running === 1)
    // It is safe, and known.
    expect(await versionsOf(test)).toMatchObject([
      { version: 1, active: true },
      { version: 2, mode: 'live', active: false },
    ])
    await test.call('live.pen', { down: true })
    await waitUntil(() => running === 0)
    expect(aborted).toBe(1)
    const before = scores(test)
    batches.resolve(undefined)
    await pause(400)
    expect(scores(test)).toBe(before)
    await test.call('live.pen', { down: false })
    await waitUntil(() => live(test)?.phase === (state === 'on' ? 'waiting' : 'off'))
    const [, second] = await versionsOf(test)
    expect(second).toMatchObject({ judged: { verdict: 'aside' } })
    expect(await measured(test)).toEqual([1, 1])
  })

  it('measures what was learned as it was learned alone', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await correct(test, 3)
    await begin(test)
    await learned(test)
    const { learning } = test.compute
    const { caseId } = test
    learning.before = async (method) => {
      if (method !== 'liveSave') return
      await test.call('annotation.commit', {
        caseId,
        delta: rectangle({ index: 1, at: [0, 0], size: [2, 2], after: 2 }),
      })
    }
    await end(test)
    expect(learning.calls('score').map(({ kept }) => kept?.map(({ index }) => index))).toEqual([[3]])
    expect(await measured(test)).toEqual([null, 1])
  })
})

describe('what Live predicted', () => {
  const seen = async (test: WithCase, index: number): Promise<string | null> =>
    (await test.call('annotation.slice', { caseId: test.caseId, layer: 'prediction', axis: 2, index })).modelId

  it('is given up where its version is kept aside, and predicted again by the one in use', async () => {
    const test = await withHoldout()
    await waitUntil(() => test.told('prediction.slices').length > 0)
    await test.call('live.show', { show: { caseId: test.caseId, index: 4 } })
    await waitUntil(() => test.told('prediction.slices').some(({ slices }) => slices[0]?.index === 4))
    const [first] = await versionsOf(test)
    expect(await seen(test, 2)).not.toBe(first?.id)
    const before = test.told('case.slices').length
    await test.call('live.set', { on: false, show: { caseId: test.caseId, index: 4 } })
    await waitUntil(() => live(test)?.phase === 'off')
    const told = test.told('case.slices').slice(before)
    expect(told.some(({ caseId, predicted }) => caseId === test.caseId && predicted.length === 0)).toBe(true)
    const { jobs } = await test.call('project.get', {})
    await jobEnd(test, jobs.find(({ kind }) => kind === 'predict')?.id ?? '')
    expect([await seen(test, 2), await seen(test, 4)]).toEqual([first?.id, first?.id])
  })

  it('is what the first version says as soon as it is kept, before it is scored, and once', async () => {
    const test = await openWithCase()
    const aside = await addVolume(test, { seed: 5 })
    for (const slice of [0, 1]) await correct(test, slice, aside.id)
    await test.call('holdout.set', { caseIds: [aside.id], chosenBy: 'user' })
    await correct(test, 1)
    await begin(test)
    await learned(test)
    const gate = Promise.withResolvers<undefined>()
    test.compute.learning.before = async (method) => {
      if (method === 'score') await gate.promise
    }
    await test.call('live.set', { on: false, show: { caseId: test.caseId, index: 2 } })
    const predicting = async () => (await test.call('project.get', {})).jobs.filter(({ kind }) => kind === 'predict')
    while ((await predicting()).length === 0) await pause(2)
    expect(live(test)?.phase).toBe('saving')
    gate.resolve(undefined)
    await waitUntil(() => live(test)?.phase === 'off')
    const [job, ...more] = await predicting()
    expect([(await jobEnd(test, job?.id ?? '')).state, more]).toEqual(['done', []])
    const [first] = await versionsOf(test)
    expect(first).toMatchObject({ active: true, judged: { verdict: 'unproven' } })
    expect(await seen(test, 4)).toBe(first?.id)
  })

  it('is given up where compute lost what was learned', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await begin(test)
    await waitUntil(() => test.told('prediction.slices').length > 0)
    expect(await seen(test, 2)).not.toBeNull()
    await test.call('live.pen', { down: true })
    await waitUntil(() => live(test)?.phase === 'paused')
    test.compute.setStatus({ state: 'restarting' })
    expect(test.told('case.slices').at(-1)).toMatchObject({ predicted: [] })
    expect(await seen(test, 2)).toBeNull()
  })

  it('stays where it is what the version in use says, and is given up where the training was not that far', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await begin(test, 0)
    await waitUntil(() => test.told('prediction.slices').length > 0)
    await test.call('live.show', { show: { caseId: test.caseId, index: 4 } })
    await waitUntil(() => test.told('prediction.slices').some(({ slices }) => slices[0]?.index === 4))
    await test.call('compute.configure', { backend: 'wasm', threads: 1 })
    const [first] = await versionsOf(test)
    expect(await seen(test, 0)).toBeNull()
    expect([first?.id, null]).toContain(await seen(test, 4))
  })

  it('is gone after the workstation was killed', async () => {
    const test = await openWithCase()
    await inClosedProject(test, ({ db }) => {
      db.run(`INSERT INTO predictions VALUES (?, 2, 'of no version', 1, x'00', NULL)`, test.caseId)
    })
    const again = { ...(await openBackend(test.dir)), caseId: test.caseId }
    expect(await seen(again, 2)).toBeNull()
  })
})

describe('while a step runs', () => {
  /** Does something within the next step. */
  async function duringAStep(test: WithCase, work: () => Promise<unknown>): Promise<void> {
    const done = Promise.withResolvers<undefined>()
    let asked = false
    test.compute.learning.afterStep = async () => {
      if (asked) return
      asked = true
      await work()
      done.resolve(undefined)
    }
    await done.promise
  }

  it.each(['set aside', 'removed'])('a case that is %s is in no version', async (how) => {
    const test = await openWithCase()
    const other = await addVolume(test, { seed: 5 })
    await correct(test, 1)
    await correct(test, 1, other.id)
    await begin(test)
    await learned(test)
    await duringAStep(test, async () => {
      if (how === 'removed') await test.call('case.remove', { caseId: other.id })
      else await test.call('holdout.set', { caseIds: [other.id], chosenBy: 'user' })
      await test.call('live.set', { on: false, show: null })
    })
    await waitUntil(() => live(test)?.phase === 'off')
    expect(await versionsOf(test)).toEqual([])
    await begin(test)
    await learned(test)
    await end(test)
    const [made] = await versionsOf(test)
    const { data } = await test.call('models.detail', { modelId: made?.id ?? '' })
    expect(data.map(({ caseId }) => caseId)).toEqual([test.caseId])
  })

  it('a label that is added or removed begins a training with the labels of now', async () => {
    const test = await openWithCase()
    await correct(test, 1)
    await begin(test)
    await learned(test)
    const { learning } = test.compute
    let value = 0
    await duringAStep(test, async () => ({ value } = await test.call('labels.add', { name: 'Kidney', color: null })))
    await waitUntil(() => learning.calls('liveOpen').length === 2)
    await learned(test)
    await duringAStep(test, () => test.call('labels.remove', { value }))
    await waitUntil(() => learning.calls('liveOpen').length === 3)
    await learned(test)
    await end(test)
    expect(learning.calls('liveOpen').map(({ labels }) => labels.length)).toEqual([2, 3, 2])
    expect(await versionsOf(test)).toMatchObject([{ labels: [1, 2] }])
    expect(learning.calls('liveSave')).toMatchObject([{ outDir: join(test.dir, 'models', '001') }])
  })
})

describe('a stroke', () => {
  it('has only its own slice of an open case read again', async () => {
    const test = await openWithCase()
    const { caseId } = test
    for (const index of [1, 3]) {
      await correct(test, index)
      await test.call('slice.coverage', { caseId, index, coverage: 'painted' })
    }
    await begin(test)
    await learned(test)
    const { learning } = test.compute
    const given = () => {
      const kept = learning.calls('liveRun').findLast(({ lessons }) => lessons !== null)?.lessons?.kept ?? []
      return new Map(kept.map(({ index, trusted }) => [index, trusted]))
    }
    const before = given()
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 3, at: [6, 5], size: [1, 1], after: 1 }) })
    await waitUntil(() => given().get(3) !== before.get(3))
    expect([...given().keys()].sort()).toEqual([1, 3])
    expect(given().get(1)?.length).toBe(48)
    // The very same array, which nobody made again.
    expect(given().get(1)).toBe(before.get(1))
    await end(test)
  })
})
