import { z } from 'zod'
import {
  CONTRACT_VERSION,
  CodedError,
  methods,
  toWireError,
  type CallContext,
  type EventSource,
  type MethodName,
  type PartialHandlers,
} from '../contract/index.ts'
import { EventLog } from './eventLog.ts'
import { createLink, type Link } from './link.ts'
import type { BackendFunctions, ClientFunctions, Reply, Welcome } from './protocol.ts'
import type { Transport } from './transport.ts'

export interface RpcServerOptions {
  readonly handlers: PartialHandlers
  readonly events: EventSource
  readonly version?: number
  /** How much of the past is kept for pages that come back: events, bytes (roughly), and how long a page may be away. */
  readonly maxEvents?: number
  readonly maxEventBytes?: number
  readonly sessionTtlMs?: number
  /** How long `close` waits for calls that are being answered. */
  readonly graceMs?: number
  readonly now?: () => number
  /** Told of errors without a code, which are bugs, so that the shell can log them. */
  readonly onInternalError?: (method: string, error: unknown) => void
}

export interface RpcServer {
  /** Speaks to one page over a transport until it closes. */
  accept(transport: Transport): void
  /** Takes no more calls, lets those under way finish (for `graceMs`), then closes every transport. */
  close(): Promise<void>
  readonly connections: number
}

interface Connection {
  readonly link: Link<ClientFunctions>
  session: Session | null
  readonly calls: Map<unknown, AbortController>
}

interface Session {
  readonly id: string
  connection: Connection | null
  /** When it lost its connection. */
  leftAt: number
}

type AnyHandler = (params: unknown, context: CallContext) => Promise<unknown>

const helloSchema = z.tuple([z.unknown(), z.string().max(64).nullable(), z.int().min(0)])
const callIdSchema = z.int().min(0)

