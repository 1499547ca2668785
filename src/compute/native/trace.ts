import * as tf from '@tensorflow/tfjs-core'
import { isVariable } from '../runtime/tensors.ts'
import { emit } from './graph/build.ts'
import { elementTypeOf, valueIn } from './tensors.ts'
import type { ProgramBody } from '../runtime/program.ts'
import type { NativeBackend } from './backend.ts'
import type { Elements, Value } from './graph/types.ts'
import type { Recorded } from './tensors.ts'

/** A tensor that comes out of a body. */
export interface Output {
  readonly value: Value
  readonly shape: number[]
  readonly dtype: tf.DataType
}

/** What running a body once on symbols tells. Values stand for tensors in TensorFlow.js's own order. */
export interface Trace {
  /** What stands for the inputs. */
  readonly inputs: readonly Value[]
  /** What stands for the variables, whether the body reads them or not. */
  readonly variables: ReadonlyMap<Value, tf.Variable>
  /** What the body made from elements of its own, in this order; constants of the graph. */
  readonly given: readonly { readonly value: Value; readonly elements: Elements }[]
  readonly results: readonly Output[]
  readonly assigned: readonly (Output & { readonly variable: tf.Variable })[]
}

interface StandIn {
  readonly variable: tf.Variable
  readonly value: Value
  /** Keeps what the variable holds meanwhile. */
  readonly original: tf.Tensor
  readonly recorded: Recorded
}

/**
 * Runs a body with symbols for its inputs and for every variable, and puts all back as it was: nothing is computed, no
 * variable changes, no tensor is left. Values of variables must not be shared (ownVariables). A body that reads what it
 * computes cannot be traced, and throws.
 */
export function trace(backend: NativeBackend, body: ProgramBody, inputs: readonly tf.TensorInfo[]): Trace {
  const given: { value: Value; elements: Elements }[] = []
  const standIns: StandIn[] = []
  const symbols: tf.Tensor[] = []
  const values = inputs.map(({ shape, dtype }) => symbol(shape, dtype))
  const before = backend.onGiven
  try {
    for (const variable of allVariables(backend)) standIns.push(standIn(backend, variable))
    inputs.forEach(({ shape, dtype }, index) => {
      const info = backend.make(values[index] ?? symbol(shape, dtype), shape, dtype)
      symbols.push(tf.engine().makeTensorFromTensorInfo(info, backend))
    })
    backend.onGiven = (value, elements) => {
      value.source = { kind: 'constant', elements }
      given.push({ value, elements })
    }
    const results = tf.tidy(() => body(symbols))
    const outputs = results.map((tensor) => outputOf(backend, tensor))
    for (const tensor of results) if (!isVariable(tensor)) tensor.dispose()
    const changed = standIns.filter(({ variable, original }) => variable.dataId !== original.dataId)
    return {
      inputs: values,
      variables: new Map(standIns.map(({ value, variable }) => [value, variable])),
      given,
      results: outputs,
      assigned: changed.map(({ variable }) => ({ ...outputOf(backend, variable), variable })),
    }
  } finally {
    backend.onGiven = before
    tf.dispose(symbols)
    // In the opposite order: of variables that share their values, the first one's symbol was behind the second one's.
    for (const each of standIns.toReversed()) putBack(backend, each)
  }
}

/** Gives variables that share their values with other tensors values of their own; they are then to be settled. */
export function ownVariables(backend: NativeBackend): void {
  for (const variable of allVariables(backend)) {
    if (backend.refCount(variable.dataId) <= 1) continue
    const { shape, dtype } = variable
    const copy = emit('Identity', [valueIn(backend.recorded(variable), 'plain')], shape)
    const tensor = tf.engine().makeTensorFromTensorInfo(backend.make(copy, shape, dtype), backend)
    variable.assign(tensor)
    tensor.dispose()
  }
}

function allVariables(backend: NativeBackend): tf.Variable[] {
  const variables = Object.values(tf.engine().registeredVariables)
  // Those of another backend come over now, and not in the middle of a trace.
  for (const variable of variables) backend.recorded(variable)
  return variables
}

function symbol(shape: readonly number[], dtype: tf.DataType): Value {
  return { shape, type: elementTypeOf(dtype), source: { kind: 'input', held: null } }
}

function standIn(backend: NativeBackend, variable: tf.Variable): StandIn {
  const { shape, dtype } = variable
  const original = tf.engine().keep(tf.clone(variable))
  const value = symbol(shape, dtype)
  const recorded = backend.exchange(variable, { dtype, layout: 'plain', values: { plain: value }, references: 0 })
  return { variable, value, original, recorded }
}

function putBack(backend: NativeBackend, { variable, original, recorded }: StandIn): void {
  if (!variable.isDisposed && variable.dataId !== original.dataId) variable.assign(original)
  backend.exchange(original, recorded)
  original.dispose()
}

function outputOf(backend: NativeBackend, { dataId, shape, dtype }: tf.Tensor): Output {
  return { value: valueIn(backend.recorded({ dataId }), 'plain'), shape, dtype }
}
