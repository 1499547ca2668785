import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { z } from 'zod'
import { normalize } from './normalization.ts'

/** At most so many groups a layer, and at least so many channels a group. */
const MOST_GROUPS = 8
const FEWEST_CHANNELS = 2

const configSchema = z.looseObject({
  groups: z.int().min(1),
  axis: z.union([z.literal(-1), z.literal(3)]).default(-1),
  epsilon: z.number().default(1e-3),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
})

interface GroupNormalizationArgs {
  readonly groups: number
  readonly name: string
}

/**
 * Group normalization (Wu and He, arXiv 1803.08494) over [n, h, w, c], channels last: mean and variance over the pixels and
 * the channels of a group, of each image alone; then scale and shift by channel, where asked for. `groups` divides c.
 * TensorFlow.js has no such layer; class name and configuration are those of Keras.
 */
class GroupNormalization extends layers.layers.Layer {
  static readonly className = 'GroupNormalization'
  readonly groups: number
  readonly epsilon: number
  readonly center: boolean
  readonly scale: boolean
  private gamma: layers.LayerVariable | null = null
  private beta: layers.LayerVariable | null = null

  constructor(config: object) {
    super(config)
    const { groups, epsilon, center, scale } = configSchema.parse(config)
    this.groups = groups
    this.epsilon = epsilon
    this.center = center
    this.scale = scale
  }

  override build(inputShape: layers.Shape | layers.Shape[]): void {
    const channels = inputShape.at(-1)
    if (typeof channels !== 'number' || channels % this.groups !== 0) {
      throw new Error(`The layer ${this.name} takes a number of channels that ${this.groups} divides.`)
    }
    const { ones, zeros } = layers.initializers
    if (this.scale) this.gamma = this.addWeight('gamma', [channels], 'float32', ones())
    if (this.center) this.beta = this.addWeight('beta', [channels], 'float32', zeros())
    super.build(inputShape)
  }

  override computeOutputShape(inputShape: layers.Shape | layers.Shape[]): layers.Shape | layers.Shape[] {
    return inputShape
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs
      if (x === undefined) throw new Error(`The layer ${this.name} takes one input.`)
      const { groups, epsilon } = this
      const parameters = { gamma: this.gamma?.read() ?? null, beta: this.beta?.read() ?? null }
      return normalize(x, { over: 'image', groups, epsilon, relu: false, ...parameters })
    })
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { groups, epsilon, center, scale } = this
    return { ...super.getConfig(), groups, axis: -1, epsilon, center, scale }
  }
}
tf.serialization.registerClass(GroupNormalization)

/** The layer; importing this file also makes it known to those who load models. */
export function groupNormalization(args: GroupNormalizationArgs): layers.layers.Layer {
  return new GroupNormalization(args)
}

/** Into how many groups that many channels are divided here. */
export function groupsFor(channels: number): number {
  let groups = Math.max(1, Math.min(MOST_GROUPS, Math.floor(channels / FEWEST_CHANNELS)))
  while (channels % groups !== 0) groups--
  return groups
}
