import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Axis, Dims } from '../../core/contract/schemas.ts'
import { extractSlice } from '../../core/labelmap/index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import {
  inflated,
  memoryStore,
  plainStore,
  streamedStore,
  swapped,
  type StreamedVoxels,
  type VoxelStore,
} from './index.ts'

const dims: Dims = [7, 5, 4]
const values = Int16Array.from({ length: 140 }, (_, i) => i * 3 - 100)
const bytes = new Uint8Array(values.buffer)
const axes: readonly Axis[] = [0, 1, 2]

/** Windows would write gigabytes of zeros. */
const noSparseFiles = process.platform === 'win32'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())
afterEach(() => vi.unstubAllEnvs())

/** Chunks that can be given one by one. */
function tap(): { source: StreamedVoxels['source']; give: (chunk: Uint8Array | Error | null) => void } {
  const waiting: (Uint8Array | Error | null)[] = []
  let wake: () => void = () => undefined
  return {
    give: (chunk) => {
      waiting.push(chunk)
      wake()
    },
    async *source(signal) {
      for (;;) {
        const next = waiting.shift()
        if (next === null) return
        if (next instanceof Error) throw next
        if (next !== undefined) yield next
        else {
          await new Promise<void>((resolve) => {
            wake = resolve
            signal.addEventListener('abort', () => resolve())
          })
          signal.throwIfAborted()
        }
      }
    },
  }
}

async function* chunksOf(data: Uint8Array, step: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.length; at += step) yield Promise.resolve(data.subarray(at, at + step))
}

async function gathered(store: VoxelStore): Promise<number[]> {
  const all: number[] = []
  for await (const piece of store.pieces()) all.push(...piece)
  return all
}

async function expectSame(store: VoxelStore): Promise<void> {
  for (const axis of axes) {
    for (let index = 0; index < dims[axis]; index++) {
      expect(await store.slice(axis, index)).toEqual(extractSlice(values, dims, axis, index))
    }
  }
  expect(await gathered(store)).toEqual([...values])
  expect(await store.all()).toEqual(values)
}

const layout = { path: 'x.nii', dims, channels: 1, voxelType: 'int16' } as const

describe.each([
  ['memory', ''],
  ['a scratch file', '10'],
])('voxels that arrive in %s', (_where, memory) => {
  const limit = (): void => {
    if (memory !== '') vi.stubEnv('MASKWRIGHT_VOXEL_MEMORY', memory)
  }

  it('are those of the source, in chunks that end anywhere', async () => {
    limit()
    for (const step of [1, 3, 8, 1000]) {
      const store = await streamedStore({ ...layout, source: () => chunksOf(bytes, step) })
      await expectSame(store)
      await store.close()
    }
  })
  it('are converted on their way', async () => {
    limit()
    const big = bytes.slice()
    Buffer.from(big.buffer).swap16()
    for (const step of [1, 3, 1000]) {
      const store = await streamedStore({ ...layout, convert: swapped(layout), source: () => chunksOf(big, step) })
      await expectSame(store)
      await store.close()
    }
    const wide = Float64Array.from(values)
    const store = await streamedStore({
      ...layout,
      rawVoxelBytes: 8,
      convert: (raw, out) => {
        const doubles = new Float64Array(raw.buffer, raw.byteOffset, raw.length / 8)
        new Int16Array(out.buffer, out.byteOffset, out.length / 2).set(doubles)
      },
      source: () => chunksOf(new Uint8Array(wide.buffer), 1003),
    })
    await expectSame(store)
    await store.close()
  })
  it('of the first slices are there before the rest', async () => {
    limit()
    const { source, give } = tap()
    const store = await streamedStore({ ...layout, source })
    give(bytes.subarray(0, 70))
    expect(await store.slice(2, 0)).toEqual(values.slice(0, 35))
    let all = false
    const complete = store.complete().then(() => {
      all = true
    })
    const second = store.slice(2, 1)
    give(bytes.subarray(70, 140))
    expect(await second).toEqual(values.slice(35, 70))
    give(bytes.subarray(140))
    expect(await store.slice(0, 6)).toEqual(extractSlice(values, dims, 0, 6))
    expect(all).toBe(false)
    give(null)
    await complete
    await store.close()
  })
  it('before a damaged place can be had, those after it cannot', async () => {
    limit()
    const { source, give } = tap()
    const store = await streamedStore({ ...layout, source })
    give(bytes.subarray(0, 80))
    give(new Error('broken'))
    expect(await store.slice(2, 0)).toEqual(values.slice(0, 35))
    await expect(store.slice(2, 3)).rejects.toMatchObject({ code: 'bad-file' })
    await expect(store.complete()).rejects.toMatchObject({ code: 'bad-file' })
    await expect(gathered(store)).rejects.toMatchObject({ code: 'bad-file' })
    await store.close()
  })
  it('that are too few are an error, more are not', async () => {
    limit()
    const short = await streamedStore({ ...layout, source: () => chunksOf(bytes.subarray(0, 200), 50) })
    await expect(short.all()).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining('x.nii is cut off') as string,
    })
    await short.close()
    const long = await streamedStore({ ...layout, source: () => chunksOf(new Uint8Array([...bytes, 1, 2, 3]), 50) })
    await expectSame(long)
    await long.close()
  })
  it('are not waited for when the signal says so, nor when they are closed', async () => {
    limit()
    const { source, give } = tap()
    const store = await streamedStore({ ...layout, source })
    give(bytes.subarray(0, 10))
    const controller = new AbortController()
    const slice = store.slice(2, 0, { signal: controller.signal })
    const across = store.slice(0, 0, { signal: controller.signal })
    controller.abort()
    await expect(slice).rejects.toMatchObject({ code: 'cancelled' })
    await expect(across).rejects.toMatchObject({ code: 'cancelled' })
    const rest = expect(store.complete()).rejects.toMatchObject({ code: 'cancelled' })
    await store.close()
    await rest
    await expect(store.slice(2, 0)).rejects.toMatchObject({ code: 'cancelled' })
    expect(store.heldBytes).toBe(0)
  })
})

