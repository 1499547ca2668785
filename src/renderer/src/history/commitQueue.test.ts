import { describe, it, expect } from 'vitest'
import { CodedError, type ErrorCode } from '../../../core/contract/errors.ts'
import type { StrokeDelta } from '../../../core/contract/schemas.ts'
import { CommitQueue, type CommitResult, type QueueState } from './commitQueue.ts'

function strokeOf(id: string): StrokeDelta {
  return {
    id,
    baseRevision: 0,
    kind: 'brush',
    label: 1,
    axis: 2,
    box: { min: [0, 0, 0], max: [1, 1, 1] },
    runs: Uint32Array.of(0, 1, 0, 1),
  }
}

const history = { canUndo: true, canRedo: false, undoName: 'brush', redoName: null }

/** A backend that the test answers by hand, and a clock that it winds. */
function harness() {
  const sent: {
    delta: StrokeDelta
    answer: (result: CommitResult) => void
    fail: (code: ErrorCode) => void
  }[] = []
  const states: QueueState[] = []
  const log: string[] = []
  const timers: { callback: () => void; ms: number; cancelled: boolean }[] = []
  const link = { open: true }
  let revision = 10
  const queue = new CommitQueue({
    commit: (_caseId, delta) =>
      new Promise((answer, reject) => {
        sent.push({ delta, answer, fail: (code) => reject(new CodedError(code, `failed: ${code}`)) })
      }),
    isOpen: () => link.open,
    revisionOf: () => revision,
    onCommitted: (caseId, delta, result) => {
      revision = result.revision
      log.push(`committed ${caseId} ${delta.id} at ${result.revision}`)
    },
    onRefused: (caseId, delta, error) => log.push(`refused ${caseId} ${delta.id}: ${error.code}`),
    onState: (state) => states.push(state),
    schedule: (callback, ms) => {
      const timer = { callback, ms, cancelled: false }
      timers.push(timer)
      return () => {
        timer.cancelled = true
      }
    },
  })
  const answer = async (revisionNow: number): Promise<void> => {
    sent.at(-1)?.answer({ revision: revisionNow, history })
    await settled()
  }
  const fail = async (code: ErrorCode): Promise<void> => {
    sent.at(-1)?.fail(code)
    await settled()
  }
  return { queue, sent, states, log, timers, link, answer, fail }
}

async function settled(): Promise<void> {
  for (let k = 0; k < 10; k++) await Promise.resolve()
}

