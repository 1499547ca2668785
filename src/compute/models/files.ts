import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { z } from 'zod'
import { CodedError } from '../../core/contract/errors.ts'
import { parseCard } from './card.ts'
import type { ModelCard } from '../../core/contract/compute.ts'

/**
 * A model folder holds `model.json` and `weights.bin` (a TensorFlow.js layers model, readable by any TensorFlow.js) and
 * `card.json` (ModelCard).
 */
export interface LoadedModel {
  readonly network: layers.LayersModel
  readonly card: ModelCard
}

const topologySchema = z.object({
  format: z.literal('layers-model'),
  generatedBy: z.string().nullish(),
  modelTopology: z.record(z.string(), z.unknown()),
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.literal('weights.bin')),
      weights: z.array(
        z.object({
          name: z.string(),
          shape: z.array(z.int().min(0)),
          dtype: z.literal('float32'),
        }),
      ),
    }),
  ),
})

/** Writes a complete model folder at `dir`, which must not exist: a temporary folder beside it, synced, then renamed. */
export async function saveModel(dir: string, network: layers.LayersModel, card: ModelCard): Promise<void> {
  const temporary = path.join(path.dirname(dir), `.${path.basename(dir)}.${randomUUID()}.tmp`)
  try {
    await mkdir(temporary, { recursive: true })
    await network.save(
      tf.io.withSaveHandler(async (artifacts) => {
        const topology = {
          format: 'layers-model',
          generatedBy: `TensorFlow.js tfjs-layers v${layers.version_layers}`,
          convertedBy: null,
          modelTopology: artifacts.modelTopology,
          weightsManifest: [{ paths: ['weights.bin'], weights: artifacts.weightSpecs }],
        }
        await writeSynced(path.join(temporary, 'model.json'), JSON.stringify(topology))
        await writeSynced(path.join(temporary, 'weights.bin'), weightBytes(artifacts.weightData))
        return {
          modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' },
        }
      }),
    )
    await writeSynced(path.join(temporary, 'card.json'), `${JSON.stringify(card, null, 2)}\n`)
    await rename(temporary, dir)
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    throw new CodedError('not-saved', `The model could not be written to ${dir}; check the space and rights there.`, {
      cause: error,
      detail: String(error),
    })
  }
}

/** Reads a model folder. Throws CodedError('bad-file') for a foreign, truncated or inconsistent one. */
export async function loadModel(dir: string): Promise<LoadedModel> {
  const [cardText, topologyText, weights] = await Promise.all([
    readPart(dir, 'card.json'),
    readPart(dir, 'model.json'),
    readPart(dir, 'weights.bin'),
  ])
  const card = parseCard(cardText.toString('utf8'), dir)
  const network = await readNetwork(dir, topologyText.toString('utf8'), weights)
  try {
    checkNetwork(network, card)
  } catch (error) {
    network.dispose()
    throw badModel(dir, error)
  }
  return { network, card }
}

async function readNetwork(dir: string, text: string, weights: Buffer): Promise<layers.LayersModel> {
  try {
    const { modelTopology, weightsManifest } = topologySchema.parse(JSON.parse(text))
    const specs = weightsManifest.flatMap((group) => group.weights)
    const bytes = specs.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0)
    if (bytes !== weights.byteLength) throw new Error(`weights.bin has ${weights.byteLength} bytes instead of ${bytes}`)
    return await layers.loadLayersModel({
      load: async () => ({
        modelTopology,
        weightSpecs: specs.map((spec) => ({ ...spec })),
        weightData: Uint8Array.from(weights).buffer,
      }),
    })
  } catch (error) {
    throw badModel(dir, error)
  }
}

function checkNetwork(network: layers.LayersModel, card: ModelCard): void {
  const [, height, width, channels] = network.inputs[0]?.shape ?? []
  const output = network.outputs[0]?.shape ?? []
  if (network.inputs.length !== 1 || network.outputs.length !== 1) throw new Error('one input and one output expected')
  if (height !== null || width !== null || channels !== card.architecture.inputChannels) {
    throw new Error('the input must be an image of any size with one channel')
  }
  if (output.length !== 4 || output[3] !== card.labels.length + 1) {
    throw new Error(`the output has ${String(output[3])} channels, the card names ${card.labels.length} labels`)
  }
}

function badModel(dir: string, error: unknown): CodedError {
  return new CodedError('bad-file', `The model in ${dir} is damaged or of another kind; choose another model.`, {
    cause: error,
    detail: error instanceof Error ? error.message : String(error),
  })
}

async function readPart(dir: string, name: string): Promise<Buffer> {
  const file = path.join(dir, name)
  try {
    return await readFile(file)
  } catch (error) {
    throw new CodedError('bad-file', `The model file ${file} cannot be read; choose another model.`, {
      cause: error,
      detail: String(error),
    })
  }
}

function weightBytes(data: tf.io.WeightData | undefined): Uint8Array {
  if (data === undefined) throw new Error('The network has no weights.')
  return Array.isArray(data) ? Buffer.concat(data.map((part) => new Uint8Array(part))) : new Uint8Array(data)
}

async function writeSynced(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'w')
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
