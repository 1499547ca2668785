import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CodedError, type MethodName } from '../../contract/index.ts'
import { createClient, createRpcServer, type BackendClient, type RpcServer, type Transport } from '../index.ts'
import { createLink } from '../link.ts'
import type { BackendFunctions } from '../protocol.ts'
import { createFakeBackend, type FakeBackend } from './fakeBackend.ts'

/** One way to carry messages, as the suite drives it. */
export interface Wire {
  /** A fresh connection, whose other end was given to `accept`. Rejects while `down` is set. */
  connect(): Promise<Transport>
  /** Cuts every connection without a farewell. */
  drop(): void
  down: boolean
  close(): Promise<void> | void
}
export type WireFactory = (accept: (transport: Transport) => void) => Promise<Wire> | Wire

const deltaId = '0b6f3a52-6a0e-4f0e-9a37-3d1f6a0c1a11'
const stroke = (runs: Uint32Array<ArrayBuffer>) => ({
  id: deltaId,
  baseRevision: 0,
  kind: 'brush' as const,
  label: 1,
  axis: 2 as const,
  box: { min: [0, 0, 5] as [number, number, number], max: [9, 9, 6] as [number, number, number] },
  runs,
})

/** What a transport must carry, whatever it is made of. */
export function describeRpcConformance(name: string, makeWire: WireFactory) {
  describe(`RPC over ${name}`, () => {
    let backend: FakeBackend
    let server: RpcServer
    let wire: Wire
    let client: BackendClient
    const clients: BackendClient[] = []
    const internal: unknown[] = []

    function newClient(version?: number) {
      const made = createClient({
        connect: () => wire.connect(),
        backoff: { firstMs: 5, maxMs: 20 },
        ...(version === undefined ? {} : { version }),
      })
      clients.push(made)
      return made
    }
    const history = (caseId: string, signal?: AbortSignal) =>
      client.call('annotation.history', { caseId }, signal === undefined ? {} : { signal })
    const open = (which: BackendClient = client) => vi.waitFor(() => expect(which.state).toBe('open'), 10_000)
    const rejection = async (promise: Promise<unknown>) => {
      const thrown: unknown = await promise.then(
        () => null,
        (error: unknown) => error,
      )
      expect(thrown).toBeInstanceOf(CodedError)
      return thrown as CodedError
    }
    const notice = (message: string) => backend.emit('notice', { level: 'info', message })

    beforeEach(async () => {
      backend = createFakeBackend()
      internal.length = 0
      server = createRpcServer({
        handlers: backend.handlers,
        events: backend.events,
        maxEvents: 20,
        graceMs: 50,
        onInternalError: (method, error) => internal.push([method, error]),
      })
      wire = await makeWire((transport) => server.accept(transport))
      client = newClient()
    })
    afterEach(async () => {
      for (const made of clients.splice(0)) made.close()
      await server.close()
      await wire.close()
    })

    it('answers calls, also those made before the connection stands', async () => {
      expect(client.state).toBe('connecting')
      expect(await history('any')).toEqual({ canUndo: true, canRedo: false, undoName: 'brush Liver', redoName: null })
      expect(client.state).toBe('open')
    })

    it('keeps the answers of many calls at once apart', async () => {
      const indices = Array.from({ length: 50 }, (_, at) => at)
      const slices = await Promise.all(
        indices.map((index) => client.call('volume.slice', { caseId: 'a', axis: 1, index })),
      )
      expect(slices.map((slice) => slice.inter)).toEqual(indices)
    })

    it('carries binary data intact in both directions', async () => {
      const slice = await client.call('volume.slice', { caseId: 'a', axis: 2, index: 7 })
      expect(slice.data.constructor).toBe(Uint8Array)
      const aligned = slice.data.slice()
      expect([...new Int16Array(aligned.buffer)]).toEqual([-2000, -1000, 0, 1000, 2000, 3000])

      const undone = await client.call('annotation.undo', { caseId: 'a' })
      expect(undone.delta?.runs.constructor).toBe(Uint32Array)
      expect([...(undone.delta?.runs ?? [])]).toEqual([0, 3, 0, 255, 4_000_000_000, 1, 2, 3])

      const runs = Uint32Array.of(4, 2, 0, 1, 16, 1, 3, 1)
      const committed = await client.call('annotation.commit', { caseId: 'a', delta: stroke(runs) })
      expect(committed.revision).toBe(28)
      expect(backend.log).toEqual(['commit a: 4 2 0 1 16 1 3 1'])
      expect(runs.byteLength).toBe(32)
    })

    it('carries a part of a larger buffer, and megabytes', async () => {
      const pool = new Uint8Array(3 * 2 ** 20).fill(7)
      await client.call('files.uploadChunk', { uploadId: 'u', offset: 0, bytes: pool.subarray(5, 12) })
      await client.call('files.uploadChunk', { uploadId: 'u', offset: 7, bytes: pool })
      await client.call('files.uploadChunk', { uploadId: 'u', offset: 9, bytes: new Uint8Array(0) })
      expect(backend.log).toEqual(['chunk of 7', 'chunk of 3145728', 'chunk of 0'])
    })

    it('carries null, nested values and fractions', async () => {
      const settings = await client.call('settings.get', {})
      expect(settings).toMatchObject({ none: null, nested: { list: [1, 'two', [3]] }, minus: -0.5 })
      expect(settings.nothing).toBeUndefined()
      await client.call('settings.set', { key: 'a', value: { deep: [null, 1.5, 'x'] } })
      expect(backend.log).toEqual(['a = {"deep":[null,1.5,"x"]}'])
    })

    it('tells events in order, to every page, until the listener leaves', async () => {
      const second = newClient()
      await open()
      await open(second)
      const heard: string[] = []
      const heardBySecond: string[] = []
      const leave = client.on('notice', ({ message }) => heard.push(message))
      second.on('notice', ({ message }) => heardBySecond.push(message))
      for (let at = 0; at < 10; at += 1) notice(String(at))
      await vi.waitFor(() => expect(heard.length).toBe(10))
      leave()
      notice('last')
      await vi.waitFor(() => expect(heardBySecond.at(-1)).toBe('last'))
      await history('any')
      expect(heard).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
      expect(heardBySecond).toEqual([...heard, 'last'])
    })

    it('carries binary data in events', async () => {
      await open()
      const heard: Uint8Array[] = []
      client.on('prediction.slices', ({ slices }) => heard.push(...slices.map((slice) => slice.data)))
      const data = Uint8Array.of(0, 1, 255)
      backend.emit('prediction.slices', {
        caseId: 'a',
        modelId: 'm',
        axis: 2,
        revision: 1,
        slices: [{ index: 3, data }],
      })
      await vi.waitFor(() => expect(heard.length).toBe(1))
      expect(heard[0]?.constructor).toBe(Uint8Array)
      expect([...(heard[0] ?? [])]).toEqual([0, 1, 255])
    })

    it('keeps the code and the sentence of an error, and hides a bug behind `internal`', async () => {
      const locked = await rejection(history('locked'))
      expect(locked.code).toBe('locked')
      expect(locked.message).toBe('The label Liver is locked; unlock it first.')
      const crash = await rejection(history('crash'))
      expect(crash.code).toBe('internal')
      expect(crash.detail).toContain('a bug')
      expect(internal).toHaveLength(1)
    })

    it('cancels: the caller knows at once, the handler by its signal', async () => {
      const controller = new AbortController()
      const call = rejection(history('slow', controller.signal))
      await vi.waitFor(() => expect(backend.log).toEqual(['slow: started']))
      controller.abort()
      expect((await call).code).toBe('cancelled')
      await vi.waitFor(() => expect(backend.log).toEqual(['slow: started', 'slow: aborted']))
      expect((await rejection(history('any', controller.signal))).code).toBe('cancelled')
      expect(await history('any')).toMatchObject({ canUndo: true })
      expect(internal).toEqual([])
    })

    it('refuses a page of another version, which stays closed', async () => {
      const old = newClient(0)
      const refused = await rejection(old.call('annotation.history', { caseId: 'any' }))
      expect(refused.code).toBe('version-mismatch')
      expect(refused.message).toContain('reload')
      expect(old.state).toBe('closed')
      expect(old.error?.code).toBe('version-mismatch')
      expect((await rejection(old.call('annotation.history', { caseId: 'any' }))).code).toBe('version-mismatch')
    })

    it.each(['no.such.method', 'constructor', 'toString', '__proto__', 'hasOwnProperty', 'project.get', ''])(
      'does not know the method "%s"',
      async (method) => {
        // project.get is in the contract, but this backend does not offer it.
        const thrown = await rejection(client.call(method as MethodName, {}))
        expect(thrown.code).toBe('unknown-method')
      },
    )

    it.each([
      ['a missing member', {}],
      ['a wrong type', { caseId: 7 }],
      ['no object', null],
      ['nothing', undefined],
      ['an id that is too long', { caseId: 'x'.repeat(65) }],
    ])('refuses a payload with %s', async (_, params) => {
      const thrown = await rejection(client.call('annotation.history', params as never))
      expect(thrown.code).toBe('bad-request')
      expect(thrown.detail).toContain('annotation.history')
    })

    it('refuses runs that are no Uint32Array', async () => {
      const delta = { ...stroke(Uint32Array.of(0, 1, 0, 1)), runs: [0, 1, 0, 1] }
      const thrown = await rejection(client.call('annotation.commit', { caseId: 'a', delta } as never))
      expect(thrown.code).toBe('bad-request')
      expect(backend.log).toEqual([])
    })

    it('knows no function of the backend but its three, and no call before the greeting', async () => {
      const transport = await wire.connect()
      const raw = createLink<BackendFunctions & Record<'constructor' | 'toString' | '__proto__', () => unknown>>(
        transport,
        {},
      )
      for (const inherited of ['constructor', 'toString', '__proto__'] as const) {
        await expect(raw.call(inherited)).rejects.toThrow('not found')
      }
      const early = await raw.call('call', 1, 'annotation.history', { caseId: 'any' })
      expect(early).toMatchObject({ ok: false, error: { code: 'bad-request' } })
      raw.close(() => new Error('done'))
    })

    it('closes a connection on which something else is spoken, and goes on with the others', async () => {
      for (const nonsense of [null, 'text', 42, { t: 'q' }, { t: 'q', m: 'call', a: 'no list' }, { t: 'x', i: '1' }]) {
        const transport = await wire.connect()
        const closed = new Promise((resolve) => transport.onClose(resolve))
        transport.send(nonsense)
        await closed
      }
      expect(await history('any')).toMatchObject({ canUndo: true })
    })

    it('rejects pending calls when the connection drops, aborts their handlers, and reconnects', async () => {
      const states: string[] = []
      client.onState((state) => states.push(state))
      const call = rejection(history('slow'))
      await vi.waitFor(() => expect(backend.log).toEqual(['slow: started']))
      wire.down = true
      wire.drop()
      expect((await call).code).toBe('connection-lost')
      await vi.waitFor(() => expect(backend.log).toEqual(['slow: started', 'slow: aborted']))
      await vi.waitFor(() => expect(client.state).toBe('lost'))
      expect((await rejection(history('any'))).code).toBe('connection-lost')
      wire.down = false
      await open()
      expect(await history('any')).toMatchObject({ canUndo: true })
      expect(states).toEqual(['open', 'lost', 'open'])
    })

    it('resumes its session and hears every missed event exactly once', async () => {
      const heard: string[] = []
      const resyncs: string[] = []
      client.on('notice', ({ message }) => heard.push(message))
      client.onResync(() => resyncs.push('resync'))
      await open()
      const session = client.sessionId
      expect((await history('session')).undoName).toBe(session)
      notice('before')
      await vi.waitFor(() => expect(heard).toEqual(['before']))
      for (const round of [1, 2, 3]) {
        wire.down = true
        // Some are told into a connection that is about to break, some while there is none.
        notice(`${round}a`)
        wire.drop()
        notice(`${round}b`)
        await vi.waitFor(() => expect(client.state).toBe('lost'))
        notice(`${round}c`)
        wire.down = false
        await open()
        notice(`${round}d`)
      }
      await vi.waitFor(() => expect(heard.at(-1)).toBe('3d'))
      expect(heard).toEqual([
        'before',
        ...[1, 2, 3].flatMap((round) => ['a', 'b', 'c', 'd'].map((c) => `${round}${c}`)),
      ])
      expect(resyncs).toEqual([])
      expect(client.sessionId).toBe(session)
    })

    it('is told to read afresh when more was missed than is kept', async () => {
      const heard: string[] = []
      let resyncs = 0
      client.on('notice', ({ message }) => heard.push(message))
      client.onResync(() => (resyncs += 1))
      await open()
      wire.down = true
      wire.drop()
      await vi.waitFor(() => expect(client.state).toBe('lost'))
      for (let at = 0; at < 21; at += 1) notice(String(at))
      wire.down = false
      await open()
      notice('after')
      await vi.waitFor(() => expect(heard).toEqual(['after']))
      expect(resyncs).toBe(1)
    })

    it('is told to read afresh by a backend that was restarted', async () => {
      let resyncs = 0
      client.onResync(() => (resyncs += 1))
      await open()
      const session = client.sessionId
      wire.down = true
      await server.close()
      server = createRpcServer({ handlers: backend.handlers, events: backend.events, graceMs: 50 })
      wire.down = false
      await vi.waitFor(() => expect(resyncs).toBe(1))
      expect(client.sessionId).not.toBe(session)
      expect(await history('any')).toMatchObject({ canUndo: true })
    })

    it('closes: nothing more is called, heard or tried', async () => {
      await open()
      const heard: string[] = []
      client.on('notice', ({ message }) => heard.push(message))
      const call = rejection(history('slow'))
      await vi.waitFor(() => expect(backend.log).toEqual(['slow: started']))
      client.close()
      expect((await call).code).toBe('connection-lost')
      expect(client.state).toBe('closed')
      await vi.waitFor(() => expect(server.connections).toBe(0))
      notice('too late')
      expect((await rejection(history('any'))).code).toBe('connection-lost')
      expect(heard).toEqual([])
    })

    it('lets calls under way finish when the backend closes', async () => {
      await open()
      const call = history('slow')
      await vi.waitFor(() => expect(backend.log).toEqual(['slow: started']))
      const closed = server.close()
      const late = rejection(history('any'))
      backend.release()
      expect(await call).toMatchObject({ canUndo: true })
      expect((await late).code).toBe('connection-lost')
      await closed
      expect(backend.log).toEqual(['slow: started', 'slow: done'])
    })
  })
}
