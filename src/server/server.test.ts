import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { request, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import WebSocket from 'ws'
import { createClient, openWebSocket } from '../core/rpc/index.ts'
import { createFakeBackend, type FakeBackend } from '../core/rpc/testing/fakeBackend.ts'
import { startServer, type RunningServer } from './index.ts'

let folder = ''
let backend: FakeBackend
let server: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maskwright-server-'))
  await mkdir(join(folder, 'page', 'assets'), { recursive: true })
  await writeFile(join(folder, 'page', 'index.html'), '<!doctype html><title>Maskwright</title>')
  await writeFile(join(folder, 'page', 'assets', 'index-abc.js'), 'export {}')
  await writeFile(join(folder, 'secret.js'), 'secret')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

beforeEach(async () => {
  backend = createFakeBackend()
  server = await startServer({ backend, rendererDir: join(folder, 'page'), port: 0, maxMessageBytes: 100_000 })
})
afterEach(() => server.close())

interface Answer {
  status: number | undefined
  headers: IncomingHttpHeaders
  body: string
}

/** Node's client sends the path as it is, dots and all. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET', host = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request({ host, port: server.port, path, method, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text: string) => (body += text))
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
    })
    call.on('error', reject)
    call.end()
  })
}

/** "open", or the status with which the upgrade was refused. */
function upgrade(change: { origin?: string; host?: string; protocols?: string[]; path?: string }): Promise<string> {
  const own = `127.0.0.1:${server.port}`
  const protocols = change.protocols ?? ['maskwright', `maskwright.${server.token}`]
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://${own}${change.path ?? '/rpc'}`, protocols, {
      headers: { Host: change.host ?? own },
      ...(change.origin === '' ? {} : { origin: change.origin ?? `http://${own}` }),
    })
    socket.on('open', () => {
      expect(socket.protocol).toBe('maskwright')
      socket.terminate()
      resolve('open')
    })
    socket.on('unexpected-response', (_, response) => {
      resolve(String(response.statusCode))
      socket.terminate()
    })
    socket.on('error', () => undefined)
  })
}

function connectClient() {
  const own = `127.0.0.1:${server.port}`
  return createClient({
    connect: () =>
      openWebSocket(
        new WebSocket(`ws://${own}/rpc`, ['maskwright', `maskwright.${server.token}`], { origin: `http://${own}` }),
      ),
    backoff: { firstMs: 5, maxMs: 20 },
  })
}

describe('pages', () => {
  it('are served without a token, with headers that let nothing in from elsewhere', async () => {
    const answer = await get('/')
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('<title>Maskwright</title>')
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(answer.headers['x-content-type-options']).toBe('nosniff')
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
    expect(answer.headers['cross-origin-opener-policy']).toBe('same-origin')
    expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin')
    const policy = answer.headers['content-security-policy'] as string
    expect(policy.split('; ')).toContain("default-src 'none'")
    expect(policy.split('; ')).toContain("script-src 'self'")
    expect(policy.split('; ')).toContain(`connect-src 'self' ws://127.0.0.1:${server.port}`)
    expect(policy).not.toContain('unsafe')
    expect(answer.body).not.toContain(server.token)
  })

  it('have their mime types, and may be kept where their name carries a hash', async () => {
    const answer = await get('/assets/index-abc.js')
    expect(answer.headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(answer.headers['cache-control']).toContain('immutable')
    expect((await get('/', {}, 'HEAD')).body).toBe('')
  })

  it.each(['/../secret.js', '/%2e%2e/secret.js', '/..%2fsecret.js', '/assets/..%5c..%5csecret.js', '/missing.js'])(
    'do not include %s',
    async (path) => {
      const answer = await get(path)
      expect(answer.status).toBe(404)
      expect(answer.body).not.toContain('secret')
    },
  )

  it('are only read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await get('/', {}, method)).status).toBe(405)
  })

  it.each(['attacker.example', 'attacker.example:80', '127.0.0.1', '127.0.0.1:1', '127.0.0.1.attacker.example'])(
    'are refused under the name %s, which is another site that points here',
    async (host) => {
      expect((await get('/', { Host: host })).status).toBe(403)
    },
  )

  it('are served under localhost too', async () => {
    const answer = await get('/', { Host: `localhost:${server.port}` })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-security-policy']).toContain(`ws://localhost:${server.port}`)
  })
})

