import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import type { EventSource, PartialHandlers } from '../core/contract/index.ts'
import { createRpcServer, webSocketTransport } from '../core/rpc/index.ts'
import { newToken, protocolName, refusal } from './access.ts'
import { listen } from './listen.ts'
import { answerPage } from './pages.ts'

export interface ServerOptions {
  readonly backend: { readonly handlers: PartialHandlers; readonly events: EventSource }
  /** The built page: a folder with index.html. */
  readonly rendererDir: string
  /** Exactly this port; without it the first free one from 4870 on. */
  readonly port?: number
  /** 256 random bits unless given (tests). */
  readonly token?: string
  /** Longest message that a page may send, in bytes; a connection that sends a longer one is closed. */
  readonly maxMessageBytes?: number
  readonly heartbeatMs?: number
  /** One line for each thing that should not have happened. */
  readonly log?: (line: string) => void
}

export interface RunningServer {
  /** The address to open, with the token in the fragment, which browsers never send anywhere. */
  readonly url: string
  readonly port: number
  readonly token: string
  /** Lets calls under way finish, then closes every connection. */
  close(): Promise<void>
}

/** More windows than anyone has open; each costs memory for as long as it lives. */
const maxConnections = 32
/** A page that does not read what it is sent is cut off before the backend runs out of memory. */
const maxBufferedBytes = 512 * 2 ** 20

/**
 * The browser shell: serves the page and speaks to it by WebSocket, on 127.0.0.1 alone.
 *
 * @throws CodedError `busy` or `no-permission` when the port cannot be had.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const token = options.token ?? newToken()
  const log = options.log ?? (() => undefined)
  const rpc = createRpcServer({
    ...options.backend,
    onInternalError: (method, error) =>
      log(`${method}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`),
  })
  let port = 0

  const http = createServer((request, response) => {
    answerPage(request, response, options.rendererDir, port).catch((error: unknown) => {
      log(`a page could not be sent: ${String(error)}`)
      response.destroy()
    })
  })
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxMessageBytes ?? 64 * 2 ** 20,
    perMessageDeflate: false,
    handleProtocols: () => protocolName,
  })
  const alive = new WeakSet<WebSocket>()

  http.on('upgrade', (request, socket, head) => {
    // The server's own handler for broken connections is gone once the request is an upgrade.
    socket.on('error', () => socket.destroy())
    const refused = refusal(request, port, token)
    if (refused !== null) {
      refuseUpgrade(socket, ...refused)
      return
    }
    if (sockets.clients.size >= maxConnections) {
      refuseUpgrade(socket, '503 Service Unavailable', 'Too many windows of Maskwright are open; close one.')
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      alive.add(webSocket)
      webSocket.on('pong', () => alive.add(webSocket))
      rpc.accept(webSocketTransport(webSocket))
    })
  })

  const heartbeat = setInterval(() => {
    for (const socket of sockets.clients) {
      if (!alive.has(socket) || socket.bufferedAmount > maxBufferedBytes) socket.terminate()
      else {
        alive.delete(socket)
        socket.ping()
      }
    }
  }, options.heartbeatMs ?? 20_000)
  heartbeat.unref()

  try {
    port = await listen(http, options.port)
  } catch (error) {
    clearInterval(heartbeat)
    await rpc.close()
    throw error
  }

  return {
    url: `http://127.0.0.1:${port}/#token=${token}`,
    port,
    token,
    async close() {
      clearInterval(heartbeat)
      const closed = new Promise((resolve) => http.close(resolve))
      await rpc.close()
      for (const socket of sockets.clients) socket.terminate()
      sockets.close()
      http.closeAllConnections()
      await closed
    },
  }
}

function refuseUpgrade(socket: Duplex, status: string, sentence: string): void {
  const body = `${sentence}\n`
  socket.end(
    [
      `HTTP/1.1 ${status}`,
      'Connection: close',
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  )
}
