import * as tf from '@tensorflow/tfjs-core'
import { binary } from '../math.ts'
import { numberIn, registerUnary } from './unary.ts'

export function registerClipByValue(): void {
  registerUnary(tf.ClipByValue, (x, attrs) => {
    const least = numberIn(attrs, 'clipValueMin', -Infinity)
    const most = numberIn(attrs, 'clipValueMax', Infinity)
    return binary('Min', binary('Max', x, least), most)
  })
}
