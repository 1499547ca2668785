import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { serveCodec, type CodecAnswer, type CodecJob } from './serve.ts'

/** Threads that decode at the same time. */
export const DECODERS = Math.min(4, Math.max(1, availableParallelism() - 1))

/** Threads without work end after so long. */
const IDLE_MS = 3000

/**
 * A decoder that takes longer is ended: its data are damaged, or made to keep it busy. Time goes with the compressed data more than with
 * the size that they claim; on an idle computer a hundredth of this is enough.
 */
const BASE_MS = 3000
const MS_PER_MEGABYTE = 4000
const MS_PER_MEGAPIXEL = 50

/** Compiled once, of the file beside the package: there is no network, and no copy of it in the program. */
let compiled: Promise<WebAssembly.Module> | null = null

async function codecModule(): Promise<WebAssembly.Module> {
  compiled ??= readFile(createRequire(import.meta.url).resolve('dcmjs-codecs/build/dcmjs-native-codecs.wasm')).then(
    (bytes) => WebAssembly.compile(bytes),
  )
  return compiled
}

interface Thread {
  readonly worker: Worker
  idle: NodeJS.Timeout | null
}

const free: Thread[] = []
let running = 0
const waiting: (() => void)[] = []

/**
 * Decodes a frame in a thread, up to `DECODERS` at the same time. Resolves to its samples, or to why there are none: the data are
 * damaged, or the time is up. What a thread holds after a failure is thrown away with it.
 */
export async function decodeFrame(job: CodecJob, limit = timeLimit(job)): Promise<CodecAnswer> {
  const module = await codecModule()
  while (running >= DECODERS) await new Promise<void>((resolve) => waiting.push(resolve))
  running++
  const thread = free.pop() ?? startThread(module)
  if (thread.idle !== null) clearTimeout(thread.idle)
  thread.worker.ref()
  let answer: CodecAnswer | null = null
  try {
    answer = await ask(thread.worker, job, limit)
    return answer
  } finally {
    running--
    if (answer === null || 'failed' in answer) await thread.worker.terminate()
    else rest(thread)
    waiting.shift()?.()
  }
}

function timeLimit({ data, columns, rows, samples }: CodecJob): number {
  return BASE_MS + (data.length * MS_PER_MEGABYTE + columns * rows * samples * MS_PER_MEGAPIXEL) / 2 ** 20
}

function startThread(module: WebAssembly.Module): Thread {
  const source = `const { parentPort, workerData } = require('node:worker_threads')
;(${String(serveCodec)})(parentPort, workerData)`
  // Whatever flags this process was started with, the source is a script.
  const worker = new Worker(source, { eval: true, execArgv: [], workerData: module })
  const thread: Thread = { worker, idle: null }
  worker.on('error', () => undefined)
  worker.on('exit', () => forget(thread))
  return thread
}

function forget(thread: Thread): void {
  const at = free.indexOf(thread)
  if (at >= 0) free.splice(at, 1)
}

function rest(thread: Thread): void {
  thread.worker.unref()
  thread.idle = setTimeout(() => {
    forget(thread)
    void thread.worker.terminate()
  }, IDLE_MS)
  thread.idle.unref()
  free.push(thread)
}

async function ask(worker: Worker, job: CodecJob, limit: number): Promise<CodecAnswer> {
  return new Promise((resolve) => {
    const done = (answer: CodecAnswer): void => {
      clearTimeout(timer)
      worker.off('message', done).off('error', failed).off('exit', failed)
      resolve(answer)
    }
    const failed = (): void => done({ failed: 'the decoder ended' })
    const timer = setTimeout(() => done({ failed: 'the decoder did not come to an end' }), limit)
    worker.on('message', done).on('error', failed).on('exit', failed)
    worker.postMessage(job, [job.data.buffer])
  })
}
