import { createClient, type BackendClient } from '../../../core/rpc/index.ts'
import { browserConnector } from './browser.ts'
import { electronConnector, isElectronPage } from './electron.ts'

/** The connection to the backend, whichever shell this page runs in. It connects and reconnects by itself. */
export function connectBackend(): BackendClient {
  const connect = isElectronPage(window.location.protocol) ? electronConnector() : browserConnector()
  return createClient({ connect })
}
