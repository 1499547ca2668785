/**
 * One rung in a process of its own, for tests that compare rungs: `node rungChild.ts RUNG train|predict DIR`.
 * `train` saves a briefly trained model of every kind into DIR; `predict` sends the logits that each model there gives for
 * two pictures of an odd size, as `{ kind, logits }`. Ends with `{ done: true }`.
 */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { createRandom } from '../../data/random.ts'
import { registerJsKernels } from '../../kernels/index.ts'
import { startNative } from '../../native/start.ts'
import { startWasm } from '../../runtime/wasm.ts'
import { startWebgpu } from '../../runtime/webgpu.ts'
import { readFloats } from '../../runtime/tensors.ts'
import { trainModel } from '../../training/train.ts'
import { loadModel, saveModel } from '../files.ts'
import { forwardOf } from '../forward.ts'
import { trainedCard } from '../trainedCard.ts'
import { KINDS } from './modelFolders.ts'
import type { TrainingSample } from '../../../core/contract/compute.ts'

const SIZE = 24
const LABELS = [
  { value: 1, name: 'Disk' },
  { value: 4, name: 'Ring' },
]

async function start(rung: string): Promise<void> {
  tf.enableProdMode()
  if (rung === 'wasm') await startWasm(2)
  else if (rung === 'webgpu') await startWebgpu()
  else if (rung === 'native') await startNative({ provider: 'cpu', threads: 2, packagesDir: null, stateDir: null })
  else {
    await tf.setBackend('cpu')
    registerJsKernels()
  }
}

/** A disk in a ring on uneven ground. */
function sample(seed: number): TrainingSample {
  const random = createRandom(seed)
  const [cx, cy] = [9 + 6 * random(), 9 + 6 * random()]
  const data = new Uint8Array(SIZE * SIZE)
  const labels = new Uint8Array(SIZE * SIZE)
  for (let i = 0; i < data.length; i++) {
    const distance = Math.hypot((i % SIZE) - cx, Math.floor(i / SIZE) - cy)
    labels[i] = distance < 4 ? 1 : distance < 7 ? 4 : 0
    data[i] = 60 + 40 * random() + (labels[i] === 1 ? 120 : labels[i] === 4 ? 60 : 0)
  }
  const scaling = { slope: 1, inter: 0, low: 40, high: 230 }
  return {
    index: 0,
    width: SIZE,
    height: SIZE,
    channels: 1,
    voxelType: 'uint8',
    data,
    ...scaling,
    labels,
    role: 'corrected',
  }
}

async function train(dir: string, backend: string): Promise<void> {
  const samples = [1, 2, 3].map(sample)
  for (const { normalization, upsampling } of KINDS) {
    const trained = await trainModel({
      ...{ parent: null, architecture: { levels: 2, base: 4, normalization, upsampling } },
      ...{ labels: LABELS, samples, steps: 40, seconds: 300, seed: 5, batch: 2, patch: SIZE, backend },
    })
    const name = `${normalization}-${upsampling}`
    const identity = { id: name, parentId: null, name, createdAt: '2026-01-01T00:00:00.000Z', labels: LABELS }
    const machine = { threads: 1, device: null, versions: {} }
    const card = await trainedCard({ identity, recipe: 'test', samples }, trained, machine)
    await saveModel(path.join(dir, name), trained.network, card)
    trained.network.dispose()
  }
}

async function predict(dir: string): Promise<void> {
  const random = createRandom(11)
  const shape: [number, number, number, number] = [2, 28, 20, 1]
  const pixels = Float32Array.from({ length: 2 * 28 * 20 }, () => random())
  for (const kind of (await readdir(dir)).sort()) {
    const { network } = await loadModel(path.join(dir, kind))
    const output = tf.tidy(() => forwardOf(network)(tf.tensor4d(pixels, shape), false))
    process.send?.({ kind, logits: [...(await readFloats(output))] })
    output.dispose()
    network.dispose()
  }
}

const [rung = '', what = '', dir = ''] = process.argv.slice(2)
await start(rung)
if (what === 'train') await train(dir, rung)
else await predict(dir)
process.send?.({ done: true }, () => process.exit(0))
