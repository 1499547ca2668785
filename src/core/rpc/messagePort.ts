import { Inbox } from './inbox.ts'
import type { Transport } from './transport.ts'

/** A MessagePort of a page or of Node's worker_threads, as far as it is used here. */
export interface PortLike {
  postMessage(message: unknown): void
  start(): void
  close(): void
  addEventListener(type: 'message' | 'messageerror' | 'close', listener: (event: object) => void): void
}

/** Electron's MessagePortMain, as far as it is used here. */
export interface MainPortLike {
  postMessage(message: unknown): void
  start(): void
  close(): void
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
  on(event: 'close', listener: () => void): unknown
}

/** Messages are cloned, never transferred: buffers in transfer lists do not survive the way through Electron. */
export function messagePortTransport(port: PortLike): Transport {
  const inbox = new Inbox()
  port.addEventListener('message', (event) => inbox.deliver('data' in event ? event.data : null))
  port.addEventListener('close', () => inbox.close('the port was closed'))
  port.addEventListener('messageerror', () => {
    port.close()
    inbox.close('a message could not be read')
  })
  return portTransport(port, inbox)
}

/** The main process's end in Electron. */
export function mainPortTransport(port: MainPortLike): Transport {
  const inbox = new Inbox()
  port.on('message', (event) => inbox.deliver(event.data))
  port.on('close', () => inbox.close('the port was closed'))
  return portTransport(port, inbox)
}

function portTransport(port: Pick<PortLike, 'postMessage' | 'start' | 'close'>, inbox: Inbox): Transport {
  port.start()
  return {
    send(message) {
      if (inbox.closed) throw new Error('The port is closed.')
      port.postMessage(message)
    },
    onMessage: (listener) => inbox.onMessage(listener),
    onClose: (listener) => inbox.onClose(listener),
    close() {
      port.close()
      inbox.close('closed')
    },
  }
}
