/** Kernels that leave one element of many. */
import { registerAll } from './all.ts'
import { registerAny } from './any.ts'
import { registerArgMax } from './argMax.ts'
import { registerArgMin } from './argMin.ts'
import { registerMax } from './max.ts'
import { registerMean } from './mean.ts'
import { registerMin } from './min.ts'
import { registerProd } from './prod.ts'
import { registerSum } from './sum.ts'

/** Registers them all. */
export function registerReductionKernels(): void {
  registerAll()
  registerAny()
  registerArgMax()
  registerArgMin()
  registerMax()
  registerMean()
  registerMin()
  registerProd()
  registerSum()
}
