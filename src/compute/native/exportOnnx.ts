import { readFile } from 'node:fs/promises'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { CodedError } from '../../core/contract/errors.ts'
import { writeAtomically } from '../../imaging/files.ts'
import { createRandom } from '../data/random.ts'
import { forwardOf } from '../models/forward.ts'
import { buildModel, readModelFiles } from '../models/files.ts'
import { readSettings } from '../runtime/settings.ts'
import { readFloats } from '../runtime/tensors.ts'
import { refusalOf, refusalText } from '../runtime/unavailable.ts'
import { startWasm } from '../runtime/wasm.ts'
import { NATIVE_BACKEND } from './backend.ts'
import { encodeRecorded, IMAGE, LOGITS, recordNetwork } from './recordNetwork.ts'
import { loadOnnxRuntime } from './session/package.ts'
import { startNative } from './start.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { ModelFiles } from '../models/files.ts'
import type { RecordedNetwork } from './recordNetwork.ts'
import type { OnnxRuntime } from './session/package.ts'

export interface NetworkExport {
  /** Between the logits of the file, run by ONNX Runtime, and those of TensorFlow.js, relative to the largest of them. */
  readonly maxDifference: number
}

/** More than this is no rounding: the file would predict something else. */
const MOST_DIFFERENCE = 1e-3
/** Height and width of a network that has a graph of its own for each size and was trained on none that is known. */
const USUAL_SIZE = 256

/**
 * Writes the network of the model folder `modelDir` to `outPath` as a standard ONNX model: one input "image"
 * [n, 1, h, w] float32 in [0, 1], one output "logits" [n, classes, h, w]; any n, h and w (multiples of the card's step)
 * where the network allows it. What the card knows is in the file's metadata. The file is run by ONNX Runtime, and
 * compared with the network on another backend of TensorFlow.js, before it gets its name, and read again afterwards.
 * For a process in which nothing else computes meanwhile: backends change; the one that was there is put back.
 * Throws CodedError: 'bad-file' for a model that cannot be read or written so, 'compute-failed' without ONNX Runtime,
 * 'verify-failed' when the file computes something else, and as writeAtomically.
 */
export async function exportNetwork(modelDir: string, outPath: string): Promise<NetworkExport> {
  const files = await readModelFiles(modelDir)
  const runtime = onnxRuntime()
  const recorded = await onNative(() => withNetwork(files, (network) => recordNetwork(network, ...sizesOf(files.card))))
  checkOperators(recorded, files)
  const bytes = encodeRecorded(recorded, metadataOf(files.card))
  const maxDifference = await compared(files, { runtime, bytes }, probesOf(recorded, files.card))
  if (!(maxDifference <= MOST_DIFFERENCE)) {
    throw new CodedError(
      'verify-failed',
      `${path.basename(outPath)} would compute something else than ${modelDir}, so it was not written; report this model.`,
      { detail: `The largest difference of a logit is ${maxDifference} of the largest logit.` },
    )
  }
  await writeAtomically(outPath, [bytes])
  if (Buffer.compare(await readFile(outPath), bytes) !== 0) {
    throw new CodedError('verify-failed', `${outPath} does not hold what was written to it; check the disk.`)
  }
  return { maxDifference }
}

function sizesOf({ architecture: { step }, run }: ModelCard): [step: number, fixed: number] {
  return [step, Math.ceil((run?.patch ?? USUAL_SIZE) / step) * step]
}

/** What other programs, and Maskwright when it takes the file in again, can know; each entry is a JSON text. */
function metadataOf(card: ModelCard): Record<string, string> {
  const { name, labels, input, spacing, id, createdAt, architecture, parameters, recipe, versions } = card
  const facts = {
    name,
    classes: labels.map((label) => label.name),
    input,
    ...(spacing === null ? {} : { spacing: { inPlane: spacing.inPlane, slices: spacing.slices } }),
    ...{ id, createdAt, labels, architecture, parameters, recipe, versions },
  }
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [`maskwright.${key}`, JSON.stringify(value)]))
}

/** ONNX Runtime's own operators are unknown elsewhere. */
function checkOperators({ graph }: RecordedNetwork, { dir }: ModelFiles): void {
  const foreign = graph.nodes.find(({ domain }) => domain !== '')
  if (foreign === undefined) return
  throw new CodedError(
    'bad-file',
    `${dir} has a layer that standard ONNX does not have; predict with it here instead.`,
    {
      detail: `The operator is ${foreign.op} of ${foreign.domain}.`,
    },
  )
}

