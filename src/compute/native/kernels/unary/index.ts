/** Kernels of one tensor, element by element. */
import { registerAbs } from './abs.ts'
import { registerAcos } from './acos.ts'
import { registerAcosh } from './acosh.ts'
import { registerAsin } from './asin.ts'
import { registerAsinh } from './asinh.ts'
import { registerAtan } from './atan.ts'
import { registerAtanh } from './atanh.ts'
import { registerCeil } from './ceil.ts'
import { registerClipByValue } from './clipByValue.ts'
import { registerCos } from './cos.ts'
import { registerCosh } from './cosh.ts'
import { registerElu } from './elu.ts'
import { registerErf } from './erf.ts'
import { registerExp } from './exp.ts'
import { registerExpm1 } from './expm1.ts'
import { registerFloor } from './floor.ts'
import { registerIsFinite } from './isFinite.ts'
import { registerIsInf } from './isInf.ts'
import { registerIsNan } from './isNan.ts'
import { registerLeakyRelu } from './leakyRelu.ts'
import { registerLog } from './log.ts'
import { registerLog1p } from './log1p.ts'
import { registerLogicalNot } from './logicalNot.ts'
import { registerNeg } from './neg.ts'
import { registerReciprocal } from './reciprocal.ts'
import { registerRelu } from './relu.ts'
import { registerRelu6 } from './relu6.ts'
import { registerRound } from './round.ts'
import { registerRsqrt } from './rsqrt.ts'
import { registerSelu } from './selu.ts'
import { registerSigmoid } from './sigmoid.ts'
import { registerSign } from './sign.ts'
import { registerSin } from './sin.ts'
import { registerSinh } from './sinh.ts'
import { registerSoftplus } from './softplus.ts'
import { registerSqrt } from './sqrt.ts'
import { registerSquare } from './square.ts'
import { registerStep } from './step.ts'
import { registerTan } from './tan.ts'
import { registerTanh } from './tanh.ts'

/** Registers them all. */
export function registerUnaryKernels(): void {
  registerAbs()
  registerAcos()
  registerAcosh()
  registerAsin()
  registerAsinh()
  registerAtan()
  registerAtanh()
  registerCeil()
  registerClipByValue()
  registerCos()
  registerCosh()
  registerElu()
  registerErf()
  registerExp()
  registerExpm1()
  registerFloor()
  registerIsFinite()
  registerIsInf()
  registerIsNan()
  registerLeakyRelu()
  registerLog()
  registerLog1p()
  registerLogicalNot()
  registerNeg()
  registerReciprocal()
  registerRelu()
  registerRelu6()
  registerRound()
  registerRsqrt()
  registerSelu()
  registerSigmoid()
  registerSign()
  registerSin()
  registerSinh()
  registerSoftplus()
  registerSqrt()
  registerSquare()
  registerStep()
  registerTan()
  registerTanh()
}