describe('the address', () => {
  it('carries the token where browsers do not send it', () => {
    const url = new URL(server.url)
    expect(url.host).toBe(`127.0.0.1:${server.port}`)
    expect(url.hash).toBe(`#token=${server.token}`)
    expect(Buffer.from(server.token, 'base64url').byteLength).toBe(32)
  })

  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal)?.address
  const unknown = outside === undefined ? ' (this machine has no other address)' : ''
  it.skipIf(outside === undefined)(`is not reachable over the network${unknown}`, async () => {
    const code = await new Promise((resolve) => {
      const socket = connect({ host: outside, port: server.port })
      socket.on('connect', () => {
        socket.destroy()
        resolve('connected')
      })
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    })
    expect(code).toBe('ECONNREFUSED')
  })
})

describe('the WebSocket', () => {
  it('opens for the own page with the token', async () => {
    expect(await upgrade({})).toBe('open')
  })

  it.each([
    ['a wrong token', { protocols: ['maskwright', `maskwright.${'A'.repeat(43)}`] }, '401'],
    ['an empty token', { protocols: ['maskwright', 'maskwright.'] }, '401'],
    ['no token', { protocols: ['maskwright'] }, '401'],
    ['no protocol', { protocols: [] }, '401'],
    ['another site as origin', { origin: 'http://attacker.example' }, '403'],
    ['another port as origin', { origin: 'http://127.0.0.1:1' }, '403'],
    ['the own origin, but https', { origin: 'https://127.0.0.1' }, '403'],
    ['the origin null of a sandboxed page', { origin: 'null' }, '403'],
    ['no origin', { origin: '' }, '403'],
    ['another site as host', { host: 'attacker.example', origin: 'http://attacker.example' }, '403'],
    ['another path', { path: '/' }, '404'],
  ])('refuses %s', async (_, change, status) => {
    expect(await upgrade(change)).toBe(status)
  })

  it('refuses the right token with something after it', async () => {
    expect(await upgrade({ protocols: ['maskwright', `maskwright.${server.token}x`] })).toBe('401')
    expect(await upgrade({ protocols: [`maskwright.${server.token}`] })).toBe('401')
  })

  it('speaks with the page', async () => {
    const client = connectClient()
    const slice = await client.call('volume.slice', { caseId: 'a', axis: 2, index: 3 })
    expect(slice.data.constructor).toBe(Uint8Array)
    const heard: string[] = []
    client.on('notice', ({ message }) => heard.push(message))
    backend.emit('notice', { level: 'info', message: 'hello' })
    await vi.waitFor(() => expect(heard).toEqual(['hello']))
    client.close()
  })

  it('cuts off a page that sends more than is allowed, and takes it back', async () => {
    const client = connectClient()
    await client.call('annotation.history', { caseId: 'any' })
    const chunk = client.call('files.uploadChunk', { uploadId: 'u', offset: 0, bytes: new Uint8Array(100_001) })
    await expect(chunk).rejects.toMatchObject({ code: 'connection-lost' })
    await vi.waitFor(() => expect(client.state).toBe('open'))
    expect(backend.log).toEqual([])
    client.close()
  })

  it('cuts off a page that does not answer any more', async () => {
    await server.close()
    server = await startServer({ backend, rendererDir: join(folder, 'page'), port: 0, heartbeatMs: 30 })
    const own = `127.0.0.1:${server.port}`
    const options = { origin: `http://${own}` }
    const protocols = ['maskwright', `maskwright.${server.token}`]
    const silent = new WebSocket(`ws://${own}/rpc`, protocols, { ...options, autoPong: false })
    const lively = new WebSocket(`ws://${own}/rpc`, protocols, options)
    await new Promise((resolve) => silent.on('close', resolve))
    expect(lively.readyState).toBe(WebSocket.OPEN)
    lively.terminate()
  })
})

describe('the port', () => {
  it('is refused in one sentence when it was asked for and is taken', async () => {
    const second = startServer({ backend, rendererDir: folder, port: server.port })
    await expect(second).rejects.toMatchObject({
      code: 'busy',
      message: `Port ${server.port} is already in use; choose another with --port, or leave --port out.`,
    })
  })

  it('is the next free one when it was not asked for', async () => {
    const first = await startServer({ backend, rendererDir: folder })
    const second = await startServer({ backend, rendererDir: folder })
    expect(second.port).toBeGreaterThan(first.port)
    expect(second.token).not.toBe(first.token)
    await first.close()
    await second.close()
  })
})
