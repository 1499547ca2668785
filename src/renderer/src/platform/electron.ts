import { messagePortTransport, type Transport } from '../../../core/rpc/index.ts'

/** The page of the desktop shell is served by its own protocol. */
export function isElectronPage(protocol: string): boolean {
  return protocol === 'app:'
}

/**
 * Connections of the desktop shell: the preload script hands over one MessagePort for each, by a window message of
 * this very page.
 */
export function electronConnector(page: Window = window): () => Promise<Transport> {
  const ports: MessagePort[] = []
  let waiting: ((transport: Transport) => void) | null = null

  page.addEventListener('message', (event: MessageEvent) => {
    const port = event.ports[0]
    if (event.source !== page || port === undefined || !isPortMessage(event.data)) return
    if (waiting === null) ports.push(port)
    else waiting(messagePortTransport(port))
    waiting = null
  })

  return () => {
    const port = ports.shift()
    if (port !== undefined) return Promise.resolve(messagePortTransport(port))
    return new Promise((resolve) => (waiting = resolve))
  }
}

function isPortMessage(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === 'maskwright-port'
}
