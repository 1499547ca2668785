import { FLOAT, typeName } from './file.ts'
import { outputLayout, runSession } from './run.ts'
import { samplePicture } from './sample.ts'
import type { NetworkUse } from '../../core/contract/network.ts'
import type { InferenceSession } from 'onnxruntime-common'
import type { OnnxRuntime } from '../native/session/package.ts'
import type { NetworkFile } from './file.ts'
import type { Pictures } from './run.ts'

export interface Subject {
  readonly runtime: OnnxRuntime
  readonly session: InferenceSession
  readonly file: NetworkFile
}

/** How pictures go in and what comes out, as it was found by trying. */
export interface Fit {
  readonly layout: NetworkUse['input']['layout']
  readonly channels: 1 | 3
  readonly size: NetworkUse['size']
  readonly step: number
  readonly output: NetworkUse['output'] & { readonly end: string }
  /** Outputs that are not used. */
  readonly unused: number
  /** Of the trial that it was found by. */
  readonly width: number
  readonly height: number
}

interface Shape {
  readonly layout: NetworkUse['input']['layout']
  readonly channels: 1 | 3
  /** null: any. */
  readonly height: number | null
  readonly width: number | null
}

/** Sizes are tried as odd multiples of these; about so many pixels high at least. */
const STEPS = [1, 2, 4, 8, 16, 32, 64, 128] as const
const LEAST_TRIAL = 96
const NEVER_RAN =
  'cannot be run on an image of any size that was tried; export it for free width and height, or for one fixed size'
/** More than any picture is large; a forged file must not make us allocate as it likes. */
const MOST_SIZE = 4096

/**
 * Finds out by running it how a network takes pictures: where the channels are, how many, and of which sizes its output is
 * as large as its input. Throws an Error that completes the sentence "net.onnx …".
 */
export async function findFit(subject: Subject): Promise<Fit> {
  const { outputs } = subject.file
  const floats = outputs.filter(({ type }) => type === FLOAT)
  if (floats.length === 0) {
    const [first] = outputs
    const type = first === undefined ? 'nothing' : typeName(first.type)
    throw new Error(
      `gives ${type} instead of logits or probabilities of type float32; export it without what follows them (ArgMax, a threshold)`,
    )
  }
  let misfit: Error | null = null
  let failure: unknown = null
  for (const shape of shapesOf(subject.file.input.dims)) {
    for (const step of shape.height === null ? STEPS : [1]) {
      try {
        return await tryFit(subject, shape, step)
      } catch (error) {
        if (error instanceof Misfit) misfit ??= error
        else failure = error
      }
    }
  }
  // That it ran and gave something else says more than that it did not run.
  throw misfit ?? new Error(NEVER_RAN, { cause: failure })
}

/** Every way in which the input may be a picture, the likeliest first. */
function shapesOf([count, a, b, c]: NetworkFile['input']['dims']): Shape[] {
  if (typeof count === 'number' && count !== 1) throw new Error(`takes exactly ${count} images at once, not one`)
  const shapes: Shape[] = []
  const add = (layout: Shape['layout'], extent: number | null | undefined, height: unknown, width: unknown): void => {
    const sides = [height, width].map((side) => (typeof side === 'number' ? side : null))
    const [high = null, wide = null] = sides
    for (const channels of [1, 3] as const) {
      if (extent === channels || extent === null) shapes.push({ layout, channels, height: high, width: wide })
    }
  }
  add('channels-first', a, b, c)
  // Where the last dimension is open it is a width, unless the second cannot be channels.
  if (c !== null || (typeof a === 'number' && a > 3)) add('channels-last', c, a, b)
  const fits = shapes.filter(({ height, width }) => (height === null) === (width === null))
  if (fits.length === 0) {
    if (shapes.some(({ layout }) => layout === 'channels-first') || c === 1 || c === 3) {
      throw new Error('takes images of one fixed width or height, but not of both')
    }
    const channels = typeof c === 'number' && (typeof a !== 'number' || c < a) ? c : a
    throw new Error(`takes images of ${String(channels)} channels; only grey (1) and colour (3) images are there`)
  }
  const most = Math.max(...fits.map(({ height, width }) => Math.max(height ?? 0, width ?? 0)))
  if (most > MOST_SIZE) throw new Error(`takes images of ${most} pixels, more than fit into memory`)
  return fits
}

async function tryFit(subject: Subject, shape: Shape, step: number): Promise<Fit> {
  const odd = 2 * Math.ceil((LEAST_TRIAL / step - 1) / 2) + 1
  const high = Math.max(1, odd)
  const height = shape.height ?? step * high
  // Another size in the other direction: what is mixed up or fixed shows.
  const width = shape.width ?? step * (high + 2)
  const { channels, layout } = shape
  const { file } = subject
  const floats = file.outputs.filter(({ type }) => type === FLOAT)
  const pictures = { values: samplePicture(channels, width, height), count: 1, channels, height, width }
  const results = await give(
    subject,
    layout,
    pictures,
    floats.map(({ name }) => name),
  )
  const fitting = floats.flatMap(({ name, end }) => {
    const found = outputLayout(results[name]?.dims ?? [], pictures)
    return found === null ? [] : [{ name, end, ...found }]
  })
  const [output] = fitting
  if (output === undefined) {
    const dims = results[floats[0]?.name ?? '']?.dims.join(' x ') ?? 'nothing'
    throw new Misfit(
      `gives ${dims} for an image of ${width} x ${height} pixels instead of one value for each pixel and class, so it does not segment`,
    )
  }
  const size = shape.height === null || shape.width === null ? null : { width: shape.width, height: shape.height }
  return { layout, channels, size, step, output, unused: file.outputs.length - 1, width, height }
}

/** It ran; what it gave is of no use. */
class Misfit extends Error {}

export async function give(
  { runtime, session, file }: Subject,
  layout: NetworkUse['input']['layout'],
  pictures: Pictures,
  outputs: readonly string[],
): ReturnType<typeof runSession> {
  try {
    return await runSession(runtime, session, { name: file.input.name, layout }, pictures, outputs)
  } catch (error) {
    throw new Error(`cannot be run on an image of ${pictures.width} x ${pictures.height} pixels`, { cause: error })
  }
}
