import { EventEmitter } from 'node:events'
import { DialogDouble } from './dialogDouble.ts'
import { DocumentDouble } from './pageDouble.ts'
import { DomPortDouble, MessageChannelMainDouble, MessagePortMainDouble } from './portDouble.ts'
import { SessionDouble } from './sessionDouble.ts'

/** An event whose default can be prevented, as Electron passes them. */
class Preventable {
  defaultPrevented = false
  preventDefault(): void {
    this.defaultPrevented = true
  }
}

interface WindowOptions {
  readonly webPreferences?: ConstructorParameters<typeof DocumentDouble>[1] & { readonly webviewTag?: boolean }
  readonly [option: string]: unknown
}

/** What a test arranges and looks at. */
export interface ElectronDouble {
  /** What `import … from 'electron'` gives in the main process. */
  readonly main: Record<string, unknown>
  readonly app: AppDouble
  readonly session: SessionDouble
  readonly windows: WindowDouble[]
  readonly dialog: DialogDouble
  readonly menus: unknown[]
  readonly schemes: unknown[]
}

export function createElectronDouble(options: { firstInstance?: boolean } = {}): ElectronDouble {
  const windows: WindowDouble[] = []
  const app = new AppDouble(windows, options.firstInstance ?? true)
  const session = new SessionDouble()
  const dialog = new DialogDouble()
  const menus: unknown[] = []
  const schemes: unknown[] = []
  class BrowserWindow extends WindowDouble {
    constructor(windowOptions: WindowOptions) {
      if (!app.isReady()) throw new Error('Cannot create BrowserWindow before app is ready')
      super(windowOptions, session, app)
      windows.push(this)
      app.emit('web-contents-created', new Preventable(), this.webContents)
    }
  }
  const protocol = {
    registerSchemesAsPrivileged(list: unknown[]) {
      if (app.isReady()) throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready')
      schemes.push(...list)
    },
  }
  const Menu = {
    buildFromTemplate: (template: unknown) => template,
    setApplicationMenu: (menu: unknown) => menus.push(menu),
  }
  const main = {
    app,
    BrowserWindow,
    dialog,
    Menu,
    MessageChannelMain: MessageChannelMainDouble,
    protocol,
    session: { defaultSession: session },
  }
  return { main, app, session, windows, dialog, menus, schemes }
}

export class AppDouble extends EventEmitter {
  isPackaged = false
  /** Null while the app runs. */
  exitCode: number | null = null
  sandboxed = false
  readonly #windows: WindowDouble[]
  readonly #firstInstance: boolean
  #ready = false
  #quitting = false

  constructor(windows: WindowDouble[], firstInstance: boolean) {
    super()
    this.#windows = windows
    this.#firstInstance = firstInstance
  }

