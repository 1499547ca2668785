import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import type { Transport } from '../core/rpc/index.ts'
import { describeRpcConformance, type Wire } from '../core/rpc/testing/conformance.ts'
import { pageConnector, preload } from './testing/desktop.ts'
import { createElectronDouble } from './testing/electronDouble.ts'
import type { WindowDouble as PageWindow } from './testing/pageDouble.ts'

interface WindowLike {
  readonly webContents: {
    on(event: 'page-script', listener: (page: PageWindow) => void): void
    readonly document: { closePorts(): void } | null
  }
  loadURL(url: string): Promise<void>
}

/** Each connection is a window of its own: main process, preload script, page. */
describeRpcConformance('the Electron shell', async (accept): Promise<Wire> => {
  const electron = createElectronDouble()
  vi.resetModules()
  vi.doMock('electron', () => electron.main)
  const { brokerPorts } = await import('./portBroker.ts')
  const { serveApp, pageUrl } = await import('./appProtocol.ts')
  const { createWindow } = await import('./window.ts')
  const folder = await mkdtemp(join(tmpdir(), 'maskwright-conformance-'))
  await writeFile(join(folder, 'index.html'), '<!doctype html>')
  electron.app.becomeReady()
  serveApp(electron.session.protocol, folder)
  const windows: WindowLike[] = []
  const wire: Wire = {
    down: false,
    async connect() {
      if (wire.down) throw new Error('down')
      const window = createWindow(preload)
      const double = window as unknown as WindowLike
      windows.push(double)
      const connected = new Promise<Transport>((resolve, reject) => {
        double.webContents.on('page-script', (page) => void pageConnector(page)().then(resolve, reject))
      })
      let first = true
      brokerPorts(window.webContents, (transport) => {
        // A page that lost its port is given another; the suite makes its connections itself.
        if (first) accept(transport)
        first = false
      })
      await double.loadURL(pageUrl)
      return connected
    },
    drop() {
      for (const window of windows.splice(0)) window.webContents.document?.closePorts()
    },
    async close() {
      electron.app.exit(0)
      vi.doUnmock('electron')
      await rm(folder, { recursive: true, force: true })
    },
  }
  return wire
})
