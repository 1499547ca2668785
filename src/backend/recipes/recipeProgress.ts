import type { RecipeEvent } from '../../core/contract/recipes.ts'
import type { RunningJob } from '../jobs/jobs.ts'

/** Of the progress, what looking through the data is, and where scoring begins; the epochs lie between. */
const LOOKING_SHARE = 0.04
const SCORING_FROM = 0.95
const ofEpochs = (done: number): number => LOOKING_SHARE + (SCORING_FROM - LOOKING_SHARE) * done

export interface RecipeProgress {
  /** Cases that are looked through before the training starts, then steps of all epochs. */
  steps(told: { readonly step: number; readonly steps: number; readonly secondsLeft: number | null }): void
  event(event: RecipeEvent): void
}

/** How far a training by a recipe is, in the words of its job. */
export function recipeProgress(job: RunningJob): RecipeProgress {
  let started = false
  return {
    steps({ step, steps, secondsLeft }) {
      if (steps <= 0) return
      const done = Math.min(1, step / steps)
      if (started) {
        job.progress({ progress: ofEpochs(done), secondsLeft })
        return
      }
      const message = `looking through the data: case ${Math.min(step + 1, steps)} of ${steps}`
      job.progress({ progress: done * LOOKING_SHARE, message })
    },
    event(event) {
      if (event.event === 'start') {
        started = true
        job.progress({ message: `epoch ${event.from} of ${event.epochs}` })
      } else if (event.event === 'epoch') {
        const { epoch, epochs, secondsLeft } = event
        const message = epoch < epochs ? `epoch ${epoch + 1} of ${epochs}` : 'scoring'
        job.progress({ progress: ofEpochs(epoch / epochs), message, secondsLeft })
      } else if (event.event === 'scoring') {
        const { done, of } = event
        const progress = SCORING_FROM + (1 - SCORING_FROM) * (of === 0 ? 1 : done / of)
        job.progress({ progress, message: `scoring case ${Math.min(done + 1, of)} of ${of}`, secondsLeft: null })
      }
    },
  }
}
