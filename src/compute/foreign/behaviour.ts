import { give } from './trials.ts'
import { samplePicture } from './sample.ts'
import { roundUp } from '../data/padding.ts'
import type { NetworkUse } from '../../core/contract/network.ts'
import type { Fit, Subject } from './trials.ts'

/** What a network gives, and at what cost. */
export interface Behaviour {
  readonly scores: NetworkUse['scores']
  readonly classes: NetworkUse['classes']
  readonly single: boolean
  readonly reach: number | null
  readonly bytesPerPixel: number
  readonly pixelsPerSecond: number
  /** Of the sample picture of the size that fits. */
  readonly output: Float32Array
}

/** Two runs may differ by so much of the largest value: pictures computed together are added up in another order. */
const SAME = 1e-3
/** Of sums of probabilities, which may have half the usual precision. */
const NEAR_ONE = 5e-3
/** What a picture is multiplied by, once its grey is 0, to see whether values leave the range of probabilities. */
const LOUD = [200, -200] as const
/** Wide enough for what most networks look at; a network of one size is tried at that. */
const REACH_TRIAL = 256
const MAX_CLASSES = 255
/** An image that is turned far up at one pixel, so that what reads it gives something else. */
const BUMP = 8

/** Throws an Error that completes the sentence "net.onnx …". */
export async function observe(subject: Subject, fit: Fit): Promise<Behaviour> {
  const run = runner(subject, fit)
  const { width, height, channels } = fit
  if (fit.output.channels > MAX_CLASSES + 1) {
    throw new Error(
      `gives ${fit.output.channels} values a pixel; a segmentation has at most ${MAX_CLASSES} classes here`,
    )
  }
  const picture = samplePicture(channels, width, height)
  const output = await run(picture, 1, width, height)
  await checkValues(run, picture, output, fit)
  if (differs(output, await run(picture, 1, width, height), 1e-6)) {
    throw new Error('gives another result each time; export it for prediction (in PyTorch: model.eval() first)')
  }
  const single = await isSingle(run, subject, fit, picture, output)
  const memory = process.resourceUsage().maxRSS
  const large = fit.size ?? square(roundUp(REACH_TRIAL, fit.step))
  const reached = await reachOf(run, fit, large)
  const grown = (process.resourceUsage().maxRSS - memory) * 1024
  const pixels = large.width * large.height - (fit.size === null ? width * height : 0)
  const least = 16 * Math.max(subject.file.base, channels + fit.output.channels)
  return {
    ...meaningOf(output, await staysInside(run, picture, output, fit), fit),
    single,
    reach: reached.reach,
    bytesPerPixel: Math.max(least, grown / Math.max(1, pixels)),
    pixelsPerSecond: (large.width * large.height) / reached.seconds,
    output,
  }
}

type Run = (values: Float32Array, count: number, width: number, height: number) => Promise<Float32Array>

function runner(subject: Subject, { layout, channels, output }: Fit): Run {
  return async (values, count, width, height) => {
    const results = await give(subject, layout, { values, count, channels, width, height }, [output.name])
    const data = results[output.name]?.data
    if (!(data instanceof Float32Array)) throw new Error('gives numbers of another type than it says')
    return data
  }
}

/** In whatever range it takes intensities: some say nothing but "background" outside of theirs. */
async function checkValues(
  run: Run,
  picture: Float32Array,
  output: Float32Array,
  { width, height }: Fit,
): Promise<void> {
  if (output.some((value) => !Number.isFinite(value))) {
    throw new Error('gives values that are no numbers for an ordinary image')
  }
  for (const scale of [1, 255, -1]) {
    const values =
      scale === 1
        ? output
        : await run(
            picture.map((value) => scale * value),
            1,
            width,
            height,
          )
    const [first = 0] = values
    if (values.some((value) => value !== first)) return
  }
  throw new Error('gives the same value for every pixel, whatever it is shown')
}

function differs(a: Float32Array, b: Float32Array, tolerance: number): boolean {
  const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  return a.length !== b.length || a.some((value, i) => !(Math.abs(value - (b[i] ?? NaN)) <= tolerance * largest))
}

