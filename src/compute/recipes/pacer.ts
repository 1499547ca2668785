import type { RecipeEvent } from '../../core/contract/recipes.ts'
import type { ComputeCall } from '../server.ts'

/** Tells how far a training is, not too often, and its events, each once. */
export interface Pacer {
  step(step: number, steps: number, loss: number, secondsLeft: number | null): void
  /** `done` of so many cases; a share of the one that is worked on counts. */
  scoring(done: number, of: number): void
  event(event: RecipeEvent): void
}

const EVERY_MS = 250

export function createPacer(tell: ComputeCall['onProgress']): Pacer {
  let last = -Infinity
  let at = { step: 0, steps: 1 }
  let left: number | null = null
  return {
    step(step, steps, loss, secondsLeft) {
      at = { step, steps }
      left = secondsLeft
      const now = performance.now()
      if (now - last < EVERY_MS) return
      last = now
      tell({ ...at, point: { step, loss, dice: 0 }, secondsLeft })
    },
    scoring(done, of) {
      const now = performance.now()
      if (now - last < EVERY_MS && done < of) return
      last = now
      tell({ ...at, point: null, secondsLeft: null, event: { event: 'scoring', done: Math.floor(done), of } })
    },
    event(event) {
      tell({ ...at, point: null, secondsLeft: left, event })
    },
  }
}

/** Progress while data is looked through, case by case; of a training, that is before the first step. */
export function preparationProgress(tell: ComputeCall['onProgress']): (done: number, of: number) => void {
  let last = -Infinity
  return (done, of) => {
    const now = performance.now()
    if (now - last < EVERY_MS && done < of) return
    last = now
    tell({ step: done, steps: of, point: null, secondsLeft: null })
  }
}
