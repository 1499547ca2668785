import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import WebSocket from 'ws'
import { createClient, openWebSocket, type BackendClient } from '../core/rpc/index.ts'
import { startCli } from './testing/runCli.ts'

const page = resolve(import.meta.dirname, '../../out/renderer/index.html')

/** The interface has to be built for it to be served: `npm run build`. */
describe.skipIf(!existsSync(page))(`maskwright serve${existsSync(page) ? '' : ' (out/renderer is not built)'}`, () => {
  let dir = ''
  const at = (...parts: string[]) => join(dir, ...parts)
  let running: ReturnType<typeof startCli>[] = []
  const clients: BackendClient[] = []

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'maskwright-serve-'))
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    for (const { child } of running) child.kill('SIGTERM')
    await Promise.all(running.map(({ finished }) => finished))
    running = []
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  function start(...args: string[]) {
    const started = startCli(['serve', ...args, '--no-open', '--json'], {
      env: { XDG_DATA_HOME: at('data'), HOME: dir, LOCALAPPDATA: at('data') },
    })
    running.push(started)
    return started
  }
  async function urlOf(started: ReturnType<typeof startCli>): Promise<URL> {
    while (!started.stdout().includes('\n')) {
      if (started.child.exitCode !== null) throw new Error(`it ended: ${(await started.finished).stderr}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return new URL((JSON.parse(started.stdout()) as { url: string }).url)
  }
  function connect(url: URL): BackendClient {
    const token = new URLSearchParams(url.hash.slice(1)).get('token') ?? ''
    const client = createClient({
      connect: () =>
        openWebSocket(
          new WebSocket(`ws://${url.host}/rpc`, ['maskwright', `maskwright.${token}`], { origin: url.origin }),
        ),
    })
    clients.push(client)
    return client
  }

  it('makes a new project, serves the page and the backend, and ends when it is told to', async () => {
    const started = start(at('project'))
    const url = await urlOf(started)
    expect(url.hostname).toBe('127.0.0.1')
    const answer = await fetch(new URL('/', url))
    expect(await answer.text()).toBe(await readFile(page, 'utf8'))
    const client = connect(url)
    const project = await client.call('project.get', {})
    expect(project).toMatchObject({ name: 'project', path: at('project'), cases: [], isDemo: false })
    expect(await client.call('app.info', {})).toMatchObject({
      version: '0.1.0',
      shell: 'browser',
      nativeDialogs: false,
    })

    const second = await start(at('project')).finished
    expect(second.code).toBe(1)
    expect(second.stderr).toMatch(/^error: [^\n]*"project"[^\n]*\n$/)

    const third = await start(at('other'), '--port', url.port).finished
    expect(third.code).toBe(1)
    expect(third.stderr).toBe(
      `error: Port ${url.port} is already in use; choose another with --port, or leave --port out.\n`,
    )

    expect(existsSync(at('other')), 'nothing is made for a start that fails').toBe(false)

    started.child.kill('SIGTERM')
    expect(await started.finished).toMatchObject({ code: 0, stderr: '' })
    // Without a name it is the project that was open last.
    const again = connect(await urlOf(start()))
    expect((await again.call('project.get', {})).path).toBe(at('project'))
  })

  it('ends cleanly when one Ctrl+C reaches it twice, from the terminal and from who started it', async () => {
    const started = start(at('twice'))
    await urlOf(started)
    started.child.kill('SIGINT')
    // A pause, since two signals of a kind that wait together are one.
    await new Promise((resolve) => setTimeout(resolve, 50))
    started.child.kill('SIGINT')
    expect(await started.finished).toMatchObject({ code: 0, stderr: '' })
  })

  it('makes the demo project where it is asked to', async () => {
    const client = connect(await urlOf(start(at('shown'), '--demo')))
    const project = await client.call('project.get', {})
    expect(project.isDemo).toBe(true)
    expect(project.cases.length).toBeGreaterThan(3)
    expect(project.labels.map((label) => label.name)).toContain('Liver')
  })

  it('does not fill a folder of images with a project', async () => {
    const images = await mkdtemp(at('images-'))
    await writeFile(join(images, 'a.png'), '')
    const { code, stderr } = await start(images).finished
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: [^\n]*is not a Maskwright project[^\n]*\n$/)
    expect(await readdir(images)).toEqual(['a.png'])
  })
})
