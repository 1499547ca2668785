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
  /** Part of its distance from what it was at first that a step with a hold of 1 takes away, all of it at most, before the decay. */
  readonly pull: number
}

/**
 * The factors of a step: what the rule makes of the learning rate, the learning rate itself, and that times how strongly
 * the variables hold on to what they were at first; numbers or scalars.
 */
export interface Rates<T = number> {
  readonly rate: T
  readonly learningRate: T
  readonly hold: T
}

/** Applies one step of a rule; `gradients` as in Optimizer. Called inside of tf.tidy. */
export interface Update {
  step(gradients: tf.NamedTensorMap, rates: Rates): void
  /** The same as part of a program; null where it is done by a kernel, which takes numbers. */
  readonly traced: ((gradients: tf.NamedTensorMap, rates: Rates<tf.Tensor>) => void) | null
  /** What is kept from step to step, in an order that hangs on rule, variables and backend; it stays the update's own. */
  state(): tf.Tensor[]
  /** Puts values of `state` back. */
  restoreState(values: readonly Float32Array[]): void
  /** The variables were set from outside. */
  changed(): void
  dispose(): void
}
