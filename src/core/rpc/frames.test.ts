import { describe, expect, it } from 'vitest'
import { createFrameReader, encodeFrame } from './frames.ts'

const messages = [
  { t: 'call', id: 1, params: { name: 'é', list: [1, 2.5, null], flag: true } },
  { bytes: Uint8Array.from([0, 255, 7]), empty: new Uint8Array() },
  'text',
]

function joined(): Uint8Array {
  return Uint8Array.from(messages.flatMap((message) => [...encodeFrame(message)]))
}

describe('frames', () => {
  it('starts with the length of the body, little-endian', () => {
    // msgpack: a string of two characters is 0xa2 and its bytes.
    expect([...encodeFrame('ab')]).toEqual([3, 0, 0, 0, 0xa2, 0x61, 0x62])
  })

  it.each([1, 2, 3, 5, 64, 10_000])('reads messages whatever the chunks, here of %i bytes', (size) => {
    const stream = joined()
    const received: unknown[] = []
    const read = createFrameReader((message) => received.push(message))
    for (let at = 0; at < stream.length; at += size) read(stream.subarray(at, at + size))
    expect(received).toHaveLength(3)
    expect(received[0]).toEqual(messages[0])
    expect(received[2]).toBe('text')
    const { bytes, empty } = received[1] as { bytes: Uint8Array; empty: Uint8Array }
    expect(bytes).toBeInstanceOf(Uint8Array)
    expect([...bytes]).toEqual([0, 255, 7])
    expect(empty.length).toBe(0)
  })

  it('keeps typed arrays what they are, wherever they begin in a frame', () => {
    const words = ['', 'a', 'ab', 'abc']
    const sent = words.map((word) => ({
      word,
      runs: Uint32Array.of(0, 2 ** 32 - 1, 7),
      features: Float32Array.of(0.5, -1),
      exact: Float64Array.of(0.1),
      view: Uint32Array.of(1, 2, 3, 4).subarray(1, 3),
      none: new Uint32Array(),
    }))
    const received: unknown[] = []
    createFrameReader((message) => received.push(message))(encodeFrame(sent))
    expect(received).toEqual([sent])
  })

  it('refuses a stream that is out of step', () => {
    const read = createFrameReader(() => undefined)
    expect(() => {
      read(Uint8Array.from([255, 255, 255, 255, 1]))
    }).toThrow(/cannot be/)
  })
})
