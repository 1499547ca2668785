import { spawn } from 'node:child_process'
import path from 'node:path'
import { Duplex } from 'node:stream'
import { createFrameReader, encodeFrame } from '../../../core/rpc/frames.ts'
import { computeReplySchema } from '../../../core/contract/compute.ts'
import type { ComputeReply } from '../../../core/contract/compute.ts'

const entry = path.resolve(import.meta.dirname, '../../entry.ts')

/** A compute process as a host starts it. */
export interface ComputeChild {
  /** The result, not checked; rejects with what was answered instead. */
  call(method: string, params?: unknown, id?: number): Promise<unknown>
  /** Sends what may be no request at all. */
  send(message: unknown): void
  /** All that came, in order. */
  readonly replies: readonly ComputeReply[]
  /** What it printed. */
  log(): string
  readonly ended: Promise<number | null>
  /** Closes the pipe, on which it ends by itself. */
  end(): Promise<void>
}

export function startCompute(env: Readonly<Record<string, string>>): ComputeChild {
  const child = spawn(process.execPath, [entry], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // Nothing of what the tests themselves are run with.
    env: { ...process.env, MASKWRIGHT_BACKEND: '', MASKWRIGHT_STATE: '', MASKWRIGHT_THREADS: '2', ...env },
  })
  const pipe = child.stdio[3]
  if (!(pipe instanceof Duplex)) throw new Error('No pipe.')
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const replies: ComputeReply[] = []
  const waiting = new Map<number, (reply: ComputeReply) => void>()
  const read = createFrameReader((message) => {
    const reply = computeReplySchema.parse(message)
    replies.push(reply)
    if (reply.t === 'ok' || reply.t === 'error') waiting.get(reply.id)?.(reply)
  })
  pipe.on('data', read)
  pipe.on('error', () => undefined)
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  let last = 1000
  const send = (message: unknown) => {
    pipe.write(encodeFrame(message))
  }
  return {
    replies,
    send,
    ended,
    log: () => printed,
    call: (method, params = {}, id = ++last) =>
      new Promise((resolve, reject) => {
        waiting.set(id, (reply) => {
          waiting.delete(id)
          if (reply.t === 'ok') resolve(reply.result)
          else reject(Object.assign(new Error('refused'), reply))
        })
        void ended.then(() => {
          reject(new Error(`The process ended: ${printed}`))
        })
        send({ t: 'call', id, method, params })
      }),
    async end() {
      pipe.end()
      await ended
    },
  }
}
