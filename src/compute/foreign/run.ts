import type { NetworkUse } from '../../core/contract/network.ts'
import type { InferenceSession, Tensor } from 'onnxruntime-common'
import type { OnnxRuntime } from '../native/session/package.ts'

type Layout = NetworkUse['input']['layout']

export interface Pictures {
  /** count x channels x height x width. */
  readonly values: Float32Array
  readonly count: number
  readonly channels: number
  readonly height: number
  readonly width: number
}

/**
 * Memory is given back after each pass: pictures differ in size, and what an arena keeps is lost to all others. Standard
 * error is for what we say.
 */
const OPTIONS = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  logSeverityLevel: 4,
} as const

/** On the processor, whatever the rung is. The bytes may be dropped afterwards. */
export function openSession(runtime: OnnxRuntime, bytes: Uint8Array, threads: number): Promise<InferenceSession> {
  return runtime.createSession(bytes, { ...OPTIONS, executionProviders: ['cpu'], intraOpNumThreads: threads })
}

/** The named outputs for some pictures. */
export async function runSession(
  runtime: OnnxRuntime,
  session: InferenceSession,
  input: { readonly name: string; readonly layout: Layout },
  pictures: Pictures,
  outputs: readonly string[],
): Promise<Record<string, Tensor>> {
  const { values, count, channels, height, width } = pictures
  const first = input.layout === 'channels-first'
  const elements = first || channels === 1 ? values : channelsLast(pictures)
  const shape = first ? [count, channels, height, width] : [count, height, width, channels]
  return await session.run({ [input.name]: runtime.tensor('float32', elements, shape) }, outputs)
}

function channelsLast({ values, count, channels, height, width }: Pictures): Float32Array {
  const pixels = height * width
  const moved = new Float32Array(values.length)
  for (let n = 0; n < count; n++) {
    for (let c = 0; c < channels; c++) {
      const plane = (n * channels + c) * pixels
      for (let i = 0; i < pixels; i++) moved[(n * pixels + i) * channels + c] = values[plane + i] ?? 0
    }
  }
  return moved
}

/** Where an output is one value a pixel and channel of pictures of this size, how it lies and how many channels; else null. */
export function outputLayout(
  dims: readonly number[],
  { count, height, width }: Pick<Pictures, 'count' | 'height' | 'width'>,
): { layout: NetworkUse['output']['layout']; channels: number } | null {
  const [n, a, b, c] = dims
  if (n !== count) return null
  if (dims.length === 3) return a === height && b === width ? { layout: 'plane', channels: 1 } : null
  if (dims.length !== 4 || a === undefined || c === undefined) return null
  if (b === height && c === width) return { layout: 'channels-first', channels: a }
  if (a === height && b === width) return { layout: 'channels-last', channels: c }
  return null
}

/** What a network gives, as count x height x width x classes, background first and the largest the class. */
export function scoresOf(
  data: Float32Array,
  { output, classes, scores }: Pick<NetworkUse, 'output' | 'classes' | 'scores'>,
  background: boolean,
  { count, height, width }: Pick<Pictures, 'count' | 'height' | 'width'>,
): { logits: Float32Array; classes: number } {
  const { channels, layout } = output
  const added = background ? 0 : 1
  const all = channels + added
  const pixels = height * width
  if (added === 0 && layout === 'channels-last') return { logits: data, classes: all }
  const logits = new Float32Array(count * pixels * all)
  // A class of its own says yes above one half, or above 0: there its background lies.
  const least = classes === 'independent' && scores === 'probabilities' ? 0.5 : 0
  for (let n = 0; n < count; n++) {
    if (added === 1) for (let i = 0; i < pixels; i++) logits[(n * pixels + i) * all] = least
    for (let c = 0; c < channels; c++) {
      const plane = (n * channels + c) * pixels
      for (let i = 0; i < pixels; i++) {
        const from = layout === 'channels-last' ? (n * pixels + i) * channels + c : plane + i
        logits[(n * pixels + i) * all + c + added] = data[from] ?? 0
      }
    }
  }
  return { logits, classes: all }
}
