import { CodedError } from '../../../core/contract/index.ts'
import type { BackendClient } from '../../../core/rpc/index.ts'

let current: BackendClient | null = null

/** Gives the interface its one connection to the backend; tests give a double. */
export function provideClient(client: BackendClient): void {
  current = client
}

/** The connection to the backend. Throws when asked for before `provideClient`: an error of the program, not of use. */
export function useClient(): BackendClient {
  if (current === null) throw new Error('useClient() was called before provideClient()')
  return current
}

/**
 * The same connection for one life of the interface. From `end` on it is closed for that life: nothing of a project that is no
 * longer open hears of the next, and nothing that was still to be done there, a stroke that is tried again, say, is done here.
 */
export function lifeOf(client: BackendClient): { client: BackendClient; end: () => void } {
  const stops = new Set<() => void>()
  let over = false
  function kept(stop: () => void): () => void {
    const once = () => {
      stops.delete(once)
      stop()
    }
    stops.add(once)
    return once
  }
  return {
    client: {
      call: (method, params, options) =>
        over
          ? Promise.reject(new CodedError('cancelled', 'Another project is open.'))
          : client.call(method, params, options),
      on: (event, listener) => kept(client.on(event, listener)),
      get state() {
        return over ? 'closed' : client.state
      },
      onState: (listener) => kept(client.onState(listener)),
      onResync: (listener) => kept(client.onResync(listener)),
      get sessionId() {
        return client.sessionId
      },
      get error() {
        return client.error
      },
      close: () => client.close(),
    },
    end() {
      over = true
      for (const stop of [...stops]) stop()
    },
  }
}
