import { describe, expect, it, vi } from 'vitest'
import { CONTRACT_VERSION } from '../contract/version.ts'
import { createRpcServer, memoryTransportPair } from './index.ts'
import { createLink } from './link.ts'
import type { BackendFunctions, Reply, Welcome } from './protocol.ts'
import { createFakeBackend } from './testing/fakeBackend.ts'

function setUp() {
  const backend = createFakeBackend()
  const clock = { now: 0 }
  const server = createRpcServer({
    handlers: backend.handlers,
    events: backend.events,
    sessionTtlMs: 60_000,
    now: () => clock.now,
  })
  const connect = () => {
    const [page, host] = memoryTransportPair()
    server.accept(host)
    const heard: unknown[] = []
    const link = createLink<BackendFunctions>(page, { event: (seq: unknown) => heard.push(seq) })
    return { link, heard, host, leave: () => link.close(() => new Error('left')) }
  }
  const welcome = (reply: Reply<Welcome>) => {
    if (!reply.ok) throw new Error(reply.error.message)
    return reply.value
  }
  const notice = () => backend.emit('notice', { level: 'info', message: '' })
  return { server, clock, connect, welcome, notice }
}

describe('sessions at the backend', () => {
  it('go on when the page is back within a minute, and are gone afterwards', async () => {
    const { clock, connect, welcome, notice } = setUp()
    const first = connect()
    const { sessionId, seq } = welcome(await first.link.call('hello', CONTRACT_VERSION, null, 0))
    first.leave()
    notice()
    clock.now = 59_000
    const second = connect()
    expect(welcome(await second.link.call('hello', CONTRACT_VERSION, sessionId, seq))).toEqual({
      sessionId,
      resumed: true,
      seq: 1,
    })
    expect(second.heard).toEqual([1])
    second.leave()
    clock.now = 120_001
    const third = connect()
    const fresh = welcome(await third.link.call('hello', CONTRACT_VERSION, sessionId, 1))
    expect(fresh.resumed).toBe(false)
    expect(fresh.sessionId).not.toBe(sessionId)
  })

  it('move to the newest connection when the old one is dead without having said so', async () => {
    const { connect, welcome, notice, server } = setUp()
    const first = connect()
    const { sessionId } = welcome(await first.link.call('hello', CONTRACT_VERSION, null, 0))
    const closed = vi.fn()
    first.host.onClose(closed)
    const second = connect()
    expect(welcome(await second.link.call('hello', CONTRACT_VERSION, sessionId, 0)).resumed).toBe(true)
    expect(closed).toHaveBeenCalledTimes(1)
    expect(server.connections).toBe(1)
    notice()
    await vi.waitFor(() => expect(second.heard).toEqual([1]))
    expect(first.heard).toEqual([])
  })

  it('are not resumed by a page that claims to have heard the future', async () => {
    const { connect, welcome } = setUp()
    const first = connect()
    const { sessionId } = welcome(await first.link.call('hello', CONTRACT_VERSION, null, 0))
    first.leave()
    const second = connect()
    expect(welcome(await second.link.call('hello', CONTRACT_VERSION, sessionId, 99)).resumed).toBe(false)
  })

  it.each([
    ['a session that is no text', [1, 7, 0]],
    ['a negative event number', [1, null, -1]],
    ['nothing', []],
  ])('do not begin with %s', async (_, args) => {
    const { connect } = setUp()
    const reply = await connect().link.call('hello', ...(args as [unknown, unknown, unknown]))
    expect(reply).toMatchObject({ ok: false, error: { code: 'bad-request' } })
  })

  it('begin once per connection', async () => {
    const { connect } = setUp()
    const { link } = connect()
    expect((await link.call('hello', CONTRACT_VERSION, null, 0)).ok).toBe(true)
    expect(await link.call('hello', CONTRACT_VERSION, null, 0)).toMatchObject({
      ok: false,
      error: { code: 'bad-request' },
    })
  })

  it('refuse two calls of one number', async () => {
    const { connect } = setUp()
    const { link } = connect()
    await link.call('hello', CONTRACT_VERSION, null, 0)
    void link.call('call', 5, 'annotation.history', { caseId: 'slow' }).catch(() => undefined)
    expect(await link.call('call', 5, 'annotation.history', { caseId: 'any' })).toMatchObject({
      ok: false,
      error: { code: 'bad-request' },
    })
    link.close(() => new Error('left'))
  })
})
