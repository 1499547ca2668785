import { readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { InferenceSession } from 'onnxruntime-common'

/** Where the time of one graph goes. */
export interface GraphProfile {
  readonly runs: number
  /** Of one run, all of it, in milliseconds: the median. */
  readonly ms: number
  /** Bytes that values of a run take at the same time, at most. */
  readonly peakBytes: number
  /** Milliseconds of a run by operation, the most expensive first. */
  readonly byOperation: readonly { readonly op: string; readonly ms: number; readonly nodes: number }[]
  /** The same by node. The shape is that of the first output. */
  readonly byNode: readonly {
    readonly node: string
    readonly op: string
    readonly ms: number
    readonly shape: string
  }[]
}

/** Has ONNX Runtime write down how long each node takes. */
export interface Profiles {
  /** The beginning of the path of one session's file. */
  prefix(): string
  /** A session that writes one. */
  add(session: Pick<InferenceSession, 'endProfiling'>): void
  /** Of each graph that ran `leastRuns` times or more; nothing is written down from then on. Deletes the files. */
  take(leastRuns: number): GraphProfile[]
}

const eventSchema = z.object({
  cat: z.string(),
  name: z.string(),
  dur: z.number(),
  args: z
    .looseObject({
      op_name: z.string().optional(),
      output_type_shape: z.unknown().optional(),
      mem_in_use_peak: z.coerce.number().optional(),
    })
    .optional(),
})
const fileSchema = z.array(z.unknown())

/** `folder` must be there. */
export function profilesIn(folder: string): Profiles {
  let count = 0
  const sessions: Pick<InferenceSession, 'endProfiling'>[] = []
  return {
    prefix: () => path.join(folder, `session-${count++}`),
    add: (session) => {
      sessions.push(session)
    },
    take(leastRuns) {
      for (const session of sessions.splice(0)) end(session)
      const names = readdirSync(folder).filter((name) => name.startsWith('session-') && name.endsWith('.json'))
      return names.flatMap((name) => {
        const file = path.join(folder, name)
        const profile = summary(JSON.parse(readFileSync(file, 'utf8')))
        rmSync(file)
        return profile.runs >= leastRuns ? [profile] : []
      })
    },
  }
}

/** One that was let go of meanwhile has written its file. */
function end(session: Pick<InferenceSession, 'endProfiling'>): void {
  try {
    session.endProfiling()
  } catch {
    // It is gone.
  }
}

interface NodeTimes {
  readonly op: string
  readonly shape: string
  readonly times: number[]
}

/** Medians over all runs: the first ones are slow, since memory is new. Exported for tests. */
export function summary(content: unknown): GraphProfile {
  const runs: number[] = []
  const nodes = new Map<string, NodeTimes>()
  let peakBytes = 0
  for (const each of fileSchema.parse(content)) {
    const parsed = eventSchema.safeParse(each)
    if (!parsed.success) continue
    const { cat, name, dur, args } = parsed.data
    if (cat === 'Session' && name === 'model_run') runs.push(dur / 1000)
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue
    const node = name.slice(0, -'_kernel_time'.length)
    const found = nodes.get(node) ?? { op: args?.op_name ?? '', shape: shapeOf(args?.output_type_shape), times: [] }
    nodes.set(node, found)
    found.times.push(dur / 1000)
    peakBytes = Math.max(peakBytes, args?.mem_in_use_peak ?? 0)
  }
  const byNode = [...nodes].map(([node, { op, shape, times }]) => ({ node, op, ms: median(times), shape }))
  const operations = new Map<string, { op: string; ms: number; nodes: number }>()
  for (const { op, ms } of byNode) {
    const sum = operations.get(op) ?? { op, ms: 0, nodes: 0 }
    operations.set(op, { op, ms: sum.ms + ms, nodes: sum.nodes + 1 })
  }
  return {
    runs: runs.length,
    ms: median(runs),
    peakBytes,
    byOperation: [...operations.values()].sort((a, b) => b.ms - a.ms),
    byNode: byNode.sort((a, b) => b.ms - a.ms),
  }
}

/** As it is written: [{"float":[4,8,128,128]}]. */
function shapeOf(written: unknown): string {
  const parsed = z.array(z.record(z.string(), z.array(z.number()))).safeParse(written)
  const [first] = Object.values((parsed.success ? parsed.data[0] : undefined) ?? {})
  return first?.join('x') ?? ''
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
