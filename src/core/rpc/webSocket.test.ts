import { describe, expect, it } from 'vitest'
import { createClient } from './client.ts'
import { createRpcServer } from './server.ts'
import { createFakeBackend } from './testing/fakeBackend.ts'
import { decodeFrame, encodeFrame, webSocketTransport } from './webSocket.ts'

const roundTrip = (value: unknown) => decodeFrame(encodeFrame(value))

describe('WebSocket frames', () => {
  it.each([
    ['Uint8Array', Uint8Array.of(0, 128, 255)],
    ['Int16Array', Int16Array.of(-32768, 0, 32767)],
    ['Uint32Array', Uint32Array.of(0, 4294967295)],
    ['Float32Array', Float32Array.of(-0.5, 1e30)],
    ['Float64Array', Float64Array.of(Math.PI)],
  ])('keep a %s what it is, whatever stands before it in the frame', (name, array) => {
    for (const before of ['', 'x', 'xy', 'xyz', 'xyzabcd']) {
      const back = roundTrip({ before, array }) as { array: typeof array }
      expect(back.array.constructor.name).toBe(name)
      expect([...back.array]).toEqual([...array])
      // Its bytes are its own: neither the frame is kept alive by it, nor does a later frame overwrite it.
      expect(back.array.buffer.byteLength).toBe(array.byteLength)
    }
  })

  it('turn a Buffer into plain bytes, however the bytes were packed', () => {
    const back = roundTrip(Buffer.from([1, 2, 3])) as Uint8Array
    expect(back.constructor).toBe(Uint8Array)
    expect([...back]).toEqual([1, 2, 3])
    // MessagePack bin 8, as a page sends it.
    const sent = decodeFrame(Buffer.from([0xc4, 2, 9, 8])) as Uint8Array
    expect(sent.constructor).toBe(Uint8Array)
    expect([...sent]).toEqual([9, 8])
  })

  it('keep undefined, null and numbers apart', () => {
    const value = { a: undefined, b: null, c: 2 ** 40, d: -1.25, e: [undefined, 1] }
    expect(roundTrip(value)).toEqual(value)
    expect(Object.hasOwn(roundTrip(value) as object, 'a')).toBe(true)
  })

  it('do not change prototypes', () => {
    // { "__proto__": { "polluted": true } }
    const key = new TextEncoder().encode('__proto__')
    const inner = new TextEncoder().encode('polluted')
    const frame = Uint8Array.of(0x81, 0xa9, ...key, 0x81, 0xa8, ...inner, 0xc3)
    const back = decodeFrame(frame) as Record<string, unknown>
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(back.polluted).toBeUndefined()
  })

  it.each([
    ['text', 'hello'],
    ['nothing', new Uint8Array(0)],
    ['a truncated frame', encodeFrame({ a: 'a long enough text' }).subarray(0, 9)],
    ['bytes after the end', Uint8Array.of(1, 2, 3)],
  ])('refuse %s', (_, data) => {
    expect(() => decodeFrame(data)).toThrow()
  })
})

/** Two ends of a socket; the first is closed by hand. */
function socketPair() {
  const listeners: { own: number; type: string; listener: (event: object) => void }[] = []
  const fire = (own: number, type: string, event: object) => {
    for (const entry of listeners) if (entry.own === own && entry.type === type) entry.listener(event)
  }
  const end = (own: number) => ({
    binaryType: '',
    readyState: 1,
    send: (data: Uint8Array<ArrayBuffer>) => queueMicrotask(() => fire(1 - own, 'message', { data })),
    close: () => undefined,
    addEventListener: (type: string, listener: (event: object) => void) => listeners.push({ own, type, listener }),
  })
  return { page: end(0), backend: end(1), closed: () => fire(0, 'close', { code: 1001 }) }
}

describe('A socket that is closing', () => {
  it('is a lost connection for whoever calls, not an inner failure', async () => {
    const { page, backend, closed } = socketPair()
    createRpcServer(createFakeBackend()).accept(webSocketTransport(backend))
    const client = createClient({ connect: () => Promise.resolve(webSocketTransport(page)) })
    await client.call('annotation.history', { caseId: 'a' })
    page.readyState = 2
    const call = client.call('annotation.history', { caseId: 'a' })
    setTimeout(closed, 5)
    await expect(call).rejects.toMatchObject({ code: 'connection-lost' })
    client.close()
  })
})
