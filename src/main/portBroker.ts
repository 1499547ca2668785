import { MessageChannelMain, type MessagePortMain, type WebContents } from 'electron'
import { mainPortTransport, type Transport } from '../core/rpc/index.ts'

/** Pause before a page that closed its port without being reloaded gets another one. */
const pauseMs = 200

/**
 * Gives each load of the page one MessagePort to the backend. The port of an earlier load is closed; a page that lost
 * its port while it lives gets a new one.
 *
 * @param accept Takes the backend's end of each port.
 */
export function brokerPorts(contents: WebContents, accept: (transport: Transport) => void): () => void {
  let current: MessagePortMain | null = null
  let timer: ReturnType<typeof setTimeout> | undefined

  function drop() {
    clearTimeout(timer)
    const port = current
    current = null
    port?.close()
  }

  function offer() {
    drop()
    if (contents.isDestroyed() || contents.isCrashed()) return
    const { port1, port2 } = new MessageChannelMain()
    current = port1
    port1.on('close', () => {
      if (current !== port1) return
      current = null
      // A load under way gets its port when it is finished.
      if (!contents.isDestroyed() && !contents.isLoading()) timer = setTimeout(offer, pauseMs)
    })
    accept(mainPortTransport(port1))
    contents.postMessage('maskwright-port', null, [port2])
  }

  contents.on('did-finish-load', offer)
  contents.on('render-process-gone', drop)
  contents.on('destroyed', drop)
  // The page may have been loaded before the backend was ready.
  if (contents.getURL() !== '' && !contents.isLoading()) offer()

  return () => {
    contents.off('did-finish-load', offer)
    drop()
  }
}
