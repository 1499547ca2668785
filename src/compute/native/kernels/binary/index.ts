/** Kernels of two tensors, element by element with broadcasting. */
import { registerAdd } from './add.ts'
import { registerAtan2 } from './atan2.ts'
import { registerEluGrad } from './eluGrad.ts'
import { registerEqual } from './equal.ts'
import { registerFloorDiv } from './floorDiv.ts'
import { registerGreater } from './greater.ts'
import { registerGreaterEqual } from './greaterEqual.ts'
import { registerLess } from './less.ts'
import { registerLessEqual } from './lessEqual.ts'
import { registerLogicalAnd } from './logicalAnd.ts'
import { registerLogicalOr } from './logicalOr.ts'
import { registerMaximum } from './maximum.ts'
import { registerMinimum } from './minimum.ts'
import { registerMod } from './mod.ts'
import { registerMultiply } from './multiply.ts'
import { registerNotEqual } from './notEqual.ts'
import { registerPow } from './pow.ts'
import { registerPrelu } from './prelu.ts'
import { registerRealDiv } from './realDiv.ts'
import { registerSquaredDifference } from './squaredDifference.ts'
import { registerSub } from './sub.ts'

/** Registers them all. */
export function registerBinaryKernels(): void {
  registerAdd()
  registerAtan2()
  registerEluGrad()
  registerEqual()
  registerFloorDiv()
  registerGreater()
  registerGreaterEqual()
  registerLess()
  registerLessEqual()
  registerLogicalAnd()
  registerLogicalOr()
  registerMaximum()
  registerMinimum()
  registerMod()
  registerMultiply()
  registerNotEqual()
  registerPow()
  registerPrelu()
  registerRealDiv()
  registerSquaredDifference()
  registerSub()
}
