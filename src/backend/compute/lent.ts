import { CodedError } from '../../core/contract/errors.ts'
import { CLOSING } from './words.ts'
import type { ComputePort } from './port.ts'

/**
 * The same compute process for somebody who may not end it: `close` ends what they asked for and no more, and nothing is
 * asked through this port afterwards.
 */
export function lendCompute(port: ComputePort): ComputePort {
  const over = new AbortController()
  const asked = new Set<Promise<unknown>>()
  const stops = new Set<() => void>()
  const subscribed = (stop: () => void): (() => void) => {
    stops.add(stop)
    return () => {
      stops.delete(stop)
      stop()
    }
  }
  return {
    status: () => port.status(),
    settings: () => port.settings(),
    configure: (settings) => port.configure(settings),
    onStatus: (listener) => subscribed(port.onStatus(listener)),
    onNotice: (listener) => subscribed(port.onNotice(listener)),
    call(method, params, options = {}) {
      if (over.signal.aborted) return Promise.reject(new CodedError('cancelled', CLOSING))
      const { signal } = options
      const either = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal])
      const answer = port.call(method, params, { ...options, signal: either })
      const settled = answer
        .catch(() => undefined)
        .finally(() => {
          asked.delete(settled)
        })
      asked.add(settled)
      return answer
    },
    async close() {
      over.abort()
      for (const stop of stops) stop()
      stops.clear()
      await Promise.all(asked)
    },
  }
}
