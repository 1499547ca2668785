import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { memoryTransportPair, messagePortTransport, openWebSocket, webSocketTransport } from './index.ts'
import type { Transport } from './index.ts'
import { describeRpcConformance, type Wire } from './testing/conformance.ts'

/** Keeps what `cut` needs for each connection, and refuses while the wire is down. */
function wireOf(
  connect: () => Promise<{ transport: Transport; cut: () => void }>,
  close: () => Promise<void> | void,
): Wire {
  let cuts: (() => void)[] = []
  return {
    down: false,
    async connect() {
      if (this.down) throw new Error('down')
      const { transport, cut } = await connect()
      cuts.push(cut)
      return transport
    },
    drop() {
      for (const cut of cuts) cut()
      cuts = []
    },
    close,
  }
}

describeRpcConformance('memory', (accept) =>
  wireOf(
    async () => {
      const [page, backend] = memoryTransportPair()
      accept(backend)
      return { transport: page, cut: () => backend.close() }
    },
    () => undefined,
  ),
)

describeRpcConformance('MessagePort', (accept) =>
  wireOf(
    async () => {
      const { port1, port2 } = new MessageChannel()
      accept(messagePortTransport(port2))
      return { transport: messagePortTransport(port1), cut: () => port2.close() }
    },
    () => undefined,
  ),
)

describeRpcConformance('WebSocket', async (accept) => {
  const http = createServer()
  const sockets = new WebSocketServer({ server: http })
  sockets.on('connection', (socket) => accept(webSocketTransport(socket)))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port } = http.address() as AddressInfo
  return wireOf(
    async () => {
      const transport = await openWebSocket(new WebSocket(`ws://127.0.0.1:${port}`))
      return {
        transport,
        cut: () => {
          for (const socket of sockets.clients) socket.terminate()
        },
      }
    },
    async () => {
      for (const socket of sockets.clients) socket.terminate()
      await new Promise((resolve) => http.close(resolve))
    },
  )
})
