import { CodedError } from '../../core/contract/errors.ts'
import { OutOfMemoryError, isOutOfMemory } from '../runtime/failures.ts'
import { openSession, runSession, scoresOf } from './run.ts'
import { firstLine } from './words.ts'
import type { InferenceSession } from 'onnxruntime-common'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { NetworkUse } from '../../core/contract/network.ts'
import type { Runnable } from '../inference/runnable.ts'
import type { Logits } from '../inference/forwardPass.ts'
import type { OnnxRuntime } from '../native/session/package.ts'

/** How far a pass of a network is looked beyond, where it looks at more than could be measured. */
const WIDE = 128
/** A pass keeps this process from its messages. */
const MOST_SECONDS = 10

/** A card of format 3. */
export interface ImportedCard extends ModelCard {
  readonly onnx: NetworkUse
}

export function isImported(card: ModelCard): card is ImportedCard {
  return card.onnx !== undefined
}

/** A network from elsewhere, run by ONNX Runtime on the processor, whichever backend TensorFlow.js has. */
export class ForeignNetwork implements Runnable {
  readonly channels: number
  readonly size: NetworkUse['size']
  readonly single: boolean
  readonly elsewhere = true
  readonly mostPixels: number
  readonly reach: Runnable['reach']
  readonly #card: ImportedCard
  readonly #runtime: OnnxRuntime
  readonly #session: InferenceSession

  private constructor(runtime: OnnxRuntime, session: InferenceSession, card: ImportedCard) {
    const { onnx, architecture } = card
    this.#runtime = runtime
    this.#session = session
    this.#card = card
    this.channels = architecture.inputChannels
    this.size = onnx.size
    this.single = onnx.single
    this.mostPixels = onnx.pixelsPerSecond * MOST_SECONDS
    this.reach = { pixels: onnx.reach ?? Infinity, local: onnx.reach ?? WIDE }
  }

  /** Throws CodedError('bad-file') where ONNX Runtime does not take it. */
  static async open(
    { runtime, threads }: { readonly runtime: OnnxRuntime; readonly threads: number },
    bytes: Uint8Array,
    card: ImportedCard,
  ): Promise<ForeignNetwork> {
    try {
      return new ForeignNetwork(runtime, await openSession(runtime, bytes, threads), card)
    } catch (error) {
      throw failure(error, card.name, 'cannot be loaded')
    }
  }

  get key(): object {
    return this
  }

  extents(step: number): ReturnType<Runnable['extents']> {
    return { margin: 0, least: step, step }
  }

  cost(): ReturnType<Runnable['cost']> {
    const { onnx, architecture } = this.#card
    const given = 4 * (onnx.output.channels + architecture.inputChannels)
    const beside = given + 4 * (this.#card.labels.length + 1)
    return Promise.resolve({
      fixed: 0,
      perPixel: Math.max(given, onnx.bytesPerPixel),
      perImagePixel: 0,
      largest: given,
      beside,
    })
  }

  async pass(values: Float32Array, shape: readonly [number, number, number, number]): Promise<Logits> {
    const [count, height, width] = shape
    const { onnx, background } = this.#card
    return scoresOf(await this.raw(values, shape), onnx, background.channel === 0, { count, height, width })
  }

  /** What the network itself gives, in its own layout. `values`: count x channels x height x width. */
  async raw(
    values: Float32Array,
    [count, height, width]: readonly [number, number, number, number],
  ): Promise<Float32Array> {
    const { onnx, name } = this.#card
    const pictures = { values, count, channels: this.channels, height, width }
    try {
      const results = await runSession(this.#runtime, this.#session, onnx.input, pictures, [onnx.output.name])
      const data = results[onnx.output.name]?.data
      if (data instanceof Float32Array && data.length === count * height * width * onnx.output.channels) return data
      throw new Error(`it gave something else for ${width} x ${height} pixels than when it was imported.`)
    } catch (error) {
      throw failure(error, name, 'cannot be run')
    }
  }

  async dispose(): Promise<void> {
    await this.#session.release()
  }
}

function failure(error: unknown, name: string, what: string): Error {
  if (error instanceof CodedError) return error
  const said = error instanceof Error ? error.message : String(error)
  if (isOutOfMemory(error) || /failed to allocate/i.test(said)) return new OutOfMemoryError(said)
  return new CodedError('bad-file', `The imported network ${name} ${what}: ${firstLine(said)}`, {
    cause: error,
    detail: said,
  })
}
