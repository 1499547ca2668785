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
 * The token to connect with, now and later: the address of a host that was started again differs in its fragment alone,
 * for which a browser does not load the page. It goes on with the new token, and strokes that wait are sent then.
 */
export function followToken(
  page: Pick<Window, 'addEventListener' | 'history' | 'location' | 'sessionStorage'>,
): () => string | null {
  const take = () =>
    takeToken(page.location, page.sessionStorage, (path) => page.history.replaceState(page.history.state, '', path))
  let token = take()
  page.addEventListener('hashchange', () => {
    const first = token === null
    token = take()
    // Without a token nothing was tried, and nothing is tried again.
    if (first && token !== null) page.location.reload()
  })
  return () => token
}

/** Connections of the browser shell: a WebSocket to where the page came from. */
export function browserConnector(): () => Promise<Transport> {
  const currentToken = followToken(window)
  return () => {
    const token = currentToken()
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
