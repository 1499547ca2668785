import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import ts from 'typescript'
import { DomPortDouble } from './portDouble.ts'

export interface MessageEventDouble {
  readonly data: unknown
  readonly ports: readonly DomPortDouble[]
  readonly origin: string
  readonly source: WindowDouble
}

/** What one JavaScript world sees as `window`. Anything that a script adds to it stays in its world. */
export interface WindowDouble {
  readonly location: { readonly href: string; readonly origin: string; readonly protocol: string }
  addEventListener(type: 'message', listener: (event: MessageEventDouble) => void): void
  postMessage(message: unknown, targetOrigin: string, transfer?: DomPortDouble[]): void
  [global: string]: unknown
}

interface Preferences {
  readonly preload?: string
  readonly sandbox?: boolean
  readonly contextIsolation?: boolean
  readonly nodeIntegration?: boolean
}

/** One loaded document: two worlds (the page's and the preload script's) that share its events and nothing else. */
export class DocumentDouble {
  readonly page: WindowDouble
  readonly ipcRenderer = new EventEmitter()
  readonly #url: URL
  readonly #listeners: { window: WindowDouble; listener: (event: MessageEventDouble) => void }[] = []
  readonly #ports: DomPortDouble[] = []
  #alive = true

  constructor(url: string, preferences: Preferences) {
    this.#url = new URL(url)
    this.page = this.#makeWindow()
    // Electron's defaults, should the options not say.
    const isolated = preferences.contextIsolation ?? true
    const sandboxed = preferences.sandbox ?? preferences.nodeIntegration !== true
    const preloadWindow = isolated ? this.#makeWindow() : this.page
    if (preferences.nodeIntegration === true && !sandboxed) this.page.process = process
    if (preferences.preload !== undefined) this.#runPreload(preferences.preload, preloadWindow, sandboxed)
  }

  /** A message of the main process, with the ports that come with it. */
  receive(channel: string, message: unknown, ports: DomPortDouble[]): void {
    this.#ports.push(...ports)
    this.ipcRenderer.emit(channel, { ports, senderId: 0 }, message)
  }

  /** The document is left or its process is gone: its ports close with it. */
  destroy(): void {
    this.#alive = false
    this.closePorts()
  }

  /** The page closes what it was given, and lives on. */
  closePorts(): void {
    for (const port of this.#ports.splice(0)) port.close()
  }

  #makeWindow(): WindowDouble {
    const { href, protocol, host } = this.#url
    // Node gives "null" as the origin of schemes it does not know; a standard scheme has one in Chromium.
    const made: WindowDouble = {
      location: { href, protocol, origin: `${protocol}//${host}` },
      addEventListener: (_type, listener) => {
        this.#listeners.push({ window: made, listener })
      },
      postMessage: (message, targetOrigin, transfer = []) => {
        if (targetOrigin !== '*' && targetOrigin !== made.location.origin) return
        const data: unknown = structuredClone(message)
        const ports = transfer.map((port) => new DomPortDouble(port.detach()))
        this.#ports.push(...ports)
        setImmediate(() => {
          if (!this.#alive) return
          for (const { window, listener } of this.#listeners) {
            listener({ data: structuredClone(data), ports, origin: made.location.origin, source: window })
          }
        })
      },
    }
    return made
  }

  /** As Electron runs a sandboxed preload script: CommonJS with a `require` that knows little more than `electron`. */
  #runPreload(path: string, window: WindowDouble, sandboxed: boolean): void {
    const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    })
    const require = (name: string): unknown => {
      if (name === 'electron') return { ipcRenderer: this.ipcRenderer }
      throw new Error(`module not found: ${name}`)
    }
    const world = { window, require, exports: {}, ...(sandboxed ? {} : { process }) }
    runInContext(outputText, createContext(world))
  }
}
