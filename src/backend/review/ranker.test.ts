import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import type { ComputeParams } from '../compute/port.ts'
import { openProject } from '../project/project.ts'
import { closeServices, createServices, type Services } from '../services.ts'
import { FakeCompute } from '../testing/fakeCompute.ts'
import { addVolume, cleanUp, jobEnd, openWithCase, rectangle, restart, type TestBackend } from '../testing/fixtures.ts'
import { Examined } from './examined.ts'
import { ReviewQueue } from './queue.ts'
import { Ranker } from './ranker.ts'

afterEach(cleanUp)

type Test = TestBackend & { caseId: string }

/** Two cases of five slices each, and a model that learned slice 0 of the first. */
async function withModel(): Promise<Test & { other: string }> {
  const test = await openWithCase()
  await draw(test, 0)
  const { id } = await test.call('train.start', { steps: 3, seconds: 10, seed: 1, show: null })
  await jobEnd(test, id)
  const { id: other } = await addVolume(test, { seed: 7 })
  return { ...test, other }
}

async function draw(test: Test, index: number, caseId = test.caseId): Promise<void> {
  await test.call('annotation.commit', { caseId, delta: rectangle({ index, at: [1, 1], size: [2, 2], after: 1 }) })
}

async function rank(test: Test, caseIds: string[] | null = null): Promise<Awaited<ReturnType<typeof jobEnd>>> {
  const { id } = await test.call('queue.rank', { caseIds })
  return jobEnd(test, id)
}

const asked = (calls: readonly ComputeParams<'examine'>[]): { index: number; disagreement: boolean }[] =>
  calls.flatMap(({ slices, disagreement = false }) => slices.map(({ index }) => ({ index, disagreement })))

const places = (slices: readonly { caseId: string; index: number }[]): string[] =>
  slices.map(({ caseId, index }) => `${caseId} ${index}`).sort()

const ofCase = (caseId: string, indices: readonly number[]): string[] => indices.map((index) => `${caseId} ${index}`)

describe('queue.rank', () => {
  it('refuses without a model, and has nothing to show', async () => {
    const test = await openWithCase()
    await expect(test.call('queue.rank', {})).rejects.toMatchObject({ code: 'no-model' })
    expect(await test.call('queue.get', {})).toEqual({ modelId: null, rankedAt: null, slices: [], cases: [] })
  })

  it('asks about every slice that nobody corrected, and keeps the order', async () => {
    const test = await withModel()
    const { caseId, other } = test
    // Only slices of the other case hold values of 33 to 36 beside their block, and it is sure of all others.
    test.compute.learning.entropy = (value) => (value > 32 && value < 37 ? 200 : 0)
    test.compute.learning.features = ({ index }) => [Math.cos(index), Math.sin(index)]
    expect(await rank(test)).toMatchObject({ kind: 'rank', state: 'done', message: '9 slices ranked' })
    // What it learned from is looked at to know what is new; how far it is unsure of that is of no use.
    const calls = asked(test.compute.learning.calls('examine'))
    expect(calls.filter(({ disagreement }) => !disagreement)).toEqual([{ index: 0, disagreement: false }])
    expect(calls.filter(({ disagreement }) => disagreement).map(({ index }) => index)).toEqual([
      1, 2, 3, 4, 0, 1, 2, 3, 4,
    ])
    const queue = await test.call('queue.get', {})
    expect(places(queue.slices)).toEqual([...ofCase(caseId, [1, 2, 3, 4]), ...ofCase(other, [0, 1, 2, 3, 4])].sort())
    const scores = queue.slices.map(({ score }) => score)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    expect(queue.cases.map((one) => [one.caseId, one.slices]).sort()).toEqual(
      [
        [caseId, 4],
        [other, 5],
      ].sort(),
    )
    expect(test.told('queue.changed').at(-1)).toEqual(queue)
    const active = (await test.call('project.get', {})).models.find((model) => model.active)
    expect(queue.modelId).toBe(active?.id)

    const again = await restart(test)
    expect(await again.call('queue.get', { limit: 3 })).toEqual({ ...queue, slices: queue.slices.slice(0, 3) })
  })

  it('asks of a model once, and of what was corrected since nothing but how it looks', async () => {
    const test = await withModel()
    const { other } = test
    await rank(test)
    const before = test.compute.learning.calls('examine').length
    await draw(test, 2)
    expect(await rank(test)).toMatchObject({ message: '8 slices ranked' })
    expect(test.compute.learning.calls('examine')).toHaveLength(before)
    // A case that is new is looked at by name.
    const { id: third } = await addVolume(test, { seed: 11 })
    await rank(test, [other])
    expect(test.compute.learning.calls('examine')).toHaveLength(before)
    await rank(test, [third])
    expect(asked(test.compute.learning.calls('examine').slice(before)).map(({ index }) => index)).toEqual([
      0, 1, 2, 3, 4,
    ])
    expect((await test.call('queue.get', {})).slices).toHaveLength(13)
  })

  it('loses what was dealt with, and has it again where that is taken back', async () => {
    const test = await withModel()
    const { caseId, other } = test
    await rank(test)
    const left = async (): Promise<string[]> => places((await test.call('queue.get', {})).slices)
    await draw(test, 3)
    await test.call('slice.approve', { caseId, index: 4, approved: true })
    const rest = [...ofCase(caseId, [1, 2]), ...ofCase(other, [0, 1, 2, 3, 4])].sort()
    expect(await left()).toEqual(rest)
    expect(places(test.told('queue.changed').at(-1)?.slices ?? [])).toEqual(rest)
    await test.call('annotation.undo', { caseId })
    expect(await left()).toEqual([...rest, `${caseId} 4`].sort())
    await test.call('holdout.set', { caseIds: [other], chosenBy: 'user' })
    expect(await left()).toEqual(ofCase(caseId, [1, 2, 4]))
    await test.call('holdout.set', { caseIds: [], chosenBy: 'user' })
    await test.call('case.remove', { caseId: other })
    expect(await left()).toEqual(ofCase(caseId, [1, 2, 4]))
  })

  it('asks nothing of the hold-out', async () => {
    const test = await withModel()
    await test.call('holdout.set', { caseIds: [test.other], chosenBy: 'user' })
    await rank(test)
    expect(asked(test.compute.learning.calls('examine'))).toHaveLength(5)
  })

  it('gives its turn to a slice that somebody looks at, and goes on', async () => {
    const test = await withModel()
    const { learning } = test.compute
    const order: string[] = []
    let begun: () => void = () => undefined
    const first = new Promise<void>((resolve) => (begun = resolve))
    learning.before = async (method, _params, signal) => {
      if (method !== 'examine') return
      order.push('examine')
      begun()
      if (order.length > 1) return
      // Computes until somebody wants the turn.
      await new Promise<void>((_, reject) => {
        signal?.addEventListener('abort', () => reject(new CodedError('cancelled', 'cancelled')))
      })
    }
    test.compute.beforePredict = async () => void order.push('predict')
    const { id } = await test.call('queue.rank', {})
    await first
    const predicting = await test.call('predict.start', { caseId: test.caseId, index: 2 })
    await jobEnd(test, predicting.id)
    expect(await jobEnd(test, id)).toMatchObject({ state: 'done' })
    expect(order.slice(0, 3)).toEqual(['examine', 'predict', 'predict'])
    expect((await test.call('queue.get', {})).slices).toHaveLength(9)
  })

  it('goes on from a crash of compute, and leaves out a case whose image is gone', async () => {
    const test = await withModel()
    let crashes = 0
    test.compute.learning.before = async (method) => {
      if (method === 'examine' && crashes++ === 0) throw new CodedError('compute-crashed', 'gone')
    }
    expect(await rank(test)).toMatchObject({ state: 'done', message: '9 slices ranked' })
    test.compute.learning.before = async (method) => {
      if (method === 'examine') throw new CodedError('compute-failed', 'no')
    }
    await addVolume(test, { seed: 12 })
    expect(await rank(test)).toMatchObject({ state: 'failed', error: { code: 'compute-failed' } })
    // What was ranked before stays.
    expect((await test.call('queue.get', {})).slices).toHaveLength(9)
  })
})

