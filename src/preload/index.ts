import { ipcRenderer } from 'electron'

/**
 * Hands each MessagePort that the main process gives to the page, and nothing else: the page gets no function and no
 * object of Electron's.
 */
ipcRenderer.on('maskwright-port', (event) => {
  window.postMessage({ type: 'maskwright-port' }, window.location.origin, event.ports)
})
