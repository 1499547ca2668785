import { openWebSocket, type Transport } from '../../../core/rpc/index.ts'
import { CodedError } from '../../../core/contract/index.ts'

const storageKey = 'maskwright.token'

/** The part of a page's location that the token is taken from. */
interface PageAddress {
  readonly hash: string
  readonly pathname: string
  readonly search: string
}

/**
 * The token that the shell put into the fragment of the first address. It is kept for this tab and taken out of the
 * address bar, so that it is not copied, bookmarked or shown. Null when there never was one.
 */
export function takeToken(
  address: PageAddress,
  storage: Pick<Storage, 'getItem' | 'setItem'>,
  replaceAddress: (path: string) => void,
): string | null {
  const given = new URLSearchParams(address.hash.replace(/^#/, '')).get('token')
  if (given !== null && given !== '') {
    storage.setItem(storageKey, given)
    replaceAddress(address.pathname + address.search)
    return given
  }
  return storage.getItem(storageKey)
}

/**
 * A new address of a host that was started again differs from the one on screen in its fragment alone, for which a
 * browser does not load the page: it is loaded here, with its new token.
 */
export function reloadOnNewToken(
  page: Pick<EventTarget, 'addEventListener'>,
  address: Pick<Location, 'hash' | 'reload'>,
): void {
  page.addEventListener('hashchange', () => {
    if (new URLSearchParams(address.hash.replace(/^#/, '')).has('token')) address.reload()
  })
}

/** Connections of the browser shell: a WebSocket to where the page came from. */
export function browserConnector(): () => Promise<Transport> {
  const token = takeToken(window.location, window.sessionStorage, (path) =>
    window.history.replaceState(window.history.state, '', path),
  )
  reloadOnNewToken(window, window.location)
  return () => {
    if (token === null) {
      return Promise.reject(
        new CodedError('no-permission', 'Open Maskwright with the address that it printed when it was started.'),
      )
    }
    const protocol = window.location.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(`${protocol}//${window.location.host}/rpc`, ['maskwright', `maskwright.${token}`])
    return openWebSocket(socket)
  }
}
