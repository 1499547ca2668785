import { memoryBound } from './memory.ts'
import { machineMemory } from './machineMemory.ts'
import { rank } from './ladder.ts'
import { isUsable, RUNGS, USABLE_RUNGS } from './rungs.ts'
import { ladderParts } from './start.ts'
import { usableCores } from './threads.ts'
import { versions } from './versions.ts'
import { computeSettingsSchema } from '../../core/contract/schemas.ts'
import type { ComputeSettings, DoctorReport } from '../../core/contract/schemas.ts'
import type { Found } from './choice.ts'
import type { Judgement } from './ladder.ts'
import type { Proof } from './proof.ts'
import type { UsableRung } from './rungs.ts'
import type { LadderParts, Runtime, RuntimeOptions } from './start.ts'
import type { RuntimeSettings } from './settings.ts'

type BackendReport = DoctorReport['backends'][number]

export interface Examination {
  /** Try every rung again, whatever is remembered. */
  readonly fresh: boolean
  /** Try nothing: tell what is known. */
  readonly known: boolean
  readonly signal: AbortSignal
}

const NOT_BUILT = 'Not built yet: it comes with a later version.'

/**
 * What each rung says of itself on this computer, one after the other so that none disturbs the times of another; what
 * was not known yet is remembered for the next start. `runtime` is null when none could be started.
 */
export async function doctor(
  options: RuntimeOptions,
  runtime: Runtime | null,
  { fresh, known, signal }: Examination,
): Promise<DoctorReport> {
  const parts = ladderParts(options)
  const judged = new Map<UsableRung, Judgement>()
  for (const rung of USABLE_RUNGS) {
    judged.set(rung, await parts.ladder.judge(rung, { fresh, known, patient: true, signal }))
    signal.throwIfAborted()
  }
  const next = remember(parts, judged)
  const machine = machineMemory()
  const { settings, threads } = parts
  return {
    backends: RUNGS.map((name) => {
      const found = isUsable(name) ? judged.get(name) : undefined
      if (!isUsable(name) || found === undefined) return nothing(name, NOT_BUILT)
      return name === runtime?.backend
        ? inUse(name, found.source === 'untried' ? null : found.proof, runtime, fresh)
        : notInUse(name, found.proof, settings.backend === 'auto' && next === name)
    }),
    chosen: runtime?.backend ?? null,
    threads: runtime?.threads ?? threads,
    wanted: wanted(settings),
    // Everything was tried just now, so the choice is not one of another day.
    cached: !fresh && (runtime?.cached ?? false),
    cores: usableCores(),
    versions: runtime?.versions ?? versions(settings.packagesDir),
    memory: {
      totalMB: megabytes(machine.total),
      freeMB: megabytes(machine.available),
      processMB: megabytes(process.memoryUsage.rss()),
      limitMB: megabytes(memoryBound()),
    },
  }
}

/** Keeps what was found out now, and returns what the next start takes by itself. */
function remember(
  { ladder, memory, settings }: LadderParts,
  judged: ReadonlyMap<UsableRung, Judgement>,
): UsableRung | null {
  const found: Found = new Map(
    [...judged]
      .filter(([, { source }]) => source === 'probe')
      .map(([rung, { proof }]) => [rung, { key: ladder.key(rung), proof }] as const),
  )
  const [fastest] = rank(new Map([...judged].map(([rung, { proof }]) => [rung, proof])))
  const complete = ![...judged.values()].some(({ source }) => source === 'untried' || source === 'session')
  const decided = fastest !== undefined && complete && settings.without.length === 0
  if (found.size > 0) memory.remember(found, decided ? { key: ladder.choiceKey(), rung: fastest } : undefined)
  return fastest ?? null
}

/** `proof` is null where nothing but the running itself proves it. */
function inUse(name: UsableRung, proof: Proof | null, runtime: Runtime, fresh: boolean): BackendReport {
  const threads = runtime.threads === 1 ? 'one thread' : `${runtime.threads} threads`
  const now =
    proof === null || proof.ok || proof.reason === null ? '' : ` Tried again just now it did not work: ${proof.reason}`
  const note = runtime.note === null ? '' : ` ${runtime.note}`
  const { ok, ms } = (fresh ? proof?.selfTest : null) ?? runtime.selfTest
  return {
    name,
    available: true,
    reason: `${name === 'webgpu' || name === 'cuda' ? 'In use.' : `In use, ${threads}.`}${note}${now}`,
    remedy: proof?.remedy ?? null,
    selfTest: { ok, ms },
    stepMs: proof?.stepMs ?? null,
    device: runtime.device,
  }
}

function notInUse(name: UsableRung, proof: Proof, next: boolean): BackendReport {
  const { ok, selfTest, stepMs, device, remedy, detail } = proof
  const works = next
    ? 'Works and is the fastest here: it is used from the next start of compute on.'
    : name === 'js'
      ? 'Works; it is the slow one that the others are checked against.'
      : 'Works, not in use.'
  const reason = ok
    ? [works, proof.reason].filter((each) => each !== null).join(' ')
    : (proof.reason ?? 'Not available.')
  return {
    name,
    available: ok,
    reason,
    remedy: ok ? null : remedy,
    selfTest: selfTest === null ? null : { ok: selfTest.ok, ms: selfTest.ms },
    stepMs,
    device,
    detail: ok ? null : detail,
  }
}

function nothing(name: BackendReport['name'], reason: string): BackendReport {
  return { name, available: false, reason, remedy: null, selfTest: null, stepMs: null, device: null }
}

function wanted({ backend, threads }: RuntimeSettings): ComputeSettings {
  const parsed = computeSettingsSchema.safeParse({ backend, threads: Math.min(64, threads) })
  return parsed.success ? parsed.data : { backend: 'auto', threads: 0 }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}
