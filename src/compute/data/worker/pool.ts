import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { CodedError, fromWireError } from '../../../core/contract/errors.ts'
import type { BatchOptions, BatchStream, RecipeBatch } from '../../recipes/types.ts'
import type { ReadingPlan } from '../plan.ts'
import type { FromWorker, ToWorker } from './messages.ts'

/** Batches that each thread has drawn, or draws, before they are asked for. */
const AHEAD = 2

/** Threads that draw batches of one plan. They keep what they have read from stream to stream. */
export interface BatchPool {
  stream(options: BatchOptions): BatchStream
  /** Ends the threads; streams that are open give nothing any more. */
  close(): Promise<void>
}

/** Beside this file where sources run, or in the folder of the program where they were built. null: nowhere. */
function workerFile(): string | null {
  const own = import.meta.url
  const places = own.endsWith('.ts') ? ['./entry.ts'] : ['./batches.js', '../batches.js']
  return places.map((place) => fileURLToPath(new URL(place, own))).find((file) => existsSync(file)) ?? null
}

interface Waiting {
  readonly resolve: (batch: RecipeBatch) => void
  readonly reject: (error: Error) => void
}

/** Starts the threads. null where their program is not there: batches are then drawn where they are asked for. */
export function createBatchPool(plan: ReadingPlan, threads: number): BatchPool | null {
  const file = workerFile()
  return file === null || threads < 1 ? null : new Pool(file, plan, threads)
}

class Pool implements BatchPool {
  readonly #workers: Worker[]
  readonly #waiting = new Map<string, Waiting>()
  #streams = 0
  #lost: Error | null = null
  #closed = false

  constructor(file: string, plan: ReadingPlan, threads: number) {
    this.#workers = Array.from({ length: threads }, () => {
      // Whatever flags this process was started with are not for them.
      const worker = new Worker(file, { execArgv: [], workerData: plan })
      // Only what is waited for keeps a process alive.
      worker.unref()
      worker.on('message', (message: FromWorker) => this.#take(message))
      worker.on('error', (error: unknown) => this.#lose(error instanceof Error ? error : new Error(String(error))))
      worker.on('exit', () => this.#lose(null))
      return worker
    })
  }

  stream(options: BatchOptions): BatchStream {
    const stream = ++this.#streams
    const asked: Promise<RecipeBatch>[] = []
    let drawn = 0
    let open = true
    this.#tell({ t: 'open', stream, options })
    const ask = (): void => {
      while (open && drawn < options.steps && asked.length < AHEAD * this.#workers.length) {
        const batch = this.#draw(stream, drawn++)
        // Whoever takes it hears of it; nobody may.
        batch.catch(() => undefined)
        asked.push(batch)
      }
    }
    ask()
    return {
      next: async () => {
        const batch = open ? asked.shift() : undefined
        if (batch === undefined) return null
        ask()
        return batch
      },
      close: async () => {
        if (!open) return
        open = false
        this.#tell({ t: 'close', stream })
        for (const key of [...this.#waiting.keys()]) if (key.startsWith(`${stream}/`)) this.#waiting.delete(key)
      },
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#lose(new CodedError('cancelled', 'The data were closed.'))
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  #draw(stream: number, step: number): Promise<RecipeBatch> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== null) {
        reject(this.#lost)
        return
      }
      this.#waiting.set(`${stream}/${step}`, { resolve, reject })
      const worker = this.#workers[step % this.#workers.length]
      worker?.ref()
      worker?.postMessage({ t: 'draw', stream, step } satisfies ToWorker)
    })
  }

  #tell(message: ToWorker): void {
    if (!this.#closed) for (const worker of this.#workers) worker.postMessage(message)
  }

  #take(message: FromWorker): void {
    const key = `${message.stream}/${message.step}`
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (this.#waiting.size === 0) for (const worker of this.#workers) worker.unref()
    if (message.t === 'batch') waiting?.resolve(message.batch)
    else waiting?.reject(fromWireError(message.error))
  }

  /** A thread is gone: nothing that is waited for comes any more. */
  #lose(cause: Error | null): void {
    this.#lost ??=
      cause instanceof CodedError
        ? cause
        : new CodedError('compute-failed', 'The thread that prepares the pictures ended; start the training again.', {
            ...(cause === null ? {} : { cause, detail: cause.stack ?? cause.message }),
          })
    for (const { reject } of this.#waiting.values()) reject(this.#lost)
    this.#waiting.clear()
  }
}
