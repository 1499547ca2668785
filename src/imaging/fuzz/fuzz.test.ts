import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/folders.ts'
import { bombs } from './bombs.ts'
import { maskSeeds, seeds } from './seeds.ts'
import type { FuzzMessage } from './fuzzChild.ts'

/** Damaged files a format. More by hand: MASKWRIGHT_FUZZ=20000. */
const INPUTS = Number(process.env.MASKWRIGHT_FUZZ ?? 2000)
const LIMIT_SECONDS = 5
const LIMIT_MB = 512
/** The limit is for a file on a computer that does nothing else; one that is silent for longer than this hangs. */
const SILENT_MS = 30_000

const child = fileURLToPath(new URL('fuzzChild.ts', import.meta.url))
let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

describe('damaged files are read to something sound or refused in a sentence, in bounded time and memory', () => {
  it.for([...Object.keys(seeds), ...Object.keys(maskSeeds)])('%s', { timeout: 600_000 }, async (format) => {
    const { faults, read, refused } = await run(format)
    expect(faults.slice(0, 5), `of ${faults.length} faults`).toEqual([])
    expect(read + refused).toBe(INPUTS)
    // Both must happen, or the damage is none, or nothing is read at all.
    expect(read).toBeGreaterThan(INPUTS / 100)
    expect(refused).toBeGreaterThan(INPUTS / 10)
  })
})

describe('small files that claim to be large are read or refused in bounded time and memory', () => {
  it.for(Object.keys(bombs))('%s', { timeout: 120_000 }, async (name) => {
    const index = Object.keys(bombs).indexOf(name)
    const result: Result = { read: 0, refused: 0, faults: [] }
    await runFrom('bombs', index, index + 1, result)
    expect(result.faults).toEqual([])
    expect(result.read + result.refused).toBe(1)
  })
})

interface Result {
  read: number
  refused: number
  readonly faults: string[]
}

/** Runs all inputs of a format; after one that takes its process along the next process goes on behind it. */
async function run(format: string): Promise<Result> {
  const result: Result = { read: 0, refused: 0, faults: [] }
  let next = 0
  while (next < INPUTS && result.faults.length < 20) next = await runFrom(format, next, INPUTS, result)
  return result
}

function runFrom(format: string, first: number, last: number, result: Result): Promise<number> {
  return new Promise((resolve) => {
    let at = first
    let said = ''
    const process = fork(child, [format, String(first), String(last), folder.path], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    })
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000)
    })
    let silent = setTimeout(() => undefined, 0)
    const watch = (): void => {
      clearTimeout(silent)
      silent = setTimeout(() => process.kill('SIGKILL'), SILENT_MS)
    }
    watch()
    process.on('message', (message: FuzzMessage) => {
      watch()
      if (message.kind === 'begin') {
        at = message.index
        return
      }
      at = message.index + 1
      const { outcome, cpuSeconds, peakMB, index } = message
      if (outcome.kind === 'fault') result.faults.push(`${format} ${index}: ${outcome.message}`)
      else if (cpuSeconds > LIMIT_SECONDS) result.faults.push(`${format} ${index}: took ${cpuSeconds.toFixed(1)} s`)
      else if (peakMB > LIMIT_MB) result.faults.push(`${format} ${index}: took ${peakMB.toFixed(0)} MB`)
      else result[outcome.kind]++
    })
    process.on('exit', (code, signal) => {
      clearTimeout(silent)
      if (at < last) {
        result.faults.push(`${format} ${at}: took its process along (${signal ?? code}) ${said}`)
      }
      resolve(at + 1)
    })
  })
}