/** Does it take one picture at a time, or mix up those that it takes together? */
async function isSingle(
  run: Run,
  { file }: Subject,
  { width, height }: Fit,
  picture: Float32Array,
  alone: Float32Array,
): Promise<boolean> {
  if (file.input.dims[0] !== null) return true
  const both = new Float32Array(2 * picture.length)
  both.set(picture)
  both.set(
    picture.map((value) => 1 - value),
    picture.length,
  )
  try {
    const together = await run(both, 2, width, height)
    return together.length !== 2 * alone.length || differs(alone, together.subarray(0, alone.length), SAME)
  } catch {
    return true
  }
}

/** Changes the pixel in the middle and looks how far away the output changes. */
async function reachOf(
  run: Run,
  { channels, output: { layout, channels: classes }, step }: Fit,
  { width, height }: { width: number; height: number },
): Promise<{ reach: number | null; seconds: number }> {
  const picture = samplePicture(channels, width, height)
  const before = await run(picture, 1, width, height)
  const [column, row] = [Math.floor(width / 2), Math.floor(height / 2)]
  for (let c = 0; c < channels; c++) {
    const at = (c * height + row) * width + column
    picture[at] = (picture[at] ?? 0) + BUMP
  }
  const begin = performance.now()
  const after = await run(picture, 1, width, height)
  const seconds = Math.max(1e-3, (performance.now() - begin) / 1000)
  let farthest = 0
  after.forEach((value, i) => {
    if (value === before[i]) return
    const pixel = layout === 'channels-last' ? Math.floor(i / classes) : i % (width * height)
    const [x, y] = [pixel % width, Math.floor(pixel / width)]
    farthest = Math.max(farthest, Math.abs(x - column), Math.abs(y - row))
  })
  // Up to the edge: nobody knows how far beyond.
  const edge = Math.min(column, row) - 1
  return { reach: farthest >= edge ? null : farthest + (step > 1 ? step : 0), seconds }
}

/**
 * Probabilities lie between 0 and 1 whatever a network is shown. Logits may do so for one picture, and then would be taken
 * for probabilities, whose classes begin elsewhere; for intensities far out of the ordinary they do not.
 */
async function staysInside(
  run: Run,
  picture: Float32Array,
  output: Float32Array,
  { width, height, output: { end } }: Fit,
): Promise<boolean> {
  if (end === 'Softmax' || end === 'Sigmoid') return true
  if (leaves(output)) return false
  for (const gain of LOUD) {
    const loud = picture.map((value) => gain * (value - 0.5))
    // Some look up what they are shown in a table, and do not run on this: that says nothing.
    const shown = await run(loud, 1, width, height).catch(() => output)
    if (leaves(shown)) return false
  }
  return true
}

function leaves(values: Float32Array): boolean {
  return values.some((value) => value < 0 || value > 1)
}

/** A softmax need not add up to 1: some networks leave out the background after it, and then each class is one of its own. */
function meaningOf(
  values: Float32Array,
  inside: boolean,
  { output: { channels, layout, end } }: Fit,
): Pick<Behaviour, 'scores' | 'classes'> {
  const scores = inside ? 'probabilities' : 'logits'
  if (channels === 1 || end === 'Sigmoid') return { scores, classes: 'independent' }
  return { scores, classes: !inside || sumsToOne(values, channels, layout) ? 'exclusive' : 'independent' }
}

function sumsToOne(values: Float32Array, channels: number, layout: NetworkUse['output']['layout']): boolean {
  const pixels = values.length / channels
  for (let i = 0; i < pixels; i++) {
    let sum = 0
    for (let c = 0; c < channels; c++)
      sum += values[layout === 'channels-last' ? i * channels + c : c * pixels + i] ?? 0
    if (Math.abs(sum - 1) > NEAR_ONE) return false
  }
  return true
}

function square(size: number): { width: number; height: number } {
  return { width: size, height: size }
}
