import * as tf from '@tensorflow/tfjs-core'
import { clip } from '../math.ts'
import { numberIn, registerUnary } from './unary.ts'

export function registerClipByValue(): void {
  registerUnary(tf.ClipByValue, (x, attrs) => {
    const least = numberIn(attrs, 'clipValueMin', -Infinity)
    const most = numberIn(attrs, 'clipValueMax', Infinity)
    return clip(x, least, most)
  })
}
