import { registerAvgPool } from './image/avgPool.ts'
import { registerAvgPoolGrad } from './image/avgPoolGrad.ts'
import { registerConv2d } from './image/conv2d.ts'
import { registerConv2dBackpropFilter } from './image/conv2dBackpropFilter.ts'
import { registerConv2dBackpropInput } from './image/conv2dBackpropInput.ts'
import { registerDepthwiseConvolution } from './image/depthwise.ts'
import { registerDepthwiseFilterGradient, registerDepthwiseInputGradient } from './image/depthwiseGradients.ts'
import { registerMaxPool } from './image/maxPool.ts'
import { registerMaxPoolGrad } from './image/maxPoolGrad.ts'
import { registerResizeBilinear, registerResizeBilinearGrad } from './image/resizeBilinear.ts'
import { registerResizeNearestNeighbor, registerResizeNearestNeighborGrad } from './image/resizeNearestNeighbor.ts'

/** Convolutions, pooling and resizing, forward and backward. */
export function registerImageKernels(): void {
  registerConv2d()
  registerConv2dBackpropFilter()
  registerConv2dBackpropInput()
  registerDepthwiseConvolution()
  registerDepthwiseFilterGradient()
  registerDepthwiseInputGradient()
  registerMaxPool()
  registerMaxPoolGrad()
  registerAvgPool()
  registerAvgPoolGrad()
  registerResizeNearestNeighbor()
  registerResizeNearestNeighborGrad()
  registerResizeBilinear()
  registerResizeBilinearGrad()
}
