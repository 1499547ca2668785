import { describe, expect, it, vi } from 'vitest'
import { followToken, takeToken } from './browser.ts'
import { electronConnector, isElectronPage } from './electron.ts'

function storage(): Pick<Storage, 'getItem' | 'setItem'> {
  const kept = new Map<string, string>()
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) }
}

describe('the token of the browser shell', () => {
  it('is kept for the tab and taken out of the address', () => {
    const kept = storage()
    const replace = vi.fn()
    expect(takeToken({ hash: '#token=abc_-1', pathname: '/', search: '' }, kept, replace)).toBe('abc_-1')
    expect(replace).toHaveBeenCalledWith('/')
    expect(takeToken({ hash: '', pathname: '/', search: '' }, kept, replace)).toBe('abc_-1')
    expect(replace).toHaveBeenCalledTimes(1)
  })

  it('is missing where there never was one', () => {
    expect(takeToken({ hash: '#elsewhere', pathname: '/', search: '' }, storage(), () => undefined)).toBeNull()
  })
})

describe('a new address in a tab that is open', () => {
  function pageAt(hash: string) {
    const location = { hash, pathname: '/', search: '', reload: vi.fn() }
    const history = { state: null, replaceState: () => (location.hash = '') }
    const page = Object.assign(new EventTarget(), { location, history, sessionStorage: storage() })
    const goTo = (next: string) => {
      location.hash = next
      page.dispatchEvent(new Event('hashchange'))
    }
    return { location, goTo, token: followToken(page as unknown as Window) }
  }

  it('is connected to with its token, without loading the page again', () => {
    const { location, goTo, token } = pageAt('#token=old')
    expect(token()).toBe('old')
    goTo('#elsewhere')
    expect(token()).toBe('old')
    goTo('#token=new')
    expect(token()).toBe('new')
    expect(location.hash).toBe('')
    expect(location.reload).not.toHaveBeenCalled()
  })

  it('is loaded where there was no token before', () => {
    const { location, goTo } = pageAt('')
    goTo('#token=first')
    expect(location.reload).toHaveBeenCalledTimes(1)
  })
})

describe('the port of the desktop shell', () => {
  it('knows its pages by their protocol', () => {
    expect(isElectronPage('app:')).toBe(true)
    expect(isElectronPage('http:')).toBe(false)
  })

  it('takes ports from this page alone, whether they come early or late', async () => {
    const listeners: ((event: MessageEvent) => void)[] = []
    const page = {
      addEventListener: (_: string, listener: (event: MessageEvent) => void) => listeners.push(listener),
    } as unknown as Window
    const connect = electronConnector(page)
    const hand = (source: unknown, data: unknown) => {
      const { port1 } = new MessageChannel()
      for (const listener of listeners) listener({ source, data, ports: [port1] } as unknown as MessageEvent)
    }
    hand({}, { type: 'maskwright-port' })
    hand(page, { type: 'something else' })
    let connections = 0
    const late = connect().then((transport) => {
      connections += 1
      transport.close()
    })
    await Promise.resolve()
    expect(connections).toBe(0)
    hand(page, { type: 'maskwright-port' })
    await late
    hand(page, { type: 'maskwright-port' })
    const early = await connect()
    early.close()
    expect(connections).toBe(1)
  })
})
