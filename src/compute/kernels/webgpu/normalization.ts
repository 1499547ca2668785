import { z } from 'zod'
import { shape4 } from '../convolution.ts'
import { NORMALIZATION, NORMALIZATION_GRADIENT } from '../normalization.ts'
import { input } from '../register.ts'
import { registerWebgpuKernel, runByElement } from './program.ts'
import { sums } from './sums.ts'
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu'
import type * as tf from '@tensorflow/tfjs-core'
import type { Input, Uniforms } from './program.ts'

const attrsSchema = z.object({
  over: z.enum(['image', 'batch', 'given']),
  groups: z.int().min(1),
  epsilon: z.number(),
  relu: z.boolean(),
})

/** A call of either kernel. */
interface Call {
  readonly backend: WebGPUBackend
  readonly over: 'image' | 'batch' | 'given'
  readonly relu: boolean
  readonly count: number
  readonly pixels: number
  readonly channels: number
  /** How many images and channels have their mean and variance in common. */
  readonly members: number
  /** x, and gamma and beta where they are given. */
  readonly inputs: readonly Input[]
  readonly uniforms: Uniforms
}

/**
 * Batch, instance, group and layer normalization and their gradient, as kernels/normalization.ts defines them, in five to
 * eight programs each instead of some twenty operations: the sums over the pixels in parts, what is small in one program
 * more, and one pass for the result. Nothing is read back.
 */
export function registerNormalization(): void {
  registerWebgpuKernel(NORMALIZATION, ({ inputs, attrs, backend }) => {
    const call = callOf(backend, inputs, attrs)
    const statistics = call.over === 'given' ? givenStatistics(call, inputs) : statisticsOf(call)
    const shape = input(inputs, 'x').shape
    return [
      byElement(
        call,
        'apply',
        [{ name: 'statistics', tensor: statistics }],
        shape,
        `
      ${OF_PIXEL}
      ${beforeRelu(call)}
      return ${call.relu ? 'max(before, 0.0)' : 'before'};`,
      ),
      statistics,
    ]
  })
  registerWebgpuKernel(NORMALIZATION_GRADIENT, ({ inputs, attrs, backend }) => {
    const call = callOf(backend, inputs, attrs)
    const { count, pixels, channels } = call
    const more = ['dy', 'statistics'].map((name) => ({ name, tensor: input(inputs, name) }))
    // Of g and of g times the normalized value: [2, count, channels].
    const totals = sums(backend, {
      key: `normalizationGradient${suffix(call)}`,
      inputs: [...call.inputs, ...more],
      uniforms: call.uniforms,
      kinds: 2,
      extents: [count, pixels, channels],
      outputShape: [2, count, channels],
      divisor: 1,
      code: `${beforeRelu(call)} sum += ${gradientBeforeRelu(call)} * select(1.0, normal, kind == 1);`,
    })
    const means = call.over === 'given' ? null : pooled(call, totals)
    const sources = [...more, ...(means === null ? [] : [{ name: 'means', tensor: means }])]
    const dx = byElement(
      call,
      'gradient',
      sources,
      input(inputs, 'x').shape,
      `
      ${OF_PIXEL}
      ${beforeRelu(call)}
      let h = ${gradientBeforeRelu(call)} ${has(call, 'gamma') ? '* f32(gamma[channel])' : ''};
      return root * ${
        means === null
          ? 'h'
          : '(h - f32(means[place]) - normal * f32(means[uniforms.dims.x * uniforms.dims.z + place]))'
      };`,
    )
    const kinds = [has(call, 'gamma') ? 1 : null, has(call, 'beta') ? 0 : null] as const
    const affine = kinds.map((kind) => ofAffine(call, totals, kind))
    for (const each of [totals, means]) if (each !== null) backend.disposeData(each.dataId)
    return [dx, ...affine]
  })
}

function callOf(backend: WebGPUBackend, inputs: tf.NamedTensorInfoMap, attrs: unknown): Call {
  const { over, groups, epsilon, relu } = attrsSchema.parse(attrs)
  const x = input(inputs, 'x')
  const [count, height, width, channels] = shape4.parse(x.shape)
  const members = over === 'image' ? channels / groups : count
  if (!Number.isInteger(members)) throw new Error(`${groups} groups do not divide ${channels} channels.`)
  const { gamma, beta } = inputs
  return {
    ...{ backend, over, relu, count, pixels: height * width, channels, members },
    inputs: [
      { name: 'x', tensor: x },
      ...(gamma === undefined ? [] : [{ name: 'gamma', tensor: gamma }]),
      ...(beta === undefined ? [] : [{ name: 'beta', tensor: beta }]),
    ],
    uniforms: [
      { name: 'dims', values: [count, height * width, channels] },
      { name: 'members', values: [members] },
      { name: 'acrossImages', values: [over === 'batch' ? 1 : 0] },
      { name: 'epsilon', values: [epsilon], float: true },
    ],
  }
}

function has(call: Call, name: string): boolean {
  return call.inputs.some((each) => each.name === name)
}

function suffix(call: Call): string {
  return `${call.relu ? 'Relu' : ''}${has(call, 'gamma') ? 'Gamma' : ''}${has(call, 'beta') ? 'Beta' : ''}`
}

function byElement(
  call: Call,
  key: string,
  more: readonly Input[],
  outputShape: readonly number[],
  code: string,
): tf.TensorInfo {
  const name = `normalization_${key}${suffix(call)}${call.over === 'given' ? 'Given' : ''}`
  const source = { key: name, inputs: [...call.inputs, ...more], outputShape, uniforms: call.uniforms }
  return runByElement(call.backend, source, code)
}

