import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { CodedError } from '../../core/contract/errors.ts'
import { checkArchitecture, parseCard } from './card.ts'
import { sealOf, sha256 } from './checksums.ts'
import './cropping.ts'
import './groupNormalization.ts'
import { MAX_JSON, readJson, readPart, refusal } from './reading.ts'
import { writeFolder } from './saving.ts'
import { readTopology } from './topology.ts'
import { firstNonFinite, readWeights } from './weightFiles.ts'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { Topology } from './topology.ts'

/**
 * A model folder holds `model.json` and `weights.bin` (a TensorFlow.js layers model, readable by any TensorFlow.js) and
 * `card.json` (ModelCard); docs/models.md describes all three.
 */
export interface LoadedModel {
  readonly network: layers.LayersModel
  readonly card: ModelCard
}

/** The files of a model folder, read and found to belong together; nothing is built of them yet. */
export interface ModelFiles {
  readonly dir: string
  readonly card: ModelCard
  readonly topology: Topology
  /** In the order of the manifest. */
  readonly weights: ArrayBuffer
  /** The same for the same content, wherever it lies. */
  readonly content: string
}

/**
 * Writes a complete model folder at `dir`, which must not exist, or nothing, and returns the card as written, with its
 * checksums. Throws CodedError: 'disk-full', 'no-permission', 'not-saved'; 'compute-failed' when a weight is no number.
 */
export async function saveModel(dir: string, network: layers.LayersModel, card: ModelCard): Promise<ModelCard> {
  const { topology, weights } = await artifactsOf(network)
  if (firstNonFinite(weights.buffer) !== null) {
    throw new CodedError('compute-failed', 'The trained network has weights that are no numbers; it was not saved.')
  }
  const checksums = { topology: sha256(topology), weights: sha256(weights) }
  const sealed = { ...card, checksums: { ...checksums, card: '' } }
  const written: ModelCard = { ...sealed, checksums: { ...checksums, card: sealOf(sealed) } }
  await writeFolder(dir, {
    'model.json': topology,
    'weights.bin': weights,
    'card.json': `${JSON.stringify(written, null, 2)}\n`,
  })
  return written
}

async function artifactsOf(
  network: layers.LayersModel,
): Promise<{ topology: string; weights: Uint8Array<ArrayBuffer> }> {
  let topology = ''
  let weights = new Uint8Array()
  await network.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      topology = JSON.stringify({
        format: 'layers-model',
        generatedBy: `TensorFlow.js tfjs-layers v${layers.version_layers}`,
        convertedBy: null,
        modelTopology,
        weightsManifest: [{ paths: ['weights.bin'], weights: weightSpecs }],
      })
      weights = joined(weightData)
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
    }),
  )
  return { topology, weights }
}

function joined(data: tf.io.WeightData | undefined): Uint8Array<ArrayBuffer> {
  if (data === undefined) throw new Error('The network has no weights.')
  const parts = (Array.isArray(data) ? data : [data]).map((part) => new Uint8Array(part))
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Reads a model folder. Throws CodedError('bad-file') for a foreign, truncated or inconsistent one. */
export async function loadModel(dir: string): Promise<LoadedModel> {
  return await buildModel(await readModelFiles(dir))
}

/**
 * Reads the files of a model folder and checks all that can be known of them without building the network: that they
 * are whole, belong together, and describe a network that takes and gives what Maskwright needs.
 * Throws CodedError('bad-file') with one sentence that names the file, says what is wrong and what to do.
 */
export async function readModelFiles(dir: string): Promise<ModelFiles> {
  const cardFile = path.join(dir, 'card.json')
  const cardText = await readPart(cardFile, { most: MAX_JSON })
  const card = parseCard(Buffer.from(cardText).toString('utf8'), cardFile)
  if (card.onnx !== undefined) throw refusal(cardFile, 'is that of an imported network, which only predicts', 'foreign')
  const topologyFile = path.join(dir, 'model.json')
  const topologyText = await readPart(topologyFile, { most: MAX_JSON })
  const topology = readJson(topologyText, topologyFile, readTopology)
  if (card.checksums !== null && card.checksums.topology !== sha256(topologyText)) {
    throw refusal(topologyFile, 'is not the one that was saved with its card', 'damaged')
  }
  checkArchitecture(card, topology, cardFile)
  const weights = await readWeights(dir, topology.groups)
  const weightsSum = sha256(new Uint8Array(weights))
  const weightsFile = path.join(dir, topology.groups[0]?.files[0] ?? 'weights.bin')
  if (card.checksums !== null && card.checksums.weights !== weightsSum) {
    throw refusal(weightsFile, 'is damaged or belongs to another model', 'damaged')
  }
  const at = firstNonFinite(weights)
  if (at !== null) throw refusal(weightsFile, `holds weights that are no numbers (number ${at})`, 'damaged')
  return { dir, card, topology, weights, content: sha256(cardText, topologyText, weightsSum) }
}

/**
 * Builds the network. Throws CodedError('bad-file') where TensorFlow.js knows an activation or an initializer that a
 * layer names no more than we do, which it finds out before it makes any tensor.
 */
export async function buildModel({ dir, card, topology, weights }: ModelFiles): Promise<LoadedModel> {
  try {
    const network = await layers.loadLayersModel({
      load: async () => ({
        modelTopology: { ...topology.model },
        weightSpecs: topology.weights.map((spec) => ({ ...spec, shape: [...spec.shape] })),
        weightData: weights,
      }),
    })
    return { network, card }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const file = path.join(dir, 'model.json')
    throw refusal(file, 'describes a network that cannot be built here', 'foreign', { cause: error, detail })
  }
}
