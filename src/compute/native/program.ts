import * as tf from '@tensorflow/tfjs-core'
import { collectGraph } from './graph/collect.ts'
import { optimize } from './graph/passes/optimize.ts'
import { heldOf, settle } from './graph/settle.ts'
import { holds, valueIn } from './tensors.ts'
import { ownVariables, trace } from './trace.ts'
import type { Program, ProgramBody, ProgramOptions, Recorder } from '../runtime/program.ts'
import type { NativeBackend } from './backend.ts'
import type { CompiledGraph } from './engine.ts'
import type { Elements, Held, Value } from './graph/types.ts'
import type { Output, Trace } from './trace.ts'

/** Where an input of the graph comes from at each run. */
type Feed =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'variable'; readonly variable: tf.Variable }
  | { readonly kind: 'random'; readonly place: number }
  | { readonly kind: 'captured'; readonly value: Value }

/** A body recorded for the shapes of its inputs. */
interface Recording {
  readonly compiled: CompiledGraph
  readonly feeds: readonly Feed[]
  readonly results: readonly Output[]
  readonly assigned: Trace['assigned']
  /** Variables that are part of the graph, and what they held when it was made. */
  readonly frozen: ReadonlyMap<tf.Variable, object>
  /** Random elements that were drawn while it was recorded, for the runs to come; by place. */
  readonly drawn: Elements[][]
  /** Which of the tensors that the body makes are random. */
  readonly random: readonly number[]
}

/** Shapes for which recordings are kept; each may hold a graph in memory. */
const KEPT = 16

/**
 * Programs for the recorder: see runtime/program.ts. `freezes`: whether variables that change seldom become part of the
 * graph. That is no faster on the processor, where graphs with weights as inputs are laid out as well (lowering/), and then
 * one graph does for all networks of a kind.
 */
export function nativeRecorder(backend: NativeBackend, { freezes }: { readonly freezes: boolean }): Recorder {
  return {
    createProgram: (body, options) =>
      new NativeProgram(backend, body, freezes ? options : { ...options, frozen: false }),
    settle: () => backend.running(() => settle(backend.engine, backend.liveValues())),
  }
}

class NativeProgram implements Program {
  readonly #backend: NativeBackend
  readonly #body: ProgramBody
  readonly #options: ProgramOptions
  /** By the shapes of the inputs; the one used last comes last. */
  readonly #recordings = new Map<string, Recording>()
  /** Whether the body draws random numbers; not known before it was traced twice. */
  #draws: boolean | null = null
  /** Values of tensors of outside; they stay as long as the program. */
  readonly #captured = new Set<Value>()
  /** The run that was asked for last: the next one reads the variables that it assigns. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(backend: NativeBackend, body: ProgramBody, options: ProgramOptions) {
    this.#backend = backend
    this.#body = body
    this.#options = options
  }

  run(inputs: readonly tf.Tensor[]): Promise<tf.Tensor[]> {
    const run = this.#last.then(() => this.#backend.running(() => this.#run(inputs)))
    this.#last = run.then(
      () => undefined,
      () => undefined,
    )
    return run
  }

  async #run(inputs: readonly tf.Tensor[]): Promise<tf.Tensor[]> {
    const recording = await this.#recordingFor(inputs)
    const random = this.#randomElements(recording, inputs)
    await this.#settle([
      ...inputs,
      ...recording.feeds.flatMap((feed) => (feed.kind === 'variable' ? feed.variable : [])),
    ])
    const held = recording.feeds.map((feed): Held => {
      switch (feed.kind) {
        case 'input':
          return this.#held(inputs[feed.index])
        case 'variable':
          return this.#held(feed.variable)
        case 'random':
          return holds(random[feed.place] ?? null)
        case 'captured':
          return heldOf(feed.value)
      }
    })
    const given = await recording.compiled.run(held)
    const results = recording.results.map((output, index) => this.#tensor(output, given[index]))
    const values = given.slice(results.length)
    let accepted = false
    try {
      accepted = (await this.#options.accept?.(results)) ?? true
      if (accepted) this.#assign(recording, values)
      return results
    } catch (error) {
      tf.dispose(results)
      throw error
    } finally {
      if (!accepted) for (const value of values) this.#backend.engine.release(value)
    }
  }

  dispose(): void {
    this.#recordings.clear()
    this.#captured.clear()
    this.#backend.kept.delete(this.#captured)
  }

  async #recordingFor(inputs: readonly tf.Tensor[]): Promise<Recording> {
    const key = inputs.map(({ shape, dtype }) => `${dtype} ${shape.join('x')}`).join(', ')
    const known = this.#recordings.get(key)
    const current = known !== undefined && isCurrent(known)
    const recording = current ? known : await this.#record(inputs)
    if (!current) for (const [each, other] of this.#recordings) if (!isCurrent(other)) this.#recordings.delete(each)
    this.#recordings.delete(key)
    this.#recordings.set(key, recording)
    const [oldest] = this.#recordings.keys()
    if (this.#recordings.size > KEPT && oldest !== undefined) this.#recordings.delete(oldest)
    return recording
  }

  async #record(inputs: readonly tf.Tensor[]): Promise<Recording> {
    const { frozen = false, anySize = false } = this.#options
    ownVariables(this.#backend)
    const variables = Object.values(tf.engine().registeredVariables).map((variable) => this.#value(variable))
    await settle(this.#backend.engine, variables, this.#backend.liveValues())
    const first = trace(this.#backend, this.#body, inputs)
    const drawn = [first.given.map(({ elements }) => elements)]
    let random: number[] = []
    if (this.#draws !== false) {
      const second = trace(this.#backend, this.#body, inputs)
      random = differing(first, second)
      drawn.push(second.given.map(({ elements }) => elements))
    }
    this.#draws = random.length > 0
    for (const place of random) {
      const value = first.given[place]?.value
      if (value !== undefined) value.source = { kind: 'input', held: null }
    }
    const outputs = [...first.results, ...first.assigned].map(({ value }) => value)
    const constants = frozen ? await this.#freeze(first, collectGraph(outputs).inputs) : new Map<tf.Variable, object>()
    const graph = optimize(collectGraph(outputs, anySize ? first.inputs.slice(0, 1) : []))
    const compiled = await this.#backend.engine.compile(graph, { anySize, staysFrom: first.results.length })
    const feeds = graph.inputs.map((value) => feedOf(first, value))
    for (const feed of feeds) {
      if (feed.kind !== 'captured') continue
      this.#captured.add(feed.value)
      this.#backend.kept.add(this.#captured)
    }
    return {
      ...{ compiled, feeds, random, frozen: constants, drawn: random.length > 0 ? drawn : [] },
      results: first.results.map(withoutGraph),
      assigned: first.assigned.map((output) => ({ ...withoutGraph(output), variable: output.variable })),
    }
  }

  /** Makes the variables among these inputs of the graph constants of it. */
  async #freeze({ variables }: Trace, inputs: readonly Value[]): Promise<Map<tf.Variable, object>> {
    const frozen = new Map<tf.Variable, object>()
    for (const value of inputs) {
      const variable = variables.get(value)
      if (variable === undefined) continue
      frozen.set(variable, variable.dataId)
      value.source = { kind: 'constant', elements: await this.#backend.engine.elements(this.#held(variable)) }
    }
    return frozen
  }

