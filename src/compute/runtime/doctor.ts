import os from 'node:os'
import { probeRung } from './probe.ts'
import { missingNativeTensorflow } from './nativeTensorflow.ts'
import { isUsable, NATIVE_PACKAGES, RUNGS } from './rungs.ts'
import type { DoctorReport, Rung } from '../../core/contract/schemas.ts'
import type { Runtime } from './start.ts'

type BackendReport = DoctorReport['backends'][number]

const ABSENT: Partial<Record<Rung, string>> = {
  native: 'Not built yet: the ONNX Runtime engine comes with a later version.',
  webgpu: 'Not part of this version.',
}

/** What each rung says of itself on this machine; rungs other than the running one are tried in processes of their own. */
export async function doctor(runtime: Runtime, probeEntry: string): Promise<DoctorReport> {
  const backends: BackendReport[] = []
  for (const rung of RUNGS) backends.push(await report(rung, runtime, probeEntry))
  const megabytes = (bytes: number) => Math.round(bytes / 2 ** 20)
  return {
    backends,
    chosen: runtime.backend,
    threads: runtime.threads,
    wanted: { backend: 'auto', threads: 0 },
    cached: false,
    cores: os.availableParallelism(),
    versions: runtime.versions,
    memory: {
      totalMB: megabytes(os.totalmem()),
      freeMB: megabytes(os.freemem()),
      processMB: megabytes(process.memoryUsage.rss()),
      limitMB: megabytes(os.totalmem()),
    },
  }
}

async function report(name: Rung, runtime: Runtime, probeEntry: string): Promise<BackendReport> {
  const absent = isUsable(name) ? undefined : (ABSENT[name] ?? 'Not part of this version.')
  if (absent !== undefined || !isUsable(name)) return unavailable(name, absent ?? '')
  if (name === runtime.backend) {
    const { ok, ms } = runtime.selfTest
    const threads = runtime.threads === 1 ? 'one thread' : `${runtime.threads} threads`
    return {
      name,
      available: true,
      reason: `In use, ${threads}.`,
      remedy: null,
      selfTest: { ok, ms },
      stepMs: null,
      device: null,
    }
  }
  const packageName = NATIVE_PACKAGES[name]
  const missing = packageName === undefined ? null : missingNativeTensorflow(packageName)
  if (missing !== null) return unavailable(name, missing)
  const probe = await probeRung(probeEntry, name, runtime.threads)
  if (!probe.started) return unavailable(name, probe.reason)
  const { ok, ms, difference } = probe.selfTest
  const reason = ok ? 'Works, not in use.' : `Fails the self-test: ${difference ?? ''}`
  return { name, available: ok, reason, remedy: null, selfTest: { ok, ms }, stepMs: null, device: null }
}

function unavailable(name: Rung, reason: string): BackendReport {
  return { name, available: false, reason, remedy: null, selfTest: null, stepMs: null, device: null }
}
