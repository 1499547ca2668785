import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import '@tensorflow/tfjs-backend-cpu'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRandom } from '../data/random.ts'
import { registerJsKernels } from '../kernels/index.ts'
import { startWasm } from '../runtime/wasm.ts'
import { ADAM } from './adam.ts'
import { momentumRule } from './momentum.ts'
import { createOptimizer } from './optimizer.ts'
import type { OptimizerOptions } from './optimizer.ts'
import type { UpdateRule } from './updateRule.ts'

const STEPS = 20
const SHAPES = [[3, 3, 2, 5], [5], [7, 300], [1]]
const PACES = [1, 1, 0.5, 10]

/** In double precision, by the published formulas: what one step makes of a variable and its state. */
type Reference = (weights: Float64Array, gradient: Float64Array, state: Float64Array[], rate: number, t: number) => void

const adamReference: Reference = (weights, gradient, [mean, square], rate, t) => {
  if (mean === undefined || square === undefined) return
  weights.forEach((weight, i) => {
    const g = gradient[i] ?? NaN
    const m = (mean[i] = 0.9 * (mean[i] ?? NaN) + 0.1 * g)
    const s = (square[i] = 0.999 * (square[i] ?? NaN) + 0.001 * g * g)
    const unbiased = { m: m / (1 - 0.9 ** t), s: s / (1 - 0.999 ** t) }
    // The paper's epsilon is added to the unbiased root; this form adds it to the biased one.
    const epsilon = 1e-8 / Math.sqrt(1 - 0.999 ** t)
    weights[i] = weight - (rate * unbiased.m) / (Math.sqrt(unbiased.s) + epsilon)
  })
}

const momentumReference =
  (momentum: number, nesterov: boolean): Reference =>
  (weights, gradient, [velocity], rate) => {
    weights.forEach((weight, i) => {
      if (velocity === undefined) return
      const g = gradient[i] ?? NaN
      const v = (velocity[i] = momentum * (velocity[i] ?? NaN) + g)
      weights[i] = weight - rate * (nesterov ? g + momentum * v : v)
    })
  }

const optimizers: [name: string, rule: UpdateRule, reference: Reference, decay: number, anchor?: number][] = [
  ['Adam', ADAM, adamReference, 0],
  ['Adam with weight decay', ADAM, adamReference, 0.1],
  ['Adam pulled to where it began', ADAM, adamReference, 0, 20],
  ['Adam with both', ADAM, adamReference, 0.1, 20],
  ['momentum', momentumRule(0.9, false), momentumReference(0.9, false), 0],
  ['Nesterov momentum', momentumRule(0.8, true), momentumReference(0.8, true), 0],
  ['Nesterov momentum, pulled', momentumRule(0.8, true), momentumReference(0.8, true), 0, 20],
]

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1)

function firstWeights(): Float64Array[] {
  const random = createRandom(1)
  return SHAPES.map((shape) => Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(0.2 * random() - 0.1)))
}

/** Of step t: every third so long that it is shortened, all others short. */
function gradientsOf(t: number): Float64Array[] {
  const random = createRandom(100 + t)
  const width = t % 3 === 0 ? 2 : 0.01
  return SHAPES.map((shape) =>
    Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(width * (random() - 0.5))),
  )
}

const rateOf = (t: number) => 0.01 / t

/** The pull takes the second variable not at all, and half as much of the third. */
const PULLS = [1, 0, 0.5, 1]

function reference(step: Reference, decay: number, anchor: number): Float64Array[] {
  const [first, weights] = [firstWeights(), firstWeights()]
  const state = weights.map((each) => [new Float64Array(each.length), new Float64Array(each.length)])
  for (let t = 1; t <= STEPS; t++) {
    const gradients = gradientsOf(t)
    const norm = Math.sqrt(gradients.reduce((sum, each) => each.reduce((s, g) => s + g * g, sum), 0))
    const scale = Math.min(1, 5 / norm)
    weights.forEach((each, k) => {
      const rate = rateOf(t) * (PACES[k] ?? NaN)
      const pull = rate * anchor * (PULLS[k] ?? NaN)
      each.forEach((weight, i) => (each[i] = weight + pull * ((first[k]?.[i] ?? NaN) - weight)))
      if ((SHAPES[k]?.length ?? 0) > 1) each.forEach((weight, i) => (each[i] = weight * (1 - rate * decay)))
      step(each, gradients[k]?.map((g) => g * scale) ?? each, state[k] ?? [], rate, t)
    })
  }
  return weights
}

let variables: tf.Variable[] = []
let tensors = 0

function start(rule: UpdateRule, options: OptimizerOptions = {}, anchor = 0) {
  const first = firstWeights()
  variables = SHAPES.map((shape, k) => {
    const tensor = tf.tensor(Float32Array.from(first[k] ?? []), shape)
    const variable = tf.variable(tensor)
    tensor.dispose()
    return variable
  })
  const place = (name: string) => variables.findIndex((variable) => variable.name === name)
  const pace = (name: string) => PACES[place(name)] ?? NaN
  const pull = (name: string) => anchor * (PULLS[place(name)] ?? NaN)
  return createOptimizer(variables, { pace, anchor: pull, ...options }, rule)
}

