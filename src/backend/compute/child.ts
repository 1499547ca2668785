import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Duplex } from 'node:stream'
import { createFrameReader, encodeFrame } from '../../core/rpc/frames.ts'
import type { Readable } from 'node:stream'
import type { ComputeRequest } from '../../core/contract/compute.ts'

export interface ChildOptions {
  readonly nodePath: string
  readonly entry: string
  readonly env?: Readonly<Record<string, string>>
  readonly log?: (line: string) => void
}

export interface ChildEvents {
  readonly onMessage: (message: unknown) => void
  /** Once, with the reason; also when it could not be started. */
  readonly onEnd: (reason: string) => void
}

/** A running compute process and the pipe to it. */
export interface Child {
  readonly send: (request: ComputeRequest) => void
  kill(): void
  /** Closes the pipe, on which the process ends by itself, and kills it if it does not soon. */
  end(): Promise<void>
}

const PIPE = 3
const PATIENCE_MS = 1500

export function startChild({ nodePath, entry, env, log }: ChildOptions, events: ChildEvents): Child {
  const child = spawn(nodePath, [entry], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    windowsHide: true,
  })
  const pipe = child.stdio[PIPE]
  if (!(pipe instanceof Duplex)) throw new Error('The pipe to the compute process was not opened.')
  let over = false
  const finished = new Promise<void>((resolve) => {
    const finish = (reason: string) => {
      if (over) return
      over = true
      pipe.destroy()
      resolve()
      events.onEnd(reason)
    }
    child.once('error', (error) => {
      finish(error.message)
    })
    child.once('exit', (code, signal) => {
      finish(signal === null ? `exit code ${String(code)}` : `signal ${signal}`)
    })
  })
  const read = createFrameReader(events.onMessage)
  pipe.on('data', (chunk: Uint8Array) => {
    try {
      read(chunk)
    } catch (error) {
      log?.(`The compute process sent what is no frame: ${String(error)}`)
      child.kill('SIGKILL')
    }
  })
  // A broken pipe is followed by `exit`, which tells what happened.
  pipe.on('error', () => undefined)
  for (const stream of [child.stdout, child.stderr]) logLines(stream, log)
  return {
    send: (request) => {
      if (!over && pipe.writable) pipe.write(encodeFrame(request))
    },
    kill: () => {
      child.kill('SIGKILL')
    },
    async end() {
      pipe.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
      await finished
      clearTimeout(timer)
    },
  }
}

function logLines(stream: Readable | null, log: ((line: string) => void) | undefined): void {
  if (stream === null) return
  // Read even without a log: a full pipe would stop the process.
  const lines = createInterface({ input: stream })
  lines.on('line', (line) => log?.(line))
}
