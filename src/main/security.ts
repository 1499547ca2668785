import { app, type Session, type WebContents } from 'electron'
import { pageOrigin, pageUrl } from './appProtocol.ts'

/**
 * Denies what a page of this app never needs, for every web contents that is ever made: going elsewhere, opening
 * windows, embedding other pages. The interface has no links that lead out.
 */
export function hardenContents(): void {
  app.on('web-contents-created', (_, contents) => harden(contents))
}

interface Navigation {
  readonly url: string
  preventDefault(): void
}

function harden(contents: WebContents): void {
  const denyElsewhere = (navigation: Navigation) => {
    // Reloading itself is all that the page may do.
    if (navigation.url !== pageUrl) navigation.preventDefault()
  }
  contents.on('will-navigate', denyElsewhere)
  contents.on('will-frame-navigate', denyElsewhere)
  contents.on('will-redirect', denyElsewhere)
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
}

/** Denies every permission, and every request that leaves this computer or reads a file of it. */
export function hardenSession(session: Session): void {
  session.setPermissionRequestHandler((_contents, _permission, callback) => callback(false))
  session.setPermissionCheckHandler(() => false)
  session.setDevicePermissionHandler(() => false)
  session.webRequest.onBeforeRequest((details, callback) => callback({ cancel: !isOwn(details.url) }))
}

const localProtocols = new Set(['blob:', 'data:', 'devtools:'])

function isOwn(address: string): boolean {
  const url = URL.parse(address)
  // `origin` is "null" for schemes that Node does not know.
  return url !== null && (localProtocols.has(url.protocol) || `${url.protocol}//${url.host}` === pageOrigin)
}
