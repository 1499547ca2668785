import * as tf from '@tensorflow/tfjs-core'
import { forwardOf } from '../models/forward.ts'
import { variableGradients } from '../runtime/gradients.ts'
import { createProgram, isRecording } from '../runtime/program.ts'
import { readFloats } from '../runtime/tensors.ts'
import { segmentationLoss } from './loss.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { PatchBatch } from '../data/patches.ts'
import type { Program } from '../runtime/program.ts'
import type { Optimizer } from './optimizer.ts'

/**
 * One optimizer step on a batch of count patches of size x size pixels. Returns the loss before the step, the only
 * number that is read back; `variables` are not updated when it is not finite. The moving statistics of batch
 * normalization follow every forward pass whose loss is finite, and on backends that compute at once every forward pass.
 * Leaves no tensor behind. On a backend that records, forward pass, gradients and update are one graph, which is kept
 * until the optimizer is disposed; an optimizer is then for one network and these variables.
 */
export async function trainingStep(
  network: LayersModel,
  variables: readonly tf.Variable[],
  optimizer: Optimizer,
  batch: PatchBatch,
  size: number,
  learningRate: number,
): Promise<number> {
  return isRecording()
    ? await recordedStep(programOf(network, variables, optimizer), optimizer, batch, size, learningRate)
    : await eagerStep(network, variables, optimizer, batch, size, learningRate)
}

async function eagerStep(
  network: LayersModel,
  variables: readonly tf.Variable[],
  optimizer: Optimizer,
  batch: PatchBatch,
  size: number,
  learningRate: number,
): Promise<number> {
  const { value, grads } = tf.tidy(() => lossAndGradients(network, variables, ...tensorsOf(batch, size)))
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

function programOf(network: LayersModel, variables: readonly tf.Variable[], optimizer: Optimizer): Program {
  const known = programs.get(optimizer)
  if (known !== undefined) return known
  const program = createProgram(
    ([images, classes, rate, learningRate]) => {
      if (images === undefined || classes === undefined) throw new Error('A step takes images and classes.')
      if (rate === undefined || learningRate === undefined) throw new Error('A step takes the factors of its update.')
      const { value, grads } = lossAndGradients(network, variables, images, classes)
      optimizer.apply(grads, { rate, learningRate })
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
  batch: PatchBatch,
  size: number,
  learningRate: number,
): Promise<number> {
  const rates = optimizer.rates(learningRate)
  const inputs = tf.tidy(() => [...tensorsOf(batch, size), tf.scalar(rates.rate), tf.scalar(rates.learningRate)])
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

function tensorsOf(batch: PatchBatch, size: number): [images: tf.Tensor, classes: tf.Tensor] {
  const count = batch.images.length / (size * size)
  return [
    tf.tensor4d(batch.images, [count, size, size, 1]),
    tf.tensor(new Int32Array(batch.classes), [count, size, size], 'int32'),
  ]
}

function lossAndGradients(
  network: LayersModel,
  variables: readonly tf.Variable[],
  images: tf.Tensor,
  classes: tf.Tensor,
): ReturnType<typeof tf.variableGrads> {
  const forward = forwardOf(network)
  return variableGradients(() => scalar(segmentationLoss(forward(images, true), classes)), variables)
}

async function lossOf(value: tf.Tensor | undefined): Promise<number> {
  return value === undefined ? NaN : ((await readFloats(value))[0] ?? NaN)
}

function scalar(tensor: tf.Tensor): tf.Scalar {
  return tf.reshape<tf.Rank.R0>(tensor, [])
}
