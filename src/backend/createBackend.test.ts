import { afterEach, describe, expect, it } from 'vitest'
import { methods } from '../core/contract/methods.ts'
import { cleanUp, emptyProject, openBackend, openWithCase, rectangle } from './testing/fixtures.ts'

afterEach(cleanUp)

describe('createBackend', () => {
  it('implements every method of the contract and says what it is', async () => {
    const test = await openBackend(emptyProject())
    expect(Object.keys(test.backend.handlers).sort()).toEqual(Object.keys(methods).sort())
    expect(await test.call('app.info', {})).toMatchObject({ shell: 'test', nativeDialogs: false })
    await expect(test.call('files.openDialog', {})).rejects.toMatchObject({ code: 'unknown-method' })
    await expect(openBackend(test.dir)).rejects.toMatchObject({ code: 'busy' })
  })

  it('passes on the state of compute, and tells once of each restart', async () => {
    const test = await openBackend(emptyProject())
    const message = 'The compute process stopped; it is being restarted.'
    test.compute.setStatus({ state: 'restarting', restarts: 1, message })
    test.compute.setStatus({ state: 'ready', message: null })
    expect(test.told('compute.status').map((status) => status.state)).toEqual(['restarting', 'ready'])
    expect(test.told('notice')).toEqual([{ level: 'warning', message }])
  })

  it('passes on what compute wants the user to know, until it closes', async () => {
    const test = await openBackend(emptyProject())
    const notice = { level: 'info', message: 'A smaller batch is used.' } as const
    test.compute.notice(notice)
    await test.backend.close()
    test.compute.notice(notice)
    expect(test.told('notice')).toEqual([notice])
  })

  it('closes once, ends compute, and touches nothing after that', async () => {
    const test = await openWithCase()
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 0, at: [0, 0], size: [1, 1], after: 1 }) })
    await Promise.all([test.backend.close(), test.backend.close()])
    expect(test.compute.closed).toBe(true)
    expect(test.told('project.changed').at(-1)?.cases[0]).toMatchObject({ correctedSlices: 1 })
    const delta = rectangle({ index: 1, at: [0, 0], size: [1, 1], after: 1 })
    await expect(test.call('annotation.commit', { caseId, delta })).rejects.toMatchObject({ code: 'no-project' })
    await (await openBackend(test.dir)).backend.close()
  })
})