  /** Random elements for this run: as many runs, so many times they were drawn. */
  #randomElements({ random, drawn }: Recording, inputs: readonly tf.Tensor[]): readonly Elements[] {
    if (random.length === 0) return []
    return drawn.shift() ?? trace(this.#backend, this.#body, inputs).given.map(({ elements }) => elements)
  }

  #assign({ assigned }: Recording, values: readonly Held[]): void {
    assigned.forEach((output, index) => {
      const tensor = this.#tensor(output, values[index])
      output.variable.assign(tensor)
      tensor.dispose()
    })
  }

  async #settle(tensors: readonly tf.Tensor[]): Promise<void> {
    const pending = tensors.map((tensor) => this.#value(tensor)).filter(({ source }) => source.kind === 'node')
    // With all that is wanted, as when values are read.
    if (pending.length > 0) await settle(this.#backend.engine, pending, this.#backend.liveValues())
  }

  #held(tensor: tf.Tensor | undefined): Held {
    if (tensor === undefined) throw new Error('The program was given fewer inputs.')
    return heldOf(this.#value(tensor))
  }

  #value(tensor: tf.Tensor): Value {
    return valueIn(this.#backend.recorded(tensor), 'plain')
  }

  #tensor({ value: { type }, shape, dtype }: Output, held: Held | undefined): tf.Tensor {
    if (held === undefined) throw new Error('The graph gave fewer outputs.')
    const value: Value = { shape, type, source: { kind: 'input', held } }
    return tf.engine().makeTensorFromTensorInfo(this.#backend.make(value, shape, dtype), this.#backend)
  }
}

function isCurrent({ frozen }: Recording): boolean {
  return [...frozen].every(([variable, dataId]) => variable.dataId === dataId)
}

/** Places of given tensors whose elements are others each time. */
function differing(first: Trace, second: Trace): number[] {
  if (first.given.length !== second.given.length) throw new Error('The program does something else each time.')
  return first.given.flatMap(({ value, elements }, place) => {
    const other = second.given[place]
    if (other?.value.shape.join() !== value.shape.join() || other.value.type !== value.type) {
      throw new Error('The program makes something else each time.')
    }
    return same(elements, other.elements) ? [] : [place]
  })
}

function same(a: Elements, b: Elements): boolean {
  return bytesOf(a).equals(bytesOf(b))
}

function bytesOf({ buffer, byteOffset, byteLength }: Elements): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function feedOf({ inputs, variables, given }: Trace, value: Value): Feed {
  const index = inputs.indexOf(value)
  if (index >= 0) return { kind: 'input', index }
  const variable = variables.get(value)
  if (variable !== undefined) return { kind: 'variable', variable }
  const place = given.findIndex((each) => each.value === value)
  if (place >= 0) return { kind: 'random', place }
  return { kind: 'captured', value }
}

/** The graph is in the session: it need not be kept in memory as well. */
function withoutGraph({ value: { shape, type }, ...output }: Output): Output {
  return { ...output, value: { shape, type, source: { kind: 'input', held: null } } }
}
