import * as tf from '@tensorflow/tfjs-core'
import { activated } from '../activation.ts'
import { add } from '../math.ts'
import { registerNativeKernel } from '../recorder.ts'
import { matrixProduct } from './product.ts'

/** A matrix product of floats with bias and activation. */
export function registerFusedMatMul(): void {
  registerNativeKernel(tf._FusedMatMul, ({ value, optional, attrs, backend }) => {
    const product = matrixProduct(value('a'), value('b'), attrs.transposeA === true, attrs.transposeB === true)
    const sum = optional('bias') === null ? product : add(product, value('bias'))
    const slope = optional('preluActivationWeights') === null ? null : value('preluActivationWeights')
    const result = activated(sum, { name: attrs.activation, alpha: attrs.leakyreluAlpha, slope })
    return backend.make(result, result.shape, 'float32')
  })
}
