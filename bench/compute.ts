import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { startTimes } from './support/startTimes.ts'
import { jsonFrom, median, result, type BenchResult } from './support/report.ts'

/**
 * Training steps and predictions of U-Nets on the compute backends, against PyTorch on the same cores and against
 * tfjs-backend-wasm as it ships, in turns in the same run; and how soon the compute process is ready.
 */
const milliseconds = z.array(z.number())
const memorySchema = z.object({ startMB: z.number(), trainMB: z.number() })
const timesSchema = z.object({ train: milliseconds, infer: milliseconds })
const torchSchema = timesSchema.extend({ memory: memorySchema })
const profileSchema = z.record(z.string(), z.number())
const ownSchema = torchSchema.extend({
  device: z.string(),
  first: z.object({ step: z.number(), prediction: z.number(), otherBatch: z.number() }),
  trainProfile: profileSchema,
  inferProfile: profileSchema,
})
type Own = z.infer<typeof ownSchema>
type Times = z.infer<typeof timesSchema>
type Memory = z.infer<typeof memorySchema>
type Backend = 'native' | 'wasm' | 'webgpu'

interface Network {
  readonly kind: 'plain' | 'norm' | 'norm-transposed'
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
  { ...REFERENCE, base: 32, threads: 2, seconds: 6, rounds: 2 },
  { ...REFERENCE, size: 256, threads: 2, seconds: 6, rounds: 2 },
  { ...REFERENCE, size: 512, threads: 2, seconds: 12, rounds: 2 },
  { ...REFERENCE, kind: 'norm', threads: 2, seconds: 5, rounds: 2 },
  { ...REFERENCE, kind: 'norm-transposed', threads: 2, seconds: 5, rounds: 2 },
]
/** On the processor, measured in turns with PyTorch. */
const BACKENDS = ['native', 'wasm'] as const satisfies readonly Backend[]
type Measured = (typeof BACKENDS)[number]
const BUDGETS = {
  native: { reference: { train: 1.2, infer: 0.7 }, others: { train: 1.5, infer: 1 } },
  wasm: { reference: { train: 3.5, infer: 2.2 }, others: null },
} as const
const MEMORY_BUDGET = 1.5

const here = (name: string): string => path.join(import.meta.dirname, 'support', name)
const words = (...values: readonly (string | number)[]): string[] => values.map(String)

export async function suite(): Promise<BenchResult[]> {
  const groups = [REFERENCE_CASES, ...CASES.map((each) => [each])]
  const measured = groups.flatMap(measuredInTurns)
  const results = measured.flatMap(({ each, own, theirs }) =>
    BACKENDS.flatMap((backend) => {
      const budgets = each === REFERENCE_CASES[0] ? BUDGETS[backend].reference : BUDGETS[backend].others
      return against(each, backend, own[backend], theirs, each.threads === 2 ? budgets : null)
    }),
  )
  const [reference] = measured
  if (reference !== undefined) results.push(...asShipped(reference.own.wasm))
  results.push(...threadGain(results))
  results.push(...firstTimes())
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
  readonly own: Record<Measured, Own>
  readonly theirs: Times & { readonly memory: Memory | null }
}

/** All of them and PyTorch in turns, so that what else the machine does meets all alike. */
function measuredInTurns(cases: readonly Case[]): MeasuredCase[] {
  const most = Math.max(...cases.map(({ rounds }) => rounds))
  const runs = Array.from({ length: most }, () =>
    cases.map((each) => ({
      each,
      own: { native: ownTimes('native', each), wasm: ownTimes('wasm', each) },
      torch: torchTimes(each),
    })),
  ).flat()
  return cases.map((each) => {
    const all = runs.filter((run) => run.each === each)
    const [first] = all
    if (first === undefined) throw new Error('At least one round is needed.')
    const together = (backend: Measured): Own => ({
      ...first.own[backend],
      ...joined(all.map(({ own }) => own[backend])),
    })
    return {
      each,
      own: { native: together('native'), wasm: together('wasm') },
      theirs: { ...joined(all.map(({ torch }) => torch)), memory: first.torch.memory },
    }
  })
}

