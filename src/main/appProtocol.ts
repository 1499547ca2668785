import { readFile } from 'node:fs/promises'
import { protocol, type Protocol } from 'electron'
import { findStaticFile } from '../backend/host/staticFiles.ts'
import { contentSecurityPolicy, securityHeaders } from '../core/security/contentPolicy.ts'

const scheme = 'app'
const host = 'maskwright'
export const pageOrigin = `${scheme}://${host}`
export const pageUrl = `${pageOrigin}/index.html`

/** Must run before the app is ready: only then the page has an origin of its own and counts as secure. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ])
}

/** Serves the files of the built page under `app://maskwright/`, and nothing else. */
export function serveApp(target: Pick<Protocol, 'handle'>, rendererDir: string): void {
  target.handle(scheme, (request) => answer(request, rendererDir))
}

async function answer(request: Request, rendererDir: string): Promise<Response> {
  const headers = { ...securityHeaders, 'Content-Security-Policy': contentSecurityPolicy() }
  const refuse = (status: number) => new Response(null, { status, headers })
  const url = new URL(request.url)
  if (url.host !== host) return refuse(404)
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405)
  const file = await findStaticFile(rendererDir, url.pathname)
  if (file === null) return refuse(404)
  const body = request.method === 'HEAD' ? null : await readFile(file.path)
  return new Response(body, { status: 200, headers: { ...headers, 'Content-Type': file.mimeType } })
}
