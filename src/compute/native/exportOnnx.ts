import { readFile } from 'node:fs/promises'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { CodedError } from '../../core/contract/errors.ts'
import { writeAtomically } from '../../imaging/files.ts'
import { createRandom } from '../data/random.ts'
import { forwardOf } from '../models/forward.ts'
import { buildModel, readModelFiles } from '../models/files.ts'
import { inputSize } from '../models/sizes.ts'
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
import type { RecordedNetwork, TakenSizes } from './recordNetwork.ts'
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
 * [n, c, h, w] float32 as the card's `input` says, one output "logits" [n, classes, h, w]; any n, h and w (multiples of the
 * card's step) where the network allows it. What the card knows is in the file's metadata. The file is run by ONNX Runtime, and
 * compared with the network on another backend of TensorFlow.js, before it gets its name, and read again afterwards.
 * For a process in which nothing else computes meanwhile: backends change; the one that was there is put back.
 * Throws CodedError: 'bad-file' for a model that cannot be read or written so, 'compute-failed' without ONNX Runtime,
 * 'verify-failed' when the file computes something else, and as writeAtomically.
 */
export async function exportNetwork(modelDir: string, outPath: string): Promise<NetworkExport> {
  const files = await readModelFiles(modelDir)
  const runtime = onnxRuntime()
  const recorded = await onNative(() => withNetwork(files, (network) => recordNetwork(network, sizesOf(files.card))))
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

function sizesOf({ architecture, run }: ModelCard): TakenSizes {
  const atLeast = (size: number): number => inputSize(architecture, size)
  return { atLeast, step: architecture.step, fixed: atLeast(run?.patch ?? USUAL_SIZE) }
}

/** What other programs, and Maskwright when it takes the file in again, can know; each entry is a JSON text. */
function metadataOf(card: ModelCard): Record<string, string> {
  const { name, labels, input, spacing, id, createdAt, architecture, parameters, recipe, versions, handling } = card
  // Each output channel that is a class of its own has a name.
  const border = handling?.border === true
  const facts = {
    name,
    classes: [...labels.map((label) => label.name), ...(border ? ['Border'] : [])],
    input,
    ...(spacing === null ? {} : { spacing: { inPlane: spacing.inPlane, slices: spacing.slices } }),
    ...{ id, createdAt, architecture, parameters, recipe, versions },
    ...(border ? {} : { labels }),
    ...(handling === undefined ? {} : { handling }),
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

type Shape = readonly [count: number, height: number, width: number, channels: number]

/** Sizes that show what may differ: one image and two, wide and high. */
function probesOf({ extents: [n, h, w] }: RecordedNetwork, { architecture }: ModelCard): Shape[] {
  const { step, inputChannels } = architecture
  const height = (otherwise: number) => (typeof h === 'number' ? h : inputSize(architecture, otherwise * step))
  const width = (otherwise: number) => (typeof w === 'number' ? w : inputSize(architecture, otherwise * step))
  const probes: Shape[] = [[1, height(2), width(3), inputChannels]]
  if (typeof n !== 'number') probes.push([2, height(3), width(2), inputChannels])
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
    const length = shape.reduce((product, extent) => product * extent, 1)
    return { shape, values: Float32Array.from({ length }, () => random()) }
  })
  const expected = await onOther(() => withNetwork(files, (network) => logitsOf(network, images)))
  const session = await runtime.createSession(bytes, { executionProviders: ['cpu'], logSeverityLevel: 3 })
  try {
    let [difference, largest] = [0, Number.MIN_VALUE]
    for (const [index, { shape, values }] of images.entries()) {
      const [n, h, w, channels] = shape
      const planes = channelsFirst(values, h * w, channels)
      const results = await session.run({ [IMAGE]: runtime.tensor('float32', planes, [n, channels, h, w]) })
      const given = results[LOGITS]?.data
      const wanted = expected[index]
      if (!(given instanceof Float32Array) || given.length !== wanted?.values.length) return Infinity
      const { classes, pixels } = wanted
      wanted.values.forEach((value, at) => {
        const [pixel, c] = [Math.floor(at / classes), at % classes]
        const place = (Math.floor(pixel / pixels) * classes + c) * pixels + (pixel % pixels)
        largest = Math.max(largest, Math.abs(value))
        difference = Math.max(difference, Math.abs(value - (given[place] ?? NaN)))
      })
    }
    return difference / largest
  } finally {
    await session.release()
  }
}

/** From [n, h, w, c], `pixels` an image. */
function channelsFirst(values: Float32Array, pixels: number, channels: number): Float32Array {
  return values.map((_, at) => {
    const [image, rest] = [Math.floor(at / (pixels * channels)), at % (pixels * channels)]
    return values[(image * pixels + (rest % pixels)) * channels + Math.floor(rest / pixels)] ?? 0
  })
}

interface ExpectedLogits {
  /** [n, h, w, classes]. */
  readonly values: Float32Array
  readonly classes: number
  /** Of one image. */
  readonly pixels: number
}

/** What the network gives for each. */
async function logitsOf(
  network: LayersModel,
  images: readonly { readonly shape: Shape; readonly values: Float32Array }[],
): Promise<ExpectedLogits[]> {
  const all: ExpectedLogits[] = []
  for (const { shape, values } of images) {
    const logits = tf.tidy(() => forwardOf(network)(tf.tensor4d(values, [...shape]), false))
    const [, height = 1, width = 1, classes = 1] = logits.shape
    try {
      all.push({ values: await readFloats(logits), classes, pixels: height * width })
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
