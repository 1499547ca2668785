import path from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { MAX_JSON, readJson, readPart, refusal } from './reading.ts'
import { readManifest } from './topology.ts'
import { isContracting } from './unet.ts'
import { firstNonFinite, readWeights } from './weightFiles.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'

/** What a contracting path took over from a model on disk. */
export interface EncoderTaken {
  /** Tensors of weights that were copied, out of so many that the contracting path has. */
  readonly taken: number
  readonly of: number
}

/**
 * Copies weights of the layers model in a folder (`model.json` and the files that it names) into the contracting path of a
 * network: those of the same name ("down1_2_b2/kernel") and shape. The rest of that model is not looked at, so it may be of
 * any kind. Throws CodedError('bad-file') where the folder holds no readable layers model, or nothing that fits.
 */
export async function readEncoder(dir: string, network: LayersModel): Promise<EncoderTaken> {
  const file = path.join(dir, 'model.json')
  const manifest = readJson(await readPart(file, { most: MAX_JSON }), file, readManifest)
  const bytes = await readWeights(dir, manifest.groups)
  if (firstNonFinite(bytes) !== null) throw refusal(dir, 'holds weights that are no numbers', 'damaged')
  const found = new Map<string, { shape: readonly number[]; values: Float32Array }>()
  let offset = 0
  for (const { name, shape } of manifest.weights) {
    const size = shape.reduce((product, extent) => product * extent, 1)
    found.set(name, { shape, values: new Float32Array(bytes, 4 * offset, size) })
    offset += size
  }
  let taken = 0
  let of = 0
  for (const layer of network.layers) {
    if (!isContracting(layer.name)) continue
    const weights = layer.getWeights()
    const values = layer.weights.map(({ originalName, shape }, index) => {
      of++
      const known = found.get(originalName)
      if (known === undefined || String(known.shape) !== String(shape)) return weights[index] ?? tf.zeros([0])
      taken++
      return tf.tensor(known.values.slice(), [...known.shape])
    })
    if (values.length > 0) layer.setWeights(values)
    tf.dispose(values.filter((value) => !weights.includes(value)))
  }
  if (taken === 0) throw refusal(dir, 'has no weights whose names and shapes fit the contracting path', 'foreign')
  return { taken, of }
}