/** Serves the contract's methods and events to any number of pages. */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  const now = options.now ?? (() => Date.now())
  const version = options.version ?? CONTRACT_VERSION
  const sessionTtlMs = options.sessionTtlMs ?? 60_000
  const sessions = new Map<string, Session>()
  const connections = new Set<Connection>()
  const running = new Set<Promise<unknown>>()
  let closing = false

  const log = new EventLog(
    { events: options.maxEvents ?? 2000, bytes: options.maxEventBytes ?? 32 * 2 ** 20, ageMs: sessionTtlMs },
    now,
  )
  const unsubscribe = options.events.on((name, payload) => {
    const event = log.append(name, payload)
    dropOldSessions()
    for (const { connection } of sessions.values()) connection?.link.tell('event', event.seq, name, payload)
    if (sessions.size === 0) log.clear()
  })

  function dropOldSessions() {
    for (const session of sessions.values()) {
      if (session.connection === null && now() - session.leftAt > sessionTtlMs) sessions.delete(session.id)
    }
  }

  function hello(connection: Connection, args: unknown[]): Reply<Welcome> {
    const parsed = helloSchema.safeParse(args)
    if (!parsed.success)
      return failure(new CodedError('bad-request', 'The page greeted the backend in an unknown way.'))
    const [theirs, sessionId, lastEventSeq] = parsed.data
    if (theirs !== version) {
      return failure(
        new CodedError('version-mismatch', 'Maskwright was updated while this page was open; reload the page.', {
          detail: `The page speaks version ${String(theirs)} of the contract, the backend version ${version}.`,
        }),
      )
    }
    if (connection.session !== null)
      return failure(new CodedError('bad-request', 'The page greeted the backend twice.'))
    dropOldSessions()
    const known = sessionId === null ? undefined : sessions.get(sessionId)
    const missed = known === undefined ? null : log.since(lastEventSeq)
    const session: Session = known ?? { id: crypto.randomUUID(), connection: null, leftAt: now() }
    // A connection that is dead without having said so: the page is here now.
    const previous = session.connection
    session.connection = connection
    connection.session = session
    if (previous !== null) leave(previous)
    sessions.set(session.id, session)
    const welcome = { sessionId: session.id, resumed: missed !== null, seq: log.seq }
    for (const event of missed ?? []) connection.link.tell('event', event.seq, event.name, event.payload)
    return { ok: true, value: welcome }
  }

  async function call(connection: Connection, args: [unknown, unknown, unknown]): Promise<Reply<unknown>> {
    const [callId, method, params] = args
    const controller = new AbortController()
    try {
      if (!callIdSchema.safeParse(callId).success || connection.calls.has(callId)) {
        throw new CodedError('bad-request', 'A request came without a number of its own.')
      }
      const { session } = connection
      if (session === null) throw new CodedError('bad-request', 'A request came before the greeting.')
      if (closing) throw new CodedError('connection-lost', 'Maskwright is closing; nothing was changed.')
      connection.calls.set(callId, controller)
      const { handler, parsed } = prepare(options.handlers, method, params)
      const work = handler(parsed, {
        signal: controller.signal,
        sessionId: session.id,
        connected: () => session.connection !== null,
      })
      running.add(work)
      try {
        return { ok: true, value: await work }
      } finally {
        running.delete(work)
      }
    } catch (thrown) {
      if (controller.signal.aborted && !(thrown instanceof CodedError && thrown.code !== 'cancelled')) {
        return failure(new CodedError('cancelled', 'The request was cancelled.'))
      }
      if (!(thrown instanceof CodedError)) options.onInternalError?.(String(method), thrown)
      return failure(thrown)
    } finally {
      if (connection.calls.get(callId) === controller) connection.calls.delete(callId)
    }
  }

  function leave(connection: Connection) {
    if (!connections.delete(connection)) return
    for (const controller of connection.calls.values()) controller.abort()
    const { session } = connection
    if (session?.connection === connection) {
      session.connection = null
      session.leftAt = now()
    }
    connection.link.close(() => new CodedError('connection-lost', 'The page is gone.'))
  }

  return {
    accept(transport) {
      const functions: BackendFunctions = {
        hello: async (...args) => hello(connection, args),
        call: (...args) => call(connection, args),
        cancel: (callId) => connection.calls.get(callId)?.abort(),
      }
      const link = createLink<ClientFunctions>(transport, functions)
      const connection: Connection = { link, session: null, calls: new Map() }
      connections.add(connection)
      transport.onClose(() => leave(connection))
    },
    async close() {
      closing = true
      unsubscribe()
      let timer: ReturnType<typeof setTimeout> | undefined
      const grace = new Promise((resolve) => (timer = setTimeout(resolve, options.graceMs ?? 5000)))
      await Promise.race([Promise.allSettled(running), grace])
      clearTimeout(timer)
      // Answers that have just become ready are still on their way through a few promises.
      await new Promise((resolve) => setTimeout(resolve, 0))
      for (const connection of [...connections]) leave(connection)
      sessions.clear()
      log.clear()
    },
    get connections() {
      return connections.size
    },
  }
}

function failure(thrown: unknown): { ok: false; error: ReturnType<typeof toWireError> } {
  return { ok: false, error: toWireError(thrown) }
}

function isMethod(name: unknown): name is MethodName {
  return typeof name === 'string' && Object.hasOwn(methods, name)
}

function prepare(handlers: PartialHandlers, method: unknown, params: unknown) {
  if (!isMethod(method) || !Object.hasOwn(handlers, method)) {
    throw new CodedError('unknown-method', 'The page asked for something that this backend does not know.', {
      detail: String(method).slice(0, 200),
    })
  }
  const definition: { params: z.ZodType } = methods[method]
  const parsed = definition.params.safeParse(params)
  if (!parsed.success) {
    throw new CodedError(
      'bad-request',
      'The page sent a request that the backend does not understand; nothing was changed.',
      {
        detail: `${method}: ${z.prettifyError(parsed.error)}`,
      },
    )
  }
  return { handler: handlers[method] as AnyHandler, parsed: parsed.data }
}
