import {
  add,
  FunctionBuilder,
  i32,
  loadSplat,
  multiply,
  splat,
  subtract,
  vAdd,
  vConstant,
  vDivide,
  vMultiply,
  vSquareRoot,
  vSubtract,
} from './assembler.ts'
import { forEachInBlocks } from './blocks.ts'
import { QUAD } from './quads.ts'

/**
 * adamUpdate(begin, end, size, variable, gradient, mean, square, scale, rate, beta1, rest1, beta2, rest2, epsilon, kept):
 * blocks begin..end-1 of arrays of `size` floats, in place; addresses of the arrays and of the scalar `scale`; rest is
 * 1 - beta, kept 1 - decay. The formula is in optimizerUpdates.ts.
 */
export function adamUpdateFunction(): FunctionBuilder {
  const f = new FunctionBuilder('adamUpdate')
  const [begin, end, size] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [variable, gradient, mean] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [square, scale] = [f.parameter('i32'), f.parameter('i32')]
  const [rate, beta1, rest1] = [f.parameter('f32'), f.parameter('f32'), f.parameter('f32')]
  const [beta2, rest2, epsilon, kept] = [f.parameter('f32'), f.parameter('f32'), f.parameter('f32'), f.parameter('f32')]
  const factor = f.let(loadSplat(scale))
  const [pace, tiny, keep] = [f.let(splat(rate)), f.let(splat(epsilon)), f.let(splat(kept))]
  const [oldMean, newMean, oldSquare] = [f.let(splat(beta1)), f.let(splat(rest1)), f.let(splat(beta2))]
  const newSquare = f.let(splat(rest2))
  const [g, m, s] = [f.local('v128'), f.local('v128'), f.local('v128')]
  forEachInBlocks(f, { begin, end, size }, [variable, gradient, mean, square], ({ load, store }) => {
    f.set(g, vMultiply(load(gradient), factor))
    f.set(m, vAdd(vMultiply(load(mean), oldMean), vMultiply(g, newMean)))
    f.set(s, vAdd(vMultiply(load(square), oldSquare), vMultiply(vMultiply(g, g), newSquare)))
    store(mean, m)
    store(square, s)
    const step = vDivide(vMultiply(m, pace), vAdd(vSquareRoot(s), tiny))
    store(variable, vSubtract(vMultiply(load(variable), keep), step))
  })
  return f
}

/**
 * momentumUpdate(begin, end, size, variable, gradient, velocity, scale, momentum, ofGradient, ofVelocity): likewise;
 * velocity = velocity * momentum + g, variable -= g * ofGradient + velocity * ofVelocity.
 */
export function momentumUpdateFunction(): FunctionBuilder {
  const f = new FunctionBuilder('momentumUpdate')
  const [begin, end, size] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [variable, gradient] = [f.parameter('i32'), f.parameter('i32')]
  const [velocity, scale] = [f.parameter('i32'), f.parameter('i32')]
  const [momentum, ofGradient, ofVelocity] = [f.parameter('f32'), f.parameter('f32'), f.parameter('f32')]
  const factor = f.let(loadSplat(scale))
  const [kept, direct, moving] = [f.let(splat(momentum)), f.let(splat(ofGradient)), f.let(splat(ofVelocity))]
  const [g, v] = [f.local('v128'), f.local('v128')]
  forEachInBlocks(f, { begin, end, size }, [variable, gradient, velocity], ({ load, store }) => {
    f.set(g, vMultiply(load(gradient), factor))
    f.set(v, vAdd(vMultiply(load(velocity), kept), g))
    store(velocity, v)
    store(variable, vSubtract(load(variable), vAdd(vMultiply(g, direct), vMultiply(v, moving))))
  })
  return f
}

/** pullUpdate(begin, end, size, variable, anchor, share): likewise; variable += (anchor - variable) * share. */
export function pullUpdateFunction(): FunctionBuilder {
  const f = new FunctionBuilder('pullUpdate')
  const [begin, end, size] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [variable, anchor, share] = [f.parameter('i32'), f.parameter('i32'), f.parameter('f32')]
  const part = f.let(splat(share))
  const value = f.local('v128')
  forEachInBlocks(f, { begin, end, size }, [variable, anchor], ({ load, store }) => {
    f.set(value, load(variable))
    store(variable, vAdd(value, vMultiply(vSubtract(load(anchor), value), part)))
  })
  return f
}

/** squareSum(begin, end, size, x, sums): for each block four partial sums of x * x, at sums + 16 * block. */
export function squareSumFunction(): FunctionBuilder {
  const f = new FunctionBuilder('squareSum')
  const [begin, end, size] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [x, sums] = [f.parameter('i32'), f.parameter('i32')]
  const [block, next] = [f.let(begin), f.local('i32')]
  const [at, sum, value] = [f.local('i32'), f.local('v128'), f.local('v128')]
  f.repeat(subtract(end, begin), () => {
    f.set(next, add(block, i32(1)))
    f.set(at, x)
    f.set(sum, vConstant(0))
    forEachInBlocks(f, { begin: block, end: next, size }, [at], ({ load }) => {
      f.set(value, load(at))
      f.set(sum, vAdd(sum, vMultiply(value, value)))
    })
    f.store(add(sums, multiply(block, i32(QUAD))), sum)
    f.set(block, next)
  })
  return f
}
