import type * as tf from '@tensorflow/tfjs-core'

/** What distinguishes one optimizer from another. */
export interface UpdateRule {
  /** The kernel that does a step on one variable in place, and its attributes besides rate and decay. */
  readonly kernel: string
  readonly attrs: Readonly<Record<string, number | boolean>>
  /** Names of the tensors of the variable's size that are kept from step to step, as inputs of the kernel. */
  readonly state: readonly string[]
  /** The factor on the change, in the step with this number (from 1 on). */
  readonly rate: (learningRate: number, step: number) => number
  /** The next state, and what is taken away from the variable rate times; composed of operations. */
  readonly change: (gradient: tf.Tensor, state: readonly tf.Tensor[]) => { state: tf.Tensor[]; change: tf.Tensor }
}

/** A variable and how fast it goes. */
export interface Paced {
  readonly variable: tf.Variable
  readonly pace: number
  /** Part that a step at learning rate 1 takes away. */
  readonly decay: number
}

/** Applies one step of a rule; `gradients` as in Optimizer. */
export interface Update {
  step(gradients: tf.NamedTensorMap, rate: number, learningRate: number): void
  /** The variables were set from outside. */
  changed(): void
  dispose(): void
}
