import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../../core/contract/errors.ts'
import { emit, int, ints, scalar } from '../graph/build.ts'
import { collectGraph } from '../graph/collect.ts'
import { holds } from '../tensors.ts'
import { createOnnxEngine } from './onnxEngine.ts'
import { loadOnnxRuntime } from './package.ts'
import { profilesIn } from './profile.ts'
import type { Engine } from '../engine.ts'
import type { Graph, Held, Value } from '../graph/types.ts'
import type { OnnxRuntime } from './package.ts'

const runtime = loadOnnxRuntime(null)
let folder: string
let engines: Engine[] = []

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'native-'))
})

afterEach(() => {
  for (const engine of engines) engine.dispose()
  engines = []
  rmSync(folder, { recursive: true, force: true })
})

/** An engine, and how its sessions were made: from bytes of so many, at which level. */
function engineWith(options: { stateDir?: string; profiled?: boolean; block?: number } = {}) {
  const made: { level: string | undefined; written: boolean }[] = []
  const counting: OnnxRuntime = {
    ...runtime,
    createSession: (bytes, session) => {
      made.push({ level: session.graphOptimizationLevel, written: session.optimizedModelFilePath !== undefined })
      return runtime.createSession(bytes, session)
    },
  }
  const profiles = options.profiled === true ? profilesIn(folder) : null
  const { stateDir = null, block = null } = options
  const engine = createOnnxEngine({ runtime: counting, provider: 'cpu', threads: 1, stateDir, block })
  engine.profileTo(profiles)
  engines.push(engine)
  return { engine, made, profiles }
}

function input(shape: readonly number[]): Value {
  return { shape, type: 'float32', source: { kind: 'input', held: null } }
}

/** x + 1 + 1 … so many times, in nodes that are not taken for one another: the result differs by a scale in between. */
function chain(length: number, shape: readonly number[] = [3]): Graph {
  const x = input(shape)
  let y: Value = x
  for (let i = 0; i < length; i++)
    y = emit(i % 2 === 0 ? 'Add' : 'Abs', [y, ...(i % 2 === 0 ? [scalar(1)] : [])], shape)
  return collectGraph([y], [x])
}

async function firstElements(engine: Engine, results: readonly Held[]): Promise<number[]> {
  const [first] = results
  if (first === undefined) throw new Error('There is a result.')
  return Array.from(await engine.elements(first))
}

const given = [holds(Float32Array.of(1, 2, 3))]