type Shape = readonly [count: number, height: number, width: number]

/** Sizes that show what may differ: one image and two, wide and high. */
function probesOf({ extents: [n, h, w] }: RecordedNetwork, { architecture: { step } }: ModelCard): Shape[] {
  const height = (otherwise: number) => (typeof h === 'number' ? h : otherwise * step)
  const width = (otherwise: number) => (typeof w === 'number' ? w : otherwise * step)
  const probes: Shape[] = [[1, height(2), width(3)]]
  if (typeof n !== 'number') probes.push([2, height(3), width(2)])
  return probes
}

/** The largest difference of a logit, relative to the largest logit. */
async function compared(
  files: ModelFiles,
  { runtime, bytes }: { readonly runtime: OnnxRuntime; readonly bytes: Uint8Array },
  probes: readonly Shape[],
): Promise<number> {
  const random = createRandom(11)
  const images = probes.map((shape) => {
    return { shape, values: Float32Array.from({ length: shape[0] * shape[1] * shape[2] }, () => random()) }
  })
  const expected = await onOther(() => withNetwork(files, (network) => logitsOf(network, images)))
  const session = await runtime.createSession(bytes, { executionProviders: ['cpu'], logSeverityLevel: 3 })
  try {
    let [difference, largest] = [0, Number.MIN_VALUE]
    for (const [index, { shape, values }] of images.entries()) {
      const [n, h, w] = shape
      const results = await session.run({ [IMAGE]: runtime.tensor('float32', values, [n, 1, h, w]) })
      const given = results[LOGITS]?.data
      const wanted = expected[index]
      if (!(given instanceof Float32Array) || given.length !== wanted?.length) return Infinity
      const classes = wanted.length / (n * h * w)
      wanted.forEach((value, at) => {
        const [pixel, c] = [Math.floor(at / classes), at % classes]
        const place = (Math.floor(pixel / (h * w)) * classes + c) * h * w + (pixel % (h * w))
        largest = Math.max(largest, Math.abs(value))
        difference = Math.max(difference, Math.abs(value - (given[place] ?? NaN)))
      })
    }
    return difference / largest
  } finally {
    await session.release()
  }
}

/** Logits [n, h, w, classes] of each. */
async function logitsOf(
  network: LayersModel,
  images: readonly { readonly shape: Shape; readonly values: Float32Array }[],
): Promise<Float32Array[]> {
  const all: Float32Array[] = []
  for (const { shape, values } of images) {
    const logits = tf.tidy(() => forwardOf(network)(tf.tensor4d(values, [...shape, 1]), false))
    try {
      all.push(await readFloats(logits))
    } finally {
      logits.dispose()
    }
  }
  return all
}

async function withNetwork<T>(files: ModelFiles, work: (network: LayersModel) => Promise<T>): Promise<T> {
  const { network } = await buildModel(files)
  try {
    return await work(network)
  } finally {
    network.dispose()
  }
}

function onnxRuntime(): OnnxRuntime {
  try {
    return loadOnnxRuntime(readSettings().packagesDir)
  } catch (cause) {
    const refusal = refusalOf(cause)
    const detail = refusal.detail ?? refusal.reason
    throw new CodedError('compute-failed', `ONNX files cannot be checked here. ${refusalText(refusal)}`, {
      cause,
      detail,
    })
  }
}

/** On the recorder, which is started for this where it does not run. */
async function onNative<T>(work: () => Promise<T>): Promise<T> {
  // Undefined before the first one, whatever its type says.
  const before: unknown = tf.getBackend()
  if (before === NATIVE_BACKEND) return await work()
  await startNative({ provider: 'cpu', threads: 1, packagesDir: readSettings().packagesDir })
  try {
    return await work()
  } finally {
    tf.removeBackend(NATIVE_BACKEND)
    if (typeof before === 'string') await tf.setBackend(before)
  }
}

/** On kernels that have nothing in common with what is compared: the current backend's, unless it is the recorder. */
async function onOther<T>(work: () => Promise<T>): Promise<T> {
  const before: unknown = tf.getBackend()
  if (typeof before === 'string' && before !== NATIVE_BACKEND) return await work()
  try {
    await startWasm(1).catch(() => tf.setBackend('cpu'))
    return await work()
  } finally {
    if (typeof before === 'string') await tf.setBackend(before)
  }
}
