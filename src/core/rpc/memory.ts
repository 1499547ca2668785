import { Inbox } from './inbox.ts'
import type { Transport } from './transport.ts'

/**
 * Two ends in one process. Each message is cloned, so that neither end sees what the other does with it, and arrives
 * later, never within `send`. Closing either end closes both; what was under way then is lost.
 */
export function memoryTransportPair(): [Transport, Transport] {
  const inboxes: [Inbox, Inbox] = [new Inbox(), new Inbox()]
  const end = (own: Inbox, other: Inbox): Transport => ({
    send(message) {
      if (own.closed) throw new Error('The transport is closed.')
      const copy = structuredClone(message)
      queueMicrotask(() => other.deliver(copy))
    },
    onMessage: (listener) => own.onMessage(listener),
    onClose: (listener) => own.onClose(listener),
    close() {
      own.close('closed')
      other.close('closed by the other end')
    },
  })
  return [end(inboxes[0], inboxes[1]), end(inboxes[1], inboxes[0])]
}
