import * as tf from '@tensorflow/tfjs-core'
import { collectGraph } from './graph/collect.ts'
import { optimize } from './graph/passes/optimize.ts'
import { heldOf, settle } from './graph/settle.ts'
import { elementTypeOf, holds, ownValue, valueIn } from './tensors.ts'
import type { Engine } from './engine.ts'
import type { Footprint } from './graph/footprint.ts'
import type { Elements, Held, Value } from './graph/types.ts'
import type { Layout, Recorded } from './tensors.ts'

export const NATIVE_BACKEND = 'native'

/**
 * A backend of TensorFlow.js in which tensors are symbols: a kernel adds nodes to a graph and returns at once. What was
 * asked for so far is computed, by ONNX Runtime and as one graph, when values are read. Tensors that are given (tf.tensor)
 * are fed to the graph, or are part of it while a program is recorded (program.ts).
 */
export class NativeBackend extends tf.KernelBackend {
  readonly engine: Engine
  readonly #tensors = new Map<object, Recorded>()
  /** Told of the value of each tensor that is made from given elements, while a program is recorded. */
  onGiven: ((value: Value, elements: Elements) => void) | null = null
  /** What programs refer to besides tensors. */
  readonly kept = new Set<ReadonlySet<Value>>()
  /** Memory of the device that belonged to tensors which are gone. */
  readonly #dropped = new Set<Held>()
  #running = 0

  constructor(engine: Engine) {
    super()
    this.engine = engine
  }

  override numDataIds(): number {
    return this.#tensors.size
  }

  override write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object {
    const dataId = {}
    const given = elementsOf(values, elementTypeOf(dtype))
    // The array is the caller's, who may write into it before what is asked for now is computed.
    const elements = given === values ? given.slice() : given
    const value = this.#add(dataId, elements, shape, dtype, 1)
    this.onGiven?.(value, elements)
    return dataId
  }

  override move(
    dataId: object,
    values: tf.backend_util.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    this.#add(dataId, elementsOf(values, elementTypeOf(dtype)), shape, dtype, references)
  }

  #add(dataId: object, elements: Elements, shape: number[], dtype: tf.DataType, references: number): Value {
    const value: Value = { shape, type: elementTypeOf(dtype), source: { kind: 'input', held: holds(elements) } }
    this.#tensors.set(dataId, { dtype, layout: 'plain', values: { plain: value }, references })
    return value
  }

  /** A tensor of this (TensorFlow.js's) shape whose elements are `value`, which lies in `layout`. */
  make(value: Value, shape: readonly number[], dtype: tf.DataType, layout: Layout = 'plain'): tf.TensorInfo {
    const dataId = {}
    this.#tensors.set(dataId, { dtype, layout, values: { [layout]: value }, references: 1 })
    return { dataId, shape: [...shape], dtype }
  }

  /** The same tensor under another shape or name: one reference more. */
  share({ dataId, dtype }: tf.TensorInfo, shape: readonly number[]): tf.TensorInfo {
    this.incRef(dataId)
    return { dataId, shape: [...shape], dtype }
  }

  recorded({ dataId }: { readonly dataId: object }): Recorded {
    if (!this.#tensors.has(dataId) && tf.engine().state.tensorInfo.has(dataId)) tf.engine().moveData(this, dataId)
    const recorded = this.#tensors.get(dataId)
    if (recorded === undefined) throw new Error('The tensor was disposed.')
    return recorded
  }

  /** Puts something else behind a tensor, with its count of references; gives what was there. */
  exchange(tensor: { readonly dataId: object }, replacement: Recorded): Recorded {
    const recorded = this.recorded(tensor)
    replacement.references = recorded.references
    this.#tensors.set(tensor.dataId, replacement)
    return recorded
  }

  /** Every value of a tensor that is still there; a value may be one of several tensors. */
  liveValues(): Value[] {
    return [...this.#tensors.values()].map(ownValue)
  }

  /** What computing these tensors takes of memory; nothing is computed. */
  footprint(tensors: readonly tf.TensorInfo[]): Footprint {
    return this.engine.footprint(optimize(collectGraph(tensors.map((tensor) => ownValue(this.recorded(tensor))))))
  }

  /** Gives back what is only kept to be faster. */
  trim(): void {
    this.engine.trim()
  }

  override async read(dataId: object): Promise<tf.backend_util.BackendValues> {
    const recorded = this.recorded({ dataId })
    const value = valueIn(recorded, 'plain')
    return await this.running(async () => {
      // All that is still wanted is computed at once, so that nothing is computed twice.
      await settle(this.engine, [value], this.liveValues())
      return await this.engine.elements(heldOf(value))
    })
  }

  /** Does what uses values; memory of the device is given back when nothing does. */
  async running<T>(work: () => Promise<T>): Promise<T> {
    this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      this.#giveBack()
    }
  }

  /** What is not computed yet may need what tensors held that are gone. */
  #giveBack(): void {
    if (this.#dropped.size === 0 || this.#running > 0) return
    const values = [...this.liveValues(), ...[...this.kept].flatMap((each) => [...each])]
    if (values.some(({ source }) => source.kind === 'node')) return
    const used = new Set(values.map(({ source }) => (source.kind === 'input' ? source.held : null)))
    for (const held of this.#dropped) if (!used.has(held)) this.engine.release(held)
    this.#dropped.clear()
  }

  override readSync(dataId: object): tf.backend_util.BackendValues {
    const value = valueIn(this.recorded({ dataId }), 'plain')
    const elements = value.source.kind === 'node' ? null : heldOf(value).elements
    if (elements === null) throw new Error('The native backend computes behind: read with data(), not dataSync().')
    return elementsForTensor(elements)
  }

  override disposeData(dataId: object, force = false): boolean {
    const recorded = this.#tensors.get(dataId)
    if (recorded === undefined) return true
    recorded.references--
    if (recorded.references > 0 && !force) return false
    this.#tensors.delete(dataId)
    for (const { source } of Object.values(recorded.values)) {
      const held = source.kind === 'input' ? source.held : null
      if (held !== null && held.device !== null) this.#dropped.add(held)
    }
    return true
  }

  override refCount(dataId: object): number {
    return this.#tensors.get(dataId)?.references ?? 0
  }

  override incRef(dataId: object): void {
    const recorded = this.#tensors.get(dataId)
    if (recorded !== undefined) recorded.references++
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false }
  }

  override timerAvailable(): boolean {
    return false
  }

  override floatPrecision(): 16 | 32 {
    return 32
  }

  override epsilon(): number {
    return 1e-7
  }

  override dispose(): void {
    this.#tensors.clear()
    this.engine.dispose()
  }
}

function elementsOf(values: tf.backend_util.BackendValues, type: string): Elements {
  if (type === 'float32') return values instanceof Float32Array ? values : Float32Array.from(numbers(values))
  if (type === 'int32') return values instanceof Int32Array ? values : Int32Array.from(numbers(values))
  return values instanceof Uint8Array ? values : Uint8Array.from(numbers(values))
}

function numbers(values: tf.backend_util.BackendValues): ArrayLike<number> {
  if (Array.isArray(values)) throw new Error('Tensors of text cannot be recorded.')
  return values
}

export function elementsForTensor(elements: Elements): Float32Array | Int32Array | Uint8Array {
  if (elements instanceof BigInt64Array) return Int32Array.from(elements, Number)
  return elements
}
