import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from '../kernels/available.ts'
import { readFloats } from '../runtime/tensors.ts'
import { MAX_NORM } from './clipping.ts'
import { composedUpdate } from './composedUpdate.ts'
import { kernelUpdate } from './kernelUpdate.ts'
import type { Paced, Rates, UpdateRule } from './updateRule.ts'

export interface Optimizer {
  /**
   * One step for all variables; `gradients` is by variable name and stays the caller's to dispose. Nothing is read back:
   * on backends that work behind, the step is under way when this returns. A variable without a gradient is left as it is.
   */
  update(gradients: tf.NamedTensorMap, learningRate: number): void
  /** How strongly the variables hold on to what they were at first, from the next step on: a factor on `anchor`; 1 at first. */
  hold(strength: number): void
  /** The factors of the next step at this learning rate. */
  rates(learningRate: number): Rates
  /**
   * The same as `update` in the body of a program, which is given the factors as scalars; `stepped` is to be called after
   * each run of the program that changed the variables.
   */
  apply(gradients: tf.NamedTensorMap, rates: Rates<tf.Tensor>): void
  stepped(): void
  /** Calls `free` when the optimizer is disposed. */
  whenDisposed(free: () => void): void
  /** A copy of the current weights: of the variables, then of those that are only kept along. */
  snapshot(): Promise<Float32Array[]>
  /** Puts a snapshot back; what the optimizer knows of past gradients stays. */
  restore(weights: readonly Float32Array[]): void
  /** How many steps it has done. */
  steps(): number
  /**
   * A copy of what it knows of past gradients, and of how many there were. With a snapshot of the weights it lets a training
   * go on, by the same rule on the same backend, to the same bits as if it had never stopped.
   */
  state(): Promise<Float32Array[]>
  restoreState(state: readonly Float32Array[]): void
  /** Frees what the optimizer holds; the variables stay. */
  dispose(): void
}

export interface OptimizerOptions {
  /** A factor on the learning rate by the variable's name; 1 unless given. */
  readonly pace?: (name: string) => number
  /** Variables that are not trained but belong to the weights: the moving statistics of batch normalization. */
  readonly kept?: readonly tf.Variable[]
  /**
   * Decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101): each step takes learning rate * decay of the
   * variables of two and more dimensions away (not of biases). 0 unless given.
   */
  readonly decay?: number
  /**
   * Pull towards the weights as they are now (L2-SP: Li, Grandvalet and Davoine, arXiv 1802.01483; decoupled, as the decay):
   * each step first takes learning rate * this of a variable's distance from them away; by the variable's name, 0 unless given.
   */
  readonly anchor?: (name: string) => number
  /** Bound of the gradients' global norm; 0: none. 5 unless given. */
  readonly clip?: number
}

/**
 * An optimizer by its rule, with the gradient's global norm bounded (Pascanu et al., arXiv 1211.5063). By the kernel
 * where the backend has it, which changes weights and state in place, else composed of operations. Between two steps the
 * variables are the optimizer's: set them by `restore` only. Dispose it when the training has ended.
 */
export function createOptimizer(
  variables: readonly tf.Variable[],
  { pace = () => 1, kept = [], decay = 0, anchor = () => 0, clip = MAX_NORM }: OptimizerOptions,
  rule: UpdateRule,
): Optimizer {
  const paced = variables.map((variable): Paced => {
    const factor = pace(variable.name)
    const pull = anchor(variable.name) * factor
    return { variable, pace: factor, decay: variable.rank > 1 ? decay * factor : 0, pull }
  })
  const update = hasKernel(rule.kernel) ? kernelUpdate(paced, rule, clip) : composedUpdate(paced, rule, clip)
  const all = [...variables, ...kept]
  const frees: (() => void)[] = []
  let [steps, strength] = [0, 1]
  const rates = (learningRate: number): Rates => ({
    ...{ rate: rule.rate(learningRate, steps + 1), learningRate, hold: learningRate * strength },
  })
  return {
    hold(given) {
      strength = given
    },
    update(gradients, learningRate) {
      tf.tidy(() => {
        update.step(gradients, rates(learningRate))
      })
      // A step that failed, for lack of memory, will be done again.
      steps++
    },
    rates,
    apply(gradients, given) {
      if (update.traced === null) throw new Error('Only composed updates are part of a program.')
      update.traced(gradients, given)
    },
    stepped() {
      steps++
    },
    whenDisposed(free) {
      frees.push(free)
    },
    snapshot: async () => await Promise.all(all.map(async (variable) => (await readFloats(variable)).slice())),
    restore(weights) {
      all.forEach((variable, index) => {
        assign(variable, weights[index])
      })
      update.changed()
    },
    steps: () => steps,
    // The number of steps is exact: a float32 has 24 bits.
    state: async () => [
      ...(await Promise.all(update.state().map(async (tensor) => (await readFloats(tensor)).slice()))),
      Float32Array.of(steps),
    ],
    restoreState(state) {
      const count = state.at(-1)?.[0]
      if (count === undefined) throw new Error('The state of an optimizer ends with its number of steps.')
      update.restoreState(state.slice(0, -1))
      steps = count
    },
    dispose() {
      for (const free of frees.splice(0)) free()
      update.dispose()
    },
  }
}

function assign(variable: tf.Variable, weights: Float32Array | undefined): void {
  if (weights?.length !== variable.size) throw new Error(`The weights for ${variable.name} are of another size.`)
  // Copied: the `js` backend keeps the array it is given, and the kernel writes into it.
  const tensor = tf.tensor(weights.slice(), variable.shape, 'float32')
  variable.assign(tensor)
  tensor.dispose()
}
