import * as tf from '@tensorflow/tfjs-core'
import { clippingScale } from './clipping.ts'
import type { Paced, Update, UpdateRule } from './updateRule.ts'

/**
 * A step of a rule by TensorFlow.js operations, for backends without the rule's kernel. All variables, their gradients
 * and their state are handled as one vector each, so that a step takes some thirty operations rather than a dozen a
 * variable: on a graphics device each costs as much as the arithmetic of a small network.
 */
export function composedUpdate(paced: readonly Paced[], { state: names, change }: UpdateRule): Update {
  const sizes = paced.map(({ variable }) => variable.size)
  const total = sizes.reduce((a, b) => a + b, 0)
  const offsets = sizes.map((_, index) => sizes.slice(0, index).reduce((a, b) => a + b, 0))
  const joined = (tensors: readonly tf.Tensor[]) => tf.concat(tensors.map((tensor) => tf.reshape(tensor, [-1])))
  const ofVariables = () => tf.tidy(() => tf.keep(joined(paced.map(({ variable }) => variable))))
  const paces = perWeight(paced.map(({ pace }) => pace))
  const decays = perWeight(paced.map(({ decay }) => decay))
  let weights = ofVariables()
  let state = names.map(() => tf.keep(tf.zeros([total])))

  /** One number where all variables have the same, else one a weight. */
  function perWeight(values: readonly number[]): tf.Tensor | number {
    const [first = 0] = values
    if (values.every((value) => value === first)) return first
    const each = new Float32Array(total)
    values.forEach((value, index) => each.fill(value, offsets[index], (offsets[index] ?? 0) + (sizes[index] ?? 0)))
    return tf.keep(tf.tensor1d(each))
  }

  return {
    step(gradients, rate, learningRate) {
      const present = paced.map(({ variable }) => gradients[variable.name] ?? null)
      const filled = present.map((gradient, index) => gradient ?? tf.zeros([sizes[index] ?? 0]))
      const gradient = joined(filled)
      const changed = change(tf.mul(gradient, clippingScale([gradient])), state)
      const kept = decays === 0 ? weights : tf.sub(weights, tf.mul(weights, tf.mul(decays, learningRate)))
      const next = tf.sub(kept, tf.mul(changed.change, tf.mul(paces, rate)))
      const values = paced.map(({ variable }, index) =>
        present[index] === null ? null : tf.reshape(tf.slice(next, offsets[index] ?? 0, variable.size), variable.shape),
      )
      // From here on nothing takes memory: a step that fails for lack of it has changed nothing.
      tf.dispose([weights, ...state])
      weights = tf.keep(next)
      state = changed.state.map((tensor) => tf.keep(tensor))
      paced.forEach(({ variable }, index) => {
        const value = values[index] ?? null
        if (value !== null) variable.assign(value)
      })
    },
    changed() {
      weights.dispose()
      weights = ofVariables()
    },
    dispose() {
      tf.dispose([weights, ...state])
      for (const each of [paces, decays]) if (typeof each !== 'number') each.dispose()
    },
  }
}
