import { registerAddN } from './addN.ts'
import { registerBinaryKernels } from './binary/index.ts'
import { registerCast } from './cast.ts'
import { registerReductionKernels } from './reduction/index.ts'
import { registerSelect } from './select.ts'
import { registerUnaryKernels } from './unary/index.ts'

/** Element by element, reductions, products and normalizations. */
export function registerArithmeticKernels(): void {
  registerUnaryKernels()
  registerBinaryKernels()
  registerReductionKernels()
  registerAddN()
  registerCast()
  registerSelect()
}
