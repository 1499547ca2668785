import { writeFileSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { predict, WatchedHosts } from '../testing/watchedHosts.ts'

let hosts: WatchedHosts
beforeEach(() => {
  hosts = new WatchedHosts()
})
afterEach(() => hosts.close())

describe('settings of this computer', () => {
  it('start compute anew without a word of a crash, and are kept for the next host', async () => {
    const { port, notices, states } = hosts.open()
    await predict(port, 'work')
    expect(port.settings().kept).toEqual({ backend: 'auto', threads: 0 })
    states.length = 0
    await port.configure({ backend: 'wasm', threads: 3 })
    expect(port.status()).toMatchObject({ state: 'ready', backend: 'wasm', device: 'a wasm device', restarts: 0 })
    expect(states).toEqual(['starting', 'ready'])
    expect(notices).toEqual([])
    expect(hosts.kept()).toEqual({ backend: 'wasm', threads: 3 })
    expect(await readdir(hosts.userDir)).toEqual(['compute.json'])

    const second = hosts.open()
    expect(second.port.settings().inForce).toEqual({ backend: 'wasm', threads: 3 })
    await predict(second.port, 'work')
    const { env, execArgv } = hosts.starts().at(-1) ?? {}
    expect(env).toMatchObject({
      MASKWRIGHT_BACKEND: 'wasm',
      MASKWRIGHT_THREADS: '3',
      MASKWRIGHT_WITHOUT: '',
      MASKWRIGHT_STATE: hosts.userDir,
    })
    expect(Number(env?.MASKWRIGHT_MEMORY_MB)).toBeGreaterThan(0)
    expect(execArgv?.[0]).toMatch(/^--max-old-space-size=\d+$/)
    // The first host's process has ended, the last one's runs.
    expect(hosts.starts()).toHaveLength(3)
  })

  it.each([
    ['SCRIPT_REFUSED', 'There is no webgpu here.'],
    ['SCRIPT_CRASHING', 'Compute stopped while it was started with these settings (exit code 9).'],
  ])('that cannot be used (%s) are not kept, and what worked comes back', async (variable, message) => {
    const { port, notices } = hosts.open({
      [variable]: 'cuda,webgpu',
      SCRIPT_START_MS: '50',
      MASKWRIGHT_WITHOUT: 'cuda',
    })
    await port.configure({ backend: 'wasm', threads: 0 })
    const refused = port.configure({ backend: 'webgpu', threads: 0 })
    // Asked in between: it waits for what comes of it.
    const waiting = predict(port, 'work')
    await expect(refused).rejects.toMatchObject({ code: 'compute-failed', message })
    expect(port.status()).toMatchObject({ backend: 'wasm', message: null, restarts: 0 })
    await expect(waiting).resolves.toMatchObject({ slices: [] })
    expect(hosts.kept()).toEqual({ backend: 'wasm', threads: 0 })
    expect(port.settings().inForce.backend).toBe('wasm')
    expect(notices).toEqual([])
  })

  it('wait until nothing is asked of compute, and for each other', async () => {
    const { port } = hosts.open()
    const cancel = new AbortController()
    const running = predict(port, 'wait', cancel.signal)
    await expect(port.configure({ backend: 'js', threads: 0 })).rejects.toMatchObject({ code: 'busy' })
    cancel.abort()
    await expect(running).rejects.toMatchObject({ code: 'cancelled' })
    const first = port.configure({ backend: 'js', threads: 0 })
    await expect(port.configure({ backend: 'wasm', threads: 0 })).rejects.toMatchObject({ code: 'busy' })
    await first
    expect(port.status().backend).toBe('js')
  })

  it('come after the environment, which says so', async () => {
    const { port } = hosts.open({ MASKWRIGHT_BACKEND: 'wasm' })
    const { overruled, inForce } = port.settings()
    expect(overruled).toEqual({
      backend: expect.stringContaining('MASKWRIGHT_BACKEND is set to "wasm"') as string,
      threads: null,
    })
    expect(inForce).toEqual({ backend: 'wasm', threads: 0 })
    await expect(port.configure({ backend: 'js', threads: 2 })).rejects.toMatchObject({
      code: 'conflict',
      message: overruled.backend,
    })
    // As the interface asks that shows what is in force: what the environment says is not kept beyond this run.
    await port.configure({ backend: 'wasm', threads: 2 })
    expect(port.status().backend).toBe('wasm')
    expect(hosts.kept()).toEqual({ backend: 'auto', threads: 2 })
  })

  it('that are damaged are as none, with a line in the log', async () => {
    const { port } = hosts.open()
    await port.configure({ backend: 'js', threads: 0 })
    writeFileSync(join(hosts.userDir, 'compute.json'), '{"backend": "abac')
    expect(hosts.open().port.settings().kept).toEqual({ backend: 'auto', threads: 0 })
    expect(hosts.logged.join('\n')).toMatch(/compute\.json are damaged/)
  })

  it('that cannot be kept are not in force either', async () => {
    const { port } = hosts.open()
    await predict(port, 'work')
    const before = port.status().backend
    await mkdir(join(hosts.userDir, 'compute.json'), { recursive: true })
    await expect(port.configure({ backend: 'js', threads: 0 })).rejects.toMatchObject({ code: 'not-saved' })
    expect(port.status()).toMatchObject({ state: 'ready', backend: before })
    expect(port.settings().inForce.backend).toBe('auto')
  })

  it('that cannot be used any more at a later start do not keep compute from running, and stay the setting', async () => {
    const first = hosts.open()
    await first.port.configure({ backend: 'webgpu', threads: 0 })
    const { port, notices } = hosts.open({ SCRIPT_REFUSED: 'webgpu,cuda' })
    await predict(port, 'work')
    expect(port.status()).toMatchObject({ state: 'ready', backend: 'wasm', restarts: 0 })
    expect(notices.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^webgpu, which was chosen for this computer, cannot be used at the moment: There is no webgpu here\. Maskwright computes with wasm/,
      ),
    ])
    expect(port.settings().kept.backend).toBe('webgpu')
    // What the environment insists on is not replaced.
    const insisted = hosts.open({ SCRIPT_REFUSED: 'webgpu', MASKWRIGHT_BACKEND: 'webgpu' })
    await expect
      .poll(() => insisted.port.status(), { timeout: 20_000 })
      .toMatchObject({
        state: 'failed',
        message: 'There is no webgpu here.',
      })
  })

  it('of several hosts at once are never half of each', async () => {
    const [first, second] = [hosts.open(), hosts.open()]
    const choices = [
      { backend: 'js', threads: 1 },
      { backend: 'wasm', threads: 2 },
    ] as const
    await Promise.all([first.port.configure(choices[0]), second.port.configure(choices[1])])
    expect(choices).toContainEqual(hosts.kept())
    expect(await readdir(hosts.userDir)).toEqual(['compute.json'])
  })
})
