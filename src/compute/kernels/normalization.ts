import { z } from 'zod'
import { shape4 } from './convolution.ts'
import { forwardCoefficients, gradientCoefficients, repeated, statisticsOf } from './normalizationMath.ts'
import { jsPasses } from './normalizationLoops.ts'
import { wasmPasses } from './normalizationPasses.ts'
import { input, registerWasmKernel, replaceKernel } from './register.ts'
import type * as tf from '@tensorflow/tfjs-core'
import type { Affine, GradientSums, Moments, NormShape } from './normalizationMath.ts'

/**
 * Batch, instance, group and layer normalization of x [n, h, w, c], with or without scale gamma [c] and shift beta [c], with
 * or without ReLU behind: y = relu?((x - mean) / sqrt(variance + epsilon) * gamma + beta). Attribute `over` says of what mean
 * and variance are: 'image', of each image and each of `groups` groups of channels (Wu and He, arXiv 1803.08494; as many groups
 * as channels is instance normalization, arXiv 1607.08022); 'batch', of each channel in the whole batch (arXiv 1502.03167);
 * 'given': the inputs mean and variance [c], which get no gradient.
 * Inputs x, gamma?, beta?, mean?, variance?; attributes over, groups, epsilon, relu -> [y, statistics [2, n, c]], the mean and
 * variance that applied to each image and channel.
 */
export const NORMALIZATION = 'Normalization'

/** Inputs x, dy, statistics, gamma?, beta? and the same attributes -> [dx, dgamma [c], dbeta [c]]. */
export const NORMALIZATION_GRADIENT = 'NormalizationGradient'

/** What a backend does over all pixels. Coefficients and sums are described in normalizationMath.ts. */
export interface NormalizationPasses {
  /** The values of a small tensor. */
  read(tensor: tf.TensorInfo): Float32Array
  write(values: Float32Array, shape: number[]): tf.TensorInfo
  moments(x: tf.TensorInfo, shape: NormShape): Moments
  /** y = max(floor, (x - m) * a + b) with the coefficients [n, 3, c]. */
  apply(x: tf.TensorInfo, shape: NormShape, coefficients: Float32Array, floor: number): tf.TensorInfo
  /** With g = dy where y is above floor, else 0, and the same coefficients. */
  gradientSums(
    x: tf.TensorInfo,
    dy: tf.TensorInfo,
    shape: NormShape,
    coefficients: Float32Array,
    floor: number,
  ): GradientSums
  /** dx = g * a + (x - m) * p + q with the coefficients [n, 5, c]. */
  gradientApply(
    x: tf.TensorInfo,
    dy: tf.TensorInfo,
    shape: NormShape,
    coefficients: Float32Array,
    floor: number,
  ): tf.TensorInfo
}

const attrsSchema = z.object({
  over: z.enum(['image', 'batch', 'given']),
  groups: z.int().min(1),
  epsilon: z.number(),
  relu: z.boolean(),
})

export function registerNormalization(): void {
  registerWasmKernel(NORMALIZATION, ({ inputs, attrs, backend }) => forward(wasmPasses(backend), inputs, attrs))
  registerWasmKernel(NORMALIZATION_GRADIENT, ({ inputs, attrs, backend }) =>
    gradient(wasmPasses(backend), inputs, attrs),
  )
}

export function registerNormalizationForJs(): void {
  replaceKernel(NORMALIZATION, 'cpu', ({ inputs, attrs, backend }) => forward(jsPasses(backend), inputs, attrs))
  replaceKernel(NORMALIZATION_GRADIENT, 'cpu', ({ inputs, attrs, backend }) =>
    gradient(jsPasses(backend), inputs, attrs),
  )
}

function forward(passes: NormalizationPasses, inputs: tf.NamedTensorInfoMap, attrs: unknown): tf.TensorInfo[] {
  const { over, groups, epsilon, relu } = attrsSchema.parse(attrs)
  const x = input(inputs, 'x')
  const shape = normShape(x)
  const statistics =
    over === 'given'
      ? repeated(passes.read(input(inputs, 'mean')), passes.read(input(inputs, 'variance')), shape)
      : statisticsOf(passes.moments(x, shape), shape, { over, groups })
  const coefficients = forwardCoefficients(statistics, shape, epsilon, affineOf(passes, inputs))
  const y = passes.apply(x, shape, coefficients, floorOf(relu))
  return [y, passes.write(statistics, [2, shape.count, shape.channels])]
}

function gradient(passes: NormalizationPasses, inputs: tf.NamedTensorInfoMap, attrs: unknown): tf.TensorInfo[] {
  const { over, groups, epsilon, relu } = attrsSchema.parse(attrs)
  const [x, dy] = [input(inputs, 'x'), input(inputs, 'dy')]
  const shape = normShape(x)
  const statistics = passes.read(input(inputs, 'statistics'))
  const affine = affineOf(passes, inputs)
  const floor = floorOf(relu)
  const sums = passes.gradientSums(x, dy, shape, forwardCoefficients(statistics, shape, epsilon, affine), floor)
  const result = gradientCoefficients(sums, statistics, shape, { over, groups }, epsilon, affine)
  return [
    passes.gradientApply(x, dy, shape, result.coefficients, floor),
    passes.write(result.gamma, [shape.channels]),
    passes.write(result.beta, [shape.channels]),
  ]
}

function floorOf(relu: boolean): number {
  return relu ? 0 : -Infinity
}

function affineOf(passes: NormalizationPasses, { gamma, beta }: tf.NamedTensorInfoMap): Affine {
  return {
    gamma: gamma === undefined ? null : passes.read(gamma),
    beta: beta === undefined ? null : passes.read(beta),
  }
}

function normShape(x: tf.TensorInfo): NormShape {
  const [count, height, width, channels] = shape4.parse(x.shape)
  return { count, pixels: height * width, channels }
}
