import { describe, expect, it } from 'vitest'
import {
  add,
  assemble,
  f32,
  FunctionBuilder,
  i32,
  load,
  loadSplat,
  multiply,
  quarter,
  splat,
  subtract,
  vAdd,
  vMultiply,
} from './assembler.ts'
import { quadsOf } from './quads.ts'

function start(f: FunctionBuilder, shared = false): { run: (...args: number[]) => unknown; floats: Float32Array } {
  const memory = new WebAssembly.Memory(shared ? { initial: 1, maximum: 65536, shared } : { initial: 1 })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assemble([f], shared)), { env: { memory } })
  const run = instance.exports[f.name]
  if (typeof run !== 'function') throw new Error('The function is not exported.')
  return { run: (...args): unknown => Reflect.apply(run, undefined, args), floats: new Float32Array(memory.buffer) }
}

describe('the assembler', () => {
  it.each([true, false])('makes functions that read and write memory, shared: %s', (shared) => {
    // out[0..3] = in[0..3] * in[4] + 0.5
    const f = new FunctionBuilder('scale')
    const [from, to] = [f.parameter('i32'), f.parameter('i32')]
    f.store(to, vAdd(vMultiply(load(from), loadSplat(from, 16)), splat(f32(0.5))))
    const { run, floats } = start(f, shared)
    floats.set([1, 2, 3, 4, 10])
    run(0, 64)
    expect([...floats.subarray(16, 20)]).toEqual([10.5, 20.5, 30.5, 40.5])
  })

  it.each([
    [-1, 0],
    [0, 0],
    [1, 1],
    [300, 300],
  ])('repeats a body as often as asked: %i', (count, times) => {
    const f = new FunctionBuilder('count')
    const n = f.parameter('i32')
    f.repeat(n, () => {
      f.store(i32(0), vAdd(load(i32(0)), splat(f32(1))))
    })
    const { run, floats } = start(f)
    run(count)
    expect(floats[0]).toBe(times)
  })

  it.each([0, 1, 63, 64, 65, 127, 128, 8191, 8192, 16_000])('encodes the number %i, and its negative', (value) => {
    const f = new FunctionBuilder('constants')
    // The address is value again: 4 * value - 3 * value, the latter as a negative constant.
    f.store(add(multiply(i32(4), i32(value)), multiply(i32(3), i32(-value))), splat(f32(1)), 16)
    const { run, floats } = start(f)
    run()
    const bytes = new Uint8Array(floats.buffer)
    expect(new DataView(bytes.buffer).getFloat32(value + 16, true)).toBe(1)
  })

  it('divides and subtracts whole numbers', () => {
    const f = new FunctionBuilder('quarter')
    const n = f.parameter('i32')
    f.store(multiply(i32(16), subtract(quarter(n), i32(1))), splat(f32(7)))
    const { run, floats } = start(f)
    run(15)
    expect([...floats.subarray(0, 13)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 7, 7, 0])
  })
})

describe('quadsOf', () => {
  it.each([4, 5, 6, 7, 8, 11])('meets each of %i channels and no other, and ends behind them', (channels) => {
    const f = new FunctionBuilder('mark')
    const [at, count, end] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
    quadsOf(f, count).forEach([at], () => {
      f.store(at, splat(f32(1)))
    })
    f.store(subtract(at, end), splat(f32(2)))
    const { run, floats } = start(f)
    run(64, channels, 64 + 4 * channels)
    expect([...floats.subarray(16, 16 + channels + 1)]).toEqual([...new Array<number>(channels).fill(1), 0])
    expect(floats[0]).toBe(2)
  })
})
