import { realpath } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Affine, Dims, ImageSelection } from '../../core/contract/schemas.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { reorientation, spacingOf, type Reorientation } from '../../core/geometry/index.ts'
import { abortError, readError } from '../files.ts'
import { writeProven } from '../masks/proof.ts'
import { writeChunks } from '../packed.ts'
import { encodePng } from '../raster/index.ts'
import { imageFiles, readImage } from '../registry.ts'
import { writeTiffStack } from '../tiff/index.ts'
import type { ImageVolume, VoxelArray } from '../types.ts'
import { Digest } from './digest.ts'
import { Frames } from './frames.ts'
import { headerFor } from './niftiHeader.ts'
import { inOrder, slicesInOrder } from './order.ts'
import { castingOf, fileBytes, type Casting, type WrittenType } from './samples.ts'
import { expectImage } from './verify.ts'

export interface ConvertOptions {
  /** An axis code, "RAS": in which order the voxels are stored. As in the input where left out. */
  readonly reorient?: string | undefined
  /** As in the input where left out. Otherwise scaled values are converted. */
  readonly datatype?: WrittenType | undefined
  /** Which image of the input. Without a frame NIfTI takes all of them, other formats the first. */
  readonly selection?: ImageSelection | undefined
  readonly signal?: AbortSignal | undefined
  /** Voxels read so far, counted twice since the output is read again, and all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface Converted {
  readonly output: string
  /** x, y, z and frames. */
  readonly dims: readonly number[]
  readonly datatype: WrittenType
  readonly bytes: number
  /** Plain sentences about what the output does not keep. */
  readonly warnings: readonly string[]
}

type Target = 'nifti' | 'png' | 'tiff'

/** What a file of this name would be; null for an ending that cannot be written. */
export function convertTarget(output: string): Target | null {
  if (/\.nii(\.gz)?$/i.test(output)) return 'nifti'
  if (/\.png$/i.test(output)) return 'png'
  return /\.tiff?$/i.test(output) ? 'tiff' : null
}

/**
 * Writes any readable image as NIfTI, PNG or TIFF, by the ending of the output. The output is written beside, reopened and compared,
 * and only then gets its name. Memory holds no more than the opened image. Throws a CodedError with a sentence for the user:
 * 'bad-request' where the output cannot hold the image or a value does not fit its type, 'verify-failed', and what reading and
 * writing throw.
 */
export async function convertImage(input: string, output: string, options: ConvertOptions = {}): Promise<Converted> {
  const target = convertTarget(output)
  if (target === null) {
    throw new CodedError('bad-request', `The name ${basename(output)} must end in .nii, .nii.gz, .png, .tif or .tiff.`)
  }
  const { selection = {}, signal } = options
  await refuseInput(input, output, options)
  const first = await readImage(input, { selection: { ...selection, frame: selection.frame ?? 0 }, signal })
  const all = target === 'nifti' && selection.frame === undefined
  const frames = new Frames(first, input, selection, all ? first.info.frames : 1)
  try {
    const conversion = planned(frames, target, options)
    await frames.prepare(output, signal)
    const { bytes } = await writeProven(output, {
      ending: /\.(nii\.gz|[a-z]+)$/i.exec(output)?.[0] ?? '',
      signal,
      write: (aside) => conversion.write(aside),
      check: (aside) => conversion.check(aside),
    })
    return { output, bytes, ...conversion.result() }
  } catch (error) {
    throw signal?.aborted ? readError(abortError(), input) : error
  } finally {
    await frames.close()
  }
}

async function refuseInput(input: string, output: string, options: ConvertOptions): Promise<void> {
  const [target] = await reached([output])
  const files = await reached(await imageFiles(input, options))
  if (target !== undefined && files.includes(target)) {
    throw new CodedError('bad-request', `${basename(output)} is the image itself; choose another name for the output.`)
  }
}

async function reached(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => realpath(path).catch(() => null)))
  return found.filter((path) => path !== null)
}

interface Conversion {
  readonly write: (aside: string) => Promise<void>
  readonly check: (aside: string) => Promise<void>
  readonly result: () => Pick<Converted, 'dims' | 'datatype' | 'warnings'>
}

