import os from 'node:os'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { version_wasm } from '@tensorflow/tfjs-backend-wasm'
import { CodedError } from '../../core/contract/errors.ts'
import { missingNativeTensorflow } from './nativeTensorflow.ts'
import { probeRung } from './probe.ts'
import { startRung } from './rung.ts'
import { isUsable, NATIVE_PACKAGES, USABLE_RUNGS } from './rungs.ts'
import type { UsableRung } from './rungs.ts'
import type { SelfTestResult } from './selfTest.ts'

export interface RuntimeOptions {
  /** 'auto' (also when absent) or a rung's name. */
  readonly backend?: string
  /** 0 or absent: as many as there are cores, at most MAX_THREADS. */
  readonly threads?: number
  /** The script that answers `--probe`; without it, rungs that need a probe are passed over. */
  readonly probeEntry?: string
}

export interface Runtime {
  readonly backend: UsableRung
  readonly threads: number
  readonly selfTest: SelfTestResult
  /** Of the rungs that were tried and passed over, the reason. */
  readonly refused: ReadonlyMap<UsableRung, string>
  readonly versions: Record<string, string>
}

/** emscripten's pool holds this many workers. */
const MAX_THREADS = 8

/**
 * Chooses the fastest rung that starts and passes the self-test, or takes the one asked for; makes it the current
 * backend of TensorFlow.js in this process. Once a process.
 * Throws CodedError('compute-failed') when the rung asked for cannot be used, or none can.
 */
export async function startRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const asked = options.backend ?? 'auto'
  if (asked !== 'auto' && !isUsable(asked)) {
    const names = USABLE_RUNGS.join(', ')
    throw new CodedError('compute-failed', `The compute backend "${asked}" is not part of this version; use ${names}.`)
  }
  const wanted: readonly UsableRung[] = asked === 'auto' ? USABLE_RUNGS : [asked]
  const threads = threadCount(options.threads)
  const refused = new Map<UsableRung, string>()
  for (const rung of wanted) {
    const reason = await reasonAgainst(rung, threads, options.probeEntry)
    if (reason !== null) {
      refused.set(rung, reason)
      continue
    }
    const started = await attempt(rung, threads, refused)
    if (started !== null) return { backend: rung, refused, versions: versions(), ...started }
  }
  const reasons = [...refused].map(([rung, reason]) => `${rung}: ${reason}`).join(' ')
  throw new CodedError('compute-failed', `No compute backend can be used on this machine. ${reasons}`)
}

/** What can be known before a rung is let into this process. */
async function reasonAgainst(rung: UsableRung, threads: number, probeEntry?: string): Promise<string | null> {
  const packageName = NATIVE_PACKAGES[rung]
  if (packageName === undefined) return null
  const missing = missingNativeTensorflow(packageName)
  if (missing !== null) return missing
  if (probeEntry === undefined) return 'It was not tried, since only the compute process can do so safely.'
  const probe = await probeRung(probeEntry, rung, threads)
  if (!probe.started) return probe.reason
  return probe.selfTest.ok ? null : `It fails the self-test: ${probe.selfTest.difference ?? ''}`
}

async function attempt(
  rung: UsableRung,
  threads: number,
  refused: Map<UsableRung, string>,
): Promise<{ threads: number; selfTest: SelfTestResult } | null> {
  // Threads first; the same binary without them if that fails.
  const tries = rung === 'wasm' && threads > 1 ? [threads, 1] : [threads]
  const reasons: string[] = []
  for (const count of tries) {
    const again = keepFactory(rung)
    try {
      const started = await startRung(rung, count)
      if (started.selfTest.ok) return started
      reasons.push(`It fails the self-test with ${count} threads: ${started.selfTest.difference ?? ''}`)
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error))
    }
    again()
  }
  refused.set(rung, reasons.join(' '))
  return null
}

/** Lets a backend be started anew, with other flags, after a failed start. */
function keepFactory(rung: UsableRung): () => void {
  const name = rung === 'js' ? 'cpu' : rung
  const factory = tf.findBackendFactory(name)
  return () => {
    tf.removeBackend(name)
    if (typeof factory === 'function') tf.registerBackend(name, factory)
  }
}

function threadCount(asked = 0): number {
  const count = asked > 0 ? asked : os.availableParallelism()
  return Math.max(1, Math.min(MAX_THREADS, Math.floor(count)))
}

function versions(): Record<string, string> {
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    'tfjs-core': tf.version_core,
    'tfjs-layers': layers.version_layers,
    'tfjs-backend-wasm': version_wasm,
  }
}