describe('voxels in a plain file', () => {
  it('are read into memory, or where they lie', async () => {
    const path = join(folder.path, 'plain.raw')
    const big = bytes.slice()
    Buffer.from(big.buffer).swap16()
    await writeFile(path, Buffer.concat([Buffer.from('header'), big]))
    for (const memory of ['10', '100000']) {
      vi.stubEnv('MASKWRIGHT_VOXEL_MEMORY', memory)
      const store = await plainStore({ ...layout, path, offset: 6, convert: swapped(layout) })
      await expectSame(store)
      expect(store.heldBytes).toBeLessThanOrEqual(bytes.length * 2)
      await store.close()
    }
  })
  it.skipIf(noSparseFiles)('of more than 4 GiB can be had slice by slice', async () => {
    const path = join(folder.path, 'huge.raw')
    const huge: Dims = [1200, 1000, 1000]
    const handle = await open(path, 'w')
    await handle.write(Uint8Array.of(1, 2, 3, 4), 0, 4, 10)
    const at = 10 + 4 * (1200 * 1000 * 999 + 1200 * 7 + 5)
    await handle.write(new Uint8Array(Float32Array.of(42).buffer), 0, 4, at)
    await handle.close()
    await truncate(path, 10 + 4 * 1.2e9)
    const store = await plainStore({ path, dims: huge, channels: 1, voxelType: 'float32', offset: 10 })
    expect(store.byteLength).toBe(4.8e9)
    const last = await store.slice(2, 999)
    expect([last[1200 * 7 + 5], last.length]).toEqual([42, 1.2e6])
    const row = await store.slice(1, 7)
    expect(row[999 * 1200 + 5]).toBe(42)
    expect(store.heldBytes).toBeLessThan(70 * 2 ** 20)
    await store.close()
  })
})

describe('voxels in a file that is closed', () => {
  it('are cancelled, not damaged, for those who are reading', async () => {
    vi.stubEnv('MASKWRIGHT_VOXEL_MEMORY', '10')
    const path = join(folder.path, 'closed.raw')
    await writeFile(path, bytes)
    const store = await plainStore({ path, dims, channels: 1, voxelType: 'int16', offset: 0 })
    const reading = store.slice(2, 0).then(
      () => 'read',
      (error: unknown) => error,
    )
    await store.close()
    expect(await reading).toMatchObject({ code: 'cancelled' })
  })
})

describe('packed voxels', () => {
  it('are unpacked from anywhere in a file, several streams after the other', async () => {
    const path = join(folder.path, 'packed')
    await writeFile(
      path,
      Buffer.concat([Buffer.from('head'), gzipSync(bytes.subarray(0, 90)), gzipSync(bytes.subarray(90))]),
    )
    const source = (signal: AbortSignal) =>
      inflated({ path, start: 4, skip: 0, count: bytes.length, toEnd: true, signal, chunkSize: 64 })
    const store = await streamedStore({ ...layout, path, source })
    await expectSame(store)
    await store.close()
    const part: number[] = []
    for await (const chunk of inflated({ path, start: 4, skip: 80, count: 20, toEnd: false, chunkSize: 64 }))
      part.push(...chunk)
    expect(part).toEqual([...bytes.subarray(80, 100)])
  })
})

describe('stores', () => {
  it('leave no file behind', async () => {
    vi.stubEnv('MASKWRIGHT_VOXEL_MEMORY', '10')
    vi.stubEnv('TMPDIR', folder.path)
    const before = await readdir(folder.path)
    const store = await streamedStore({ ...layout, source: () => chunksOf(bytes, 50) })
    await store.complete()
    if (process.platform !== 'win32') expect(await readdir(folder.path)).toEqual(before)
    await store.close()
    expect(await readdir(folder.path)).toEqual(before)
  })
  it.skipIf(process.platform === 'win32')('leave no file behind when their process is killed', async () => {
    const own = await temporaryFolder()
    try {
      const entry = fileURLToPath(new URL('testing/scratchChild.ts', import.meta.url))
      const env = { ...process.env, MASKWRIGHT_VOXEL_MEMORY: '10', TMPDIR: own.path }
      const child = spawn(process.execPath, [entry], { env, stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = once(child, 'exit')
      expect(String(await once(child.stdout, 'data'))).toContain('ready')
      child.kill('SIGKILL')
      await ended
      expect(await readdir(own.path)).toEqual([])
    } finally {
      await own.remove()
    }
  })
  it('of voxels that are there already behave alike', async () => {
    const store = memoryStore(values, dims)
    await expectSame(store)
    await store.close()
  })
})
