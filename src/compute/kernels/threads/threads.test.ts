import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { add, assemble, f32, FunctionBuilder, i32, load, multiply, splat, subtract, vAdd } from '../simd/assembler.ts'
import { ThreadPool } from './pool.ts'
import type { FunctionModule } from './pool.ts'

/** count(begin, end, at): adds 1 to four floats a unit, from the byte address on. */
function countFunction(): FunctionBuilder {
  const f = new FunctionBuilder('count')
  const [begin, end, at] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  f.set(at, add(at, multiply(begin, i32(16))))
  f.repeat(subtract(end, begin), () => {
    f.store(at, vAdd(load(at), splat(f32(1))))
    f.set(at, add(at, i32(16)))
  })
  return f
}

function countModule(): FunctionModule {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true })
  const module = new WebAssembly.Module(assemble([countFunction()], true))
  const { count } = new WebAssembly.Instance(module, { env: { memory } }).exports
  if (typeof count !== 'function') throw new Error('The function is not exported.')
  return { module, memory, functions: { count: (...args) => void Reflect.apply(count, undefined, args) } }
}

function waitFor(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

const pools: ThreadPool[] = []
const startPool = async (module: FunctionModule, workers: number): Promise<ThreadPool> => {
  const pool = new ThreadPool(module, workers)
  pools.push(pool)
  expect(await pool.started()).toBe(workers + 1)
  return pool
}

afterEach(() => {
  for (const pool of pools.splice(0)) pool.end()
})

describe('a pool of threads', () => {
  it.each([0, 1, 3])('does every unit once, whatever their number: %i workers', async (workers) => {
    const assembled = countModule()
    const pool = await startPool(assembled, workers)
    const values = new Float32Array(assembled.memory.buffer)
    for (const units of [0, 1, 2, 7, 16, 255, 256, 1000]) {
      values.fill(0)
      for (let call = 0; call < 20; call++) pool.run('count', units, [64])
      const done = values.slice(16, 16 + 4 * units)
      expect(done.every((value) => value === 20)).toBe(true)
      expect(values.reduce((a, b) => a + b, 0)).toBe(80 * units)
    }
  })

  it('works in memory that grew after the threads had started', async () => {
    const assembled = countModule()
    const pool = await startPool(assembled, 2)
    const before = assembled.memory.buffer.byteLength
    assembled.memory.grow(10)
    for (let call = 0; call < 50; call++) pool.run('count', 4000, [before])
    const values = new Float32Array(assembled.memory.buffer, before, 4 * 4000)
    expect(values.every((value) => value === 50)).toBe(true)
  })

  it('tells of an error on whichever thread it is, and goes on', async () => {
    const assembled = countModule()
    const pool = await startPool(assembled, 2)
    const end = assembled.memory.buffer.byteLength
    for (let call = 0; call < 10; call++) {
      // By this name it is known that the memory is not to be trusted any more.
      expect(() => pool.run('count', 1000, [end - 8000])).toThrow(expect.objectContaining({ name: 'RuntimeError' }))
    }
    const values = new Float32Array(assembled.memory.buffer).fill(0)
    pool.run('count', 1000, [0])
    expect(values.reduce((a, b) => a + b, 0)).toBe(4000)
    expect(() => pool.run('other', 1, [])).toThrow('There is no assembled function "other".')
  })

  it('tells so too where only another thread stopped', async () => {
    const assembled = countModule()
    // Here nothing is done, and slowly, so that the other thread takes part.
    const count = (begin: number) => {
      if (begin === 0) waitFor(300)
    }
    const pool = await startPool({ ...assembled, functions: { count } }, 1)
    const end = assembled.memory.buffer.byteLength
    expect(() => pool.run('count', 1000, [end])).toThrow(
      expect.objectContaining({ name: 'RuntimeError', message: 'The function "count" stopped on a thread.' }),
    )
  })

  it('goes on alone when it has ended', async () => {
    const assembled = countModule()
    const pool = await startPool(assembled, 1)
    pool.end()
    pool.run('count', 100, [0])
    expect(new Float32Array(assembled.memory.buffer).reduce((a, b) => a + b, 0)).toBe(400)
    expect(pool.threads).toBe(1)
  })

  it('does not keep the process alive', async () => {
    const script = `
      import { ThreadPool } from '${path.join(import.meta.dirname, 'pool.ts')}'
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true })
      const module = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
      const pool = new ThreadPool({ module, memory, functions: {} }, 2)
      console.log(await pool.started())`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 30_000,
    })
    expect(stdout.trim()).toBe('3')
  })
})