function planned(frames: Frames, target: Target, options: ConvertOptions): Conversion {
  const image = frames.first
  const { signal, onProgress } = options
  const warnings = [...image.warnings]
  const order = orderOf(image, options.reorient, target)
  if (order !== null && image.info.affineSource === 'pixdim') {
    warnings.push('The image states no orientation; the one that was assumed is written to the output.')
  }
  if (image.info.datatype === 'rgba32') warnings.push('Transparency (alpha) is left out.')
  const { channels, channelNames, format } = image.info
  const several = image.channels === 1 && (channelNames.length > 1 || (format === 'ome-tiff' && channels > 1))
  if (several && options.selection?.channel === undefined) {
    warnings.push(`${basename(image.source.path)} has ${channels} channels, of which the first is written.`)
  }
  const casting = castingOf(image, options.datatype ?? null, target === 'nifti')
  const dims: Dims = order?.dims ?? image.dims
  const further = frames.count > 1 ? image.info.dims.slice(3) : []
  const total = 2 * dims[0] * dims[1] * dims[2] * frames.count
  let done = 0
  const digest = new Digest(image.channels)
  const passed = (piece: VoxelArray): void => {
    done += piece.length / image.channels
    onProgress?.(done, total)
  }
  async function* written(pieces: AsyncIterable<VoxelArray>): AsyncGenerator<VoxelArray> {
    for await (const piece of pieces) {
      signal?.throwIfAborted()
      const samples = casting.cast(piece)
      digest.add(samples)
      yield samples
      passed(piece)
    }
  }
  const result: Conversion['result'] = () => ({
    dims: [...dims, ...(further.length > 0 ? further : [1])],
    datatype: casting.type,
    // What turned up while the voxels were read is known only now.
    warnings: [
      ...new Set([...warnings, ...image.warnings, ...frames.warnings]),
      ...(casting.rounded() ? ['Values were rounded to whole numbers.'] : []),
    ],
  })
  const check = (aside: string, affine?: Affine | null): Promise<void> =>
    expectImage(aside, {
      ...{ dims, frames: frames.count, digest, held: casting.held, scaling: casting, affine, signal, passed },
    })
  if (target === 'nifti')
    return niftiConversion(frames, { dims, further, order, casting, written, check, result, signal })
  if (image.info.frames > 1 && options.selection?.frame === undefined) {
    warnings.push(`${basename(image.source.path)} has ${image.info.frames} frames, of which the first is written.`)
  }
  if (target === 'png') return pngConversion(image, { dims, order, casting, written, check, result, signal })
  warnings.push(...(image.affine === null ? [] : ['TIFF does not keep where the image lies in the patient.']))
  return tiffConversion(image, { dims, order, casting, written, check, result, signal })
}

function orderOf(image: ImageVolume, code: string | undefined, target: Target): Reorientation | null {
  if (code === undefined) return null
  const name = basename(image.source.path)
  if (image.affine === null || image.info.affine === null) {
    throw new CodedError('bad-request', `${name} does not say where it lies, so it cannot be reoriented to ${code}.`)
  }
  // NIfTI keeps the unit of its header.
  const affine = target === 'nifti' && image.source.kind === 'nifti' ? image.info.affine : image.affine
  return reorientation(image.dims, affine, code)
}

interface Work {
  readonly dims: Dims
  readonly order: Reorientation | null
  readonly casting: Casting
  readonly signal: AbortSignal | undefined
  readonly written: (pieces: AsyncIterable<VoxelArray>) => AsyncGenerator<VoxelArray>
  readonly check: (aside: string, affine?: Affine | null) => Promise<void>
  readonly result: Conversion['result']
}

function niftiConversion(
  frames: Frames,
  { dims, further, order, casting, written, check, result, signal }: Work & { readonly further: readonly number[] },
): Conversion {
  const { type, slope, inter } = casting
  const header = headerFor(frames.first, { dims, frames: further, type, slope, inter, order })
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield header.bytes
    for (let frame = 0; frame < frames.count; frame++) {
      const image = frame === 0 ? frames.first : await frames.open(frame, signal)
      try {
        for await (const samples of written(inOrder(image.voxels, order, { signal }))) {
          yield fileBytes(samples, type, header.littleEndian)
        }
        // Some are known only when the voxels have been read.
        image.warnings.forEach((warning) => frames.warnings.add(warning))
      } finally {
        if (frame > 0) await image.voxels.close()
      }
    }
  }
  const write = async (aside: string): Promise<void> => {
    await writeChunks(aside, chunks())
  }
  return { result, write, check: (aside) => check(aside, header.affine) }
}

function pngConversion(image: ImageVolume, { dims, order, casting, written, check, result, signal }: Work): Conversion {
  const name = basename(image.source.path)
  if (dims[2] !== 1) {
    throw new CodedError('bad-request', `${name} has ${dims[2]} slices and PNG holds one; write .tif or .nii.gz.`)
  }
  if (!['uint8', 'uint16', 'rgb24'].includes(casting.type)) {
    const what = `${name} would be ${casting.type}, which PNG cannot hold`
    throw new CodedError('bad-request', `${what}; write .tif, or choose the data type uint8 or uint16.`)
  }
  const write = async (aside: string): Promise<void> => {
    const data =
      casting.held === 'uint16'
        ? new Uint16Array(dims[0] * dims[1])
        : new Uint8Array(dims[0] * dims[1] * image.channels)
    let at = 0
    for await (const samples of written(inOrder(image.voxels, order, { signal }))) {
      data.set(samples, at)
      at += samples.length
    }
    const png = await encodePng({ width: dims[0], height: dims[1], channels: image.channels, data })
    async function* whole(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(png)
    }
    await writeChunks(aside, whole())
  }
  return { result, write, check: (aside) => check(aside) }
}

function tiffConversion(
  image: ImageVolume,
  { dims, order, casting, written, check, result, signal }: Work,
): Conversion {
  const [width, height, pageCount] = dims
  if (casting.type === 'int64' || casting.type === 'uint64') {
    const name = basename(image.source.path)
    throw new CodedError('bad-request', `${name} would be ${casting.type}; choose a data type of 32 bits, or float64.`)
  }
  const affine = order?.affine ?? null
  const spacing = image.spacingKnown ? (affine === null ? image.spacing : spacingOf(affine)) : undefined
  const stored: Reorientation = order ?? { axes: [0, 1, 2], flips: [false, false, false], dims, affine: [] }
  async function* pages(): AsyncGenerator<{ data: VoxelArray }> {
    for await (const data of written(slicesInOrder(image.voxels, stored, { signal }))) yield { data }
  }
  const write = async (aside: string): Promise<void> => {
    await writeTiffStack(aside, pages(), width, height, { channels: image.channels, spacing, pageCount, signal })
  }
  return { result, write, check: (aside) => check(aside) }
}