function named(gradients: readonly Float64Array[]): tf.NamedTensorMap {
  return Object.fromEntries(
    variables.map(({ name }, k) => [name, tf.tensor(Float32Array.from(gradients[k] ?? []), SHAPES[k])]),
  )
}

describe.each(['wasm', 'cpu'])('optimizers on %s', (backend) => {
  beforeAll(async () => {
    if (backend === 'wasm') await startWasm(1)
    await tf.setBackend(backend)
    if (backend === 'cpu') registerJsKernels()
  })

  beforeEach(() => {
    tensors = tf.memory().numTensors
  })

  afterEach(() => {
    tf.dispose(variables)
    expect(tf.memory().numTensors).toBe(tensors)
  })

  describe.each([
    ['by kernels', (rule: UpdateRule) => rule],
    ['composed of operations', (rule: UpdateRule) => ({ ...rule, kernel: 'NoSuchKernel' })],
  ])('%s', (_, as) => {
    it.each(optimizers)('takes the steps of the published algorithm: %s', async (_, rule, step, decay, anchor = 0) => {
      const optimizer = start(as(rule), { decay }, anchor / 4)
      optimizer.hold(4)
      let held = 0
      for (let t = 1; t <= STEPS; t++) {
        const gradients = named(gradientsOf(t))
        optimizer.update(gradients, rateOf(t))
        tf.dispose(gradients)
        if (t === 1) held = tf.memory().numTensors
      }
      expect(tf.memory().numTensors).toBe(held)
      const weights = await optimizer.snapshot()
      optimizer.dispose()
      reference(step, decay, anchor).forEach((wanted, k) => {
        wanted.forEach((value, i) => {
          expect(Math.abs((weights[k]?.[i] ?? NaN) - value)).toBeLessThan(2e-6)
        })
      })
    })

    it('is pulled back to where it began, and never beyond', async () => {
      const optimizer = start(as(ADAM), {}, 20)
      const still = named(firstWeights().map((weights) => weights.map(() => 0)))
      const gradients = named(gradientsOf(1))
      optimizer.update(gradients, 0.01)
      optimizer.hold(1e6)
      optimizer.update(still, 0)
      const moved = await optimizer.snapshot()
      optimizer.update(still, 0.01)
      const first = firstWeights()
      const after = await optimizer.snapshot()
      optimizer.dispose()
      tf.dispose([still, gradients])
      // What Adam still remembers moves them by a little more than a step.
      for (const k of [0, 2, 3]) {
        const apart = (weights: readonly Float32Array[]) =>
          Math.max(...(weights[k] ?? []).map((weight, i) => Math.abs(weight - (first[k]?.[i] ?? NaN))))
        expect(apart(moved)).toBeGreaterThan(0.001)
        expect(apart(after)).toBeLessThan(0.011 * (PACES[k] ?? NaN))
      }
    })

    it('leaves a variable without a gradient as it is, and goes on with it later', async () => {
      const optimizer = start(as(ADAM))
      const { [variables[2]?.name ?? '']: left, ...others } = named(gradientsOf(1))
      optimizer.update(others, 0.1)
      const [before, after] = [firstWeights(), await optimizer.snapshot()]
      expect(after[2]).toEqual(Float32Array.from(before[2] ?? []))
      expect(after[0]).not.toEqual(Float32Array.from(before[0] ?? []))
      optimizer.update({ ...others, [variables[2]?.name ?? '']: left ?? tf.scalar(0) }, 0.1)
      expect((await optimizer.snapshot())[2]).not.toEqual(after[2])
      optimizer.dispose()
      tf.dispose([left ?? [], others])
    })

    it('puts a snapshot back, with the weights that are only kept along, and goes on from there', async () => {
      const moving = tf.tidy(() => tf.variable(tf.ones([3])))
      const optimizer = start(as(momentumRule(0, false)), { kept: [moving] })
      const [first, second] = [named(gradientsOf(1)), named(gradientsOf(2))]
      optimizer.update(first, 0.1)
      const kept = await optimizer.snapshot()
      const copies = kept.map((each) => each.slice())
      optimizer.update(second, 0.1)
      tf.tidy(() => {
        moving.assign(tf.zeros([3]))
      })
      const after = await optimizer.snapshot()
      optimizer.restore(kept)
      expect(await optimizer.snapshot()).toEqual(copies)
      expect(Array.from(await moving.data())).toEqual([1, 1, 1])
      optimizer.update(second, 0.1)
      expect((await optimizer.snapshot()).slice(0, 4)).toEqual(after.slice(0, 4))
      expect(kept).toEqual(copies)
      optimizer.dispose()
      tf.dispose([moving, first, second])
    })

    it('leaves alone what shared its values with a variable', async () => {
      const parent = tf.tensor1d([1, 2, 3, 4, 5])
      const child = tf.variable(parent)
      const optimizer = createOptimizer([child], {}, as(ADAM))
      const gradient = tf.ones([5])
      optimizer.update({ [child.name]: gradient }, 0.1)
      expect(Array.from(await parent.data())).toEqual([1, 2, 3, 4, 5])
      expect((await child.data())[0]).toBeCloseTo(0.9, 5)
      optimizer.dispose()
      tf.dispose([parent, child, gradient])
    })
  })
})