/** The same project with a ranker that waits a moment only. */
async function quickRanker(
  test: Test,
  work: (services: Services, ranker: Ranker, compute: FakeCompute) => Promise<void>,
): Promise<void> {
  await test.backend.close()
  const project = openProject(test.dir)
  const compute = new FakeCompute()
  const services = createServices({ project, compute, log: () => undefined })
  const { db } = project
  const examined = new Examined(db)
  const queue = new ReviewQueue({ db, events: services.events, examined })
  const ranker = new Ranker({ ...services, db, examined, queue, quietMs: 5, log: () => undefined })
  try {
    await work({ ...services, queue }, ranker, compute)
  } finally {
    await closeServices(services, undefined, [ranker])
  }
}

async function until(is: () => boolean): Promise<void> {
  while (!is()) await new Promise((resolve) => setTimeout(resolve, 2))
}

const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 40))

describe('a ranking by itself', () => {
  async function withTwoVersions(): Promise<Test> {
    const test = await withModel()
    await draw(test, 1)
    const { id } = await test.call('train.start', { steps: 3, seconds: 10, seed: 2, show: null })
    await jobEnd(test, id)
    return test
  }

  it('follows when another version is used and nothing computes', async () => {
    await quickRanker(await withTwoVersions(), async ({ models, promotion, queue, lane, events }) => {
      const [first] = models.list()
      if (first === undefined) throw new Error('there are two versions')
      let end: () => void = () => undefined
      const busy = lane.run(3, new AbortController().signal, () => new Promise<void>((resolve) => (end = resolve)))
      promotion.activate(first.id, null)
      await moment()
      expect(queue.get(10).modelId).toBeNull()
      events.emit('live.changed', {
        ...{ on: true, phase: 'waiting', parentId: null, modelId: null, steps: 0, loss: null, dice: null },
        ...{ slices: 0, unsavedSteps: 0, problem: null },
      })
      end()
      await busy
      await moment()
      expect(queue.get(10).modelId).toBeNull()
      events.emit('live.changed', {
        ...{ on: false, phase: 'off', parentId: null, modelId: null, steps: 0, loss: null, dice: null },
        ...{ slices: 0, unsavedSteps: 0, problem: null },
      })
      await until(() => queue.get(10).modelId === first.id)
      expect(queue.get(10).slices).toHaveLength(8)
    })
  })

  it('does not follow what was in use when the project was opened, and gives way to what the user wants', async () => {
    await quickRanker(await withTwoVersions(), async ({ models, promotion, queue, jobs, events }, ranker, compute) => {
      events.emit('models.changed', { models: models.list() })
      await moment()
      expect(jobs.live()).toEqual([])
      let waits = true
      compute.learning.before = (method, _params, signal) =>
        new Promise((resolve, reject) => {
          if (method !== 'examine' || !waits) resolve()
          signal?.addEventListener('abort', () => reject(new CodedError('cancelled', 'cancelled')))
        })
      const [first] = models.list()
      promotion.activate(first?.id ?? '', null)
      await until(() => jobs.live().length > 0)
      waits = false
      await ranker.giveWay()
      expect(jobs.live()).toEqual([])
      expect(queue.get(10).modelId).toBeNull()
      // Once nothing computes it is taken up again.
      await until(() => queue.get(10).modelId === first?.id)
    })
  })
})
