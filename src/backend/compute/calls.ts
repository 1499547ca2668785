import {
  computeMethods,
  type ComputeMethod,
  type ComputeReply,
  type ComputeRequest,
} from '../../core/contract/compute.ts'
import { CodedError, fromWireError } from '../../core/contract/errors.ts'
import type { ComputeCallOptions, ComputeParams, ComputeResult } from './port.ts'

type Send = (request: ComputeRequest) => void

/** What only keeps copies: it takes no time, and says nothing of how well the rung computes. */
const KEEPING: ReadonlySet<ComputeMethod> = new Set<ComputeMethod>(['openCase', 'patchCase', 'keepSlices', 'closeCase'])

interface Pending {
  readonly id: number
  readonly request: ComputeRequest
  /** Written to the process that runs now; otherwise it waits for one. */
  sent: boolean
  /** How often it was taken back from a process and asked again. */
  again: number
  /** Of the host itself (is it ready? here is a stroke), not of a user's job. */
  readonly internal: boolean
  readonly options: ComputeCallOptions
  readonly settle: (outcome: { result: unknown } | { error: CodedError }) => void
}

export interface CallsOptions {
  /** The rung cannot go on. True: it is being replaced, and what was sent was taken back. */
  readonly onLost: (error: CodedError) => boolean
  /** A user's call got its answer, of whatever kind. */
  readonly onAnswered: (ok: boolean) => void
}

/** The calls in flight, whatever process serves them at the moment. */
export interface Calls {
  /** Sent when a process is ready, at once or later. Until then it can be cancelled at once. */
  call<M extends ComputeMethod>(
    method: M,
    params: ComputeParams<M>,
    options: ComputeCallOptions,
  ): Promise<ComputeResult<M>>
  /** A question of the host's own to a process that is not ready yet. */
  ask<M extends ComputeMethod>(send: Send, method: M, params: ComputeParams<M>): Promise<ComputeResult<M>>
  /** A reply to a call that is not known (any more) is dropped: it is never taken for the answer to another. */
  receive(reply: Exclude<ComputeReply, { t: 'pong' | 'notice' }>): void
  /** A process is ready: what waited is sent. */
  connect(send: Send): void
  /** It is gone: what was sent rejects, what waits goes on waiting. */
  disconnect(error: CodedError): void
  /** It is gone: what was sent waits for the next one; what was taken back `atMost` times already rejects. */
  takeBack(atMost: number, error: CodedError): void
  /** Rejects all that is there. */
  refuse(error: CodedError): void
  /** Calls of users in flight that somebody waits for. */
  count(): number
  /** Calls of users that a process has. */
  sent(): number
}

export function createCalls({ onLost, onAnswered }: CallsOptions): Calls {
  const pending = new Map<number, Pending>()
  let send: Send | null = null
  let lastId = 0

  function transmit(entry: Pending, to: Send): void {
    entry.sent = true
    to(entry.request)
  }

  function begin<M extends ComputeMethod>(
    method: M,
    params: ComputeParams<M>,
    options: ComputeCallOptions,
    directly: Send | null,
  ): Promise<ComputeResult<M>> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(cancelled())
        return
      }
      const id = ++lastId
      const cancel = () => {
        if (entry.sent) send?.({ t: 'cancel', id })
        else entry.settle({ error: cancelled() })
      }
      const entry: Pending = {
        id,
        request: { t: 'call', id, method, params },
        sent: false,
        again: 0,
        internal: directly !== null || KEEPING.has(method),
        options,
        settle: (outcome) => {
          pending.delete(id)
          signal?.removeEventListener('abort', cancel)
          if ('error' in outcome) {
            reject(outcome.error)
            return
          }
          const parsed = parseResult(method, outcome.result)
          if (parsed.ok) resolve(parsed.value)
          else reject(new CodedError('internal', 'The compute process gave an unreadable answer.', parsed))
        },
      }
      pending.set(id, entry)
      signal?.addEventListener('abort', cancel, { once: true })
      const to = directly ?? send
      if (to !== null) transmit(entry, to)
    })
  }

  const users = () => [...pending.values()].filter(({ internal }) => !internal)
  // A training between strokes is no work that anybody waits for: it would show as busy and ready in turns.
  const waitedFor = () => users().filter(({ request }) => request.t !== 'call' || request.method !== 'liveRun')

  return {
    call: (method, params, options) => begin(method, params, options, null),
    ask: (to, method, params) => begin(method, params, {}, to),
    receive(reply) {
      const entry = pending.get(reply.id)
      if (entry?.sent !== true) return
      if (reply.t === 'progress') {
        entry.options.onProgress?.(reply.progress)
        return
      }
      if (!entry.internal) onAnswered(reply.t === 'ok')
      if (reply.t === 'ok') {
        entry.settle({ result: reply.result })
        return
      }
      const error = fromWireError(reply.error)
      if (error.code === 'backend-lost' && !entry.internal && onLost(error)) return
      entry.settle({ error })
    },
    connect(next) {
      send = next
      for (const entry of pending.values()) if (!entry.sent) transmit(entry, next)
    },
    disconnect(error) {
      send = null
      for (const entry of [...pending.values()]) if (entry.sent) entry.settle({ error })
    },
    takeBack(atMost, error) {
      send = null
      for (const entry of [...pending.values()].filter(({ sent }) => sent)) {
        if (entry.options.signal?.aborted === true) entry.settle({ error: cancelled() })
        else if (entry.internal || entry.again >= atMost) entry.settle({ error })
        else {
          entry.again++
          entry.sent = false
        }
      }
    },
    refuse(error) {
      for (const entry of [...pending.values()]) entry.settle({ error })
    },
    count: () => waitedFor().length,
    sent: () => users().filter(({ sent }) => sent).length,
  }
}

function cancelled(): CodedError {
  return new CodedError('cancelled', 'Cancelled.')
}

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly detail: string }

function parseResult<M extends ComputeMethod>(method: M, result: unknown): Parsed<ComputeResult<M>>
function parseResult(method: ComputeMethod, result: unknown): Parsed<unknown> {
  const parsed = computeMethods[method].result.safeParse(result)
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, detail: parsed.error.message }
}
