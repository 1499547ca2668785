import { execFileSync } from 'node:child_process'
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os'

/** One measured figure. `reference` is taken in the same run, on the same machine; null where there is none. */
export interface BenchResult {
  readonly name: string
  readonly params: Readonly<Record<string, string | number>>
  readonly median: number
  readonly p95: number
  readonly samples: number
  readonly unit: 'ms' | 's' | 'MB' | 'Dice' | 'share' | 'mm' | 'slices' | 'voxels' | 'versions'
  readonly reference: { readonly name: string; readonly median: number } | null
  /** median / reference median */
  readonly ratio: number | null
  /** What the design asks for, in words that name the figure it bounds. */
  readonly budget?: string
  /** Milliseconds of one run by kernel, the longest first. */
  readonly profile?: Profile
  /** Where it was taken, and when, if not with the rest of the report. */
  readonly machine?: Machine
}

export type Profile = Readonly<Record<string, number>>

export interface BenchReport {
  readonly suite: string
  readonly machine: Machine
  readonly results: readonly BenchResult[]
}

/** What the figures were taken on; nothing that names the machine. */
interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGB: number
  readonly os: string
  readonly node: string
  readonly date: string
}

export type Suite = () => Promise<BenchResult[]>

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release().split('-')[0] ?? ''} ${arch()}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  }
}

/** Middle of the sorted values; the mean of the two middle ones where their number is even. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? NaN)
    : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** The smallest value that 95 % of the values do not exceed (nearest rank). NaN for none. */
export function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(0.95 * sorted.length) - 1)] ?? NaN
}

interface Measured {
  readonly name: string
  readonly params?: BenchResult['params']
  readonly values: readonly number[]
  readonly unit?: BenchResult['unit']
  readonly reference?: BenchResult['reference']
  readonly budget?: string
  readonly profile?: Profile
}

export function result({
  name,
  params = {},
  values,
  unit = 'ms',
  reference = null,
  budget,
  profile,
}: Measured): BenchResult {
  // Shares and Dice that targets are set for differ in the fourth digit.
  const digits = unit === 'share' || unit === 'Dice' ? 4 : 3
  const middle = rounded(median(values), digits)
  return {
    name,
    params,
    median: middle,
    p95: rounded(p95(values), digits),
    samples: values.length,
    unit,
    reference: reference === null ? null : { name: reference.name, median: rounded(reference.median, digits) },
    ratio: reference === null ? null : rounded(middle / reference.median),
    ...(budget === undefined ? {} : { budget }),
    ...(profile === undefined ? {} : { profile }),
  }
}

/** Three significant digits are what most figures are worth. */
function rounded(value: number, digits = 3): number {
  return Number.isFinite(value) ? Number(value.toPrecision(digits)) : value
}

/** Milliseconds each run of `work` took, after `warmUp` runs that do not count. */
export async function timed(runs: number, warmUp: number, work: (run: number) => unknown): Promise<number[]> {
  const times: number[] = []
  for (let run = -warmUp; run < runs; run++) {
    const started = performance.now()
    await work(run + warmUp)
    if (run >= 0) times.push(performance.now() - started)
  }
  return times
}

/**
 * Milliseconds of each run: at least five, then as many as fit into the seconds; the first four do not count, or only the
 * first where a run is long.
 */
export async function measured(seconds: number, work: () => unknown): Promise<number[]> {
  const times: number[] = []
  const started = performance.now()
  let warmUp: number | null = null
  while (times.length < 5 || performance.now() - started < seconds * 1000) {
    const run = performance.now()
    await work()
    const taken = performance.now() - run
    warmUp ??= taken < 500 ? 4 : 1
    if (warmUp > 0) warmUp--
    else times.push(taken)
  }
  return times
}

/** Runs a program and parses its last line of output as JSON; null where the program is missing or fails. */
export function jsonFrom(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): unknown {
  try {
    const text = execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, ...env },
    })
    return JSON.parse(text.trim().split('\n').at(-1) ?? '')
  } catch {
    return null
  }
}
