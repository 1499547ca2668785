import { registerAddN } from './addN.ts'
import { registerBinaryKernels } from './binary/index.ts'
import { registerCast } from './cast.ts'
import { registerCumsum } from './cumsum.ts'
import { registerFusedBatchNorm } from './fusedBatchNorm.ts'
import { registerBatchMatMul } from './matrix/batchMatMul.ts'
import { registerFusedMatMul } from './matrix/fusedMatMul.ts'
import { registerReductionKernels } from './reduction/index.ts'
import { registerSegmentationLoss } from './segmentationLoss.ts'
import { registerSelect } from './select.ts'
import { registerLogSoftmax, registerSoftmax } from './softmax.ts'
import { registerUnaryKernels } from './unary/index.ts'

/** Element by element, reductions, products, normalizations and the loss. */
export function registerArithmeticKernels(): void {
  registerUnaryKernels()
  registerBinaryKernels()
  registerReductionKernels()
  registerAddN()
  registerBatchMatMul()
  registerCast()
  registerCumsum()
  registerFusedBatchNorm()
  registerFusedMatMul()
  registerLogSoftmax()
  registerSegmentationLoss()
  registerSelect()
  registerSoftmax()
}
