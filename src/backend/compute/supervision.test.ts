import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { predict, training, WatchedHosts } from '../testing/watchedHosts.ts'

let hosts: WatchedHosts
beforeEach(() => {
  hosts = new WatchedHosts()
})
afterEach(() => hosts.close())

describe('a rung that cannot go on', () => {
  it('is left out: the training is asked again from its beginning, and the user is told', async () => {
    const { port, notices, states } = hosts.open()
    const steps: number[] = []
    await port.call('train', training('lost:cuda'), { onProgress: ({ step }) => steps.push(step) })
    expect(steps).toEqual([0, 1, 2, 0, 1, 2])
    expect(port.status()).toMatchObject({ state: 'ready', backend: 'webgpu', restarts: 0, message: null })
    expect(states).not.toContain('restarting')
    expect(hosts.starts().map(({ env }) => env.MASKWRIGHT_WITHOUT)).toEqual(['', 'cuda'])
    expect(notices).toHaveLength(1)
    expect(notices[0]).toMatchObject({ level: 'warning' })
    expect(notices[0]?.message).toMatch(
      /^cuda gave up: The cuda device was lost\. Maskwright goes on with webgpu .*lost\./,
    )

    // A choice of the user clears it.
    await port.configure({ backend: 'auto', threads: 0 })
    expect(port.status().backend).toBe('cuda')
  })

  it('is tried again by a fresh check, not by another', async () => {
    const { port } = hosts.open()
    await predict(port, 'lost:cuda')
    await port.call('doctor', { fresh: false }).catch(() => undefined)
    expect(port.status().backend).toBe('webgpu')
    await port.call('doctor', { fresh: true }).catch(() => undefined)
    expect(port.status().backend).toBe('cuda')
    expect(hosts.starts().at(-1)?.env.MASKWRIGHT_WITHOUT).toBe('')
  })

  it('that the user chose is not insisted on', async () => {
    const { port } = hosts.open()
    await port.configure({ backend: 'webgpu', threads: 0 })
    await predict(port, 'lost:webgpu')
    expect(port.status().backend).toBe('cuda')
    expect(hosts.starts().at(-1)?.env).toMatchObject({ MASKWRIGHT_BACKEND: 'auto', MASKWRIGHT_WITHOUT: 'webgpu' })
    expect(hosts.kept()).toMatchObject({ backend: 'webgpu' })
  })

  it('is one provider of native alone: the next one goes on, then the rung below, and native is not insisted on', async () => {
    const { port, notices } = hosts.open({ SCRIPT_LADDER: 'native-webgpu,native-cpu,wasm,js' })
    await port.configure({ backend: 'native', threads: 0 })
    expect(port.status()).toMatchObject({ backend: 'native', provider: 'webgpu', device: 'a native-webgpu device' })
    await predict(port, 'lost:native-webgpu')
    expect(port.status()).toMatchObject({ backend: 'native', provider: 'cpu' })
    expect(hosts.starts().at(-1)?.env).toMatchObject({
      MASKWRIGHT_BACKEND: 'native',
      MASKWRIGHT_WITHOUT: 'native-webgpu',
    })
    expect(notices.at(-1)?.message).toMatch(/^native-webgpu gave up: .*goes on with native-cpu/)

    await expect(predict(port, 'crash:native-cpu')).rejects.toMatchObject({ code: 'compute-crashed' })
    await predict(port, 'crash:native-cpu')
    expect(hosts.starts().at(-1)?.env.MASKWRIGHT_WITHOUT).toBe('native-webgpu,native-cpu')
    expect(port.status()).toMatchObject({ backend: 'wasm', provider: null })
  })

  it('that was asked for by its provider is not insisted on either', async () => {
    const { port } = hosts.open({ SCRIPT_LADDER: 'native-webgpu,native-cpu,wasm,js' })
    await port.configure({ backend: 'native-cpu', threads: 0 })
    expect(port.status().provider).toBe('cpu')
    await predict(port, 'lost:native-cpu')
    expect(hosts.starts().at(-1)?.env).toMatchObject({ MASKWRIGHT_BACKEND: 'auto', MASKWRIGHT_WITHOUT: 'native-cpu' })
    expect(port.status()).toMatchObject({ backend: 'native', provider: 'webgpu' })
    expect(hosts.kept()).toMatchObject({ backend: 'native-cpu' })
  })

  it('takes a call along when it is lost on the next one too; the last rung stays', async () => {
    const { port } = hosts.open()
    await expect(predict(port, 'lost:all')).rejects.toMatchObject({
      code: 'backend-lost',
      message: 'The webgpu device was lost.',
    })
    await expect.poll(() => port.status().backend, { timeout: 20_000 }).toBe('wasm')
    await expect(predict(port, 'lost:all')).rejects.toMatchObject({ message: 'The js device was lost.' })
    expect(port.status()).toMatchObject({ state: 'ready', backend: 'js' })
    await predict(port, 'work')
  })

  it('does not bring back what was cancelled, and lets what waits for the next one be cancelled at once', async () => {
    const { port } = hosts.open({ SCRIPT_START_MS: '400' })
    await predict(port, 'work')
    const [early, late] = [new AbortController(), new AbortController()]
    const cancelled = predict(port, 'wait', early.signal)
    const other = predict(port, 'wait', late.signal)
    const lost = predict(port, 'lost:cuda')
    early.abort()
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' })
    await expect.poll(() => port.status().state, { timeout: 20_000, interval: 5 }).toBe('starting')
    late.abort()
    await expect(other).rejects.toMatchObject({ code: 'cancelled' })
    // Within the start of the next process, not after it.
    expect(port.status().state).toBe('starting')
    await lost
    expect(port.status().backend).toBe('webgpu')
  })

  it('is one of the graphics card that crashes twice in a row', async () => {
    const { port, notices } = hosts.open()
    await expect(predict(port, 'crash:cuda')).rejects.toMatchObject({ code: 'compute-crashed' })
    const steps: number[] = []
    await port.call('train', training('crash:cuda'), { onProgress: ({ step }) => steps.push(step) })
    expect(steps).toEqual([0, 1, 2, 0, 1, 2])
    expect(port.status()).toMatchObject({ backend: 'webgpu', restarts: 2, message: null })
    expect(notices.map(({ message }) => message)).toEqual([expect.stringContaining('It crashed twice in a row.')])
  })

  it('is none that worked in between, nor one without a graphics card', async () => {
    const { port } = hosts.open()
    await expect(predict(port, 'crash:cuda')).rejects.toMatchObject({ code: 'compute-crashed' })
    await predict(port, 'work')
    await expect(predict(port, 'crash:cuda')).rejects.toMatchObject({ code: 'compute-crashed' })
    await predict(port, 'work')
    expect(port.status().backend).toBe('cuda')
    await port.configure({ backend: 'wasm', threads: 0 })
    for (let time = 0; time < 2; time++) {
      await expect(predict(port, 'crash:wasm')).rejects.toMatchObject({ code: 'compute-crashed' })
    }
    await predict(port, 'work')
    expect(port.status().backend).toBe('wasm')
  })

  it('is what crashes at each start: the safe ones are left then', async () => {
    const { port, notices } = hosts.open({ SCRIPT_CRASHING: 'cuda' })
    await expect(predict(port, 'work')).resolves.toMatchObject({ slices: [] })
    expect(hosts.starts().map(({ rung }) => rung)).toEqual(['cuda', 'cuda', 'cuda', 'wasm'])
    expect(notices.map(({ message }) => message)).toEqual([expect.stringContaining('goes on with wasm')])
  })
})

