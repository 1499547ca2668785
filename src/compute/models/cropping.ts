import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { z } from 'zod'

const sides = z.tuple([z.int().min(0), z.int().min(0)])
const configSchema = z.looseObject({ cropping: z.tuple([sides, sides]) })

/**
 * Takes pixels off the sides of an image [n, h, w, c]. TensorFlow.js (4.22) has this layer, but takes an image of any size
 * for one of negative size, so that nothing can be joined with its result; class name and configuration are the same.
 */
class Cropping2D extends layers.layers.Layer {
  static readonly className = 'Cropping2D'
  readonly cropping: readonly (readonly [before: number, after: number])[]

  constructor(config: object) {
    super(config)
    this.cropping = configSchema.parse(config).cropping
  }

  override computeOutputShape(inputShape: layers.Shape | layers.Shape[]): layers.Shape {
    return inputShape.flat().map((extent, axis) => {
      const [before, after] = this.cropping[axis - 1] ?? [0, 0]
      return extent === null ? null : extent - before - after
    })
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0] : inputs
    if (x === undefined) throw new Error(`The layer ${this.name} takes one input.`)
    const begin = x.shape.map((_, axis) => this.cropping[axis - 1]?.[0] ?? 0)
    const size = x.shape.map((extent, axis) => extent - (begin[axis] ?? 0) - (this.cropping[axis - 1]?.[1] ?? 0))
    return tf.slice(x, begin, size)
  }

  override getConfig(): tf.serialization.ConfigDict {
    const cropping = this.cropping.map((each) => [...each])
    return { ...super.getConfig(), cropping, dataFormat: 'channelsLast' }
  }
}
tf.serialization.registerClass(Cropping2D)

/** The layer, the same number of pixels at each side; importing this file also makes it known to those who load models. */
export function cropping2d({ by, name }: { readonly by: number; readonly name: string }): layers.layers.Layer {
  const each = [by, by]
  return new Cropping2D({ cropping: [each, each], name })
}
