import { computeMethods, computeReplySchema } from '../../core/contract/compute.ts'
import { CodedError, fromWireError } from '../../core/contract/errors.ts'
import type { ComputeMethod, ComputeProgress, ComputeRequest } from '../../core/contract/compute.ts'
import type { ComputeCallOptions, ComputeParams, ComputeResult } from './port.ts'

type Send = (request: ComputeRequest) => void

interface Pending {
  readonly id: number
  readonly method: ComputeMethod
  readonly request: ComputeRequest
  /** Written to the process that runs now; otherwise it waits for one. */
  sent: boolean
  /** Of the host itself (is it ready?), not of a user's job. */
  readonly internal: boolean
  readonly onProgress: ((progress: ComputeProgress) => void) | undefined
  readonly settle: (outcome: { result: unknown } | { error: CodedError }) => void
}

/** The calls in flight, whatever process serves them at the moment. */
export interface Calls {
  call<M extends ComputeMethod>(
    method: M,
    params: ComputeParams<M>,
    options: ComputeCallOptions,
  ): Promise<ComputeResult<M>>
  internal<M extends ComputeMethod>(method: M, params: ComputeParams<M>): Promise<ComputeResult<M>>
  receive(message: unknown): void
  /** A process is there: what waited is sent. */
  connect(send: Send): void
  /** It is gone: what was sent rejects, what waits goes on waiting. */
  disconnect(error: CodedError): void
  /** Rejects all that is there. */
  refuse(error: CodedError): void
  /** Calls of users in flight. */
  count(): number
}

export function createCalls(): Calls {
  const pending = new Map<number, Pending>()
  let send: Send | null = null
  let lastId = 0

  function transmit(entry: Pending): void {
    if (send === null) return
    entry.sent = true
    send(entry.request)
  }

  function begin<M extends ComputeMethod>(
    method: M,
    params: ComputeParams<M>,
    { signal, onProgress }: ComputeCallOptions,
    internal: boolean,
  ): Promise<ComputeResult<M>> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(new CodedError('cancelled', 'Cancelled.'))
        return
      }
      const id = ++lastId
      const cancel = () => {
        const entry = pending.get(id)
        if (entry === undefined) return
        if (entry.sent) send?.({ t: 'cancel', id })
        else entry.settle({ error: new CodedError('cancelled', 'Cancelled.') })
      }
      const entry: Pending = {
        id,
        method,
        request: { t: 'call', id, method, params },
        sent: false,
        internal,
        onProgress,
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
      transmit(entry)
    })
  }

  return {
    call: (method, params, options) => begin(method, params, options, false),
    internal: (method, params) => begin(method, params, {}, true),
    receive(message) {
      const parsed = computeReplySchema.safeParse(message)
      if (!parsed.success) return
      const reply = parsed.data
      // Told to the user once there is a way to.
      if (reply.t === 'notice') return
      const entry = pending.get(reply.id)
      if (entry === undefined || reply.t === 'pong') return
      if (reply.t === 'progress') entry.onProgress?.(reply.progress)
      else if (reply.t === 'ok') entry.settle({ result: reply.result })
      else entry.settle({ error: fromWireError(reply.error) })
    },
    connect(next) {
      send = next
      for (const entry of pending.values()) if (!entry.sent) transmit(entry)
    },
    disconnect(error) {
      send = null
      for (const entry of [...pending.values()]) if (entry.sent) entry.settle({ error })
    },
    refuse(error) {
      for (const entry of [...pending.values()]) entry.settle({ error })
    },
    count: () => [...pending.values()].filter(({ internal }) => !internal).length,
  }
}

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly detail: string }

function parseResult<M extends ComputeMethod>(method: M, result: unknown): Parsed<ComputeResult<M>>
function parseResult(method: ComputeMethod, result: unknown): Parsed<unknown> {
  const parsed = computeMethods[method].result.safeParse(result)
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, detail: parsed.error.message }
}
