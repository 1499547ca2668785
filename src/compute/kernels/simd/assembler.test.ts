import { describe, expect, it } from 'vitest'
import {
  add,
  and,
  assemble,
  choose,
  divide,
  f32,
  FunctionBuilder,
  i32,
  isBelow,
  isEqual,
  load,
  loadSplat,
  multiply,
  quarter,
  remainder,
  splat,
  subtract,
  THREAD_NUMBER,
  threadNumber,
  toFloat,
  vAdd,
  vAtLeast,
  vConstant,
  vMultiply,
} from './assembler.ts'
import { vMultiplyAdd } from './features.ts'
import { storeValid } from './narrowStore.ts'
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

describe('conditions', () => {
  it.each([
    [-1, 20],
    [0, 10],
    [3, 10],
    [4, 20],
  ])('of %i whether it is below four, as an index is', (value, want) => {
    const f = new FunctionBuilder('compare')
    const index = f.parameter('i32')
    const condition = isBelow(index, i32(4))
    f.store(i32(0), splat(choose(condition, f32(10), f32(20))))
    f.when(
      condition,
      () => f.store(i32(16), splat(f32(10))),
      () => f.store(i32(16), splat(f32(20))),
    )
    f.when(isEqual(index, i32(3)), () => f.store(i32(32), splat(f32(1))))
    const { run, floats } = start(f)
    run(value)
    expect([floats[0], floats[4], floats[8]]).toEqual([want, want, Number(value === 3)])
  })

  it('divides whole numbers with a remainder', () => {
    const f = new FunctionBuilder('share')
    const [a, b] = [f.parameter('i32'), f.parameter('i32')]
    f.storeFloat(i32(0), toFloat(divide(a, b)))
    f.storeFloat(i32(4), toFloat(remainder(a, b)))
    f.storeFloat(i32(8), toFloat(and(a, i32(3))))
    const { run, floats } = start(f)
    run(47, 9)
    expect([...floats.subarray(0, 3)]).toEqual([5, 2, 3])
  })
})

describe('vectors', () => {
  it('raises values to a least one, and leaves what is no number', () => {
    const f = new FunctionBuilder('raise')
    f.store(i32(16), vAtLeast(load(i32(0)), vConstant(-1)))
    const { run, floats } = start(f)
    floats.set([-2, NaN, 3, -0.5])
    run()
    expect([...floats.subarray(4, 8)]).toEqual([-1, NaN, 3, -0.5])
  })

  it('multiplies and adds, in one instruction where there is one', () => {
    const f = new FunctionBuilder('products')
    f.store(i32(48), vMultiplyAdd(load(i32(0)), load(i32(16)), load(i32(32))))
    const { run, floats } = start(f)
    floats.set([1, 2, 3, 4, 5, 6, 7, 8, 0.5, 0.25, -1, 100])
    run()
    expect([...floats.subarray(12, 16)]).toEqual([5.5, 12.25, 20, 132])
  })

  it.each([1, 2, 3, 4, 5])('stores no more than %i values', (valid) => {
    const f = new FunctionBuilder('narrow')
    const count = f.parameter('i32')
    storeValid(f, i32(32), f.let(load(i32(0))), 16, count)
    const { run, floats } = start(f)
    floats.set([1, 2, 3, 4])
    run(valid)
    expect([...floats.subarray(12, 17)]).toEqual([1, 2, 3, 4, 0].map((value, i) => (i < valid ? value : 0)))
  })

  it('reads the number of the thread, which is the instance that runs', () => {
    const f = new FunctionBuilder('which')
    f.storeFloat(i32(0), toFloat(threadNumber))
    const memory = new WebAssembly.Memory({ initial: 1 })
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble([f], false)), { env: { memory } })
    const { which, [THREAD_NUMBER]: number } = exports
    if (typeof which !== 'function' || !(number instanceof WebAssembly.Global)) throw new Error('They are exported.')
    for (const value of [number.value, 5]) {
      number.value = value
      Reflect.apply(which, undefined, [])
      expect(new Float32Array(memory.buffer)[0]).toBe(value)
    }
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
