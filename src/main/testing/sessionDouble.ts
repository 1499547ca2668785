type ProtocolHandler = (request: Request) => Response | Promise<Response>
type Permission = (contents: unknown, permission: string, callback: (granted: boolean) => void) => void
type RequestFilter = (details: { url: string }, callback: (answer: { cancel?: boolean }) => void) => void

/** A session that keeps what the app set on it, and fetches as a page of it would. */
export class SessionDouble {
  permissionRequest: Permission | null = null
  permissionCheck: ((contents: unknown, permission: string) => boolean) | null = null
  devicePermission: (() => boolean) | null = null
  requestFilter: RequestFilter | null = null
  readonly handlers = new Map<string, ProtocolHandler>()
  readonly protocol = {
    handle: (scheme: string, handler: ProtocolHandler) => {
      this.handlers.set(scheme, handler)
    },
  }
  readonly webRequest = {
    onBeforeRequest: (filter: RequestFilter) => {
      this.requestFilter = filter
    },
  }
  setPermissionRequestHandler(handler: Permission): void {
    this.permissionRequest = handler
  }
  setPermissionCheckHandler(handler: (contents: unknown, permission: string) => boolean): void {
    this.permissionCheck = handler
  }
  setDevicePermissionHandler(handler: () => boolean): void {
    this.devicePermission = handler
  }
  /** What a page's request gets; null when it is cancelled or no one serves its scheme. */
  async fetch(url: string, method = 'GET'): Promise<Response | null> {
    const cancelled = await new Promise<boolean>((resolve) => {
      if (this.requestFilter === null) resolve(false)
      else this.requestFilter({ url }, ({ cancel }) => resolve(cancel === true))
    })
    const handler = this.handlers.get(new URL(url).protocol.slice(0, -1))
    return cancelled || handler === undefined ? null : await handler(new Request(url, { method }))
  }
}