describe('the engine of ONNX Runtime', () => {
  it('makes one session for the same graph', async () => {
    const { engine, made } = engineWith()
    const first = await engine.compile(chain(4))
    const second = await engine.compile(chain(4))
    expect(await firstElements(engine, await first.run(given))).toEqual([3, 4, 5])
    expect(await firstElements(engine, await second.run(given))).toEqual([3, 4, 5])
    expect(made).toHaveLength(1)
  })

  it('makes a session anew that was let go of', async () => {
    const { engine, made } = engineWith()
    const compiled = await engine.compile(chain(4))
    const results = await compiled.run(given)
    engine.trim()
    expect(engine.idleBytes()).toBe(0)
    expect(await firstElements(engine, results)).toEqual([3, 4, 5])
    expect(await firstElements(engine, await compiled.run(given))).toEqual([3, 4, 5])
    expect(made).toHaveLength(2)
  })

  it('keeps a bounded number of sessions', async () => {
    const { engine, made } = engineWith()
    for (let length = 1; length <= 60; length++) await engine.compile(chain(length))
    made.length = 0
    await engine.compile(chain(60))
    expect(made).toHaveLength(0)
    await engine.compile(chain(1))
    expect(made).toHaveLength(1)
  })

  it('uses one session for images of any number and size', async () => {
    const { engine, made } = engineWith()
    const graph = (n: number, size: number) => {
      const x = input([n, size, size, 2])
      const first = emit('Transpose', [x], [n, 2, size, size], { attributes: { perm: ints([0, 3, 1, 2]) } })
      return collectGraph([emit('Mul', [first, scalar(2)], first.shape)], [x])
    }
    for (const [n, size] of [
      [1, 2],
      [3, 5],
    ] as const) {
      const compiled = await engine.compile(graph(n, size), { anySize: true })
      const x = Float32Array.from({ length: n * size * size * 2 }, (_, index) => index)
      const result = await firstElements(engine, await compiled.run([holds(x)]))
      expect(result.slice(0, 4)).toEqual([0, 4, 8, 12])
      expect(result).toHaveLength(x.length)
    }
    expect(made).toHaveLength(1)
  })

  it('refuses a graph that is none as a rung that cannot go on', async () => {
    const { engine } = engineWith()
    const x = input([2])
    const failed = await engine.compile(collectGraph([emit('NoSuchOperation', [x], [2])], [x])).catch((e: unknown) => e)
    expect(failed).toBeInstanceOf(CodedError)
    expect(failed).toMatchObject({ code: 'backend-lost' })
    // And the engine works on.
    const compiled = await engine.compile(chain(2))
    expect(await firstElements(engine, await compiled.run(given))).toEqual([2, 3, 4])
  })

  it('fails in the middle as a rung that cannot go on', async () => {
    const { engine } = engineWith()
    const [x, shape] = [input([4]), { ...input([2]), type: 'int64' } satisfies Value]
    const compiled = await engine.compile(collectGraph([emit('Reshape', [x, shape], [2, 2])], [x, shape]))
    const run = (extents: readonly bigint[]) =>
      compiled.run([holds(Float32Array.of(1, 2, 3, 4)), holds(BigInt64Array.from(extents))])
    await expect(run([3n, 5n])).rejects.toMatchObject({ code: 'backend-lost' })
    expect(await firstElements(engine, await run([2n, 2n]))).toEqual([1, 2, 3, 4])
  })

  it('tells how long each node takes', async () => {
    const { engine, profiles } = engineWith({ profiled: true })
    const x = input([64, 64])
    const product = emit('MatMul', [x, x], [64, 64])
    const compiled = await engine.compile(collectGraph([emit('Sin', [product], [64, 64])], [x]))
    for (let i = 0; i < 3; i++) await compiled.run([holds(new Float32Array(64 * 64))])
    const [profile, ...more] = profiles?.take(3) ?? []
    expect(more).toHaveLength(0)
    expect(profile?.runs).toBe(3)
    expect(profile?.byOperation.map(({ op, nodes }) => `${op} ${nodes}`).sort()).toEqual(['MatMul 1', 'Sin 1'])
    expect(profile?.byNode.find(({ op }) => op === 'MatMul')?.shape).toBe('64x64')
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('graphs that are kept in a folder', () => {
  const cache = () => path.join(folder, 'native-cache')
  const files = () => readdirSync(cache())

  async function compileAndRun(stateDir: string, length = 70, block?: number) {
    const { engine, made } = engineWith({ stateDir, ...(block === undefined ? {} : { block }) })
    const compiled = await engine.compile(chain(length))
    expect(await firstElements(engine, await compiled.run(given))).toEqual([
      1 + length / 2,
      2 + length / 2,
      3 + length / 2,
    ])
    return made
  }

  it('are simplified once', async () => {
    expect(await compileAndRun(folder)).toEqual([{ level: 'all', written: true }])
    expect(files()).toHaveLength(1)
    expect(await compileAndRun(folder)).toEqual([{ level: 'disabled', written: false }])
  })

  it('are others where blocks of the processor are of another size', async () => {
    const anew = [{ level: 'all', written: true }]
    expect(await compileAndRun(folder, 70, 8)).toEqual(anew)
    expect(await compileAndRun(folder, 70, 16)).toEqual(anew)
    expect(files()).toHaveLength(2)
  })

  it('are few nodes more than nothing', async () => {
    await compileAndRun(folder, 4)
    expect(readdirSync(folder)).toEqual([])
  })

  it.each(['cut off', 'with a bit turned', 'of another program', 'empty'])(
    'are made anew where the file is %s',
    async (how) => {
      await compileAndRun(folder)
      const place = path.join(cache(), files()[0] ?? '')
      const bytes = readFileSync(place)
      if (how === 'with a bit turned') bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1
      const damaged = {
        'cut off': bytes.subarray(0, bytes.length / 2),
        'of another program': Buffer.from('hello'),
        empty: '',
      }
      writeFileSync(place, Object.hasOwn(damaged, how) ? damaged[how as keyof typeof damaged] : bytes)
      expect(await compileAndRun(folder)).toEqual([{ level: 'all', written: true }])
      expect(files()).toHaveLength(1)
      expect(await compileAndRun(folder)).toEqual([{ level: 'disabled', written: false }])
    },
  )

  it('are made without a folder where there can be none', async () => {
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    expect(await compileAndRun(file)).toEqual([{ level: 'all', written: false }])
  })
})

it('says of memory that something smaller may go through', async () => {
  // 2^50 elements: more than any machine has, refused before anything is touched.
  const { engine } = engineWith()
  const [x, shape] = [input([1]), { ...input([1]), type: 'int64' } satisfies Value]
  const big = emit('Expand', [x, shape], [2 ** 50])
  const total = emit('ReduceMax', [big], [], { attributes: { keepdims: int(0) } })
  const compiled = await engine.compile(collectGraph([total], [x, shape]))
  const run = (size: bigint) => compiled.run([holds(Float32Array.of(7)), holds(BigInt64Array.of(size))])
  await expect(run(2n ** 50n)).rejects.toMatchObject({ name: 'OutOfMemoryError' })
  expect(await firstElements(engine, await run(5n))).toEqual([7])
})
