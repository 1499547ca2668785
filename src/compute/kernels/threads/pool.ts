import { Worker } from 'node:worker_threads'
import { THREAD_NUMBER } from '../simd/assembler.ts'
import { CLOSED, createControlBlock, PLACES, takeChunks } from './work.ts'
import { serve } from './worker.ts'
import type { ControlBlock, UnitFunction } from './work.ts'
import type { WorkerSetup } from './worker.ts'

/** Assembled functions that can be called on several threads at once. */
export interface FunctionModule {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly functions: Readonly<Record<string, UnitFunction>>
}

/** More chunks than threads, so that a thread that is late or slow leaves more to the others. */
const CHUNKS_PER_THREAD = 8
/** Some 50 microseconds, which is about what lies between two kernels of a training step. */
const SPINS = 2000
/**
 * A chunk takes milliseconds; when none was done for so many waits in a row, a thread is lost. Waits are counted, not
 * time: a process that was stopped for a while, or a computer that slept, has not waited.
 */
const PATIENCE = 300
const WAIT_MS = 100
const START_MS = 10_000

/**
 * Threads that share calls of assembled functions over a shared memory; the calling thread is one of them. They sleep
 * between calls, do not keep the process alive, and end with `end`.
 */
export class ThreadPool {
  private readonly control: ControlBlock = createControlBlock()
  private readonly workers: Worker[]
  private readonly names: readonly string[]
  private readonly functions: readonly UnitFunction[]
  private readonly numbers: ReadonlyMap<string, number>
  private call = 0
  /** Thread numbers are below: how many there were at first. */
  readonly places: number

  /** Starts `workers` threads besides this one. */
  constructor({ module, memory, functions }: FunctionModule, workers: number) {
    this.names = Object.keys(functions)
    this.functions = Object.values(functions)
    this.numbers = new Map(this.names.map((name, index) => [name, index]))
    const setup: Omit<WorkerSetup, 'threadNumber'> = {
      control: this.control.buffer,
      argumentsAt: this.control.args.byteOffset,
      places: PLACES,
      memory,
      module,
      names: this.names,
      numberName: THREAD_NUMBER,
      spins: SPINS,
    }
    const source = `const { parentPort, workerData } = require('node:worker_threads')
;(${String(serve)})(workerData, ${String(takeChunks)}, () => parentPort.postMessage('ready'))`
    this.places = workers + 1
    this.workers = Array.from({ length: workers }, (_, index) => {
      // Whatever flags this process was started with, the source is a script.
      const worker = new Worker(source, { eval: true, execArgv: [], workerData: { ...setup, threadNumber: index + 1 } })
      worker.unref()
      // A worker that ends leaves its part of the work to the others.
      worker.on('error', () => this.forget(worker))
      worker.on('exit', () => this.forget(worker))
      return worker
    })
  }

  /** Resolves to the number of threads that run, this one included, when all have started or failed to. */
  async started(): Promise<number> {
    await Promise.all(this.workers.map(untilReady))
    return this.threads
  }

  get threads(): number {
    return this.workers.length + 1
  }

  /**
   * Does all units of a function on all threads and returns when they are done. Throws what the function throws here,
   * and likewise a RuntimeError when it stopped on another thread or a thread does not answer: what the memory holds
   * is not to be trusted then.
   */
  run(name: string, units: number, args: readonly number[]): void {
    const called = this.numbers.get(name)
    const alone = called === undefined ? undefined : this.functions[called]
    if (called === undefined || alone === undefined) throw new Error(`There is no assembled function "${name}".`)
    if (units <= 1 || this.workers.length === 0) {
      if (units > 0) alone(0, units, ...args)
      return
    }
    const { words, args: values } = this.control
    const chunks = Math.min(units, CHUNKS_PER_THREAD * this.threads, CLOSED - 1)
    this.call = (this.call + 1) & 0xffffff
    const ticket = this.call << 8
    // Closed while the block is written: a thread that reads half of it cannot take a chunk.
    Atomics.store(words, PLACES.ticket, ticket | CLOSED)
    words[PLACES.chunks] = chunks
    words[PLACES.units] = units
    words[PLACES.called] = called
    words[PLACES.argumentCount] = args.length
    words[PLACES.done] = 0
    words[PLACES.failed] = 0
    values.set(args)
    Atomics.store(words, PLACES.ticket, ticket)
    if (Atomics.load(words, PLACES.sleepers) > 0) Atomics.notify(words, PLACES.ticket)
    try {
      takeChunks(words, values, this.functions, PLACES, ticket)
    } finally {
      this.settle(name, ticket, chunks)
    }
    if (Atomics.load(words, PLACES.failed) !== 0) throw stopped(`The function "${name}" stopped on a thread.`)
  }

  /** Ends the threads. */
  end(): void {
    const { words } = this.control
    Atomics.store(words, PLACES.ended, 1)
    Atomics.add(words, PLACES.ticket, 1 << 8)
    Atomics.notify(words, PLACES.ticket)
    this.workers.length = 0
  }

  /** Lets nobody take a further chunk and waits until those that were taken are done. */
  private settle(name: string, ticket: number, chunks: number): void {
    const { words } = this.control
    const reached = Atomics.exchange(words, PLACES.ticket, ticket | CLOSED)
    const taken = Math.min(chunks, reached & CLOSED)
    const isDone = () => Atomics.load(words, PLACES.done) >= taken
    for (let spin = 0; spin < SPINS && !isDone(); spin++) Atomics.pause?.()
    let inVain = 0
    while (!isDone()) {
      Atomics.store(words, PLACES.callerSleeps, 1)
      const done = Atomics.load(words, PLACES.done)
      const ended = done < taken ? Atomics.wait(words, PLACES.done, done, WAIT_MS) : 'not-equal'
      Atomics.store(words, PLACES.callerSleeps, 0)
      inVain = ended === 'timed-out' ? inVain + 1 : 0
      if (inVain >= PATIENCE) {
        this.abandon()
        throw stopped(`A thread does not come back from "${name}".`)
      }
    }
  }

  /** Without waiting for the threads to finish; what they write from now on is lost. */
  private abandon(): void {
    const workers = [...this.workers]
    this.end()
    for (const worker of workers) worker.terminate().catch(() => undefined)
  }

  private forget(worker: Worker): void {
    const index = this.workers.indexOf(worker)
    if (index >= 0) this.workers.splice(index, 1)
  }
}

/** As WebAssembly itself throws it on the calling thread. */
function stopped(message: string): Error {
  return Object.assign(new Error(message), { name: 'RuntimeError' })
}

function untilReady(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, START_MS)
    const settled = () => {
      clearTimeout(late)
      resolve()
    }
    worker.once('message', settled)
    worker.once('error', settled)
    worker.once('exit', settled)
  })
}
