/** Until what is asked for holds. */
export async function waitUntil(until: () => boolean): Promise<void> {
  while (!until()) await pause(2)
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** For what compute is told to do before its work: it takes until it is given up. */
export function untilAborted(_params: unknown, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve()
    else signal?.addEventListener('abort', () => resolve())
  })
}

/** Holds up who waits for `passed`, until `pass` is called. */
export function gate(): { readonly passed: Promise<void>; pass(): void } {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  return { passed: promise, pass: () => resolve(undefined) }
}
