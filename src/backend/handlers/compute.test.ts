import { afterEach, describe, expect, it } from 'vitest'
import type { DoctorReport } from '../../core/contract/schemas.ts'
import { cleanUp, emptyProject, jobEnd, openBackend, openWithCase, rectangle } from '../testing/fixtures.ts'
import type { TestBackend } from '../testing/fixtures.ts'

afterEach(cleanUp)

const TRAIN = { steps: 3, seconds: 10, seed: 1, show: null }
const report: DoctorReport = {
  backends: [
    {
      ...{ name: 'wasm', available: true, reason: 'In use.', remedy: null, selfTest: { ok: true, ms: 1 }, stepMs: 2 },
      device: null,
    },
  ],
  ...{ chosen: 'js', threads: 1, wanted: { backend: 'js', threads: 1 }, cached: false, cores: 2, versions: {} },
  memory: { totalMB: 4, freeMB: 0, processMB: 2, limitMB: 3 },
}

/** A backend with a training under way, which ends when it is let. */
async function training(): Promise<TestBackend & { caseId: string; end: () => Promise<void> }> {
  const test = await openWithCase()
  const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
  await test.call('annotation.commit', { caseId: test.caseId, delta })
  let release: () => void = () => undefined
  test.compute.beforeTrainingEnds = () => new Promise((resolve) => (release = resolve))
  const { id } = await test.call('train.start', TRAIN)
  await expect.poll(() => test.compute.trained.length, { timeout: 20_000 }).toBe(1)
  return {
    ...test,
    async end() {
      release()
      await jobEnd(test, id)
    },
  }
}

describe('compute.configure', () => {
  it('passes the choice on, and the reason of a refusal', async () => {
    const test = await openBackend(emptyProject())
    expect(await test.call('compute.settings', {})).toEqual({
      ...{ backend: 'auto', threads: 0 },
      overruled: { backend: null, threads: null },
    })
    expect(await test.call('compute.configure', { backend: 'wasm', threads: 2 })).toEqual({})
    expect(await test.call('compute.settings', {})).toMatchObject({ backend: 'wasm', threads: 2 })
    test.compute.beforeConfigured = async () => {
      throw new Error('There is no webgpu here.')
    }
    await expect(test.call('compute.configure', { backend: 'webgpu', threads: 0 })).rejects.toThrow('no webgpu')
  })

  it('waits for the job that runs', async () => {
    const test = await training()
    await expect(test.call('compute.configure', { backend: 'js', threads: 0 })).rejects.toMatchObject({ code: 'busy' })
    await test.end()
    await test.call('compute.configure', { backend: 'js', threads: 0 })
  })
})

describe('app.doctor', () => {
  it('tells what compute reports, with the choice that is in force', async () => {
    const test = await openBackend(emptyProject())
    test.compute.report = report
    await test.call('compute.configure', { backend: 'wasm', threads: 2 })
    const told = await test.call('app.doctor', { fresh: true })
    expect(told).toEqual({ ...report, wanted: { backend: 'wasm', threads: 2 } })
    expect(test.compute.examined).toEqual([{ fresh: true }])
  })

  it('tries nothing while a job runs: what is known is told, a fresh check is refused', async () => {
    const test = await training()
    test.compute.report = report
    await expect(test.call('app.doctor', { fresh: true })).rejects.toMatchObject({ code: 'busy' })
    expect((await test.call('app.doctor', {})).backends).toEqual(report.backends)
    expect(test.compute.examined).toEqual([{ known: true }])
    await test.end()
    await test.call('app.doctor', {})
    expect(test.compute.examined.at(-1)).toEqual({ fresh: false })
  })

  it('has a job wait for it, which says so and can be cancelled', async () => {
    const test = await training()
    await test.end()
    test.compute.report = report
    let release: () => void = () => undefined
    test.compute.beforeReport = () => new Promise((resolve) => (release = resolve))
    const told = test.call('app.doctor', { fresh: true })
    const { id } = await test.call('train.start', TRAIN)
    const words = () => test.told('job.changed').findLast(({ job }) => job.id === id)?.job.message
    await expect.poll(words, { timeout: 20_000 }).toBe('waiting for the check of the compute backends')
    await test.call('job.cancel', { jobId: id })
    expect(await jobEnd(test, id)).toMatchObject({ state: 'cancelled' })
    release()
    expect(await told).toMatchObject({ backends: report.backends })
  })

  it('has a job say that it is at its first step or slice when its turn has come after all', async () => {
    const test = await training()
    await test.end()
    test.compute.report = report
    const held: (() => void)[] = []
    const hold = (): Promise<void> => new Promise((resolve) => held.push(resolve))
    const release = (): void => held.splice(0).forEach((go) => go())
    test.compute.beforeReport = hold
    test.compute.beforeFirstStep = hold
    test.compute.beforePredict = hold
    test.compute.beforeTrainingEnds = async () => undefined
    const starts = {
      'first step…': () => test.call('train.start', TRAIN),
      'first slice…': () => test.call('predict.start', { caseId: test.caseId, index: 0 }),
    }
    for (const [words, start] of Object.entries(starts)) {
      const checked = test.call('app.doctor', { fresh: true })
      await expect.poll(() => held.length, { timeout: 20_000 }).toBe(1)
      const { id } = await start()
      const told = () => test.told('job.changed').findLast(({ job }) => job.id === id)?.job
      await expect
        .poll(() => told()?.message, { timeout: 20_000 })
        .toBe('waiting for the check of the compute backends')
      release()
      await checked
      await expect.poll(() => told()?.message, { timeout: 20_000 }).toBe(words)
      expect(told()?.state).toBe('running')
      test.compute.beforePredict = async () => undefined
      release()
      expect((await jobEnd(test, id)).state).toBe('done')
      test.compute.beforePredict = hold
    }
  })
})
