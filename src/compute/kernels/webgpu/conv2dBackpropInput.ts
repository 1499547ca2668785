import * as tf from '@tensorflow/tfjs-core'
import { inputGradientInfo } from '../convolution.ts'
import { input } from '../register.ts'
import { registerWebgpuKernel, runByElement, shippedKernel } from './program.ts'

/**
 * Gradient of a convolution by its input: dy [n, oh, ow, co], filter [kh, kw, ci, co] -> [n, h, w, ci]. For stride 1 it
 * is a convolution of dy with the filter turned by half a turn, which tfjs-backend-webgpu computes in tiles that share
 * what they read; its kernel for the gradient itself reads all of it anew for each element. Other strides, and the
 * transposed convolutions made of them, run the shipped kernel.
 */
export function registerConv2dBackpropInput(): void {
  const convolve = shippedKernel(tf.Conv2D)
  const shipped = shippedKernel(tf.Conv2DBackpropInput)
  registerWebgpuKernel(tf.Conv2DBackpropInput, ({ inputs, attrs = {}, backend }) => {
    const [dy, filter] = [input(inputs, 'dy'), input(inputs, 'filter')]
    const info = inputGradientInfo(filter, attrs)
    const { filterHeight, filterWidth, padInfo } = info
    const top = filterHeight - 1 - padInfo.top
    const left = filterWidth - 1 - padInfo.left
    const bottom = info.inHeight - info.outHeight + padInfo.top
    const right = info.inWidth - info.outWidth + padInfo.left
    const plain = info.strideHeight === 1 && info.strideWidth === 1 && info.dataFormat === 'channelsLast'
    if (!plain || Math.min(top, left, bottom, right) < 0) return shipped({ inputs, attrs, backend })
    const turned = runByElement(
      backend,
      {
        key: 'turnedFilter',
        inputs: [{ name: 'weights', tensor: filter }],
        outputShape: [filterHeight, filterWidth, info.outChannels, info.inChannels],
        uniforms: [],
      },
      TURN_CODE,
    )
    const gradient = convolve({
      inputs: { x: dy, filter: turned },
      attrs: {
        strides: [1, 1],
        pad: [
          [0, 0],
          [top, bottom],
          [left, right],
          [0, 0],
        ],
        dataFormat: 'NHWC',
        dilations: [1, 1],
      },
      backend,
    })
    backend.disposeData(turned.dataId)
    return gradient
  })
}

const TURN_CODE = `
  let size = uniforms.weightsShape.xy;
  return getWeights(size.x - 1 - coords.x, size.y - 1 - coords.y, coords.w, coords.z);`
