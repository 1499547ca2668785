import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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

describe('the window', () => {
  it('is sandboxed, isolated, and shown when its page is drawn', async () => {
    const { electron, window } = await started()
    expect(electron.app.sandboxed).toBe(true)
    expect(window.options.webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
    })
    expect(window.visible).toBe(true)
    expect(electron.windows).toHaveLength(1)
    expect(desktop.log).toEqual([])
  })

  it('gives the page nothing of Electron or Node', async () => {
    const { window } = await started()
    const page = window.webContents.document?.page ?? {}
    expect(Object.keys(page).sort()).toEqual(['addEventListener', 'location', 'postMessage'])
  })

  it('is the only one: a second start brings it to the front', async () => {
    const { electron, window } = await started()
    window.minimized = true
    electron.app.emit('second-instance', {}, ['maskwright'], '/')
    expect(window.minimized).toBe(false)
    expect(window.focused).toBe(1)
    expect(electron.windows).toHaveLength(1)
  })

  it('is not made by a second start, which ends', async () => {
    const { electron } = await start({ firstInstance: false })
    expect(electron.app.exitCode).toBe(0)
    expect(electron.windows).toHaveLength(0)
  })

  it('has a menu that takes no shortcut of the page away', async () => {
    const { electron } = await started()
    const text = JSON.stringify(electron.menus[0])
    expect(electron.menus).toHaveLength(1)
    expect(text).toContain('"quit"')
    for (const role of ['undo', 'redo', 'editMenu', 'fileMenu', 'accelerator']) expect(text).not.toContain(`"${role}"`)
  })
})

