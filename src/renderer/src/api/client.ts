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
