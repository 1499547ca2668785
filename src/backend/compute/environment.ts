import os from 'node:os'
import { computeSettingsSchema, type ComputeSettings, type Rung, type Way } from '../../core/contract/schemas.ts'

/** Of the machine's memory, what compute keeps to unless MASKWRIGHT_MEMORY_MB says otherwise. */
const SHARE_OF_MEMORY = 0.7
/** Beyond its bound by this much it does not keep to it, and is ended. */
const HARD_FACTOR = 1.5
/** More than this of the machine's memory is never let to one process, whatever its bound. */
const HARD_SHARE = 0.95

/** Where the environment goes before what the user chose in the interface: a sentence each, null where it does not. */
export interface Overruled {
  readonly backend: string | null
  readonly threads: string | null
}

type Environment = Readonly<Record<string, string | undefined>>

export function overruledBy(env: Environment): Overruled {
  const { MASKWRIGHT_BACKEND: backend = '', MASKWRIGHT_THREADS: threads = '' } = env
  const sentence = (name: string, value: string): string =>
    `${name} is set to "${value}" where Maskwright was started, and goes before the choice made here.`
  return {
    backend: backend === '' ? null : sentence('MASKWRIGHT_BACKEND', backend),
    threads: threads === '' ? null : sentence('MASKWRIGHT_THREADS', threads),
  }
}

/** What holds for this run: the environment's word where it has one that can be read, else what is kept. */
export function settingsInForce(env: Environment, kept: ComputeSettings): ComputeSettings {
  const { MASKWRIGHT_BACKEND: backend = '', MASKWRIGHT_THREADS: threads = '' } = env
  const { shape } = computeSettingsSchema
  const named = shape.backend.safeParse(backend)
  const counted = shape.threads.safeParse(threads === '' ? NaN : Number(threads))
  return { backend: named.success ? named.data : kept.backend, threads: counted.success ? counted.data : kept.threads }
}

/** In megabytes: what compute keeps to, and where it is ended. */
export interface MemoryBounds {
  readonly softMB: number
  readonly hardMB: number
}

/** With less nothing could be computed: Node and the empty backend take half of it. */
const LEAST_MB = 256

/** @param machineMB What the machine, or the container that this runs in, has. */
export function memoryBounds(env: Environment, machineMB = usableMemoryMB()): MemoryBounds {
  const asked = Number(env.MASKWRIGHT_MEMORY_MB ?? NaN)
  const wanted = Number.isFinite(asked) && asked > 0 ? asked : Math.round(machineMB * SHARE_OF_MEMORY)
  const softMB = Math.max(LEAST_MB, wanted)
  return { softMB, hardMB: Math.max(softMB, Math.min(softMB * HARD_FACTOR, machineMB * HARD_SHARE)) }
}

function usableMemoryMB(): number {
  const total = os.totalmem()
  // 0, or more than there is, where nothing constrains the process.
  const constrained = process.constrainedMemory()
  return Math.round((constrained > 0 ? Math.min(constrained, total) : total) / 2 ** 20)
}

export interface ComputeLaunch {
  /** What the user chose for this computer. */
  readonly settings: ComputeSettings
  /** What gave up in this session. */
  readonly without: ReadonlySet<Rung | Way>
  /** The folder where compute remembers what it found out about this computer; null: it remembers nothing. */
  readonly stateDir: string | null
  readonly bounds: MemoryBounds
}

/**
 * The variables for the compute process beside those of `env`, which go before the settings. What gave up is not
 * insisted on: what is left of the ladder then decides, as for 'auto'.
 */
export function launchEnvironment(env: Environment, launch: ComputeLaunch): Record<string, string> {
  const { settings, without, stateDir, bounds } = launch
  const { MASKWRIGHT_BACKEND: backend = '', MASKWRIGHT_THREADS: threads = '', MASKWRIGHT_WITHOUT = '' } = env
  const wanted = backend === '' ? settings.backend : backend
  const excluded = new Set<string>([...MASKWRIGHT_WITHOUT.split(',').filter((name) => name !== ''), ...without])
  return {
    MASKWRIGHT_BACKEND: excluded.has(wanted) ? 'auto' : wanted,
    MASKWRIGHT_THREADS: threads === '' ? String(settings.threads) : threads,
    MASKWRIGHT_WITHOUT: [...excluded].join(','),
    MASKWRIGHT_MEMORY_MB: String(bounds.softMB),
    ...(stateDir === null ? {} : { MASKWRIGHT_STATE: stateDir }),
  }
}

/**
 * Flags for the Node that computes. Tensors lie outside its heap, so that half of the bound is more than the heap needs
 * and still ends a leak of objects before the machine swaps.
 */
export function launchFlags({ softMB }: MemoryBounds): string[] {
  return [`--max-old-space-size=${Math.round(Math.min(4096, Math.max(256, softMB / 2)))}`]
}
