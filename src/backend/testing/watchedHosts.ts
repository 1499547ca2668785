import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { ComputeStatus } from '../../core/contract/schemas.ts'
import type { ComputeNotice, ComputeParams, ComputePort, ComputeResult } from '../compute/port.ts'
import { createComputeProcess } from '../compute/process.ts'
import type { ScriptedStart } from './scriptedCompute.ts'

/** A compute process that behaves as a test tells it to (scriptedCompute.ts), under the watch of the real host. */
export interface Watched {
  readonly port: ComputePort
  readonly notices: ComputeNotice[]
  readonly states: ComputeStatus['state'][]
}

/** The hosts of one test, which share the folder of a user. */
export class WatchedHosts {
  readonly dir = mkdtempSync(path.join(os.tmpdir(), 'maskwright-watch-'))
  readonly userDir = path.join(this.dir, 'user')
  readonly logged: string[] = []
  readonly #log = path.join(this.dir, 'starts')
  readonly #ports: ComputePort[] = []

  open(env: Record<string, string> = {}, silenceMs?: number): Watched {
    const port = createComputeProcess({
      nodePath: process.execPath,
      entry: path.join(import.meta.dirname, 'scriptedCompute.ts'),
      env: { SCRIPT_LOG: this.#log, MASKWRIGHT_BACKEND: '', MASKWRIGHT_THREADS: '', ...env },
      stateDir: this.userDir,
      log: (line) => this.logged.push(line),
      beatMs: 100,
      ...(silenceMs === undefined ? {} : { silenceMs }),
    })
    this.#ports.push(port)
    const watched: Watched = { port, notices: [], states: [] }
    port.onNotice((notice) => watched.notices.push(notice))
    port.onStatus(({ state }) => watched.states.push(state))
    return watched
  }

  /** Every process that was started, in order. */
  starts(): ScriptedStart[] {
    const text = existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trim() : ''
    return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as ScriptedStart)
  }

  /** What compute.json holds. */
  kept(): unknown {
    return JSON.parse(readFileSync(path.join(this.userDir, 'compute.json'), 'utf8'))
  }

  async close(): Promise<void> {
    for (const port of this.#ports) await port.close()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

export function predict(port: ComputePort, what: string, signal?: AbortSignal): Promise<ComputeResult<'predict'>> {
  return port.call('predict', { modelDir: what, slices: [] }, signal === undefined ? {} : { signal })
}

export function training(what: string): ComputeParams<'train'> {
  return {
    parentDir: what,
    outDir: 'none',
    modelId: 'm',
    name: 'm',
    createdAt: '',
    labels: [],
    samples: [],
    steps: 3,
    seconds: 1,
    seed: 1,
  }
}
