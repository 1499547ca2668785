import path from 'node:path'
import { z } from 'zod'
import { startTimes } from './support/startTimes.ts'
import { jsonFrom, median, result, type BenchResult } from './support/report.ts'

/**
 * Training steps and predictions of U-Nets on the compute backends, against PyTorch on the same cores and against
 * tfjs-backend-wasm as it ships, in turns in the same run; and how soon the compute process is ready.
 */
const milliseconds = z.array(z.number())
const timesSchema = z.object({ train: milliseconds, infer: milliseconds })
const profileSchema = z.record(z.string(), z.number())
const ownSchema = timesSchema.extend({
  device: z.string(),
  trainProfile: profileSchema,
  inferProfile: profileSchema,
})
type Own = z.infer<typeof ownSchema>
type Times = z.infer<typeof timesSchema>

interface Network {
  readonly kind: 'plain' | 'norm-transposed'
  readonly size: number
  readonly base: number
  readonly batch: number
}
interface Case extends Network {
  readonly threads: number
  /** Of training; predictions take half as long again. */
  readonly seconds: number
  readonly rounds: number
}

const REFERENCE: Network = { kind: 'plain', size: 128, base: 8, batch: 4 }
/** One thread and two are compared with each other, so they are measured in turns. */
const REFERENCE_CASES: readonly Case[] = [
  { ...REFERENCE, threads: 2, seconds: 5, rounds: 3 },
  { ...REFERENCE, threads: 1, seconds: 5, rounds: 3 },
]
const CASES: readonly Case[] = [
  { ...REFERENCE, batch: 1, threads: 2, seconds: 3, rounds: 2 },
  { ...REFERENCE, base: 16, threads: 2, seconds: 5, rounds: 2 },
  { ...REFERENCE, size: 256, threads: 2, seconds: 6, rounds: 2 },
  { ...REFERENCE, size: 512, threads: 2, seconds: 12, rounds: 2 },
  { ...REFERENCE, kind: 'norm-transposed', threads: 2, seconds: 5, rounds: 2 },
]
const BUDGETS = { train: 'at most 3.5 x PyTorch', infer: 'at most 2.2 x PyTorch' }

const here = (name: string): string => path.join(import.meta.dirname, 'support', name)
const words = (...values: readonly (string | number)[]): string[] => values.map(String)

export async function suite(): Promise<BenchResult[]> {
  const groups = [REFERENCE_CASES, ...CASES.map((each) => [each])]
  const measured = groups.flatMap(measuredInTurns)
  const results = measured.flatMap(({ each, own, theirs }) =>
    against(each, 'wasm', own, theirs, each === REFERENCE_CASES[0]),
  )
  const [reference] = measured
  if (reference !== undefined) results.push(...asShipped(reference.own))
  results.push(...threadGain(results))
  results.push(
    result({
      name: 'compute-ready',
      params: { choice: 'cached' },
      values: await startTimes(5),
      budget: 'at most 1500 ms',
    }),
  )
  return [...results, ...onGraphicsCard()]
}

interface MeasuredCase {
  readonly each: Case
  readonly own: Own
  readonly theirs: Times
}

/** All of them and PyTorch in turns, so that what else the machine does meets all alike. */
function measuredInTurns(cases: readonly Case[]): MeasuredCase[] {
  const most = Math.max(...cases.map(({ rounds }) => rounds))
  const runs = Array.from({ length: most }, () =>
    cases.map((each) => ({ each, own: ownTimes('wasm', each), torch: torchTimes(each) })),
  ).flat()
  return cases.map((each) => {
    const [first, ...rest] = runs.filter((run) => run.each === each)
    if (first === undefined) throw new Error('At least one round is needed.')
    const all = [first, ...rest]
    return {
      each,
      own: { ...first.own, ...joined(all.map(({ own }) => own)) },
      theirs: joined(all.map(({ torch }) => torch)),
    }
  })
}

function ownTimes(backend: string, { kind, size, base, batch, threads, seconds }: Case): Own {
  const args = words(backend, kind, size, base, batch, threads, seconds)
  const printed = ownSchema.safeParse(jsonFrom(process.execPath, [here('computeTimes.ts'), ...args]))
  if (printed.success) return printed.data
  throw new Error(`The measurement failed; "node bench/support/computeTimes.ts ${args.join(' ')}" says why.`)
}

/** Empty where there is no PyTorch. */
function torchTimes({ kind, size, base, batch, threads, seconds }: Case, device = 'cpu'): Times {
  const args = words(kind, size, base, batch, threads, seconds, device)
  const printed = timesSchema.safeParse(jsonFrom('/usr/bin/python3', [here('torchTimes.py'), ...args]))
  return printed.success ? printed.data : { train: [], infer: [] }
}

function joined(all: readonly Times[]): Times {
  return { train: all.flatMap(({ train }) => train), infer: all.flatMap(({ infer }) => infer) }
}

function against(each: Case, backend: string, own: Own, theirs: Times, budgeted: boolean): BenchResult[] {
  const { kind, size, base, batch, threads } = each
  const device = backend === 'wasm' ? {} : { device: own.device }
  return (['train', 'infer'] as const).map((name) =>
    result({
      name: name === 'train' ? 'train-step' : 'infer',
      params: { size, base, batch, backend, threads, kind, ...device },
      values: own[name],
      reference:
        theirs[name].length === 0
          ? null
          : {
              name: backend === 'wasm' ? `PyTorch CPU, ${threads} thread${threads > 1 ? 's' : ''}` : 'PyTorch CUDA',
              median: median(theirs[name]),
            },
      ...(budgeted ? { budget: BUDGETS[name] } : {}),
      profile: name === 'train' ? own.trainProfile : own.inferProfile,
    }),
  )
}

/** Our times as multiples of what ships would be below one: its times as multiples of ours say how much was won. */
function asShipped(own: Times): BenchResult[] {
  const { size, base, batch } = REFERENCE
  const shipped = timesSchema.parse(
    jsonFrom(process.execPath, [here('shippedTimes.ts'), ...words(size, base, batch, 20)]),
  )
  return (['train', 'infer'] as const).map((name) =>
    result({
      name: name === 'train' ? 'train-step-as-shipped' : 'infer-as-shipped',
      params: { size, base, batch, backend: 'tfjs-backend-wasm 4.22 as shipped', threads: 1 },
      values: shipped[name],
      reference: { name: 'wasm of this project, 2 threads', median: median(own[name]) },
      ...(name === 'train' ? { budget: 'at least 8 x' } : {}),
    }),
  )
}

/** One thread as a multiple of two, from the figures of both. */
function threadGain(results: readonly BenchResult[]): BenchResult[] {
  return ['train-step', 'infer'].flatMap((name) => {
    const [two, one] = results.filter((each) => each.name === name)
    if (one === undefined || two === undefined) return []
    return [
      result({
        name: `${name}-thread-gain`,
        params: { ...REFERENCE, threads: 1 },
        values: [one.median],
        reference: { name: '2 threads', median: two.median },
        budget: 'at least 1.6 x',
      }),
    ]
  })
}

/** Where a real graphics card answers. A processor that plays one (SwiftShader, llvmpipe) tells nothing. */
function onGraphicsCard(): BenchResult[] {
  const each: Case = { ...REFERENCE, threads: 1, seconds: 5, rounds: 1 }
  try {
    const own = ownTimes('webgpu', each)
    return /software|swiftshader|llvmpipe/i.test(own.device)
      ? []
      : against(each, 'webgpu', own, torchTimes(each, 'cuda'), false)
  } catch {
    return []
  }
}
