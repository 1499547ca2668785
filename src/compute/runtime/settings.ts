import path from 'node:path'
import { waysOf } from './rungs.ts'
import type { Way } from '../../core/contract/schemas.ts'

/** What the host asks of the compute process, by its environment and, before that, its arguments. */
export interface RuntimeSettings {
  /** MASKWRIGHT_BACKEND, --backend: 'auto', a rung's name or a provider's of `native` ("native-webgpu"), not checked here. */
  readonly backend: string
  /** MASKWRIGHT_THREADS, --threads: 0 is as many as are useful. */
  readonly threads: number
  /** MASKWRIGHT_STATE: the folder where the choice is remembered; null: nowhere. */
  readonly stateDir: string | null
  /** MASKWRIGHT_WITHOUT: what gave up in this session, named as for MASKWRIGHT_BACKEND and separated by commas. */
  readonly without: readonly Way[]
  /** MASKWRIGHT_MEMORY_MB: the bound on what this process may hold; null: by the machine's memory. */
  readonly memoryMB: number | null
  /** MASKWRIGHT_PACKAGES: a folder whose node_modules are looked into first for optional packages; null: none. */
  readonly packagesDir: string | null
}

export interface SettingArguments {
  readonly backend?: string | undefined
  readonly threads?: string | undefined
}

export function readSettings(env: NodeJS.ProcessEnv = process.env, given: SettingArguments = {}): RuntimeSettings {
  const backend = given.backend ?? env.MASKWRIGHT_BACKEND ?? ''
  return {
    backend: backend === '' ? 'auto' : backend,
    threads: Math.floor(positive(given.threads ?? env.MASKWRIGHT_THREADS) ?? 0),
    stateDir: folder(env.MASKWRIGHT_STATE),
    without: (env.MASKWRIGHT_WITHOUT ?? '').split(',').flatMap((name) => waysOf(name.trim())),
    memoryMB: positive(env.MASKWRIGHT_MEMORY_MB),
    packagesDir: folder(env.MASKWRIGHT_PACKAGES),
  }
}

function folder(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : path.resolve(text)
}

function positive(text: string | undefined): number | null {
  const value = text === undefined || text.trim() === '' ? NaN : Number(text)
  return Number.isFinite(value) && value > 0 ? value : null
}
