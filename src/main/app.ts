import { app, dialog, session, type BrowserWindow } from 'electron'
import type { EventSource, FileEntry, Handlers } from '../core/contract/index.ts'
import { createRpcServer, type RpcServer } from '../core/rpc/index.ts'
import { registerAppScheme, serveApp } from './appProtocol.ts'
import { dialogHandlers } from './dialogs.ts'
import { installMenu } from './menu.ts'
import { brokerPorts } from './portBroker.ts'
import { hardenContents, hardenSession } from './security.ts'
import { createWindow, loadPage } from './window.ts'

/** An open project with its backend and compute process. */
export interface DesktopHost {
  /** Of the project that is open at the moment. */
  readonly projectDir: string
  readonly backend: {
    readonly handlers: Handlers
    readonly events: EventSource
    registerFile(path: string, purpose: 'open' | 'save'): FileEntry
  }
  /** Ends everything; resolves when all that was promised is on disk. */
  close(): Promise<void>
}

export interface DesktopOptions {
  /** Absolute paths of the built preload script and of the built page's folder. */
  readonly preload: string
  readonly rendererDir: string
  readonly platform: NodeJS.Platform
  /** Opens the project to work on. Called once, when the app is ready. */
  openHost(): Promise<DesktopHost>
  readonly log: (line: string) => void
}

/**
 * The whole life of the desktop app. Must be called before Electron is ready, thus synchronously from the entry.
 * A second start only brings the first one's window to the front.
 */
export function startApp(options: DesktopOptions): void {
  if (!app.requestSingleInstanceLock()) {
    app.quit()
    return
  }
  app.enableSandbox()
  registerAppScheme()
  hardenContents()

  let window: BrowserWindow | null = null
  let running: Promise<Running> | null = null
  let ended = false

  app.on('second-instance', () => {
    if (window === null || window.isDestroyed()) return
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  app.on('window-all-closed', () => app.quit())
  // The windows are gone by now, so nothing new comes; what came is written before the process ends.
  app.on('will-quit', (event) => {
    if (ended || running === null) return
    event.preventDefault()
    void running
      .then((open) => open.close())
      .catch((error: unknown) => options.log(`closing failed: ${describe(error)}`))
      .finally(() => {
        ended = true
        app.quit()
      })
  })

  async function start(): Promise<void> {
    await app.whenReady()
    hardenSession(session.defaultSession)
    serveApp(session.defaultSession.protocol, options.rendererDir)
    installMenu(options.platform)
    window = createWindow(options.preload)
    running = open(options, window)
    // The page draws its frame while the project is being opened.
    await Promise.all([loadPage(window), running])
  }

  start().catch(async (error: unknown) => {
    // A window that was closed while it was still loading is no failure; what else there is, quitting tells.
    if (window?.isDestroyed() === true) return
    options.log(`starting failed: ${describe(error)}`)
    dialog.showErrorBox('Maskwright could not start', error instanceof Error ? error.message : String(error))
    // The page may be what failed, and the project open.
    await running?.then((open) => open.close()).catch(() => undefined)
    app.exit(1)
  })
}

interface Running {
  close(): Promise<void>
}

async function open(options: DesktopOptions, window: BrowserWindow): Promise<Running> {
  const host = await options.openHost()
  const rpc: RpcServer = createRpcServer({
    handlers: {
      ...host.backend.handlers,
      ...dialogHandlers(
        window,
        () => host.projectDir,
        (...file) => host.backend.registerFile(...file),
      ),
    },
    events: host.backend.events,
    onInternalError: (method, error) => options.log(`${method}: ${describe(error)}`),
  })
  const stop = window.isDestroyed() ? () => undefined : brokerPorts(window.webContents, (port) => rpc.accept(port))
  return {
    async close() {
      if (!window.isDestroyed()) stop()
      await rpc.close()
      await host.close()
    },
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