/** Of the element of [count, h, w, channels] that an invocation gives. */
const OF_PIXEL = `
  let channel = index % uniforms.dims.z;
  let image = index / (uniforms.dims.y * uniforms.dims.z);
  let at = index;`

/** `normal`, the normalized value at `at` of `image` and `channel`, and `before`, that with scale and shift. */
function beforeRelu(call: Call): string {
  return `
    let place = image * uniforms.dims.z + channel;
    let variance = f32(statistics[uniforms.dims.x * uniforms.dims.z + place]);
    let root = inverseSqrt(variance + uniforms.epsilon);
    let normal = (f32(x[at]) - f32(statistics[place])) * root;
    let before = normal ${has(call, 'gamma') ? '* f32(gamma[channel])' : ''} ${has(call, 'beta') ? '+ f32(beta[channel])' : ''};`
}

function gradientBeforeRelu({ relu }: Call): string {
  return relu ? 'select(0.0, f32(dy[at]), before > 0.0)' : 'f32(dy[at])'
}

/** Where member `i` of the set of `image` and `channel` lies among [count, channels]. */
const MEMBER = `select(
    image * uniforms.dims.z + channel / uniforms.members * uniforms.members + i,
    i * uniforms.dims.z + channel,
    uniforms.acrossImages == 1)`

const PLACE = `
  let channel = index % uniforms.dims.z;
  let image = (index / uniforms.dims.z) % uniforms.dims.x;
  let kind = index / (uniforms.dims.x * uniforms.dims.z);`

/** [2, count, channels]: mean and variance, in two passes, which loses no digits where the mean is large. */
function statisticsOf(call: Call): tf.TensorInfo {
  const { backend, count, pixels, channels, members, uniforms } = call
  const x = call.inputs.slice(0, 1)
  const common = { extents: [count, pixels, channels], outputShape: [count, channels], divisor: pixels } as const
  const means = sums(backend, { key: 'plain', inputs: x, uniforms: [], ...common, code: 'sum += f32(x[at]);' })
  const average = (name: string) => `
    var sum = 0.0;
    for (var i = 0; i < uniforms.members; i++) { sum += f32(${name}[${MEMBER}]); }
    return sum / f32(uniforms.members);`
  const key = 'normalization'
  const shared =
    members === 1
      ? means
      : runByElement(
          backend,
          { key: `${key}_mean`, inputs: [{ name: 'mean', tensor: means }], outputShape: [count, channels], uniforms },
          `${PLACE} ${average('mean')}`,
        )
  const sharedMean = { name: 'mean', tensor: shared }
  const squares = sums(backend, {
    key: `${key}_squares`,
    inputs: [...x, sharedMean],
    uniforms: [],
    ...common,
    code: `let off = f32(x[at]) - f32(mean[image * uniforms.extents.z + channel]); sum += off * off;`,
  })
  const inputs = [sharedMean, { name: 'squares', tensor: squares }]
  const statistics = runByElement(
    backend,
    { key: `${key}_statistics`, inputs, outputShape: [2, count, channels], uniforms },
    `${PLACE}
    if (kind == 0) { return f32(mean[index]); }
    ${average('squares')}`,
  )
  for (const each of new Set([means, shared, squares])) backend.disposeData(each.dataId)
  return statistics
}

function givenStatistics({ backend, count, channels, uniforms }: Call, inputs: tf.NamedTensorInfoMap): tf.TensorInfo {
  const given = ['mean', 'variance'].map((name) => ({ name, tensor: input(inputs, name) }))
  return runByElement(
    backend,
    { key: 'normalization_given', inputs: given, outputShape: [2, count, channels], uniforms },
    `${PLACE} if (kind == 0) { return f32(mean[channel]); } return f32(variance[channel]);`,
  )
}

/** The means of both sums, times gamma, over each set and its pixels: [2, count, channels]. */
function pooled(call: Call, totals: tf.TensorInfo): tf.TensorInfo {
  const { backend, count, channels, uniforms } = call
  const gamma = call.inputs.filter(({ name }) => name === 'gamma')
  const inputs = [{ name: 'totals', tensor: totals }, ...gamma]
  return runByElement(
    backend,
    { key: `normalization_pooled${gamma.length}`, inputs, outputShape: [2, count, channels], uniforms },
    `${PLACE}
    var sum = 0.0;
    for (var i = 0; i < uniforms.members; i++) {
      let member = ${MEMBER};
      sum += f32(totals[kind * uniforms.dims.x * uniforms.dims.z + member])
        ${gamma.length > 0 ? '* f32(gamma[member % uniforms.dims.z])' : ''};
    }
    return sum / (f32(uniforms.members) * f32(uniforms.dims.y));`,
  )
}

/** The gradient by gamma (1) or beta (0): the sums of that kind over the images. Zeros where there is none. */
function ofAffine(
  { backend, count, channels, uniforms }: Call,
  totals: tf.TensorInfo,
  kind: 0 | 1 | null,
): tf.TensorInfo {
  if (kind === null) return backend.makeTensorInfo([channels], 'float32', new Float32Array(channels))
  return runByElement(
    backend,
    {
      key: `normalization_affine${kind}`,
      inputs: [{ name: 'totals', tensor: totals }],
      outputShape: [channels],
      uniforms: [...uniforms, { name: 'images', values: [count] }],
    },
    `
    var sum = 0.0;
    for (var image = 0; image < uniforms.images; image++) {
      sum += f32(totals[(${kind} * uniforms.images + image) * uniforms.dims.z + index]);
    }
    return sum;`,
  )
}
