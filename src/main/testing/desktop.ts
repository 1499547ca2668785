import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { vi } from 'vitest'
import type { Handlers } from '../../core/contract/index.ts'
import { createClient, messagePortTransport, type BackendClient, type Transport } from '../../core/rpc/index.ts'
import { createFakeBackend, type FakeBackend } from '../../core/rpc/testing/fakeBackend.ts'
import type { DesktopHost } from '../app.ts'
import { createElectronDouble, type ElectronDouble, type WindowDouble } from './electronDouble.ts'
import type { MessageEventDouble, WindowDouble as PageWindow } from './pageDouble.ts'

export const preload = resolve(import.meta.dirname, '../../preload/index.ts')

export interface Desktop {
  readonly electron: ElectronDouble
  readonly backend: FakeBackend
  readonly log: string[]
  readonly window: WindowDouble
  /** The page's client of the current load. */
  readonly client: BackendClient
  readonly clients: BackendClient[]
  readonly folder: string
}

/** What the page's own script does about the port, with the means that a page has. */
export function pageConnector(page: PageWindow): () => Promise<Transport> {
  const ports: MessageEventDouble['ports'][number][] = []
  let waiting: (() => void) | null = null
  page.addEventListener('message', (event) => {
    const [port] = event.ports
    if (event.source !== page || port === undefined) return
    if ((event.data as { type?: unknown }).type !== 'maskwright-port') return
    ports.push(port)
    waiting?.()
  })
  return async () => {
    if (ports.length === 0) await new Promise<void>((resolve) => (waiting = resolve))
    const port = ports.shift()
    if (port === undefined) throw new Error('no port')
    return messagePortTransport(port)
  }
}

interface Arrangement {
  readonly firstInstance?: boolean
  /** Keeps the page from being found. */
  readonly noPage?: boolean
  readonly openHost?: (host: DesktopHost) => Promise<DesktopHost>
  readonly platform?: NodeJS.Platform
}

/** Starts the real main process code over the double; the real preload script runs in each page it loads. */
export async function startDesktop(arrangement: Arrangement = {}): Promise<Desktop> {
  const electron = createElectronDouble({ firstInstance: arrangement.firstInstance ?? true })
  vi.resetModules()
  vi.doMock('electron', () => electron.main)
  const { startApp } = await import('../app.ts')
  const folder = await mkdtemp(join(tmpdir(), 'maskwright-main-'))
  const rendererDir = join(folder, 'page')
  await mkdir(rendererDir)
  if (arrangement.noPage !== true) await writeFile(join(rendererDir, 'index.html'), '<!doctype html>')
  const backend = createFakeBackend()
  const log: string[] = []
  const clients: BackendClient[] = []
  const host: DesktopHost = {
    projectDir: join(folder, 'project'),
    backend: {
      // The fake answers a part of the contract; nothing here asks for the rest.
      handlers: backend.handlers as Handlers,
      events: backend.events,
      registerFile: (path, purpose) => ({ id: `id to ${purpose} ${path}`, name: path, text: path, kind: 'file' }),
    },
    close: async () => {
      log.push('host closed')
    },
  }
  startApp({
    preload,
    rendererDir,
    platform: arrangement.platform ?? 'linux',
    openHost: () => arrangement.openHost?.(host) ?? Promise.resolve(host),
    log: (line) => log.push(line),
  })
  electron.app.on('web-contents-created', (_event: unknown, contents: WindowDouble['webContents']) => {
    contents.on('page-script', (page: PageWindow) => {
      clients.push(createClient({ connect: pageConnector(page), backoff: { firstMs: 5, maxMs: 20 } }))
    })
  })
  electron.app.becomeReady()
  return {
    electron,
    backend,
    log,
    clients,
    folder,
    get window() {
      const [window] = electron.windows
      if (window === undefined) throw new Error('no window was made')
      return window
    },
    get client() {
      const client = clients.at(-1)
      if (client === undefined) throw new Error('no page was loaded')
      return client
    },
  }
}

/** Any stroke that the contract allows. */
export const stroke = {
  id: '0b6f3a52-6a0e-4f0e-9a37-3d1f6a0c1a11',
  baseRevision: 0,
  kind: 'brush' as const,
  label: 1,
  axis: 2 as const,
  box: { min: [0, 0, 5] as [number, number, number], max: [9, 9, 6] as [number, number, number] },
  runs: Uint32Array.of(0, 3, 0, 1),
}

export async function endDesktop(desktop: Desktop): Promise<void> {
  for (const client of desktop.clients) client.close()
  desktop.electron.app.exit(0)
  await rm(desktop.folder, { recursive: true, force: true })
  vi.doUnmock('electron')
}
