import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { addVolume, cleanUp, openWithCase, readMaskOf, rectangle, type TestBackend } from '../testing/fixtures.ts'
import { pause, waitUntil } from '../testing/waiting.ts'

afterEach(cleanUp)

type Opened = TestBackend & { caseId: string }

async function paint(test: Opened, index: number, after = 1, caseId = test.caseId): Promise<void> {
  const delta = rectangle({ index, at: [2, 1], size: [3, 3], before: after === 0 ? 1 : 0, after })
  await test.call('annotation.commit', { caseId, delta })
}

/** Compute has every stroke of the case; the mask as compute knows it. */
async function patched(test: Opened, revision: number, caseId = test.caseId): Promise<Uint8Array | undefined> {
  await waitUntil(() => test.compute.learning.resident.get(caseId)?.revision === revision)
  return test.compute.learning.resident.get(caseId)?.labels
}

describe('the way of a stroke to compute', () => {
  it('brings the mask once, and every further change of whatever kind as the same delta', async () => {
    const test = await openWithCase()
    await paint(test, 1)
    await patched(test, 1)
    await paint(test, 2)
    await test.call('annotation.undo', { caseId: test.caseId })
    await test.call('annotation.redo', { caseId: test.caseId })
    const coronal = rectangle({ axis: 1, index: 0, at: [0, 0], size: [8, 5], after: 2 })
    await test.call('annotation.commit', { caseId: test.caseId, delta: coronal })
    expect(await patched(test, 5)).toEqual(await readMaskOf(test, test.caseId))
    const { learning } = test.compute
    expect(learning.calls('openCase')).toHaveLength(1)
    expect(learning.calls('patchCase').map(({ revision }) => revision)).toEqual([2, 3, 4, 5])
    expect(learning.calls('patchCase')[3]).toMatchObject({ box: coronal.box, runs: coronal.runs })
  })

  it('acknowledges while compute takes its time, or fails', async () => {
    const test = await openWithCase()
    const { learning } = test.compute
    let release: () => void = () => undefined
    learning.before = () => new Promise((resolve) => (release = resolve))
    await paint(test, 1)
    await waitUntil(() => learning.calls('openCase').length === 1)
    await paint(test, 2)
    await paint(test, 3)
    expect(learning.resident.size).toBe(0)
    learning.before = async (method) => {
      if (method === 'patchCase') throw new CodedError('compute-failed', 'This went wrong.')
    }
    release()
    await waitUntil(() => learning.calls('patchCase').length === 1)
    await paint(test, 4)
    learning.before = async () => undefined
    await paint(test, 0)
    expect(await patched(test, 5)).toEqual(await readMaskOf(test, test.caseId))
  })

  it('brings the mask again after compute was started anew, or dropped it', async () => {
    const test = await openWithCase()
    const { learning } = test.compute
    await paint(test, 1)
    await patched(test, 1)
    test.compute.setStatus({ state: 'restarting' })
    test.compute.restart()
    test.compute.setStatus({ state: 'ready' })
    await paint(test, 2)
    expect(await patched(test, 2)).toEqual(await readMaskOf(test, test.caseId))
    learning.resident.clear()
    await paint(test, 3)
    expect(await patched(test, 3)).toEqual(await readMaskOf(test, test.caseId))
    expect(learning.calls('openCase').map(({ revision }) => revision)).toEqual([1, 2, 3])
  })

  it('does not ask compute that has given up to start once more', async () => {
    const test = await openWithCase()
    test.compute.setStatus({ state: 'failed' })
    await paint(test, 1)
    await pause(30)
    expect(test.compute.learning.asked).toEqual([])
  })

  it('is of the four cases that were opened last, and of none that was removed', async () => {
    const test = await openWithCase()
    const { learning } = test.compute
    await paint(test, 1)
    await patched(test, 1)
    const others: string[] = []
    for (const seed of [5, 6, 7, 8]) others.push((await addVolume(test, { seed })).id)
    for (const caseId of others) await test.call('case.open', { caseId })
    const [first = '', second = ''] = others
    await paint(test, 1, 1, first)
    await patched(test, 1, first)
    await waitUntil(() => !learning.resident.has(test.caseId))
    await paint(test, 2)
    await test.call('case.remove', { caseId: first })
    await waitUntil(() => !learning.resident.has(first))
    await paint(test, 1, 1, second)
    await patched(test, 1, second)
    expect([...learning.resident.keys()]).toEqual([second])
    await test.backend.close()
    expect([...learning.resident.keys()]).toEqual([])
  })
})