function ownTimes(backend: Backend, { kind, size, base, batch, threads, seconds }: Case, env = {}): Own {
  const args = words(backend, kind, size, base, batch, threads, seconds)
  const printed = ownSchema.safeParse(jsonFrom(process.execPath, [here('computeTimes.ts'), ...args], env))
  if (printed.success) return printed.data
  throw new Error(`The measurement failed; "node bench/support/computeTimes.ts ${args.join(' ')}" says why.`)
}

/** Empty where there is no PyTorch. */
function torchTimes(
  { kind, size, base, batch, threads, seconds }: Case,
  device = 'cpu',
): Times & { memory: Memory | null } {
  const args = words(kind, size, base, batch, threads, seconds, device)
  const printed = torchSchema.safeParse(jsonFrom('/usr/bin/python3', [here('torchTimes.py'), ...args]))
  return printed.success ? printed.data : { train: [], infer: [], memory: null }
}

function joined(all: readonly Times[]): Times {
  return { train: all.flatMap(({ train }) => train), infer: all.flatMap(({ infer }) => infer) }
}

type Budgets = Readonly<Record<'train' | 'infer', number>>

function against(
  each: Case,
  backend: Backend,
  own: Own,
  theirs: MeasuredCase['theirs'],
  budgets: Budgets | null,
): BenchResult[] {
  const { kind, size, base, batch, threads } = each
  const device = backend === 'webgpu' ? { device: own.device } : {}
  const params = { size, base, batch, backend, threads, kind, ...device }
  const reference = backend === 'webgpu' ? 'PyTorch CUDA' : `PyTorch CPU, ${threads} thread${threads > 1 ? 's' : ''}`
  const times = (['train', 'infer'] as const).map((name) =>
    result({
      name: name === 'train' ? 'train-step' : 'infer',
      params,
      values: own[name],
      reference: theirs[name].length === 0 ? null : { name: reference, median: median(theirs[name]) },
      ...(budgets === null ? {} : { budget: `at most ${budgets[name]} x PyTorch` }),
      profile: name === 'train' ? own.trainProfile : own.inferProfile,
    }),
  )
  return backend === 'native' ? [...times, ...memoryOf(params, own.memory, theirs.memory, reference)] : times
}

/** Resident memory at its highest: of the whole process, and what of it came after everything had started. */
function memoryOf(params: BenchResult['params'], own: Memory, theirs: Memory | null, name: string): BenchResult[] {
  const ownPart = (memory: Memory): number => memory.trainMB - memory.startMB
  const figure = (what: string, value: (memory: Memory) => number, budget: { budget?: string }): BenchResult =>
    result({
      name: what,
      params,
      unit: 'MB',
      values: [value(own)],
      reference: theirs === null ? null : { name, median: value(theirs) },
      ...budget,
    })
  return [
    figure('train-memory', ({ trainMB }) => trainMB, { budget: `at most ${MEMORY_BUDGET} x PyTorch` }),
    figure('train-memory-after-start', ownPart, {}),
  ]
}

/** What the first step and prediction cost besides the work itself: recording and compiling, anew and from the disk. */
function firstTimes(): BenchResult[] {
  const each: Case = { ...REFERENCE, threads: 2, seconds: 1, rounds: 1 }
  const state = mkdtempSync(path.join(tmpdir(), 'maskwright-bench-'))
  try {
    const env = { MASKWRIGHT_STATE: state }
    return (['anew', 'cached'] as const).flatMap((cache) => {
      const { first, train, infer } = ownTimes('native', each, env)
      const figure = (name: string, value: number, budget: number): BenchResult =>
        result({ name, params: { ...REFERENCE, cache }, values: [value], budget: `at most ${budget} ms` })
      const budget = cache === 'anew' ? 2000 : 300
      return [
        figure('first-step', first.step - median(train), budget),
        figure('first-prediction', first.prediction - median(infer), budget),
        figure('first-of-another-batch', first.otherBatch - median(infer), budget),
      ]
    })
  } finally {
    rmSync(state, { recursive: true, force: true })
  }
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
    const [two, one] = results.filter((each) => each.name === name && each.params.backend === 'wasm')
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
      : against(each, 'webgpu', own, torchTimes(each, 'cuda'), null)
  } catch {
    return []
  }
}
