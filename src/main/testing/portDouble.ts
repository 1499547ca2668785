import { EventEmitter } from 'node:events'
import { MessageChannel as NodeChannel, type MessagePort as NodePort } from 'node:worker_threads'

/**
 * Ports of the two kinds that Electron has, over Node's own, which clone each message as the real ones do. A port that
 * was handed over is of no use any more where it came from.
 */

export class MessagePortMainDouble extends EventEmitter {
  #port: NodePort | null
  #started = false

  constructor(port: NodePort) {
    super()
    this.#port = port
    port.on('close', this.#onClose)
  }

  readonly #onClose = () => {
    this.#port = null
    this.emit('close')
  }

  postMessage(message: unknown, transfer: MessagePortMainDouble[] = []): void {
    if (transfer.length > 0) throw new TypeError('This double hands over ports by webContents.postMessage alone.')
    this.#port?.postMessage(message)
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    this.#port?.on('message', (data: unknown) => this.emit('message', { data, ports: [] }))
  }

  close(): void {
    this.#port?.close()
  }

  /** Takes the port out of the main process. */
  detach(): NodePort {
    const port = this.#port
    if (port === null || this.#started) throw new TypeError('Port at index 0 is not a valid port')
    port.off('close', this.#onClose)
    this.#port = null
    return port
  }
}

export class MessageChannelMainDouble {
  readonly port1: MessagePortMainDouble
  readonly port2: MessagePortMainDouble

  constructor() {
    const { port1, port2 } = new NodeChannel()
    this.port1 = new MessagePortMainDouble(port1)
    this.port2 = new MessagePortMainDouble(port2)
  }
}

/** A page's port: a DOM event target that must be started, unlike Node's ports, which start when listened to. */
export class DomPortDouble {
  #port: NodePort | null
  #started = false
  readonly #listeners = new Map<string, Set<(event: object) => void>>()

  constructor(port: NodePort) {
    this.#port = port
    port.on('close', this.#onClose)
  }

  readonly #onClose = () => {
    this.#port = null
    this.#dispatch('close', {})
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    const listeners = this.#listeners.get(type) ?? new Set()
    this.#listeners.set(type, listeners.add(listener))
  }

  postMessage(message: unknown, transfer: unknown[] = []): void {
    if (transfer.length > 0) throw new TypeError('Nothing is handed over through this port.')
    this.#port?.postMessage(message)
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    this.#port?.on('message', (data: unknown) => this.#dispatch('message', { data, ports: [] }))
  }

  close(): void {
    this.#port?.close()
  }

  detach(): NodePort {
    const port = this.#port
    if (port === null || this.#started) throw new DOMException('A port could not be cloned.', 'DataCloneError')
    port.off('close', this.#onClose)
    this.#port = null
    return port
  }

  #dispatch(type: string, event: object): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event)
  }
}
