import { createBirpc } from 'birpc'
import { isEnvelope } from './protocol.ts'
import type { Transport } from './transport.ts'

/** An object of functions and nothing else. */
type Functions<T> = { [K in keyof T]: (...args: never[]) => unknown }

export interface Link<Remote extends Functions<Remote>> {
  /** Rejects when the link is or gets closed before the answer is there. */
  call<K extends keyof Remote & string>(
    name: K,
    ...args: Parameters<Remote[K]>
  ): Promise<Awaited<ReturnType<Remote[K]>>>
  /** One-way; what cannot be sent any more is dropped. */
  tell<K extends keyof Remote & string>(name: K, ...args: Parameters<Remote[K]>): void
  readonly closed: boolean
  /** Rejects what is pending with `reason()` and closes the transport. */
  close(reason: () => Error): void
}

/**
 * birpc over a transport, with the edges taken off: no time limit on answers (work may take minutes), only own members
 * of `local` can be called, and a message that is not birpc's closes the transport instead of throwing somewhere.
 */
export function createLink<Remote extends Functions<Remote>>(transport: Transport, local: object): Link<Remote> {
  let closed = false
  const rpc = createBirpc<Remote, object, false>(local, {
    post: (message: unknown) => transport.send(message),
    on: (receive: (message: unknown) => void) =>
      transport.onMessage((message) => {
        if (closed) return
        if (isEnvelope(message)) receive(message)
        else transport.close()
      }),
    resolver: (name, found) => (Object.hasOwn(local, name) ? found : undefined),
    timeout: -1,
    proxify: false,
    // With a name it is an answer that could not be sent: birpc tries to send the error, and the other end knows by
    // the closed transport otherwise. Without one it is a call of ours, which must reject.
    onGeneralError: (_error, name) => name !== undefined,
  })
  return {
    call: (name, ...args) =>
      closed ? Promise.reject(new Error('The link is closed.')) : rpc.$call(name, ...(args as never)),
    tell: (name, ...args) => {
      if (!closed) rpc.$callEvent(name, ...(args as never)).catch(() => undefined)
    },
    get closed() {
      return closed
    },
    close: (reason) => {
      if (closed) return
      closed = true
      void rpc.$rejectPendingCalls(({ reject }) => reject(reason()))
      rpc.$close()
      transport.close()
    },
  }
}
