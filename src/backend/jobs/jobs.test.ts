import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createClient, createRpcServer, memoryTransportPair, type BackendClient } from '../../core/rpc/index.ts'
import type { Job } from '../../core/contract/schemas.ts'
import { cleanUp, jobEnd, openWithCase, rectangle, type TestBackend } from '../testing/fixtures.ts'

const TRAIN = { steps: 3, seconds: 10, seed: 1, show: null }

const clients: BackendClient[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await cleanUp()
})

interface Windows extends TestBackend {
  readonly caseId: string
  /** A window of its own: a session over a connection in memory. */
  open(): BackendClient
}

/** A project with a corrected slice, served to any number of windows. Compute waits until a job is cancelled. */
async function windows(): Promise<Windows> {
  const test = await openWithCase()
  const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
  await test.call('annotation.commit', { caseId: test.caseId, delta })
  await jobEnd(test, (await test.call('train.start', TRAIN)).id)
  const { handlers, events } = test.backend
  const server = createRpcServer({ handlers, events })
  test.compute.beforePredict = untilAborted
  test.compute.beforeTrainingEnds = untilAborted
  return {
    ...test,
    open() {
      const client = createClient({
        connect: async () => {
          const [page, host] = memoryTransportPair()
          server.accept(host)
          return page
        },
      })
      clients.push(client)
      return client
    },
  }
}

const stateOf = async (test: TestBackend, id: string): Promise<Job['state'] | undefined> =>
  (await test.call('project.get', {})).jobs.find((job) => job.id === id)?.state

describe('a job that two windows asked for', () => {
  it('is one job, and goes on for the other when one cancels it', async () => {
    const test = await windows()
    const [first, second] = [test.open(), test.open()]
    const { caseId } = test
    const job = await first.call('predict.start', { caseId, index: 0 })
    expect((await second.call('predict.start', { caseId, index: 3 })).id).toBe(job.id)

    const answer = await first.call('job.cancel', { jobId: job.id })
    expect(answer.notice).toBe('Another window waits for this prediction too, so it goes on there.')
    expect(['queued', 'running']).toContain(answer.state)
    // The one that left has no say any more, until it asks for the job again.
    await expect(first.call('job.cancel', { jobId: job.id })).rejects.toMatchObject({ code: 'busy' })
    expect(await stateOf(test, job.id)).toBe('running')

    const last = await second.call('job.cancel', { jobId: job.id })
    expect(last.notice).toBeUndefined()
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'cancelled' })
  })

  it('can be cancelled by the one that is left when the other was closed', async () => {
    const test = await windows()
    const [first, second] = [test.open(), test.open()]
    const { caseId } = test
    const job = await first.call('predict.start', { caseId, index: 0 })
    await second.call('predict.start', { caseId, index: 0 })
    first.close()
    await second.call('job.cancel', { jobId: job.id })
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'cancelled' })
  })
})

