/**
 * Trains small networks on the `wasm` rung and prints what came of it, as JSON: a process of its own, because a backend
 * starts once a process. Arguments: threads, and then one word a run: `quiet`, or `disturbed` for one during which the
 * event loop has much else to do.
 */
import { createHash } from 'node:crypto'
import process from 'node:process'
import '@tensorflow/tfjs-layers'
import { startWasm } from '../../runtime/wasm.ts'
import { trainModel } from '../train.ts'
import { DISK_LABELS, diskSample } from './samples.ts'

export interface TrainingRuns {
  readonly threads: number
  /** Of each run, SHA-256 over the weights and the losses of all steps. */
  readonly hashes: readonly string[]
}

const KINDS = [
  { normalization: 'instance', upsampling: 'nearest' },
  { normalization: 'batch', upsampling: 'transposed' },
] as const

async function hashOfRun(): Promise<string> {
  const hash = createHash('sha256')
  for (const kind of KINDS) {
    const { network, training } = await trainModel({
      ...{ parent: null, architecture: { levels: 2, base: 4, ...kind }, labels: DISK_LABELS, backend: 'wasm' },
      ...{ samples: [diskSample(1), diskSample(2, 'replay'), diskSample(3)], steps: 8, seconds: 1e6, seed: 7 },
      ...{ batch: 3, patch: 32, evaluateEvery: 3, flips: true },
    })
    for (const weight of network.getWeights()) hash.update(new Uint8Array((await weight.data()).buffer))
    hash.update(JSON.stringify(training.curve))
    network.dispose()
  }
  return hash.digest('hex')
}

/** Timers, immediate callbacks and garbage between and during the steps. */
function disturb(): () => void {
  let rubbish: number[][] = []
  let over = false
  const busy = (ms: number) => {
    const end = performance.now() + ms
    while (performance.now() < end) rubbish.push(new Array<number>(100).fill(end))
    if (rubbish.length > 1000) rubbish = []
  }
  const timers = [1, 2, 5].map((ms) => setInterval(busy, ms, ms))
  const again = () => {
    if (!over) setImmediate(again)
  }
  again()
  return () => {
    over = true
    timers.forEach(clearInterval)
  }
}

const [threads, ...runs] = process.argv.slice(2)
const started = await startWasm(Number(threads))
const hashes: string[] = []
for (const run of runs) {
  const end = run === 'disturbed' ? disturb() : () => undefined
  hashes.push(await hashOfRun())
  end()
}
const result: TrainingRuns = { threads: started, hashes }
process.stdout.write(JSON.stringify(result), () => process.exit(0))
