import * as tf from '@tensorflow/tfjs-core'
import { createProgram, isRecording } from '../runtime/program.ts'
import { readFloats } from '../runtime/tensors.ts'
import type { Program } from '../runtime/program.ts'
import type { Optimizer } from './optimizer.ts'

/** The loss of a batch and its gradients by variable name; plain TensorFlow.js that depends on its inputs alone. */
export type LossAndGradients = (batch: readonly tf.Tensor[]) => ReturnType<typeof tf.variableGrads>

/**
 * One step of an optimizer. Returns the loss before the step, the only number that is read back; nothing is updated when
 * it is not finite. `batch` makes the tensors of the batch, which are disposed here. Leaves no tensor behind.
 * On a backend that records, forward pass, gradients and update are one graph, which is kept until the optimizer is
 * disposed: an optimizer is then for one `compute`.
 */
export async function optimizerStep(
  optimizer: Optimizer,
  compute: LossAndGradients,
  batch: () => tf.Tensor[],
  learningRate: number,
): Promise<number> {
  return isRecording()
    ? await recordedStep(programOf(optimizer, compute), optimizer, batch, learningRate)
    : await eagerStep(optimizer, compute, batch, learningRate)
}

async function eagerStep(
  optimizer: Optimizer,
  compute: LossAndGradients,
  batch: () => tf.Tensor[],
  learningRate: number,
): Promise<number> {
  const { value, grads } = tf.tidy(() => compute(batch()))
  try {
    const loss = await lossOf(value)
    // The update is asked for once the loss is known.
    if (Number.isFinite(loss)) optimizer.update(grads, learningRate)
    return loss
  } finally {
    value.dispose()
    tf.dispose(grads)
  }
}

const programs = new WeakMap<Optimizer, Program>()
/** Scalars behind the tensors of a batch: those of Rates. */
const FACTORS = 3

function programOf(optimizer: Optimizer, compute: LossAndGradients): Program {
  const known = programs.get(optimizer)
  if (known !== undefined) return known
  const program = createProgram(
    (inputs) => {
      const [rate, learningRate, hold] = inputs.slice(-FACTORS)
      if (rate === undefined || learningRate === undefined || hold === undefined) {
        throw new Error('A step takes the factors of its update.')
      }
      const { value, grads } = compute(inputs.slice(0, -FACTORS))
      optimizer.apply(grads, { rate, learningRate, hold })
      return [value]
    },
    { accept: async ([value]) => Number.isFinite(await lossOf(value)) },
  )
  programs.set(optimizer, program)
  optimizer.whenDisposed(() => {
    program.dispose()
    programs.delete(optimizer)
  })
  return program
}

async function recordedStep(
  program: Program,
  optimizer: Optimizer,
  batch: () => tf.Tensor[],
  learningRate: number,
): Promise<number> {
  const { rate, hold, ...rates } = optimizer.rates(learningRate)
  const inputs = tf.tidy(() => [...batch(), tf.scalar(rate), tf.scalar(rates.learningRate), tf.scalar(hold)])
  try {
    const results = await program.run(inputs)
    try {
      const loss = await lossOf(results[0])
      if (Number.isFinite(loss)) optimizer.stepped()
      return loss
    } finally {
      tf.dispose(results)
    }
  } finally {
    tf.dispose(inputs)
  }
}

async function lossOf(value: tf.Tensor | undefined): Promise<number> {
  return value === undefined ? NaN : ((await readFloats(value))[0] ?? NaN)
}
