import * as tf from '@tensorflow/tfjs-core'
import { isRecording } from '../runtime/program.ts'
import { clippingScale } from './clipping.ts'
import type { Paced, Rates, Update, UpdateRule } from './updateRule.ts'

/**
 * A step of a rule by TensorFlow.js operations, for backends without the rule's kernel. All variables, their gradients
 * and their state are handled as one vector each, so that a step takes some thirty operations rather than a dozen a
 * variable: on a graphics device each costs as much as the arithmetic of a small network. What is kept from step to step
 * is in variables, which a program carries along. `clip`: of clippingScale.
 */
export function composedUpdate(paced: readonly Paced[], { state: names, change }: UpdateRule, clip: number): Update {
  const sizes = paced.map(({ variable }) => variable.size)
  const total = sizes.reduce((a, b) => a + b, 0)
  const offsets = sizes.map((_, index) => sizes.slice(0, index).reduce((a, b) => a + b, 0))
  const joined = (tensors: readonly tf.Tensor[]) => tf.concat(tensors.map((tensor) => tf.reshape(tensor, [-1])))
  const ofVariables = () => joined(paced.map(({ variable }) => variable))
  const kept = (make: () => tf.Tensor) => tf.tidy(() => tf.variable(make(), false))
  const paces = perWeight(paced.map(({ pace }) => pace))
  const decays = perWeight(paced.map(({ decay }) => decay))
  // A recorded step takes the variables themselves in any case, and joins them where it needs them.
  const weights = isRecording() ? null : kept(ofVariables)
  const pulls = perWeight(paced.map(({ pull }) => pull))
  const anchor = pulls === 0 ? null : kept(ofVariables)
  const state = names.map(() => kept(() => tf.zeros([total])))

  /** One number where all variables have the same, else one a weight. */
  function perWeight(values: readonly number[]): tf.Tensor | number {
    const [first = 0] = values
    if (values.every((value) => value === first)) return first
    const each = new Float32Array(total)
    values.forEach((value, index) => each.fill(value, offsets[index], (offsets[index] ?? 0) + (sizes[index] ?? 0)))
    return tf.keep(tf.tensor1d(each))
  }

  function step(gradients: tf.NamedTensorMap, { rate, learningRate, hold }: Rates<tf.Tensor | number>): void {
    const present = paced.map(({ variable }) => gradients[variable.name] ?? null)
    const filled = present.map((gradient, index) => gradient ?? tf.zeros([sizes[index] ?? 0]))
    const gradient = joined(filled)
    const changed = change(tf.mul(gradient, clippingScale([gradient], clip)), state)
    const old = weights ?? ofVariables()
    const share = () => tf.minimum(tf.mul(pulls, hold), 1)
    const pulled = anchor === null ? old : tf.add(old, tf.mul(tf.sub(anchor, old), share()))
    const left = decays === 0 ? pulled : tf.sub(pulled, tf.mul(pulled, tf.mul(decays, learningRate)))
    const next = tf.sub(left, tf.mul(changed.change, tf.mul(paces, rate)))
    const values = paced.map(({ variable }, index) =>
      present[index] === null ? null : tf.reshape(tf.slice(next, offsets[index] ?? 0, variable.size), variable.shape),
    )
    // From here on nothing takes memory: a step that fails for lack of it has changed nothing.
    weights?.assign(next)
    state.forEach((variable, index) => {
      const value = changed.state[index]
      if (value !== undefined) variable.assign(value)
    })
    paced.forEach(({ variable }, index) => {
      const value = values[index] ?? null
      if (value !== null) variable.assign(value)
    })
  }

  return {
    step,
    traced: step,
    state: () => state,
    restoreState(values) {
      state.forEach((variable, index) => {
        const given = values[index]
        if (given?.length !== variable.size) throw new Error('The state of an optimizer is of another size.')
        tf.tidy(() => {
          variable.assign(tf.tensor(given.slice(), variable.shape))
        })
      })
    },
    changed() {
      tf.tidy(() => weights?.assign(ofVariables()))
    },
    dispose() {
      tf.dispose([weights ?? [], anchor ?? [], ...state])
      for (const each of [paces, decays, pulls]) if (typeof each !== 'number') each.dispose()
    },
  }
}
