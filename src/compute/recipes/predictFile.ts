import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { readImage, valueMapExtension, writeAtomically, writeMaskAs, writeValueMaps } from '../../imaging/index.ts'
import { predictImage } from '../inference/predictImage.ts'
import { objectTable } from './objectTable.ts'
import type { z } from 'zod'
import type { computeMethods } from '../../core/contract/compute.ts'
import type { ImageVolume } from '../../imaging/index.ts'
import type { ImagePrediction } from '../inference/predictImage.ts'
import type { AnyModel } from '../models/cache.ts'

type Order = Omit<z.output<(typeof computeMethods)['predictFile']['params']>, 'modelDir'>
type Done = z.output<(typeof computeMethods)['predictFile']['result']>

interface Call {
  readonly signal: AbortSignal
  /** The share that is done, writing left out. */
  readonly onProgress: (share: number) => void
  readonly notify: (message: string) => void
}

/** Most that a PNG holds. */
const MOST_IN_PNG = 65_535

/**
 * Predicts an image file and writes what is asked for, each file aside, read back, compared and only then under its name; what
 * lies beside the mask first, so that where a mask is all is. Throws CodedError as predictImage and the writers.
 */
export async function predictFile(model: AnyModel, order: Order, { signal, onProgress, notify }: Call): Promise<Done> {
  const { input, output, inference, objects, probabilities, instances } = order
  const image = await readImage(input, { signal })
  try {
    if (image.info.tiled) {
      throw new CodedError(
        'bad-file',
        `${path.basename(input)} is too large to be predicted at once; export regions of it and predict those.`,
      )
    }
    const prediction = await predictImage(model, image, {
      ...(inference === undefined ? {} : { inference }),
      ...(objects === undefined || objects === null ? {} : { objects }),
      ...{ probabilities, entropy: probabilities, instances, signal, onProgress, notify },
    })
    return await writeAll(image, prediction, { output, model, signal })
  } finally {
    await image.voxels.close()
  }
}

async function writeAll(
  image: ImageVolume,
  { labels, probabilities, entropy, objects }: ImagePrediction,
  { output, model, signal }: { output: string; model: AnyModel; signal: AbortSignal },
): Promise<Done> {
  const stem = output.replace(/(\.nii\.gz|\.nii|\.[a-z0-9]+)$/i, '')
  const files: string[] = []
  const values = valueMapExtension(image)
  if (probabilities !== null) {
    const file = `${stem}.probabilities${values}`
    await writeValueMaps(file, probabilities.data, image, signal)
    files.push(file)
  }
  if (entropy !== null) {
    const file = `${stem}.entropy${values}`
    await writeValueMaps(file, entropy, image, signal)
    files.push(file)
  }
  if (objects === null) {
    const names = model.card.labels
    await writeMaskAs(output, formatOf(output), labels, image, { names, signal })
    return { files: [output, ...files], objects: null }
  }
  const table = await objectTable(objects, image, signal)
  await writeAtomically(`${stem}.objects.csv`, [Buffer.from(table.csv)])
  await writeAtomically(`${stem}.objects.json`, [Buffer.from(table.json)])
  files.push(`${stem}.objects.csv`, `${stem}.objects.json`)
  // More than a PNG can number go into a TIFF.
  const mask = formatOf(output) === 'png' && table.count > MOST_IN_PNG ? `${stem}.tif` : output
  await writeMaskAs(mask, formatOf(mask), objects, image, { leastBits: 16, signal })
  return { files: [mask, ...files], objects: table.count }
}

function formatOf(file: string): 'nifti' | 'png' | 'tiff' {
  const ending = path.extname(file).toLowerCase()
  if (ending === '.png') return 'png'
  return ending === '.tif' || ending === '.tiff' ? 'tiff' : 'nifti'
}