describe('a job of one window', () => {
  it('is not cancelled by another while that one is open; by anybody once it is closed', async () => {
    const test = await windows()
    const [owner, other] = [test.open(), test.open()]
    const job = await owner.call('train.start', TRAIN)
    await expect(other.call('job.cancel', { jobId: job.id })).rejects.toMatchObject({
      code: 'busy',
      message: 'This training was started in another window; cancel it there.',
    })
    // Its own waits behind it, and is its to cancel.
    const next = await other.call('train.start', TRAIN)
    expect(next).toMatchObject({ state: 'queued' })
    await other.call('job.cancel', { jobId: next.id })
    expect(await stateOf(test, job.id)).toBe('running')
    owner.close()
    await other.call('job.cancel', { jobId: job.id })
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'cancelled', modelId: null })
  })

  it('stays its own over a lost connection', async () => {
    const test = await windows()
    const { handlers, events } = test.backend
    const server = createRpcServer({ handlers, events })
    let drop: () => void = () => undefined
    const owner = createClient({
      connect: async () => {
        const [page, host] = memoryTransportPair()
        server.accept(host)
        drop = () => page.close()
        return page
      },
      backoff: { firstMs: 1, maxMs: 5 },
    })
    clients.push(owner)
    const job = await owner.call('train.start', TRAIN)
    const session = owner.sessionId
    const states: string[] = []
    owner.onState((state) => states.push(state))
    drop()
    await expect.poll(() => states, { timeout: 20_000 }).toEqual(['lost', 'open'])
    expect(owner.sessionId).toBe(session)
    const stranger = { signal: new AbortController().signal, sessionId: 'stranger' }
    await expect(test.backend.handlers['job.cancel']({ jobId: job.id }, stranger)).rejects.toMatchObject({
      code: 'busy',
    })
    await owner.call('job.cancel', { jobId: job.id })
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'cancelled' })
  })

  it('hands what follows from it to that window: the prediction after a training', async () => {
    const test = await windows()
    const [owner, other] = [test.open(), test.open()]
    test.compute.beforeTrainingEnds = async () => undefined
    const { caseId } = test
    const training = await owner.call('train.start', { ...TRAIN, show: { caseId, index: 0 } })
    await jobEnd(test, training.id)
    const shown = (await test.call('project.get', {})).jobs.find((job) => job.kind === 'predict')
    await expect(other.call('job.cancel', { jobId: shown?.id ?? '' })).rejects.toMatchObject({ code: 'busy' })
    await owner.call('job.cancel', { jobId: shown?.id ?? '' })
  })

  it('is waited for by the same windows when a newer model takes its place', async () => {
    const test = await windows()
    const [first, second] = [test.open(), test.open()]
    const { caseId } = test
    test.compute.beforePredict = async () => undefined
    test.compute.beforeTrainingEnds = async () => undefined
    const { models } = await test.call('project.get', {})
    await jobEnd(test, (await first.call('train.start', TRAIN)).id)
    test.compute.beforePredict = untilAborted
    const old = await first.call('predict.start', { caseId, index: 0 })
    await second.call('models.activate', { modelId: models[0]?.id ?? '' })
    const next = await second.call('predict.start', { caseId, index: 0 })
    expect(next.id).not.toBe(old.id)
    expect(await jobEnd(test, old.id)).toMatchObject({ state: 'cancelled' })
    expect((await second.call('job.cancel', { jobId: next.id })).notice).toBeDefined()
    await first.call('job.cancel', { jobId: next.id })
    expect(await jobEnd(test, next.id)).toMatchObject({ state: 'cancelled' })
  })
})

describe('jobs in the record', () => {
  it('are not told as running when their end could not be written, and are written when that is possible again', async () => {
    const test = await openWithCase()
    const other = new DatabaseSync(join(test.dir, 'project.sqlite'), { timeout: 2000 })
    try {
      const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
      await test.call('annotation.commit', { caseId: test.caseId, delta })
      test.compute.beforeTrainingEnds = untilAborted
      const { id } = await test.call('train.start', TRAIN)
      await expect.poll(() => test.compute.trained.length, { timeout: 20_000 }).toBe(1)
      other.exec(`CREATE TRIGGER no_room BEFORE UPDATE ON jobs BEGIN SELECT RAISE(ABORT, 'no room'); END`)
      await test.call('job.cancel', { jobId: id })
      expect(await jobEnd(test, id)).toMatchObject({ state: 'cancelled' })
      const row = () => other.prepare('SELECT state FROM jobs WHERE id = ?').get(id)
      expect(row()).toMatchObject({ state: 'running' })
      expect(await test.call('job.cancel', { jobId: id })).toMatchObject({ state: 'cancelled' })
      other.exec('DROP TRIGGER no_room')
      await test.backend.close()
      expect(row()).toMatchObject({ state: 'cancelled' })
    } finally {
      other.close()
    }
  })
})

function untilAborted(_params: unknown, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve()
    else signal?.addEventListener('abort', () => resolve())
  })
}
