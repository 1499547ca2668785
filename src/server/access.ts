import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** The WebSocket subprotocol that is spoken; the one with the token only proves that the page may speak it. */
export const protocolName = 'maskwright'

export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

/** Compared in a time that does not depend on where they differ, nor on their lengths. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

/**
 * The Host header, if it is one under which this server is reached on this machine. A page of another site that got
 * its name to resolve to 127.0.0.1 (DNS rebinding) still sends that name.
 */
export function ownHost(request: IncomingMessage, port: number): string | null {
  const remote = request.socket.remoteAddress
  if (remote !== '127.0.0.1' && remote !== '::ffff:127.0.0.1') return null
  const { host } = request.headers
  return host === `127.0.0.1:${port}` || host === `localhost:${port}` ? host : null
}

/** A refusal of a WebSocket: status and one sentence; null when the page may connect. */
export function refusal(request: IncomingMessage, port: number, token: string): [status: string, why: string] | null {
  const host = ownHost(request, port)
  if (host === null) return ['403 Forbidden', 'This address does not serve Maskwright.']
  if (request.headers.origin !== `http://${host}`) {
    return ['403 Forbidden', 'Only the page of this Maskwright may connect.']
  }
  if (request.url !== '/rpc') return ['404 Not Found', 'There is nothing here to connect to.']
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  const given = offered.find((name) => name.startsWith(`${protocolName}.`))?.slice(protocolName.length + 1) ?? ''
  if (!sameSecret(given, token) || !offered.includes(protocolName)) {
    return ['401 Unauthorized', 'Open Maskwright with the address that it printed when it was started.']
  }
  return null
}
