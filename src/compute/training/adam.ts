import * as tf from '@tensorflow/tfjs-core'
import { readFloatsNow } from '../runtime/tensors.ts'

export interface Optimizer {
  /** One step for all variables; `gradients` is by variable name and stays the caller's to dispose. */
  update(gradients: tf.NamedTensorMap, learningRate: number): void
  /** A copy of the current weights. */
  snapshot(): Promise<Float32Array[]>
  restore(weights: readonly Float32Array[]): void
}

const BETA1 = 0.9
const BETA2 = 0.999
const EPSILON = 1e-8
/** Gradients longer than this (all variables together) are shortened to it: one odd patch must not undo the rest. */
const MAX_NORM = 5

interface Slot {
  readonly variable: tf.Variable
  readonly weights: Float32Array
  readonly factor: number
  readonly mean: Float32Array
  readonly square: Float32Array
}

/**
 * Adam (Kingma and Ba, arXiv 1412.6980) over all variables, one loop a variable instead of ten tensor operations, with
 * the gradient's global norm bounded. `pace` is a factor on the learning rate by the variable's name. The state lives outside TensorFlow.js, so there is nothing to dispose.
 */
export function createAdam(variables: readonly tf.Variable[], pace: (name: string) => number = () => 1): Optimizer {
  const slots: Slot[] = variables.map((variable) => {
    const weights = readFloatsNow(variable).slice()
    const factor = pace(variable.name)
    return {
      variable,
      weights,
      factor,
      mean: new Float32Array(weights.length),
      square: new Float32Array(weights.length),
    }
  })
  let step = 0
  return {
    update(gradients, learningRate) {
      step++
      const values = slots.map(({ variable }) => {
        const gradient = gradients[variable.name]
        return gradient === undefined ? null : readFloatsNow(gradient)
      })
      const norm = Math.sqrt(values.reduce((sum, value) => sum + (value === null ? 0 : squareSum(value)), 0))
      const scale = norm > MAX_NORM ? MAX_NORM / norm : 1
      const rate = (learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step)
      slots.forEach((slot, index) => {
        const gradient = values[index]
        if (gradient === undefined || gradient === null) return
        adamStep(slot, gradient, scale, rate * slot.factor)
        assign(slot.variable, slot.weights)
      })
    },
    snapshot: async () => slots.map(({ weights }) => weights.slice()),
    restore(weights) {
      slots.forEach((slot, index) => {
        slot.weights.set(weights[index] ?? [])
        assign(slot.variable, slot.weights)
      })
    },
  }
}

function adamStep({ weights, mean, square }: Slot, gradient: Float32Array, scale: number, rate: number): void {
  for (let i = 0; i < weights.length; i++) {
    const g = (gradient[i] ?? 0) * scale
    const m = (mean[i] ?? 0) * BETA1 + g * (1 - BETA1)
    const s = (square[i] ?? 0) * BETA2 + g * g * (1 - BETA2)
    mean[i] = m
    square[i] = s
    weights[i] = (weights[i] ?? 0) - (rate * m) / (Math.sqrt(s) + EPSILON)
  }
}

function squareSum(values: Float32Array): number {
  let sum = 0
  for (const value of values) sum += value * value
  return sum
}

function assign(variable: tf.Variable, weights: Float32Array): void {
  // Copied: the `js` backend keeps the array it is given, and ours changes with the next step.
  const tensor = tf.tensor(weights.slice(), variable.shape, 'float32')
  variable.assign(tensor)
  tensor.dispose()
}
