import { afterEach, describe, expect, it, vi } from 'vitest'
import { endDesktop, startDesktop, stroke, type Desktop } from './testing/desktop.ts'

let desktop: Desktop
const start = async (...args: Parameters<typeof startDesktop>) => (desktop = await startDesktop(...args))
const started = async () => {
  await start()
  await vi.waitFor(() => expect(desktop.client.state).toBe('open'))
  return desktop
}

afterEach(() => endDesktop(desktop))

describe('trouble with the page', () => {
  it('loads a crashed page again, and gives up on one that keeps crashing', async () => {
    const { window, electron, clients } = await started()
    for (const crash of [1, 2, 3]) {
      window.webContents.crash('crashed')
      await vi.waitFor(() => expect(clients.length).toBe(crash + 1))
      await vi.waitFor(() => expect(desktop.client.state).toBe('open'))
    }
    window.webContents.crash('oom')
    expect(electron.dialog.shown.at(-1)?.kind).toBe('error')
    await vi.waitFor(() => expect(electron.app.exitCode).toBe(0))
    expect(desktop.log).toEqual(['host closed'])
  })

  it('asks about a page that hangs, and loads it again only when told to', async () => {
    const { window, electron, clients } = await started()
    window.emit('unresponsive')
    await vi.waitFor(() => expect(electron.dialog.shown.length).toBe(1))
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(clients.length).toBe(1)
    electron.dialog.button = 1
    window.emit('unresponsive')
    await vi.waitFor(() => expect(clients.length).toBeGreaterThan(1))
    await vi.waitFor(() => expect(desktop.client.state).toBe('open'))
  })

  it('stays when the page has something unsaved, unless the user leaves it', async () => {
    const { window, electron } = await started()
    window.holdsBack = true
    electron.app.quit()
    expect(window.isDestroyed()).toBe(false)
    expect(electron.app.exitCode).toBeNull()
    electron.dialog.button = 1
    electron.app.quit()
    expect(window.isDestroyed()).toBe(true)
    await vi.waitFor(() => expect(electron.app.exitCode).toBe(0))
  })
})

describe('quitting', () => {
  it('closes the backend before the process ends', async () => {
    const { window, electron } = await started()
    electron.app.on('quit', () => desktop.log.push('quit'))
    window.close()
    await vi.waitFor(() => expect(electron.app.exitCode).toBe(0))
    expect(desktop.log).toEqual(['host closed', 'quit'])
  })

  it('waits for a write that is under way', async () => {
    const { electron, client, backend } = await started()
    void client.call('settings.set', { key: 'slow', value: 1 }).catch(() => undefined)
    await client.call('annotation.commit', { caseId: 'a', delta: stroke })
    electron.app.quit()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(electron.app.exitCode).toBeNull()
    expect(desktop.log).toEqual([])
    backend.release()
    await vi.waitFor(() => expect(electron.app.exitCode).toBe(0))
    expect(backend.log).toEqual(['commit a: 0 3 0 1', 'slow = 1'])
    expect(desktop.log).toEqual(['host closed'])
  })

  it('waits for a project that is still being opened', async () => {
    let ready: () => void = () => undefined
    const opened = new Promise<void>((resolve) => (ready = resolve))
    const { electron } = await start({ openHost: (host) => opened.then(() => host) })
    await vi.waitFor(() => expect(electron.windows.length).toBe(1))
    desktop.window.close()
    expect(electron.app.exitCode).toBeNull()
    ready()
    await vi.waitFor(() => expect(electron.app.exitCode).toBe(0))
    expect(desktop.log).toEqual(['host closed'])
    expect(electron.dialog.shown).toEqual([])
  })
})

describe('a start that fails', () => {
  it('says why, and ends', async () => {
    const sentence = '"project" is open in another Maskwright; close it there first.'
    const { electron } = await start({ openHost: () => Promise.reject(new Error(sentence)) })
    await vi.waitFor(() => expect(electron.app.exitCode).toBe(1))
    expect(electron.dialog.shown).toEqual([
      { kind: 'error', options: { title: 'Maskwright could not start', content: sentence } },
    ])
  })

  it('closes a project that was opened for a page that is not there', async () => {
    const { electron } = await start({ noPage: true })
    await vi.waitFor(() => expect(electron.app.exitCode).toBe(1))
    expect(desktop.log.at(-1)).toBe('host closed')
    expect(electron.dialog.shown[0]?.kind).toBe('error')
  })
})
