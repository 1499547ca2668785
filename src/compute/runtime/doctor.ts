import { memoryBound } from './memory.ts'
import { machineMemory } from './machineMemory.ts'
import { rank } from './ladder.ts'
import { isNative, providerOf, RUNGS, usesThreads, waysOfSystem } from './rungs.ts'
import { ladderParts } from './start.ts'
import { usableCores } from './threads.ts'
import { versions } from './versions.ts'
import { computeSettingsSchema } from '../../core/contract/schemas.ts'
import type { ComputeSettings, DoctorReport, ProviderReport, Way } from '../../core/contract/schemas.ts'
import type { Found } from './choice.ts'
import type { Judgement } from './ladder.ts'
import type { Proof } from './proof.ts'
import type { LadderParts, Runtime, RuntimeOptions } from './start.ts'
import type { RuntimeSettings } from './settings.ts'

type BackendReport = DoctorReport['backends'][number]
type WayReport = Omit<BackendReport, 'name' | 'providers'>

export interface Examination {
  /** Try every way again, whatever is remembered. */
  readonly fresh: boolean
  /** Try nothing: tell what is known. */
  readonly known: boolean
  readonly signal: AbortSignal
}

/**
 * What each way of computing says of itself on this computer, one after the other so that none disturbs the times of another; what
 * was not known yet is remembered for the next start. `runtime` is null when none could be started.
 */
export async function doctor(
  options: RuntimeOptions,
  runtime: Runtime | null,
  { fresh, known, signal }: Examination,
): Promise<DoctorReport> {
  const parts = ladderParts(options)
  const judged = new Map<Way, Judgement>()
  for (const way of waysOfSystem()) {
    judged.set(way, await parts.ladder.judge(way, { fresh, known, patient: true, signal }))
    signal.throwIfAborted()
  }
  const next = remember(parts, judged)
  const machine = machineMemory()
  const { settings, threads } = parts
  const reports = new Map(
    [...judged].map(([way, { proof, source }]) => {
      const report =
        way === runtime?.way
          ? inUse(way, source === 'untried' ? null : proof, runtime, fresh)
          : notInUse(way, proof, settings.backend === 'auto' && next === way)
      return [way, report] as const
    }),
  )
  const fastest = rank(new Map([...judged].map(([way, { proof }]) => [way, proof])))
  return {
    backends: backendReports(reports, [...(runtime === null ? [] : [runtime.way]), ...fastest]),
    chosen: runtime?.backend ?? null,
    provider: runtime?.provider ?? null,
    threads: runtime?.threads ?? threads,
    next: settings.backend === 'auto' && next !== null && next !== runtime?.way ? next : null,
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
function remember({ ladder, memory, settings }: LadderParts, judged: ReadonlyMap<Way, Judgement>): Way | null {
  const found: Found = new Map(
    [...judged]
      .filter(([, { source }]) => source === 'probe')
      .map(([way, { proof }]) => [way, { key: ladder.key(way), proof }] as const),
  )
  const [fastest] = rank(new Map([...judged].map(([way, { proof }]) => [way, proof])))
  const complete = ![...judged.values()].some(({ source }) => source === 'untried' || source === 'session')
  const decided = fastest !== undefined && complete && settings.without.length === 0
  if (found.size > 0) memory.remember(found, decided ? { key: ladder.choiceKey(), way: fastest } : undefined)
  return fastest ?? null
}

/**
 * A report for each rung. The providers of `native` are told one by one, and what the rung says is that of the first of
 * `best`; where none works, of the processor, which is the last.
 */
function backendReports(reports: ReadonlyMap<Way, WayReport>, best: readonly Way[]): BackendReport[] {
  const natives = [...reports.keys()].filter(isNative)
  const told = best.find((way) => natives.some((each) => each === way)) ?? natives.at(-1)
  return RUNGS.flatMap((name): BackendReport[] => {
    const report = reports.get(name === 'native' ? (told ?? 'native-cpu') : name)
    if (report === undefined) return []
    return name === 'native' ? [{ ...report, name, providers: natives.flatMap(provider) }] : [{ ...report, name }]
  })

  function provider(way: Way): ProviderReport[] {
    const [name, report] = [providerOf(way), reports.get(way)]
    return name === null || report === undefined ? [] : [{ ...report, name }]
  }
}

/** `proof` is null where nothing but the running itself proves it. */
function inUse(way: Way, proof: Proof | null, runtime: Runtime, fresh: boolean): WayReport {
  const threads = runtime.threads === 1 ? 'one thread' : `${runtime.threads} threads`
  const now =
    proof === null || proof.ok || proof.reason === null ? '' : ` Tried again just now it did not work: ${proof.reason}`
  const note = runtime.note === null ? '' : ` ${runtime.note}`
  const { ok, ms } = (fresh ? proof?.selfTest : null) ?? runtime.selfTest
  return {
    available: true,
    reason: `${usesThreads(way) || way === 'js' ? `In use, ${threads}.` : 'In use.'}${note}${now}`,
    remedy: proof?.remedy ?? null,
    selfTest: { ok, ms },
    stepMs: proof?.stepMs ?? null,
    device: runtime.device,
  }
}

function notInUse(way: Way, proof: Proof, next: boolean): WayReport {
  const { ok, selfTest, stepMs, device, remedy, detail } = proof
  const works = next
    ? 'Works and is the fastest here: it is used from the next start of compute on.'
    : way === 'js'
      ? 'Works; it is the slow one that the others are checked against.'
      : 'Works, not in use.'
  const reason = ok
    ? [works, proof.reason].filter((each) => each !== null).join(' ')
    : (proof.reason ?? 'Not available.')
  return {
    available: ok,
    reason,
    remedy: ok ? null : remedy,
    selfTest: selfTest === null ? null : { ok: selfTest.ok, ms: selfTest.ms },
    stepMs,
    device,
    detail: ok ? null : detail,
  }
}

function wanted({ backend, threads }: RuntimeSettings): ComputeSettings {
  const parsed = computeSettingsSchema.safeParse({ backend, threads: Math.min(64, threads) })
  return parsed.success ? parsed.data : { backend: 'auto', threads: 0 }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20)
}
