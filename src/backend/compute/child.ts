import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Duplex } from 'node:stream'
import { createFrameReader, encodeFrame } from '../../core/rpc/frames.ts'
import type { Readable } from 'node:stream'
import type { ComputeRequest } from '../../core/contract/compute.ts'

export interface ChildOptions {
  readonly nodePath: string
  readonly entry: string
  /** Of the whole process, not only what is added. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Flags for Node itself. */
  readonly flags: readonly string[]
  readonly log?: (line: string) => void
}

export interface ChildEvents {
  readonly onMessage: (message: unknown) => void
  /** Once, with the reason; also when it could not be started. The exit code is null after a signal or no start. */
  readonly onEnd: (reason: string, exitCode: number | null) => void
}

/** A running compute process and the pipe to it. */
export interface Child {
  /** null: it could not be started. */
  readonly pid: number | null
  readonly send: (request: ComputeRequest) => void
  /** Ends it at once; resolves when it is gone. */
  kill(): Promise<void>
  /** Closes the pipe, on which the process ends by itself, and kills it if it does not soon. */
  end(): Promise<void>
}

const PIPE = 3
const PATIENCE_MS = 1500
const LAST_WORDS_MS = 500

/** Never throws: where the system cannot start another process now, that is an end as any other. */
export function startChild(options: ChildOptions, events: ChildEvents): Child {
  const { log } = options
  const spawned = spawnWithPipe(options)
  if ('reason' in spawned) {
    setImmediate(() => events.onEnd(spawned.reason, null))
    return { pid: null, send: () => undefined, kill: async () => undefined, end: async () => undefined }
  }
  const { child, pipe } = spawned
  let over = false
  const finished = new Promise<void>((resolve) => {
    const finish = (reason: string, exitCode: number | null) => {
      if (over) return
      over = true
      pipe.destroy()
      resolve()
      events.onEnd(reason, exitCode)
    }
    child.once('error', (error) => {
      finish(error.message, null)
    })
    child.once('exit', (code, signal) => {
      const end = () => {
        clearTimeout(timer)
        finish(signal === null ? `exit code ${String(code)}` : `signal ${signal}`, code)
      }
      // What it wrote last is still in the pipe; `close` comes when that is read, unless a child of it keeps a stream.
      const timer = setTimeout(end, LAST_WORDS_MS)
      child.once('close', end)
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
    pid: child.pid ?? null,
    send: (request) => {
      if (!over && pipe.writable) pipe.write(encodeFrame(request))
    },
    async kill() {
      child.kill('SIGKILL')
      await finished
    },
    async end() {
      pipe.end()
      const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
      await finished
      clearTimeout(timer)
    },
  }
}

function spawnWithPipe({
  nodePath,
  entry,
  env,
  flags,
}: ChildOptions): { child: ChildProcess; pipe: Duplex } | { reason: string } {
  try {
    const child = spawn(nodePath, [...flags, entry], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...env },
      windowsHide: true,
    })
    // Whatever its type says: without a free file descriptor there is none.
    const stdio: unknown = child.stdio
    const pipe: unknown = Array.isArray(stdio) ? stdio[PIPE] : null
    if (pipe instanceof Duplex) return { child, pipe }
    child.on('error', () => undefined)
    return { reason: 'the pipe to it could not be opened' }
  } catch (error) {
    // Some reasons are thrown, as that there is no memory for it, others told by an event.
    return { reason: String(error) }
  }
}

function logLines(stream: Readable | null, log: ((line: string) => void) | undefined): void {
  if (stream === null) return
  // Read even without a log: a full pipe would stop the process.
  const lines = createInterface({ input: stream })
  lines.on('line', (line) => log?.(line))
}
