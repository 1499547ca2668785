import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lockFolder } from './folderLock.ts'
import { readState, trainingFolder, writeState } from './trainingState.ts'
import type { TrainingState } from './trainingState.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-state-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

const state = (epoch: number): TrainingState => ({
  ...{ modelId: 'model', order: { seed: '1', 'optimizer.rate': '0.003' }, backend: 'native', threads: 2, batch: 4 },
  ...{ done: 0, shown: [0, 3], best: { epoch, score: 0.5, loss: 1 / 3 } },
  history: [{ epoch, steps: 3 * epoch, loss: 0.1, valLoss: null, val: { dice: 0.7 }, rate: 1e-3, seconds: 2 }],
  weights: [Float32Array.of(1, -0, 1e-45, 3.4e38), new Float32Array(0)],
  averages: [Float32Array.of(0.1 + epoch)],
  optimizer: [Float32Array.of(7), Float32Array.of(epoch)],
  bestWeights: [],
})

describe('the state of a training', () => {
  it('is read as it was written, to the bit, and replaced as a whole', async () => {
    const folder = trainingFolder(path.join(dir, 'whole'))
    expect(folder).toBe(path.join(dir, 'whole.training'))
    expect(await readState(folder)).toBeNull()
    for (const epoch of [1, 2]) {
      await writeState(folder, state(epoch))
      expect(await readState(folder)).toEqual(state(epoch))
    }
    expect(Object.is((await readState(folder))?.weights[0]?.[1], -0)).toBe(true)
    expect(await readdir(folder)).toEqual(['state.bin'])
  })

  it('is refused where a bit of it is another, or it is cut off', async () => {
    const folder = path.join(dir, 'damaged')
    await writeState(folder, state(1))
    const file = path.join(folder, 'state.bin')
    const whole = await readFile(file)
    for (const at of [0, 30, whole.length - 60, whole.length - 1]) {
      const damaged = Buffer.from(whole)
      damaged[at] = (damaged[at] ?? 0) ^ 4
      await writeFile(file, damaged)
      await expect(readState(folder)).rejects.toMatchObject({ code: 'bad-file' })
    }
    for (const length of [0, 10, whole.length - 4]) {
      await writeFile(file, whole.subarray(0, length))
      await expect(readState(folder)).rejects.toThrow(/state\.bin cannot be read.*delete the folder it lies in/)
    }
  })

  it.skipIf(!existsSync('/dev/full'))('of before stays where the disk is full', async () => {
    const folder = path.join(dir, 'full')
    await writeState(folder, state(1))
    await symlink('/dev/full', path.join(folder, 'state.bin.tmp'))
    await expect(writeState(folder, state(2))).rejects.toMatchObject({
      code: 'disk-full',
      message: `The disk is full, so the state of the training could not be written to ${folder}; free some space and try again.`,
    })
    expect(await readState(folder)).toEqual(state(1))
    expect(await readdir(folder)).toEqual(['state.bin'])
  })
})

describe('the lock of a training', () => {
  it('keeps other processes out while one lives, and no longer', async () => {
    const folder = path.join(dir, 'locked')
    await mkdir(folder)
    const lock = path.join(import.meta.dirname, 'folderLock.ts')
    const script = `const { lockFolder } = await import(${JSON.stringify(lock)})
      await lockFolder(${JSON.stringify(folder)}); console.log('locked'); setInterval(() => {}, 1000)`
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(other.stdout, 'data')
    await expect(lockFolder(folder)).rejects.toMatchObject({ code: 'busy' })
    other.kill('SIGKILL')
    await once(other, 'exit')
    const release = await lockFolder(folder)
    await release()
    expect(await readdir(folder)).toEqual([])
  })

  it.runIf(process.platform === 'linux')(
    'is taken over from one that was killed and that nobody has asked for',
    async () => {
      const folder = path.join(dir, 'orphaned')
      await mkdir(folder)
      const lock = path.join(import.meta.dirname, 'folderLock.ts')
      const script = `const { lockFolder } = await import(${JSON.stringify(lock)})
      await lockFolder(${JSON.stringify(folder)}); console.log(process.pid); setInterval(() => {}, 1000)`
      // What the shell becomes never asks for its child, which so stays in the list of processes.
      const parent = spawn(
        '/bin/sh',
        ['-c', '"$0" --input-type=module -e "$1" & exec sleep 60', process.execPath, script],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      try {
        const [said] = (await once(parent.stdout, 'data')) as [Buffer]
        process.kill(Number(said.toString()), 'SIGKILL')
        const release = await lockFolder(folder)
        expect(() => process.kill(Number(said.toString()), 0)).not.toThrow()
        await release()
      } finally {
        parent.kill()
      }
    },
  )

  it('is taken over where it was cut off or names a process that has begun since', async () => {
    for (const content of ['', '{"pid":1', JSON.stringify({ pid: process.ppid, started: 'long ago' })]) {
      const folder = path.join(dir, `stale${content.length}`)
      await mkdir(folder)
      await writeFile(path.join(folder, 'lock.json'), content)
      await (
        await lockFolder(folder)
      )()
      expect(await readdir(folder)).toEqual([])
    }
  })
})
