/**
 * Trains the model that ships with Maskwright (resources/models/demo) on phantoms that the demo project does not show.
 *
 *     node scripts/train-demo-model.ts [--steps 500] [--seconds 900] [--levels 3] [--base 8] [--out DIR]
 *
 * The run that made the shipped model is described in docs/demo-model.md.
 */
import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { DEMO_LABELS } from '../src/backend/demo/seeds.ts'
import { saveModel, startRuntime, trainedCard, trainModel } from '../src/compute/index.ts'
import { trainingSet } from './demo/samples.ts'

/** None of them in DEMO_SEEDS. */
const CT_SEEDS = [101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112]
const NUCLEI_SEEDS = Array.from({ length: 24 }, (_, k) => 201 + k)
const SEED = 1

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '900' },
    levels: { type: 'string', default: '3' },
    base: { type: 'string', default: '8' },
    rate: { type: 'string', default: '0.005' },
    out: { type: 'string', default: path.join(import.meta.dirname, '../resources/models/demo') },
  },
})

const runtime = await startRuntime({ backend: 'wasm', threads: Math.min(2, availableParallelism()) })
console.log(`backend ${runtime.backend}, ${runtime.threads} threads`)
const samples = trainingSet(CT_SEEDS, NUCLEI_SEEDS)
console.log(`${samples.length} slices from ${CT_SEEDS.length} abdomens and ${NUCLEI_SEEDS.length} images`)

const trained = await trainModel({
  parent: null,
  architecture: { levels: Number(values.levels), base: Number(values.base) },
  labels: [...DEMO_LABELS],
  samples,
  steps: Number(values.steps),
  seconds: Number(values.seconds),
  seed: SEED,
  batch: 4,
  continuing: { learningRate: Number(values.rate) },
  evaluateEvery: 100,
  backend: runtime.backend,
  onProgress({ step, steps, point, secondsLeft }) {
    if (point === null || step % 50 !== 0) return
    const left = secondsLeft === null ? '' : `, ${Math.round(secondsLeft)} s left`
    console.log(`step ${step}/${steps}: loss ${point.loss.toFixed(3)}, Dice ${point.dice.toFixed(3)}${left}`)
  },
})
const { training } = trained
console.log(
  `${training.steps} steps in ${training.seconds.toFixed(0)} s: Dice ${training.diceAfter.toFixed(3)} on training slices`,
)

await rm(values.out, { recursive: true, force: true })
const identity = {
  ...{ id: 'demo', name: 'Demo: abdomen and nuclei', createdAt: new Date().toISOString() },
  ...{ labels: [...DEMO_LABELS], parentId: null },
}
// A card that ships names nobody's device.
const machine = { threads: runtime.threads, device: null, versions: runtime.versions }
const card = await trainedCard({ identity, recipe: 'demo', samples }, trained, machine)
await saveModel(values.out, trained.network, card)
console.log(`written to ${path.relative(process.cwd(), values.out)}`)
process.exit(0)
