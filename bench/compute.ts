import path from 'node:path'
import { z } from 'zod'
import { jsonFrom, median, result, type BenchResult } from './support/report.ts'

const timesSchema = z.object({ train: z.array(z.number()), infer: z.array(z.number()) })
type Times = z.infer<typeof timesSchema>
const ROUNDS = 3
const NETWORK = { size: 128, base: 8, batch: 4 } as const

/** A training step and a prediction of the reference U-Net, against PyTorch on the same cores in the same run. */
export async function suite(): Promise<BenchResult[]> {
  const here = (name: string): string => path.join(import.meta.dirname, 'support', name)
  const results: BenchResult[] = []
  for (const threads of [2, 1]) {
    const ours: Times = { train: [], infer: [] }
    const theirs: Times = { train: [], infer: [] }
    // In turns, so that what else the machine does meets both alike.
    for (let round = 0; round < ROUNDS; round++) {
      const own = jsonFrom(process.execPath, [here('computeTimes.ts'), ...settings(threads)])
      if (own === null) throw new Error('The measurement failed; run bench/support/computeTimes.ts to see why.')
      collect(ours, own)
      collect(theirs, jsonFrom('/usr/bin/python3', [here('torchTimes.py'), ...settings(threads)]))
    }
    for (const name of ['train', 'infer'] as const) {
      results.push(
        result({
          name: name === 'train' ? 'train-step' : 'infer',
          params: { ...NETWORK, backend: 'wasm', threads },
          values: ours[name],
          reference:
            theirs[name].length > 0
              ? { name: `PyTorch CPU, ${threads} thread${threads > 1 ? 's' : ''}`, median: median(theirs[name]) }
              : null,
          ...(threads === 2 ? { budget: name === 'train' ? 'at most 3.5 x PyTorch' : 'at most 2.2 x PyTorch' } : {}),
        }),
      )
    }
  }
  return results
}

function collect(into: Times, printed: unknown): void {
  const parsed = timesSchema.safeParse(printed)
  if (!parsed.success) return
  into.train.push(...parsed.data.train)
  into.infer.push(...parsed.data.infer)
}

function settings(threads: number): string[] {
  return [NETWORK.size, NETWORK.base, NETWORK.batch, threads].map(String)
}
