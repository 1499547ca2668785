import { CodedError } from '../../core/contract/errors.ts'
import { openTiled, readImage, readImageInfo, readMask } from '../index.ts'
import type { ImageVolume } from '../types.ts'

/** How a file was taken. */
export type Outcome =
  | { readonly kind: 'read' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'fault'; readonly message: string }

/** Codes by which a file may be refused. Anything else, 'internal' above all, is a fault of ours. */
const REFUSALS: readonly string[] = ['bad-file', 'file-missing', 'no-permission']

/**
 * Reads an image to its end, and says whether it was read to something sound or refused in a sentence that names one of
 * `files`.
 */
export async function tryImage(path: string, files: readonly string[]): Promise<Outcome> {
  return outcomeOf(files, async () => {
    const info = await readImageInfo(path)
    if (info.tiled) return await unsoundTiles(path)
    const volume = await readImage(path)
    try {
      return await unsound(volume)
    } finally {
      await volume.voxels.close()
    }
  })
}

/** The same for a mask. */
export async function tryMask(path: string, files: readonly string[]): Promise<Outcome> {
  return outcomeOf(files, async () => {
    const { dims, labels } = await readMask(path)
    const promised = dims[0] * dims[1] * dims[2]
    return labels.length === promised ? null : `gives ${labels.length} labels for ${promised}`
  })
}

/** `work` gives what is wrong with what it read, null where nothing is. */
async function outcomeOf(files: readonly string[], work: () => Promise<string | null>): Promise<Outcome> {
  try {
    const wrong = await work()
    return wrong === null ? { kind: 'read' } : { kind: 'fault', message: wrong }
  } catch (error) {
    if (!(error instanceof CodedError) || !REFUSALS.includes(error.code)) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { kind: 'fault', message }
    }
    const { message } = error
    if (!isSentence(message, files)) return { kind: 'fault', message: `is no sentence for a user: ${message}` }
    return { kind: 'refused', message }
  }
}

/** One sentence in one line that names the file, or one of those that belong to it, and ends as a sentence does. */
function isSentence(message: string, files: readonly string[]): boolean {
  return (
    files.some((name) => message.includes(name)) &&
    message.endsWith('.') &&
    !/[\r\n]|undefined|NaN|\[object/.test(message) &&
    message.length < 400
  )
}

/** A tile of each level, those that are made of the next larger one too. */
async function unsoundTiles(path: string): Promise<string | null> {
  const image = await openTiled(path)
  try {
    for (const [level, { width, height }] of image.levels.entries()) {
      const tile = await image.tile(level, 0, 0)
      const expected = Math.min(width, image.tileWidth) * Math.min(height, image.tileHeight) * tile.channels
      if (tile.data.length !== expected) return `gives ${tile.data.length} samples for ${expected} in a tile`
    }
    return null
  } finally {
    await image.close()
  }
}

async function unsound(volume: ImageVolume): Promise<string | null> {
  const { dims, channels, voxels, spacing, affine, info } = volume
  if (dims.some((extent) => !Number.isSafeInteger(extent) || extent < 1)) return `has the extent ${dims.join(' x ')}`
  if (spacing.some((step) => !(step > 0 && Number.isFinite(step)))) return `has the spacing ${spacing.join(' x ')}`
  if (affine !== null && !affine.flat().every(Number.isFinite)) return 'has an affine that is not finite'
  if (!Number.isFinite(volume.slope) || volume.slope === 0 || !Number.isFinite(volume.inter))
    return 'has no usable scaling'
  if (info.dims.length < 4 || info.frames < 1) return `states ${info.dims.join(' x ')} and ${info.frames} frames`
  let samples = 0
  for await (const piece of voxels.pieces()) samples += piece.length
  await voxels.complete()
  const promised = dims[0] * dims[1] * dims[2] * channels
  if (samples !== promised) return `gives ${samples} samples for ${promised}`
  const slice = await voxels.slice(2, dims[2] - 1)
  return slice.length === dims[0] * dims[1] * channels ? null : `gives ${slice.length} samples in a slice`
}