describe('CommitQueue', () => {
  it('sends one stroke at a time, in order, each on the newest revision', async () => {
    const { queue, sent, log, states, answer } = harness()
    queue.push('a', strokeOf('s1'))
    queue.push('a', strokeOf('s2'))
    queue.push('b', strokeOf('s3'))
    expect(sent.map(({ delta }) => delta.id)).toEqual(['s1'])
    expect(queue.pendingOf('a').map(({ id }) => id)).toEqual(['s1', 's2'])
    expect(queue.state).toMatchObject({ saveState: 'saving', pendingStrokes: 3 })
    await answer(11)
    await answer(12)
    await answer(1)
    expect(sent.map(({ delta }) => [delta.id, delta.baseRevision])).toEqual([
      ['s1', 10],
      ['s2', 11],
      ['s3', 12],
    ])
    expect(log).toEqual(['committed a s1 at 11', 'committed a s2 at 12', 'committed b s3 at 1'])
    expect(states.at(-1)).toEqual({ saveState: 'saved', error: null, pendingStrokes: 0 })
  })

  it('says "saved" only after the acknowledgement', async () => {
    const { queue, states, answer } = harness()
    queue.push('a', strokeOf('s1'))
    await settled()
    expect(states.map(({ saveState }) => saveState)).toEqual(['saving'])
    await answer(11)
    expect(states.map(({ saveState }) => saveState)).toEqual(['saving', 'saved'])
  })

  it('sends the same stroke again, with the same id, after the connection was lost', async () => {
    const { queue, sent, link, states, log, answer, fail } = harness()
    queue.push('a', strokeOf('s1'))
    link.open = false
    queue.connectionLost()
    await fail('connection-lost')
    queue.push('a', strokeOf('s2'))
    expect(sent).toHaveLength(1)
    expect(states.at(-1)).toMatchObject({ saveState: 'unsaved', pendingStrokes: 2 })
    expect(states.at(-1)?.error?.code).toBe('connection-lost')
    link.open = true
    queue.connectionOpened()
    expect(queue.state.saveState).toBe('saving')
    await answer(11)
    await answer(12)
    expect(sent.map(({ delta }) => delta.id)).toEqual(['s1', 's1', 's2'])
    expect(log).toEqual(['committed a s1 at 11', 'committed a s2 at 12'])
    expect(queue.state.saveState).toBe('saved')
  })

  it('keeps a stroke that could not be written, says so, and tries again with longer pauses', async () => {
    const { queue, sent, timers, answer, fail } = harness()
    queue.push('a', strokeOf('s1'))
    await fail('disk-full')
    expect(queue.state).toEqual({
      saveState: 'unsaved',
      error: { code: 'disk-full', message: 'failed: disk-full' },
      pendingStrokes: 1,
    })
    timers[0]?.callback()
    await fail('not-saved')
    expect(timers.map(({ ms }) => ms)).toEqual([500, 1000])
    queue.push('a', strokeOf('s2'))
    expect(sent).toHaveLength(2)
    queue.retry()
    expect(timers[1]?.cancelled).toBe(true)
    await answer(11)
    await answer(12)
    expect(sent.map(({ delta }) => delta.id)).toEqual(['s1', 's1', 's1', 's2'])
    expect(queue.state.saveState).toBe('saved')
  })

  it('gives up on a stroke that does not fit any more and goes on with the next', async () => {
    const { queue, log, timers, answer, fail } = harness()
    queue.push('a', strokeOf('s1'))
    queue.push('a', strokeOf('s2'))
    await fail('conflict')
    expect(log).toEqual(['refused a s1: conflict'])
    expect(queue.pendingOf('a').map(({ id }) => id)).toEqual(['s2'])
    await answer(11)
    expect(log.at(-1)).toBe('committed a s2 at 11')
    expect(timers).toEqual([])
    expect(queue.state).toEqual({ saveState: 'saved', error: null, pendingStrokes: 0 })
  })

  it('lets undo wait for the strokes before it, and strokes for the undo', async () => {
    const { queue, sent, answer } = harness()
    const order: string[] = []
    queue.push('a', strokeOf('s1'))
    let finishUndo = (): void => undefined
    const undone = queue.run(
      () =>
        new Promise<string>((resolve) => {
          order.push('undo sent')
          finishUndo = () => resolve('undone')
        }),
    )
    queue.push('a', strokeOf('s2'))
    await settled()
    expect(order).toEqual([])
    await answer(11)
    expect(order).toEqual(['undo sent'])
    expect(sent).toHaveLength(1)
    expect(queue.state.saveState).toBe('saving')
    finishUndo()
    expect(await undone).toBe('undone')
    await settled()
    expect(sent.map(({ delta }) => delta.id)).toEqual(['s1', 's2'])
  })

  it('says when requests under way are over, so that strokes can wait for them', async () => {
    const { queue, answer } = harness()
    queue.push('a', strokeOf('s1'))
    expect(queue.settled()).toBeNull()
    let undone = false
    void queue.run(() => Promise.resolve()).then(() => (undone = true))
    const settledThen = queue.settled()?.then(() => undone)
    await answer(11)
    expect(await settledThen).toBe(true)
    expect(queue.settled()).toBeNull()
  })

  it('does not repeat an undo that failed, and goes on', async () => {
    const { queue, sent, link } = harness()
    let asked = 0
    const failing = queue.run(() => {
      asked++
      return Promise.reject(new CodedError('connection-lost', 'gone'))
    })
    queue.push('a', strokeOf('s1'))
    await expect(failing).rejects.toMatchObject({ code: 'connection-lost' })
    await settled()
    expect(asked).toBe(1)
    expect(sent).toHaveLength(1)
    link.open = false
    await expect(queue.run(() => Promise.resolve(1))).rejects.toMatchObject({ code: 'connection-lost' })
  })
})
