import { describe, expect, it, vi } from 'vitest'
import { createComputeServer } from './server.ts'
import type { ComputeReply } from '../core/contract/compute.ts'
import type { ComputeCall, ComputeHandlers } from './server.ts'

const notUsed = () => Promise.reject(new Error('not used'))

function open(handlers: Partial<ComputeHandlers>) {
  const replies: ComputeReply[] = []
  const all: ComputeHandlers = {
    ...{ status: notUsed, doctor: notUsed, predict: notUsed, train: notUsed },
    ...{ inspectNetwork: notUsed, importNetwork: notUsed, exportNetwork: notUsed },
    ...{ checkData: notUsed, augmentationSheet: notUsed, trainRecipe: notUsed, predictFile: notUsed },
    ...{ listCases: notUsed, readTruth: notUsed },
    ...{ openCase: notUsed, patchCase: notUsed, keepSlices: notUsed, closeCase: notUsed },
    ...{ liveOpen: notUsed, liveRun: notUsed, liveSave: notUsed, liveClose: notUsed },
    ...{ score: notUsed, examine: notUsed, animate: notUsed, chart: notUsed },
    ...handlers,
  }
  const receive = createComputeServer(all, (reply) => replies.push(reply))
  return { receive, replies }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('createComputeServer', () => {
  it('refuses a call under the number of one that still runs, which goes on undisturbed', async () => {
    const printed = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const finish: (() => void)[] = []
    const signals: AbortSignal[] = []
    const { receive, replies } = open({
      doctor: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signals.push(signal)
          finish.push(() => {
            reject(new Error('over'))
          })
        }),
    })
    receive({ t: 'call', id: 7, method: 'doctor', params: {} })
    receive({ t: 'call', id: 7, method: 'doctor', params: {} })
    await settled()
    expect(signals).toHaveLength(1)
    expect(replies).toEqual([])
    expect(printed).toHaveBeenCalledWith(expect.stringContaining('number 7 (doctor) was refused'))
    printed.mockRestore()

    // It can still be cancelled, and is answered once.
    receive({ t: 'cancel', id: 7 })
    expect(signals[0]?.aborted).toBe(true)
    finish[0]?.()
    await settled()
    expect(replies).toMatchObject([{ t: 'error', id: 7 }])

    // The number is free again.
    receive({ t: 'call', id: 7, method: 'doctor', params: {} })
    await settled()
    expect(signals).toHaveLength(2)
  })

  it('answers a cancelled call as cancelled where its work stops by the signal alone', async () => {
    const { receive, replies } = open({
      doctor: async (_, { signal }) => {
        await settled()
        signal.throwIfAborted()
        throw new Error('It was not cancelled.')
      },
    })
    receive({ t: 'call', id: 1, method: 'doctor', params: {} })
    receive({ t: 'cancel', id: 1 })
    await expect.poll(() => replies).toMatchObject([{ t: 'error', id: 1, error: { code: 'cancelled' } }])
  })

  it('answers heartbeats while a call runs, and sends what the user should know', async () => {
    let call: ComputeCall | null = null
    const { receive, replies } = open({
      doctor: (_, given) => {
        call = given
        return new Promise(() => undefined)
      },
    })
    receive({ t: 'call', id: 1, method: 'doctor', params: {} })
    receive({ t: 'ping', id: 0 })
    await settled()
    expect(replies).toMatchObject([{ t: 'pong', id: 0 }])
    const given = call as ComputeCall | null
    given?.notify('warning', 'A smaller batch.')
    given?.onProgress({ step: 1, steps: 2, point: null, secondsLeft: null })
    expect(replies.slice(1)).toMatchObject([
      { t: 'notice', level: 'warning', message: 'A smaller batch.' },
      { t: 'progress', id: 1 },
    ])
  })

  it('drops what is no request, and names methods and parameters that are wrong', async () => {
    const { receive, replies } = open({})
    for (const message of [null, 'call', { t: 'call' }, { t: 'call', id: 'x', method: 'status', params: {} }])
      receive(message)
    receive({ t: 'call', id: 1, method: 'toString', params: {} })
    receive({ t: 'call', id: 2, method: 'doctor', params: { fresh: 'yes' } })
    await settled()
    expect(replies).toMatchObject([
      { t: 'error', id: 1, error: { code: 'unknown-method' } },
      { t: 'error', id: 2, error: { code: 'bad-request' } },
    ])
  })
})
