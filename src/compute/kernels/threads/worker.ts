import type { PLACES, takeChunks, UnitFunction } from './work.ts'

export interface WorkerSetup {
  readonly control: SharedArrayBuffer
  readonly argumentsAt: number
  readonly places: typeof PLACES
  readonly memory: WebAssembly.Memory
  readonly module: WebAssembly.Module
  /** Which of the threads this worker is, and what the module calls the variable that says so. */
  readonly threadNumber: number
  readonly numberName: string
  /** The functions in the order of their numbers. */
  readonly names: readonly string[]
  /** How often a worker looks for the next call before it goes to sleep. */
  readonly spins: number
}

/**
 * The life of a worker: takes part in calls until the control block says that it is over. Workers get its source text
 * (there is no file of its own to be found in a bundle), so it refers to nothing outside but its arguments.
 */
export function serve(setup: WorkerSetup, take: typeof takeChunks, ready: () => void): void {
  const { control, argumentsAt, places, memory, module, names, spins, threadNumber, numberName } = setup
  const words = new Int32Array(control, 0, argumentsAt / 4)
  const args = new Float64Array(control, argumentsAt)
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const number = exports[numberName]
  if (number instanceof WebAssembly.Global) number.value = threadNumber
  const isFunction = (value: unknown): value is UnitFunction => typeof value === 'function'
  const functions = names.map((name) => exports[name]).filter(isFunction)
  ready()
  let idle = 0
  while (Atomics.load(words, places.ended) === 0) {
    const ticket = Atomics.load(words, places.ticket)
    if ((ticket & 255) < Atomics.load(words, places.chunks)) {
      idle = 0
      try {
        take(words, args, functions, places, ticket)
      } catch {
        // The caller has been told by the control block; this thread can go on.
      }
    } else if (++idle < spins) Atomics.pause?.()
    else {
      Atomics.add(words, places.sleepers, 1)
      Atomics.wait(words, places.ticket, ticket)
      Atomics.sub(words, places.sleepers, 1)
      idle = 0
    }
  }
}
