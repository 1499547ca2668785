import type { z } from 'zod'
import {
  CONTRACT_VERSION,
  CodedError,
  events,
  fromWireError,
  methods,
  type EventName,
  type EventPayload,
  type MethodName,
  type MethodParams,
  type MethodResult,
} from '../contract/index.ts'
import { createLink, type Link } from './link.ts'
import { replySchema, welcomeSchema, type BackendFunctions, type ClientFunctions, type Welcome } from './protocol.ts'
import type { Transport } from './transport.ts'

/** connecting: for the first time; lost: it was open, and is being tried again; closed: for good, see `error`. */
export type ConnectionState = 'connecting' | 'open' | 'lost' | 'closed'

export interface BackendClient {
  /**
   * Calls made while the first connection is being made wait for it. Rejects with a `CodedError`: the backend's own,
   * `cancelled` at once when the signal is aborted, `connection-lost` when the answer can not come any more (the call
   * may have been carried out).
   */
  call<M extends MethodName>(
    method: M,
    params: MethodParams<M>,
    options?: { signal?: AbortSignal },
  ): Promise<MethodResult<M>>
  on<E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void): () => void
  readonly state: ConnectionState
  onState(listener: (state: ConnectionState) => void): () => void
  /** The connection is back, but events were missed: read afresh what is shown. */
  onResync(listener: () => void): () => void
  /** This page's name at the backend, as in `origin` of `annotation.applied`; null before the first connection. */
  readonly sessionId: string | null
  /** Why the client closed of itself: the versions do not fit, or the shell refuses this page. */
  readonly error: CodedError | null
  close(): void
}

export interface ClientOptions {
  /**
   * Makes a fresh connection each time it is called. Whatever it rejects with is tried again after a pause, except a
   * `CodedError` of code `version-mismatch` or `no-permission`, which closes the client.
   */
  readonly connect: () => Promise<Transport>
  readonly version?: number
  /** Pause before the first, and the longest before any later attempt; it doubles in between. */
  readonly backoff?: { readonly firstMs: number; readonly maxMs: number }
  readonly helloTimeoutMs?: number
}

type ServerLink = Link<BackendFunctions>

const finalCodes = new Set(['version-mismatch', 'no-permission'])

