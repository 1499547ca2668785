import { computeMethods } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { startChild } from './child.ts'
import { createCalls } from './calls.ts'
import type { ComputeStatus } from '../../core/contract/schemas.ts'
import type { Child } from './child.ts'
import type { ComputePort } from './port.ts'

export interface ComputeProcessOptions {
  /** The Node binary that runs it; its version need not be that of the host. */
  readonly nodePath: string
  /** src/compute/entry.ts or its built form. */
  readonly entry: string
  /** Added to the host's own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Receives what the process prints, a line at a time. */
  readonly log?: (line: string) => void
  /** A process that answers no ping for so long hangs and is ended. Longer than any step takes. */
  readonly silenceMs?: number
}

const PING_MS = 2000
const SILENCE_MS = 45_000
const FIRST_DELAY_MS = 200
const LONGEST_DELAY_MS = 10_000
/** Crashes in a row, without having become ready in between, after which it is not tried again by itself. */
const GIVE_UP_AFTER = 5
const CRASHED = 'The compute process stopped unexpectedly; nothing that was saved is lost, and it is being restarted.'

/**
 * Starts the compute process at once, watches it and restarts it with back-off after a crash. Calls that were in flight
 * reject with 'compute-crashed'; calls made while it restarts wait for it.
 */
export function createComputeProcess(options: ComputeProcessOptions): ComputePort {
  const silenceMs = options.silenceMs ?? SILENCE_MS
  const calls = createCalls()
  const listeners = new Set<(status: ComputeStatus) => void>()
  let status: ComputeStatus = { state: 'stopped', backend: null, threads: 0, device: null, message: null, restarts: 0 }
  let child: Child | null = null
  let heartbeat: NodeJS.Timeout | null = null
  let restartTimer: NodeJS.Timeout | null = null
  let failures = 0
  let closed = false

  function update(change: Partial<ComputeStatus>): void {
    const next = { ...status, ...change }
    if (JSON.stringify(next) === JSON.stringify(status)) return
    status = next
    for (const listener of listeners) listener(next)
  }

  function showLoad(): void {
    if (status.state === 'ready' || status.state === 'busy') update({ state: calls.count() > 0 ? 'busy' : 'ready' })
  }

  function start(): void {
    restartTimer = null
    if (closed || child !== null) return
    update({ state: status.restarts > 0 ? 'restarting' : 'starting' })
    // Counted in pings, not by the clock: after the computer slept the process has been silent for no longer than we.
    let silentFor = 0
    const started = startChild(options, {
      onMessage: (message) => {
        silentFor = 0
        calls.receive(message)
      },
      onEnd: (reason) => {
        ended(started, reason)
      },
    })
    child = started
    heartbeat = setInterval(() => {
      if (silentFor > silenceMs) {
        started.kill()
        return
      }
      silentFor += PING_MS
      started.send({ t: 'ping', id: 0 })
    }, PING_MS)
    heartbeat.unref()
    calls.connect(started.send)
    void becomeReady(started)
  }

  async function becomeReady(started: Child): Promise<void> {
    try {
      const { backend, threads, device } = await calls.internal('status', {})
      failures = 0
      update({ state: 'ready', backend, threads, device: device.name, message: null })
      showLoad()
    } catch (error) {
      // A crash is told by `ended`; here it runs but has nothing to compute with.
      if (child !== started || closed) return
      update({
        state: 'failed',
        message: error instanceof CodedError ? error.message : 'Compute could not be started.',
      })
    }
  }

  function ended(which: Child, reason: string): void {
    if (child !== which) return
    child = null
    if (heartbeat !== null) clearInterval(heartbeat)
    heartbeat = null
    if (closed) return
    options.log?.(`The compute process ended: ${reason}`)
    calls.disconnect(new CodedError('compute-crashed', CRASHED, { detail: reason }))
    failures++
    if (failures >= GIVE_UP_AFTER) {
      const message =
        'The compute process keeps stopping; Predict and Retrain try once more, and the Compute panel says what works.'
      update({ state: 'failed', backend: null, threads: 0, device: null, message, restarts: status.restarts + 1 })
      calls.refuse(new CodedError('compute-crashed', message, { detail: reason }))
      return
    }
    update({
      state: 'restarting',
      backend: null,
      threads: 0,
      device: null,
      message: CRASHED,
      restarts: status.restarts + 1,
    })
    restartTimer = setTimeout(start, Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1)))
  }

  start()

  return {
    status: () => status,
    onStatus(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    async call(method, params, callOptions = {}) {
      if (closed) throw new CodedError('cancelled', 'The workstation is closing.')
      if (!Object.hasOwn(computeMethods, method)) throw new CodedError('unknown-method', `No method "${method}".`)
      // Given up, and asked again: one more try.
      if (child === null && restartTimer === null) start()
      const result = calls.call(method, params, callOptions)
      showLoad()
      try {
        return await result
      } finally {
        showLoad()
      }
    },
    async close() {
      if (closed) return
      closed = true
      if (restartTimer !== null) clearTimeout(restartTimer)
      if (heartbeat !== null) clearInterval(heartbeat)
      calls.refuse(new CodedError('cancelled', 'The workstation is closing.'))
      await child?.end()
      update({ state: 'stopped', backend: null, threads: 0, device: null, message: null })
    },
  }
}
