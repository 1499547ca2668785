import { CodedError } from '../../core/contract/errors.ts'
import type { Optimizer } from './optimizer.ts'

/** Average of the weights over the latest steps: the newest step is worth 1 - DECAY, each before it DECAY as much as the next. */
const DECAY = 0.97
/** So many steps are looked at together: reading the weights takes time too. */
const TOGETHER = 4

/**
 * A moving average of the weights of a training whose learning rate does not fall (Polyak and Juditsky 1992; here
 * exponential). On hippocampi it is better by one to three hundredths of Dice than the weights of the last step, which a
 * single new slice may throw far off.
 */
export interface WeightAverage {
  /** Weights before the first step, which are worth remembering: of a parent. They stay the caller's. */
  begin(weights: readonly Float32Array[]): void
  /** To be called after each step of the optimizer. */
  stepped(): Promise<void>
  /**
   * Runs `work` with the average in place of the weights, which are then put back to the bit. Throws
   * CodedError('compute-failed') where it has a weight that is no number: a layer may hide that from the loss.
   */
  use<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Where it does not begin with a parent's, the first weights are hardly better than random, and forgotten faster.
 *
 * @param decay For trainings whose end is known: a longer memory than one needs that is looked at all the time.
 */
export function averageOf(optimizer: Optimizer, decay = DECAY): WeightAverage {
  let average: Float32Array[] | null = null
  let fromNothing = true
  return {
    begin(weights) {
      average = weights.map((values) => values.slice())
      fromNothing = false
    },
    async stepped() {
      const steps = optimizer.steps()
      if (steps % TOGETHER !== 0) return
      const now = await optimizer.snapshot()
      const memory = fromNothing ? Math.min(decay ** TOGETHER, steps / (steps + 10 * TOGETHER)) : decay ** TOGETHER
      average = average === null ? now : mixed(average, now, memory)
    },
    async use(work) {
      const weights = await optimizer.snapshot()
      checkNumbers(average ?? weights)
      if (average === null) return await work()
      optimizer.restore(average)
      try {
        return await work()
      } finally {
        optimizer.restore(weights)
      }
    },
  }
}

/** What a training ends with that went wrong: nothing that it learned is kept. */
export function notANumber(): CodedError {
  return new CodedError('compute-failed', 'Training stopped: its loss is no longer a number; the model is unchanged.')
}

function checkNumbers(weights: readonly Float32Array[]): void {
  // A sum of numbers that are none, or infinite, is no number; that of others stays finite in double precision.
  const sum = weights.reduce((total, values) => values.reduce((part, value) => part + value, total), 0)
  if (!Number.isFinite(sum)) throw notANumber()
}

/** share * a + (1 - share) * b, written over a. */
function mixed(a: Float32Array[], b: readonly Float32Array[], share: number): Float32Array[] {
  a.forEach((values, at) => {
    const others = b[at]
    for (let i = 0; i < values.length; i++) values[i] = share * (values[i] ?? 0) + (1 - share) * (others?.[i] ?? NaN)
  })
  return a
}
