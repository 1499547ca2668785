import { readFileSync } from 'node:fs'
import os from 'node:os'

/** More bring little for networks of our size, and emscripten's pool holds this many workers. */
const MAX_THREADS = 8

/** The number of threads to compute with: as asked for, or as many as there are cores for this process. */
export function threadCount(asked = 0, cores = usableCores()): number {
  return Math.max(1, Math.min(MAX_THREADS, Math.floor(asked > 0 ? asked : cores)))
}

/** Cores that this process may use: less than the machine has where its affinity or its container says so. */
export function usableCores(): number {
  return Math.max(1, Math.min(os.availableParallelism(), Math.ceil(containerQuota() ?? Infinity)))
}

/**
 * The share of processors that a Linux control group grants, in cores; null where there is no bound. Looks at version
 * 2 (`cpu.max`: quota and period in microseconds, or "max") and at version 1 (two files, a quota of -1 for none).
 */
export function containerQuota(read: (path: string) => string | null = readText): number | null {
  const [quota, period] = (read('/sys/fs/cgroup/cpu.max') ?? '').trim().split(/\s+/)
  const second = quotient(quota, period)
  if (second !== null) return second
  return quotient(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'), read('/sys/fs/cgroup/cpu/cpu.cfs_period_us'))
}

function quotient(quota: string | null | undefined, period: string | null | undefined): number | null {
  const share = Number(quota ?? NaN) / Number(period ?? NaN)
  return Number.isFinite(share) && share > 0 ? share : null
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