  requestSingleInstanceLock(): boolean {
    return this.#firstInstance
  }
  enableSandbox(): void {
    if (this.#ready) throw new Error('app.enableSandbox() must be called before app is ready')
    this.sandboxed = true
  }
  isReady(): boolean {
    return this.#ready
  }
  becomeReady(): void {
    this.#ready = true
    this.emit('ready', new Preventable())
  }
  whenReady(): Promise<void> {
    return this.#ready ? Promise.resolve() : new Promise((resolve) => this.once('ready', () => resolve()))
  }
  /** before-quit, then every window's close, then will-quit, then quit; each of the first three may stop it. */
  quit(): void {
    if (this.exitCode !== null) return
    if (this.#stopped('before-quit')) return
    this.#quitting = true
    for (const window of [...this.#windows]) window.close()
    if (this.#windows.some((window) => !window.isDestroyed()) || this.#stopped('will-quit')) {
      this.#quitting = false
      return
    }
    this.exit(0)
  }
  exit(code: number): void {
    if (this.exitCode !== null) return
    this.exitCode = code
    for (const window of this.#windows) window.destroy()
    this.emit('quit', new Preventable(), code)
  }
  windowClosed(): void {
    const all = this.#windows.every((window) => window.isDestroyed())
    if (all && !this.#quitting && this.exitCode === null) this.emit('window-all-closed')
  }
  #stopped(event: string): boolean {
    const preventable = new Preventable()
    this.emit(event, preventable)
    return preventable.defaultPrevented
  }
}

export class WebContentsDouble extends EventEmitter {
  document: DocumentDouble | null = null
  readonly session: SessionDouble
  readonly #options: WindowOptions
  #openHandler: ((details: { url: string }) => { action: string }) | null = null
  #url = ''
  #loading = false
  #crashed = false
  #destroyed = false

  constructor(options: WindowOptions, session: SessionDouble) {
    super()
    this.#options = options
    this.session = session
  }

  isDestroyed(): boolean {
    return this.#destroyed
  }
  isCrashed(): boolean {
    return this.#crashed
  }
  isLoading(): boolean {
    return this.#loading
  }
  getURL(): string {
    return this.#url
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.#openHandler = handler
  }
  postMessage(channel: string, message: unknown, transfer: MessagePortMainDouble[] = []): void {
    const data: unknown = structuredClone(message)
    const ports = transfer.map((port) => {
      if (!(port instanceof MessagePortMainDouble)) throw new TypeError('Port at index 0 is not a valid port')
      return new DomPortDouble(port.detach())
    })
    const { document } = this
    setImmediate(() => {
      if (document === this.document && document !== null) document.receive(channel, data, ports)
      else for (const port of ports) port.close()
    })
  }
  async load(url: string): Promise<void> {
    this.#loading = true
    this.#crashed = false
    this.emit('did-start-loading')
    this.document?.destroy()
    this.document = null
    const response = await this.session.fetch(url)
    if (this.#destroyed) throw new Error(`ERR_FAILED (-2) loading '${url}'`)
    this.#loading = false
    if (response?.ok !== true) {
      this.emit('did-fail-load', new Preventable(), -6, 'ERR_FILE_NOT_FOUND', url)
      throw new Error(`ERR_FILE_NOT_FOUND (-6) loading '${url}'`)
    }
    this.#url = url
    this.document = new DocumentDouble(url, this.#options.webPreferences ?? {})
    // The page's own script has run by then, so that it listens.
    this.emit('page-script', this.document.page)
    this.emit('did-finish-load')
  }
  reload(): void {
    void this.load(this.#url)
  }
  forcefullyCrashRenderer(): void {
    this.crash('killed')
  }

  // What a page or the system does, for tests.

  crash(reason: string): void {
    this.#crashed = true
    this.document?.destroy()
    this.document = null
    this.emit('render-process-gone', new Preventable(), { reason, exitCode: 1 })
  }
  /** True when a navigation by the page is let through. */
  navigates(url: string): boolean {
    return ['will-frame-navigate', 'will-navigate'].every((name) => {
      const event = Object.assign(new Preventable(), { url, isMainFrame: true, isSameDocument: false })
      this.emit(name, event, url)
      return !event.defaultPrevented
    })
  }
  opens(url: string): boolean {
    return (this.#openHandler?.({ url }) ?? { action: 'allow' }).action === 'allow'
  }
  attachesWebview(): boolean {
    const event = new Preventable()
    this.emit('will-attach-webview', event, {}, {})
    return !event.defaultPrevented
  }
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.document?.destroy()
    this.document = null
    this.emit('destroyed')
  }
}

export class WindowDouble extends EventEmitter {
  readonly options: WindowOptions
  readonly webContents: WebContentsDouble
  visible: boolean
  focused = 0
  minimized = false
  /** The page has a beforeunload handler that holds it back. */
  holdsBack = false
  readonly #app: AppDouble
  #destroyed = false

  constructor(options: WindowOptions, session: SessionDouble, app: AppDouble) {
    super()
    this.options = options
    this.#app = app
    this.visible = options.show !== false
    this.webContents = new WebContentsDouble(options, session)
    this.webContents.on('did-finish-load', () => this.emit('ready-to-show'))
  }
  loadURL(url: string): Promise<void> {
    return this.webContents.load(url)
  }
  show(): void {
    this.visible = true
  }
  focus(): void {
    this.focused += 1
  }
  isMinimized(): boolean {
    return this.minimized
  }
  restore(): void {
    this.minimized = false
  }
  isDestroyed(): boolean {
    return this.#destroyed
  }
  close(): void {
    if (this.#destroyed) return
    const event = new Preventable()
    this.emit('close', event)
    if (event.defaultPrevented) return
    if (this.holdsBack) {
      const held = new Preventable()
      this.webContents.emit('will-prevent-unload', held)
      if (!held.defaultPrevented) return
    }
    this.destroy()
  }
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.webContents.destroy()
    this.emit('closed')
    this.#app.windowClosed()
  }
}
