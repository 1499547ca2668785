import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { findStaticFile } from '../backend/host/staticFiles.ts'
import { contentSecurityPolicy, securityHeaders } from '../core/security/contentPolicy.ts'
import { ownHost } from './access.ts'

/** Answers GET and HEAD for the files of the built page, and nothing else. They hold no data, so they need no token. */
export async function answerPage(
  request: IncomingMessage,
  response: ServerResponse,
  rendererDir: string,
  port: number,
): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
  const host = ownHost(request, port)
  if (host === null) {
    refuse(response, 403, 'This address does not serve Maskwright.')
    return
  }
  response.setHeader('Content-Security-Policy', contentSecurityPolicy([`ws://${host}`]))
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD')
    refuse(response, 405, 'Only pages are served here.')
    return
  }
  // The raw target: URL would resolve the dots of a traversal before anyone sees them.
  const pathname = (request.url ?? '').split(/[?#]/, 1)[0] ?? ''
  const file = await findStaticFile(rendererDir, pathname)
  if (file === null) {
    refuse(response, 404, 'There is no such page.')
    return
  }
  response.writeHead(200, {
    'Content-Type': file.mimeType,
    'Content-Length': file.size,
    // Names in assets/ carry a hash of their content.
    'Cache-Control': pathname.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-store',
  })
  if (request.method === 'HEAD') response.end()
  else await pipeline(createReadStream(file.path), response)
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' })
  response.end(`${sentence}\n`)
}
