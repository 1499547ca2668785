import * as tf from '@tensorflow/tfjs-core'
import { PULL_UPDATE } from '../kernels/index.ts'
import { clippingScale } from './clipping.ts'
import type { Paced, Update, UpdateRule } from './updateRule.ts'

/** A step of a rule by its kernel, one call a variable; weights and state are changed where they lie. `clip`: of clippingScale. */
export function kernelUpdate(paced: readonly Paced[], { kernel, attrs, state }: UpdateRule, clip: number): Update {
  const slots = paced.map((each) => {
    ownData(each.variable)
    const tensors = state.map((name) => [name, tf.keep(tf.zerosLike(each.variable))] as const)
    const anchor = each.pull === 0 ? null : tf.keep(tf.tidy(() => tf.mul(each.variable, 1)))
    return { ...each, anchor, state: Object.fromEntries<tf.Tensor>(tensors) }
  })
  return {
    step(gradients, { rate, learningRate, hold }) {
      const scale = clippingScale(Object.values(gradients), clip)
      for (const { variable, pace, decay, pull, anchor, state: own } of slots) {
        const gradient = gradients[variable.name]
        if (gradient === undefined) continue
        if (anchor !== null) {
          tf.engine().runKernel(PULL_UPDATE, { variable, anchor }, { share: Math.min(1, hold * pull) })
        }
        tf.engine().runKernel(
          kernel,
          { variable, gradient, scale, ...own },
          { ...attrs, rate: rate * pace, decay: learningRate * decay },
        )
      }
    },
    traced: null,
    state: () => slots.flatMap((slot) => state.map((name) => present(slot.state[name]))),
    restoreState(values) {
      slots.forEach((slot, place) => {
        state.forEach((name, index) => {
          const { shape, size } = present(slot.state[name])
          const given = values[place * state.length + index]
          if (given?.length !== size) throw new Error(`The state of ${slot.variable.name} is of another size.`)
          // Copied: the `js` backend keeps the array it is given, and the kernel writes into it.
          const tensor = tf.keep(tf.tensor(given.slice(), shape))
          slot.state[name]?.dispose()
          slot.state[name] = tensor
        })
      })
    },
    changed: () => undefined,
    dispose() {
      for (const { state: own, anchor } of slots) tf.dispose([own, anchor ?? []])
    },
  }
}

/**
 * Gives a variable values that no other tensor shares: a kernel that writes in place would change them as well (a network
 * that was made from another's weights has the other's data until it is set anew).
 */
function ownData(variable: tf.Variable): void {
  tf.tidy(() => {
    variable.assign(tf.mul(variable, 1))
  })
}

function present(tensor: tf.Tensor | undefined): tf.Tensor {
  if (tensor === undefined) throw new Error('Every variable has its state.')
  return tensor
}