describe('the page', () => {
  it('comes by a protocol of its own, with a policy that lets nothing in', async () => {
    const { electron, window, folder } = await started()
    expect(electron.schemes).toEqual([
      { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
    ])
    expect(window.webContents.getURL()).toBe('app://maskwright/index.html')
    await writeFile(join(folder, 'page', 'index.js'), 'export {}')
    const script = await electron.session.fetch('app://maskwright/index.js')
    expect(script?.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    const page = await electron.session.fetch('app://maskwright/')
    const policy = page?.headers.get('content-security-policy') ?? ''
    expect(policy.split('; ')).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'"]),
    )
    expect(policy).not.toContain('unsafe')
    expect(page?.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it.each([
    'app://maskwright/../secret.js',
    'app://maskwright/..%2fsecret.js',
    'app://maskwright/%2e%2e/secret.js',
    'app://maskwright/missing.js',
  ])('cannot read %s', async (url) => {
    const { electron, folder } = await started()
    await writeFile(join(folder, 'secret.js'), 'secret')
    expect((await electron.session.fetch(url))?.status).toBe(404)
  })

  it.each([
    'https://example.org/',
    'http://127.0.0.1:1/',
    'file:///etc/passwd',
    'app://elsewhere/',
    'ws://example.org/',
  ])('cannot reach %s', async (url) => {
    const { electron } = await started()
    expect(await electron.session.fetch(url)).toBeNull()
  })

  it('may not go elsewhere, open windows, or embed pages', async () => {
    const { window } = await started()
    const { webContents } = window
    for (const url of [
      'https://example.org/',
      'file:///etc/passwd',
      'app://maskwright/other.html',
      'data:text/html,x',
    ]) {
      expect(webContents.navigates(url)).toBe(false)
      expect(webContents.opens(url)).toBe(false)
    }
    expect(webContents.navigates('app://maskwright/index.html')).toBe(true)
    expect(webContents.opens('app://maskwright/index.html')).toBe(false)
    expect(webContents.attachesWebview()).toBe(false)
  })

  it.each(['media', 'geolocation', 'notifications', 'clipboard-read', 'openExternal', 'fileSystem', 'usb'])(
    'gets no permission for %s',
    async (permission) => {
      const { electron, window } = await started()
      const { session } = electron
      const granted = await new Promise((resolve) =>
        session.permissionRequest?.(window.webContents, permission, resolve),
      )
      expect(granted).toBe(false)
      expect(session.permissionCheck?.(window.webContents, permission)).toBe(false)
      expect(session.devicePermission?.()).toBe(false)
    },
  )
})

describe('the port', () => {
  it('carries calls, binary data and events between page and backend', async () => {
    const { client, backend } = await started()
    const slice = await client.call('volume.slice', { caseId: 'a', axis: 2, index: 7 })
    expect([...new Int16Array(slice.data.slice().buffer)]).toEqual([-2000, -1000, 0, 1000, 2000, 3000])
    await client.call('annotation.commit', { caseId: 'a', delta: stroke })
    expect(backend.log).toEqual(['commit a: 0 3 0 1'])
    const heard: string[] = []
    client.on('notice', ({ message }) => heard.push(message))
    backend.emit('notice', { level: 'info', message: 'hello' })
    await vi.waitFor(() => expect(heard).toEqual(['hello']))
  })

  it('is handed over by a message of the page to itself that carries nothing else', async () => {
    await start()
    const messages: { data: unknown; ports: number; origin: string }[] = []
    desktop.window.webContents.prependListener('page-script', (page: PageLike) => {
      page.addEventListener('message', (event) =>
        messages.push({ data: event.data, ports: event.ports.length, origin: event.origin }),
      )
    })
    await vi.waitFor(() => expect(messages.length).toBe(1))
    expect(messages).toEqual([{ data: { type: 'maskwright-port' }, ports: 1, origin: 'app://maskwright' }])
  })

  it('is a new one after a reload, and the old one is closed', async () => {
    const { client, window, clients } = await started()
    window.webContents.reload()
    await vi.waitFor(() => expect(clients.length).toBe(2))
    await vi.waitFor(() => expect(client.state).toBe('lost'))
    await vi.waitFor(() => expect(desktop.client.state).toBe('open'))
    expect(desktop.client.sessionId).not.toBe(client.sessionId)
    expect(await desktop.client.call('annotation.history', { caseId: 'any' })).toMatchObject({ canUndo: true })
  })

  it('is a new one for a page that lost its own, and the session goes on', async () => {
    const { client, window } = await started()
    const session = client.sessionId
    const heard: string[] = []
    client.on('notice', ({ message }) => heard.push(message))
    desktop.backend.emit('notice', { level: 'info', message: '1' })
    await vi.waitFor(() => expect(heard).toEqual(['1']))
    window.webContents.document?.closePorts()
    await vi.waitFor(() => expect(client.state).toBe('lost'))
    desktop.backend.emit('notice', { level: 'info', message: '2' })
    await vi.waitFor(() => expect(client.state).toBe('open'))
    await vi.waitFor(() => expect(heard).toEqual(['1', '2']))
    expect(client.sessionId).toBe(session)
    expect(desktop.clients).toHaveLength(1)
  })

  it('waits for a backend that is ready later than the page', async () => {
    let ready: () => void = () => undefined
    const opened = new Promise<void>((resolve) => (ready = resolve))
    await start({ openHost: (host) => opened.then(() => host) })
    await vi.waitFor(() => expect(desktop.clients.length).toBe(1))
    const answer = desktop.client.call('annotation.history', { caseId: 'any' })
    expect(desktop.client.state).toBe('connecting')
    ready()
    expect(await answer).toMatchObject({ canUndo: true })
  })
})

describe('dialogs', () => {
  it('give ids of the chosen files', async () => {
    const { client, electron, folder } = await started()
    electron.dialog.openAnswer = { canceled: false, filePaths: ['/data/a.nii.gz', '/data/b.png'] }
    const files = await client.call('files.openDialog', {})
    expect(files.map((file) => file.id)).toEqual(['id to open /data/a.nii.gz', 'id to open /data/b.png'])
    electron.dialog.saveAnswer = { canceled: false, filePath: '/data/mask.nii.gz' }
    const target = await client.call('files.saveDialog', { suggestedName: '../../etc/mask.nii.gz' })
    expect(target?.id).toBe('id to save /data/mask.nii.gz')
    expect(electron.dialog.shown[1]?.options.defaultPath).toBe(join(folder, 'project', 'mask.nii.gz'))
  })

  it.each([
    ['image', ['openFile', 'multiSelections'], ['nii', 'gz', 'hdr', 'nrrd', 'mhd', 'dcm', 'png', 'tiff', 'svs']],
    ['mask', ['openFile'], ['nii', 'gz', 'png', 'tif', 'json']],
    ['network', ['openFile'], ['onnx']],
  ] as const)('ask for files of the kind: %s', async (kind, properties, extensions) => {
    const { client, electron } = await started()
    await client.call('files.openDialog', { kind })
    const shown = electron.dialog.shown[0]?.options as { properties: string[]; filters: { extensions: string[] }[] }
    expect(shown.properties).toEqual(properties)
    expect(shown.filters[0]?.extensions).toEqual(expect.arrayContaining([...extensions]))
    expect(shown.filters.at(-1)?.extensions, 'files without an ending can be chosen too').toEqual(['*'])
  })

  it('ask for a folder, and give it as one', async () => {
    const { client, electron, folder } = await started()
    electron.dialog.openAnswer = { canceled: false, filePaths: [folder] }
    const [entry] = await client.call('files.openDialog', { kind: 'folder' })
    expect(electron.dialog.shown[0]?.options.properties).toEqual(['openDirectory'])
    expect(entry?.id).toBe(`id to open ${folder}`)
  })

  it.each([
    ['a-mask.nii.gz', 'Save mask', ['gz', 'nii']],
    ['a-mask.png', 'Save mask', ['png']],
    ['a-mask.tif', 'Save mask', ['tif', 'tiff']],
    ['a-mask.json', 'Save mask', ['json']],
    ['report-version-2.html', 'Save report', ['html', 'htm']],
    ['Dataset001_Liver', 'Save into a new folder', undefined],
  ])('ask where to save %s', async (suggestedName, title, extensions) => {
    const { client, electron } = await started()
    await client.call('files.saveDialog', { suggestedName })
    const shown = electron.dialog.shown[0]?.options as { title: string; filters: { extensions: string[] }[] }
    expect(shown.title).toBe(title)
    expect(shown.filters[0]?.extensions).toEqual(extensions)
  })

  it('give nothing when they are cancelled', async () => {
    const { client } = await started()
    expect(await client.call('files.openDialog', {})).toEqual([])
    expect(await client.call('files.saveDialog', { suggestedName: 'mask.png' })).toBeNull()
  })
})

interface PageLike {
  addEventListener(
    type: 'message',
    listener: (event: { data: unknown; ports: readonly unknown[]; origin: string }) => void,
  ): void
}
