/** A thread that draws batches: started with a plan, and asked for batches of it by their numbers. Loads nothing that computes. */
import { parentPort, workerData } from 'node:worker_threads'
import { toWireError } from '../../../core/contract/errors.ts'
import { createBatchMaker } from '../batches.ts'
import { createSliceReader } from '../sliceReader.ts'
import type { BatchMaker } from '../batches.ts'
import type { ReadingPlan } from '../plan.ts'
import type { FromWorker, ToWorker } from './messages.ts'

const plan = workerData as ReadingPlan
const reader = createSliceReader(plan)
const makers = new Map<number, BatchMaker>()

function answer(message: FromWorker): void {
  const buffers =
    message.t === 'batch'
      ? [message.batch.images.buffer, message.batch.classes.buffer, message.batch.weights?.buffer]
      : []
  parentPort?.postMessage(
    message,
    buffers.filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer),
  )
}

async function draw(stream: number, step: number): Promise<void> {
  const maker = makers.get(stream)
  // Closed meanwhile: nobody waits for it.
  if (maker === undefined) return
  try {
    answer({ t: 'batch', stream, step, batch: await maker.batch(step) })
  } catch (error) {
    answer({ t: 'failed', stream, step, error: toWireError(error) })
  }
}

// One batch after the other, as they are asked for.
let last: Promise<void> = Promise.resolve()
parentPort?.on('message', (message: ToWorker) => {
  if (message.t === 'open') makers.set(message.stream, createBatchMaker(plan, reader, message.options))
  else if (message.t === 'close') makers.delete(message.stream)
  else last = last.then(() => draw(message.stream, message.step))
})
