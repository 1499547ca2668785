import type { ComputeCall } from './server.ts'

const PROGRESS_MS = 100
const PROGRESS_STEPS = 1000

/** The share that is done, as steps out of 1000, not too often. */
export function predictionProgress(tell: ComputeCall['onProgress']): (done: number) => void {
  let last = -Infinity
  return (done) => {
    const now = performance.now()
    if (now - last < PROGRESS_MS && done < 1) return
    last = now
    tell({ step: Math.round(PROGRESS_STEPS * done), steps: PROGRESS_STEPS, point: null, secondsLeft: null })
  }
}

/** What the user should know, as a notice. */
export function warn(notify: ComputeCall['notify']): (message: string) => void {
  return (message) => {
    notify('warning', message)
  }
}