/** Connects at once, reconnects for as long as it is not closed, and resumes its session. */
export function createClient(options: ClientOptions): BackendClient {
  const listeners = new Map<string, Set<(payload: never) => void>>()
  const stateListeners = new Set<(state: ConnectionState) => void>()
  const resyncListeners = new Set<() => void>()
  const waiting = new Set<{ resolve: (link: ServerLink) => void; reject: (error: CodedError) => void }>()
  const stopped = new AbortController()
  const isStopped = () => stopped.signal.aborted
  let state: ConnectionState = 'connecting'
  let error: CodedError | null = null
  let link: ServerLink | null = null
  let sessionId: string | null = null
  let lastSeq = 0
  let lastCall = 0

  function setState(next: ConnectionState) {
    if (state === next || state === 'closed') return
    state = next
    for (const listener of [...stateListeners]) guarded(() => listener(next))
  }

  function shutDown(reason: CodedError | null) {
    if (state === 'closed') return
    error = reason
    setState('closed')
    stopped.abort()
    rejectWaiting(reason ?? lost())
    link?.close(() => reason ?? lost())
    link = null
  }

  function rejectWaiting(reason: CodedError) {
    for (const { reject } of waiting) reject(reason)
    waiting.clear()
  }

  /** Serves one transport until it is lost. Rejects when the greeting fails. */
  async function serve(transport: Transport, greeted: () => void): Promise<void> {
    let early: Parameters<ClientFunctions['event']>[] | null = []
    const local: ClientFunctions = {
      event: (...args) => (early === null ? receive(...args) : void early.push(args)),
    }
    const current: ServerLink = createLink<BackendFunctions>(transport, local)
    const gone = new Promise<void>((resolve) => {
      transport.onClose(() => {
        current.close(lost)
        resolve()
      })
    })
    try {
      const welcome = await greet(current)
      const resync = sessionId !== null && !welcome.resumed
      if (!welcome.resumed) lastSeq = welcome.seq
      sessionId = welcome.sessionId
      link = current
      greeted()
      setState('open')
      for (const { resolve } of waiting) resolve(current)
      waiting.clear()
      if (resync) for (const listener of [...resyncListeners]) guarded(listener)
      const queued = early
      early = null
      for (const args of queued) receive(...args)
      await gone
    } finally {
      link = null
      current.close(lost)
    }
  }

  async function greet(current: ServerLink): Promise<Welcome> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(lost()), options.helloTimeoutMs ?? 10_000)
    })
    try {
      const hello = current.call('hello', options.version ?? CONTRACT_VERSION, sessionId, lastSeq)
      return welcomeSchema.parse(unwrap(await Promise.race([hello, late])))
    } finally {
      clearTimeout(timer)
    }
  }

  function receive(seq: unknown, name: unknown, payload: unknown) {
    if (typeof seq !== 'number' || seq <= lastSeq) return
    lastSeq = seq
    if (typeof name !== 'string' || !Object.hasOwn(events, name)) return
    const schema: z.ZodType = events[name as EventName]
    const parsed = schema.safeParse(payload)
    for (const listener of [...(listeners.get(name) ?? [])]) {
      guarded(() => {
        if (!parsed.success) throw new Error(`The event ${name} has an unexpected form: ${parsed.error.message}`)
        listener(parsed.data as never)
      })
    }
  }

  async function run(): Promise<void> {
    const { firstMs, maxMs } = options.backoff ?? { firstMs: 200, maxMs: 5000 }
    let pause = firstMs
    while (!isStopped()) {
      try {
        const transport = await options.connect()
        if (isStopped()) transport.close()
        else await serve(transport, () => (pause = firstMs))
      } catch (thrown) {
        if (thrown instanceof CodedError && finalCodes.has(thrown.code)) shutDown(thrown)
      }
      if (isStopped()) return
      setState('lost')
      rejectWaiting(lost())
      await sleep(pause, stopped.signal)
      pause = Math.min(pause * 2, maxMs)
    }
  }

  function opened(): Promise<ServerLink> {
    if (link !== null) return Promise.resolve(link)
    if (state !== 'connecting') return Promise.reject(error ?? lost())
    return new Promise((resolve, reject) => waiting.add({ resolve, reject }))
  }

  async function call<M extends MethodName>(
    method: M,
    params: MethodParams<M>,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<MethodResult<M>> {
    if (signal?.aborted === true) throw cancelled()
    const callId = ++lastCall
    let used: ServerLink | null = null
    let onAbort: (() => void) | undefined
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => {
        used?.tell('cancel', callId)
        reject(cancelled())
      }
      signal?.addEventListener('abort', onAbort)
    })
    try {
      used = await Promise.race([opened(), aborted])
      const value = unwrap(await Promise.race([used.call('call', callId, method, params), aborted]))
      const definition: { result: z.ZodType } = methods[method]
      const result = definition.result.safeParse(value)
      if (result.success) return result.data as MethodResult<M>
      throw new CodedError('internal', 'The backend answered in an unexpected form.', {
        detail: `${method}: ${result.error.message}`,
      })
    } catch (thrown) {
      if (thrown instanceof CodedError) throw thrown
      if (used?.closed === true) throw lost()
      throw new CodedError('internal', 'The request could not be sent.', { cause: thrown, detail: String(thrown) })
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    }
  }

  void run()

  return {
    call,
    on(event, listener) {
      const set = listeners.get(event) ?? new Set()
      listeners.set(event, set)
      return subscribe(set, listener as (payload: never) => void)
    },
    get state() {
      return state
    },
    onState: (listener) => subscribe(stateListeners, listener),
    onResync: (listener) => subscribe(resyncListeners, listener),
    get sessionId() {
      return sessionId
    },
    get error() {
      return error
    },
    close: () => shutDown(null),
  }
}

function unwrap(reply: unknown): unknown {
  const parsed = replySchema.parse(reply)
  if (parsed.ok) return parsed.value
  throw fromWireError(parsed.error)
}

function lost(): CodedError {
  return new CodedError('connection-lost', 'The connection to the Maskwright backend was lost.')
}

function cancelled(): CodedError {
  return new CodedError('cancelled', 'The request was cancelled.')
}

function subscribe<T>(set: Set<T>, listener: T): () => void {
  set.add(listener)
  return () => set.delete(listener)
}

/** One listener's bug must not keep the others, or the connection, from going on; it surfaces as an uncaught error. */
function guarded(listener: () => void) {
  try {
    listener()
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown
    })
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
