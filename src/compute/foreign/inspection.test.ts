import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { inspectFile } from './inspection.ts'
import { tinyNetwork } from './testing/networks.ts'
import type { InspectionOptions } from './inspection.ts'

let dir = ''
let file = ''

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-inspection-'))
  file = path.join(dir, 'net.onnx')
  await writeFile(file, tinyNetwork())
})
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

afterEach(() => {
  vi.unstubAllEnvs()
})

/** A process that does something else than to look at the file. */
async function by(script: string, options: Partial<InspectionOptions> = {}) {
  const entry = path.join(dir, `${Math.random()}.mjs`)
  await writeFile(entry, script)
  return await inspectFile(file, { entry, threads: 1, packagesDir: null, ...options })
}

describe('inspectFile', () => {
  it('says so where the file takes its process along', async () => {
    await expect(by(`process.kill(process.pid, 'SIGKILL')`)).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringMatching(
        /^net\.onnx ends ONNX Runtime when it is loaded or run: .+; choose another network\.$/,
      ) as string,
    })
  })

  it('ends one that does not come to an end, and one that is no longer wanted', async () => {
    const hangs = 'setInterval(() => undefined, 1000)'
    await expect(by(hangs, { seconds: 0.3 })).rejects.toThrow('net.onnx was not understood within 0 seconds')
    const controller = new AbortController()
    const asked = by(hangs, { signal: controller.signal })
    setTimeout(() => {
      controller.abort()
    }, 100)
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' })
  })

  it('ends one whose network asks for more memory than there is to have', { timeout: 60_000 }, async () => {
    const greedy = path.join(dir, 'greedy.onnx')
    const mean = { opType: 'ReduceMean', attribute: [{ name: 'axes', type: 7, ints: [1] }] }
    const ends = [{ opType: 'Expand', more: [[1, 40_000, 1, 1]] }, mean]
    await writeFile(greedy, tinyNetwork({ weights: [[8]], bias: [-4], ends }))
    vi.stubEnv('MASKWRIGHT_MEMORY_MB', '400')
    const entry = path.join(import.meta.dirname, '../entry.ts')
    await expect(inspectFile(greedy, { entry, threads: 1, packagesDir: null })).rejects.toMatchObject({
      code: 'bad-file',
      message: expect.stringContaining('greedy.onnx ends ONNX Runtime when it is loaded or run') as string,
    })
  })

  it('takes no answer that is none', async () => {
    await expect(by(`process.send({ kind: 'result', facts: 1 })`)).rejects.toThrow('gave no readable answer')
  })

  it('never opens what is no file, and says what is missing, empty or too large', async () => {
    const look = (name: string) => inspectFile(path.join(dir, name), { entry: '', threads: 1, packagesDir: null })
    await writeFile(path.join(dir, 'empty.onnx'), '')
    await expect(look('empty.onnx')).rejects.toThrow('empty.onnx is empty; export the network again.')
    await expect(look('nowhere.onnx')).rejects.toThrow('nowhere.onnx cannot be read; check the path')
    await expect(look('.')).rejects.toThrow('is no ordinary file; choose an ONNX file.')
    if (process.platform === 'win32') return
    await symlink('/dev/zero', path.join(dir, 'endless.onnx'))
    await expect(look('endless.onnx')).rejects.toThrow('endless.onnx is no ordinary file')
    // Of holes: it takes no room.
    await writeFile(path.join(dir, 'huge.onnx'), 'x')
    await truncate(path.join(dir, 'huge.onnx'), 1_200_000_000)
    await expect(look('huge.onnx')).rejects.toThrow('huge.onnx has 1.2 GB; networks of more than 1 GB cannot be used')
  })
})