describe('the watch', () => {
  it('takes the end of a process that recycles itself for no crash, and asks again what it met', async () => {
    const { port, notices, states } = hosts.open()
    await predict(port, 'recycle')
    await expect.poll(() => hosts.starts().length, { timeout: 20_000 }).toBe(2)
    await predict(port, 'work')
    expect(port.status()).toMatchObject({ state: 'ready', restarts: 0, message: null })
    expect(states).not.toContain('restarting')
    expect(notices).toEqual([])
  })

  it('asks again what a recycling process did not get to', async () => {
    const { port } = hosts.open()
    await predict(port, 'work')
    expect(await predict(port, 'recycle-once')).toEqual({ slices: [], seconds: 2 })
    expect(port.status().restarts).toBe(0)
  })

  it('takes a process for crashed that would recycle itself before it did anything', async () => {
    const { port } = hosts.open()
    await expect(predict(port, 'recycle-once')).rejects.toMatchObject({ code: 'compute-crashed' })
    expect(port.status().restarts).toBe(1)
  })

  it('ends a process that holds far more memory than its bound, with a sentence', async () => {
    const { port } = hosts.open({ MASKWRIGHT_MEMORY_MB: '150' })
    const messages: (string | null)[] = []
    port.onStatus(({ message }) => messages.push(message))
    await expect(predict(port, 'grow')).rejects.toMatchObject({
      code: 'compute-crashed',
      message: expect.stringContaining('more memory than it may') as string,
    })
    expect(messages).toContainEqual(expect.stringContaining('more memory than it may'))
    await predict(port, 'work')
    expect(port.status()).toMatchObject({ state: 'ready', restarts: 1, message: null })
  })

  it('ends a process that is silent, but leaves js its minutes for a step', async () => {
    const { port } = hosts.open({}, 2000)
    await expect(predict(port, 'block')).rejects.toMatchObject({ code: 'compute-crashed' })
    await port.configure({ backend: 'js', threads: 0 })
    await predict(port, 'block')
    expect(port.status()).toMatchObject({ state: 'ready', backend: 'js' })
  })

  it('passes over replies to calls that nobody made, and passes on notices', async () => {
    const { port, notices } = hosts.open()
    const steps: number[] = []
    const waiting = port.call('train', training('work'), { onProgress: ({ step }) => steps.push(step) })
    await Promise.all([waiting, predict(port, 'garbled')])
    expect(steps).toEqual([0, 1, 2])
    await predict(port, 'notice')
    expect(notices).toEqual([{ level: 'info', message: 'A smaller batch is used.' }])
  })

  it('ends the process with the host, whatever goes on', async () => {
    const { port } = hosts.open({ SCRIPT_START_MS: '300' })
    const lost = predict(port, 'lost:cuda')
    await expect.poll(() => hosts.starts().length, { timeout: 20_000, interval: 5 }).toBe(2)
    const change = port.close()
    await expect(lost).rejects.toMatchObject({ code: 'cancelled' })
    await change
    await expect(port.configure({ backend: 'js', threads: 0 })).rejects.toMatchObject({ code: 'cancelled' })
    for (const { pid } of hosts.starts()) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})
