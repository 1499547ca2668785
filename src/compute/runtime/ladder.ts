import { probeWay } from './probe.ts'
import { choiceKey, proofKey, refused } from './proof.ts'
import { missingByFiles } from './rung.ts'
import { waysOfSystem, WAYS } from './rungs.ts'
import type { Way } from '../../core/contract/schemas.ts'
import type { Memory } from './choice.ts'
import type { Proof } from './proof.ts'
import type { RuntimeSettings } from './settings.ts'

export interface LadderOptions {
  readonly settings: RuntimeSettings
  readonly threads: number
  readonly memory: Memory
  /** The script that answers `--probe`; null: ways that are not ours are passed over. */
  readonly probeEntry: string | null
}

export interface Judgement {
  readonly proof: Proof
  /** `session`: gave up in this session; `untried`: nothing was found out, and nothing is to be remembered. */
  readonly source: 'files' | 'session' | 'cache' | 'probe' | 'untried'
}

export interface JudgeOptions {
  /** Try again, whatever is remembered. */
  readonly fresh?: boolean
  /** Do not try what is not known. */
  readonly known?: boolean
  /** Try again what was not tried to the end; without it, only hardware is tried to the end. */
  readonly patient?: boolean
  readonly seconds?: number
  readonly signal?: AbortSignal | undefined
}

export interface Ladder {
  /** Can it be used here? By its files, by what is remembered, or by trying it in a process of its own. */
  judge(way: Way, options?: JudgeOptions): Promise<Judgement>
  key(way: Way): string
  /** Of a choice among all ways as they are now. */
  choiceKey(): string
}

export function createLadder({ settings, threads, memory, probeEntry }: LadderOptions): Ladder {
  const { packagesDir, without } = settings
  const key = (way: Way) => proofKey(way, threads, packagesDir)
  return {
    key,
    choiceKey: () =>
      choiceKey(
        waysOfSystem()
          .filter((way) => way !== 'js')
          .map(key),
      ),
    async judge(way, { fresh = false, patient = false, known = false, seconds, signal } = {}) {
      if (!fresh && without.includes(way)) return { proof: refused(GAVE_UP), source: 'session' }
      const missing = missingByFiles(way, packagesDir)
      if (missing !== null) return { proof: refused(missing), source: 'files' }
      const remembered = fresh ? null : memory.proof(way, key(way))
      if (remembered !== null && !(patient && !known && remembered.late)) return { proof: remembered, source: 'cache' }
      if (known) return { proof: refused(NOT_NOW), source: 'untried' }
      if (probeEntry === null) return { proof: refused(NO_PROBE), source: 'untried' }
      const env = packagesDir === null ? {} : { MASKWRIGHT_PACKAGES: packagesDir }
      const limit = seconds === undefined ? {} : { seconds }
      const proof = await probeWay(way, { entry: probeEntry, threads, env, signal, hardwareOnly: !patient, ...limit })
      return { proof, source: signal?.aborted === true ? 'untried' : 'probe' }
    },
  }
}

export const GAVE_UP = {
  reason: 'It gave up in this session and is passed over.',
  remedy: 'It is tried again at the next start, or by a fresh check.',
}
const NO_PROBE = { reason: 'It was not tried, since only the compute process can do so safely.', remedy: null }
const NOT_NOW = {
  reason: 'It was not tried yet.',
  remedy: 'A check when nothing else is computed tries it.',
}
export const NO_TIME = {
  reason: 'It was not tried yet: other backends took all the time that there is for it at a start.',
  remedy: 'A fresh check tries it ("maskwright doctor --fresh").',
}

/** Times that differ by less are the same: a busy machine shifts them by more. */
const NOISE = 1.1

/**
 * The ways that work, fastest first; between two within noise the higher one. `js`, the oracle, is behind all others
 * whatever its time.
 */
export function rank(proofs: ReadonlyMap<Way, Proof>): Way[] {
  const rest = [...proofs]
    .filter(([, { ok }]) => ok)
    .map(([way, { stepMs }]) => ({ way, ms: way === 'js' ? Infinity : (stepMs ?? Number.MAX_VALUE) }))
    .sort((a, b) => WAYS.indexOf(a.way) - WAYS.indexOf(b.way))
  const ranked: Way[] = []
  while (rest.length > 0) {
    const fastest = Math.min(...rest.map(({ ms }) => ms))
    const [next] = rest.splice(
      rest.findIndex(({ ms }) => ms <= fastest * NOISE),
      1,
    )
    if (next !== undefined) ranked.push(next.way)
  }
  return ranked
}
