/**
 * Shows what the shipped model is worth on the demo project's own images, and what correcting three slices and one
 * retraining change: Dice by label before and after, on the slices that were not corrected.
 *
 *     node scripts/check-demo-model.ts [--model DIR] [--seconds 10] [--slices 38,48,58] [--case 0]
 *
 * The figures of the shipped model are kept in docs/demo-model.md.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { createComputeProcess } from '../src/backend/compute/process.ts'
import { generateCtCase } from '../src/backend/demo/phantomCt.ts'
import { generateNucleiCase } from '../src/backend/demo/phantomNuclei.ts'
import { DEMO_LABELS, DEMO_SEEDS } from '../src/backend/demo/seeds.ts'
import { diceByLabel } from '../src/core/metrics/index.ts'
import { ctSamples, nucleiSample } from './demo/samples.ts'
import type { TrainingSample } from '../src/core/contract/compute.ts'

const root = path.join(import.meta.dirname, '..')
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: path.join(root, 'resources/models/demo') },
    seconds: { type: 'string', default: '10' },
    slices: { type: 'string', default: '38,48,58' },
    case: { type: 'string', default: '0' },
  },
})
const corrected = values.slices.split(',').map(Number)
const compute = createComputeProcess({ nodePath: process.execPath, entry: path.join(root, 'src/compute/entry.ts') })
const work = await mkdtemp(path.join(tmpdir(), 'maskwright-check-'))

/** Dice by label over all the slices taken together. */
async function dice(modelDir: string, samples: readonly TrainingSample[]): Promise<Map<number, number>> {
  const { slices } = await compute.call('predict', { modelDir, slices: [...samples] })
  return diceByLabel(joined(slices.map(({ labels }) => labels)), joined(samples.map(({ labels }) => labels)))
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** Of the labels in question; a label that is not there and not predicted counts for nothing. */
function row(name: string, figures: Map<number, number>, wanted: readonly number[]): void {
  const columns = DEMO_LABELS.filter(({ value }) => wanted.includes(value)).map(
    ({ value, name: label }) => `${label} ${(figures.get(value) ?? 0).toFixed(3)}`,
  )
  const mean = wanted.reduce((sum, value) => sum + (figures.get(value) ?? 0), 0) / wanted.length
  console.log(`${name.padEnd(34)} ${columns.join('  ')}  mean ${mean.toFixed(3)}`)
}

async function report(title: string, modelDir: string): Promise<void> {
  for (const [n, seed] of DEMO_SEEDS.ct.entries()) {
    const ct = generateCtCase(seed)
    const others = Array.from({ length: ct.dims[2] }, (_, z) => z).filter((z) => n !== shown || !corrected.includes(z))
    row(
      `${title}, abdomen ${n + 1} (seed ${seed})`,
      await dice(modelDir, ctSamples(ct, others, 'corrected')),
      [1, 2, 3, 4],
    )
  }
  for (const seed of DEMO_SEEDS.nuclei) {
    const image = generateNucleiCase(seed)
    const kind = image.channels === 3 ? 'stained' : 'fluorescent'
    row(`${title}, ${kind} nuclei (seed ${seed})`, await dice(modelDir, [nucleiSample(image, 'corrected')]), [5])
  }
}

const shown = Number(values.case)
try {
  await report('before', values.model)
  const seed = DEMO_SEEDS.ct[shown] ?? DEMO_SEEDS.ct[0]
  const outDir = path.join(work, 'retrained')
  const started = performance.now()
  const { card } = await compute.call('train', {
    parentDir: values.model,
    outDir,
    modelId: 'retrained',
    name: 'retrained',
    createdAt: new Date().toISOString(),
    labels: [...DEMO_LABELS],
    samples: ctSamples(generateCtCase(seed), corrected, 'corrected'),
    steps: 2000,
    seconds: Number(values.seconds),
    seed: 1,
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const { steps = 0, diceBefore = 0, diceAfter = 0 } = card.training ?? {}
  console.log(
    `retrained on slices ${corrected.join(', ')}: ${steps} steps, ${seconds} s, there Dice ${diceBefore.toFixed(3)} to ${diceAfter.toFixed(3)}`,
  )
  await report('after', outDir)
} finally {
  await compute.close()
  await rm(work, { recursive: true, force: true })
}
