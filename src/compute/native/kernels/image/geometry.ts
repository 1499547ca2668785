import { ints } from '../../graph/build.ts'
import type * as tf from '@tensorflow/tfjs-core'
import type { Attributes } from '../../graph/types.ts'

/** How a window moves over an image; each pair is [down, across]. */
export interface Geometry {
  readonly kernel: readonly [number, number]
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  /** Pixels added around the image. */
  readonly top: number
  readonly left: number
  readonly bottom: number
  readonly right: number
}

/** Throws for tensors with the channels first, which the gradients of TensorFlow.js do not take either. */
export function geometryOf(info: tf.backend_util.Conv2DInfo): Geometry {
  if (info.dataFormat !== 'channelsLast') throw new Error('Only images with their channels last can be recorded.')
  const { padInfo, filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = info
  return {
    kernel: [filterHeight, filterWidth],
    strides: [strideHeight, strideWidth],
    dilations: [dilationHeight, dilationWidth],
    top: padInfo.top,
    left: padInfo.left,
    // What rounding the output's size up adds, beyond what is asked for.
    bottom: Math.max(
      padInfo.bottom,
      reach(info.outHeight, strideHeight, info.effectiveFilterHeight) - info.inHeight - padInfo.top,
    ),
    right: Math.max(
      padInfo.right,
      reach(info.outWidth, strideWidth, info.effectiveFilterWidth) - info.inWidth - padInfo.left,
    ),
  }
}

function reach(outputs: number, stride: number, size: number): number {
  return (outputs - 1) * stride + size
}

/** Pixels that a window spans, from the first to the last: [down, across]. */
export function spanOf({ kernel, dilations }: Pick<Geometry, 'kernel' | 'dilations'>): [number, number] {
  return [(kernel[0] - 1) * dilations[0] + 1, (kernel[1] - 1) * dilations[1] + 1]
}

/** As ONNX's convolutions and poolings take it. */
export function windowAttributes({ kernel, strides, dilations, ...pads }: Geometry): Attributes {
  return {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilations),
    pads: ints([pads.top, pads.left, pads.bottom, pads.right]),
  }
}

/** Each output pixel is made of the input pixel at its place alone. */
export function isPointwise({ kernel, strides, ...pads }: Geometry): boolean {
  return [...kernel, ...strides].every((each) => each === 1) && isUnpadded(pads)
}

export function isUnpadded({ top, left, bottom, right }: Pick<Geometry, 'top' | 'left' | 'bottom' | 'right'>): boolean {
  return top === 0 && left === 0 && bottom === 0 && right === 0
}
