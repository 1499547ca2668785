import { computeMethods, computeReplySchema, type ComputeMethod } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import type { ComputeStatus, Way } from '../../core/contract/schemas.ts'
import { createCalls } from './calls.ts'
import { Choice } from './choice.ts'
import { startChild, type Child } from './child.ts'
import { launchEnvironment, launchFlags, memoryBounds } from './environment.ts'
import { Listeners } from './listeners.ts'
import { Losses } from './losses.ts'
import type { ComputeProcessOptions } from './options.ts'
import type { ComputeNotice, ComputePort } from './port.ts'
import { settingsFile } from './settings.ts'
import { Watch } from './watch.ts'
import { CLOSING, CRASHED, KEEPS_STOPPING, OUT_OF_MEMORY } from './words.ts'

/** One process, from its start to its end. */
interface Running {
  readonly child: Child
  readonly watch: Watch
  /** Settings that are being tried: where it does not become ready, whoever tries them decides what comes next. */
  readonly trial: boolean
  /** Known once it is ready. */
  way: Way | null
  answered: number
  condemned: 'silent' | 'memory' | null
  /** Ready (null), or why not. */
  readonly settle: (error: CodedError | null) => void
}

const BEAT_MS = 2000
const SILENCE_MS = 45_000
/**
 * What has no driver that could hang is waited for longer: a training step of `js` takes minutes, and one of the U-Net paper's
 * network on a small processor most of one, in which a graph lets no message in.
 */
const PATIENCE: Partial<Record<Way, number>> = { js: 20, 'native-cpu': 6 }
const FIRST_DELAY_MS = 200
const LONGEST_DELAY_MS = 10_000
/** Crashes in a row, without having become ready in between, after which it is not tried again by itself. */
const GIVE_UP_AFTER = 5
/** What the process ends with to be started afresh between two calls, with the memory it had given back. */
const RECYCLED = 75
/** A call that met so many such ends is not what they are for. */
const MOST_RECYCLES = 3

const nothing = { backend: null, provider: null, threads: 0, device: null, message: null } as const

/**
 * Starts the compute process at once, watches it and restarts it with back-off after a crash. Calls that were in flight
 * reject with 'compute-crashed'; calls made while it restarts wait for it. A rung that cannot go on is left out for
 * the rest of the session, and the calls it had are asked once more of the next one.
 */
export function createComputeProcess(options: ComputeProcessOptions): ComputePort {
  const { log = () => undefined, stateDir = null } = options
  const env = { ...process.env, ...options.env }
  const choice = new Choice(settingsFile(stateDir, log), env)
  const bounds = memoryBounds(env)
  const losses = new Losses()
  const statusListeners = new Listeners<ComputeStatus>()
  const noticeListeners = new Listeners<ComputeNotice>()
  const calls = createCalls({
    onLost,
    onAnswered: (ok) => {
      if (running !== null) running.answered++
      if (ok) losses.worked()
    },
  })
  let status: ComputeStatus = { state: 'stopped', ...nothing, restarts: 0 }
  let running: Running | null = null
  /** The process before, on its way out. */
  let leaving: Promise<void> = Promise.resolve()
  let restartTimer: NodeJS.Timeout | null = null
  let failures = 0
  let givenUp = false
  let closed = false

  function refuseClosed(): void {
    if (closed) throw new CodedError('cancelled', CLOSING)
  }

  function update(change: Partial<ComputeStatus>): void {
    const next = { ...status, ...change }
    if (JSON.stringify(next) === JSON.stringify(status)) return
    status = next
    statusListeners.tell(next)
  }

  function showLoad(): void {
    if (status.state === 'ready' || status.state === 'busy') update({ state: calls.count() > 0 ? 'busy' : 'ready' })
  }

  /** Resolves when it is ready, rejects when it cannot be used or crashed before. */
  function start(trial = false): Promise<void> {
    restartTimer = null
    givenUp = false
    update({ state: failures > 0 ? 'restarting' : 'starting' })
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    promise.catch(() => undefined)
    const child = startChild(
      {
        nodePath: options.nodePath,
        entry: options.entry,
        env: {
          ...env,
          ...launchEnvironment(env, { settings: choice.current, without: losses.ways, stateDir, bounds }),
        },
        flags: launchFlags(bounds),
        log,
      },
      {
        onMessage: (message) => {
          if (running === started) receive(started, message)
        },
        onEnd: (reason, exitCode) => {
          if (running === started) ended(started, reason, exitCode)
        },
      },
    )
    const { silenceMs = SILENCE_MS, beatMs = BEAT_MS } = options
    const watch = new Watch(child, { silenceMs, beatMs, hardMB: bounds.hardMB }, (reason) => {
      started.condemned = reason
      void child.kill()
    })
    const settle = (error: CodedError | null): void => (error === null ? resolve(undefined) : reject(error))
    const started: Running = { child, watch, trial, way: null, answered: 0, condemned: null, settle }
    running = started
    void becomeReady(started)
    return promise
  }

  function receive(from: Running, message: unknown): void {
    const parsed = computeReplySchema.safeParse(message)
    if (!parsed.success) return
    const reply = parsed.data
    from.watch.heard(reply.t === 'pong' ? (reply.rssMB ?? null) : null)
    if (reply.t === 'notice') noticeListeners.tell({ level: reply.level, message: reply.message })
    else if (reply.t !== 'pong') calls.receive(reply)
  }

  async function becomeReady(started: Running): Promise<void> {
    try {
      const { backend, provider, threads, device } = await calls.ask(started.child.send, 'status', {})
      if (running !== started) return
      const way: Way = backend === 'native' ? `native-${provider ?? 'cpu'}` : backend
      started.way = way
      started.watch.ready(PATIENCE[way] ?? 1)
      failures = 0
      losses.started()
      update({ state: 'ready', backend, provider: provider ?? null, threads, device: device.name, message: null })
      calls.connect(started.child.send)
      showLoad()
      const words = losses.words(way)
      if (words !== null) noticeListeners.tell({ level: 'warning', message: words })
      started.settle(null)
    } catch (thrown) {
      // A crash is told by `ended`; here it runs but has nothing to compute with.
      if (running !== started || closed) return
      const error =
        thrown instanceof CodedError ? thrown : new CodedError('compute-failed', 'Compute could not be started.')
      const insisted = choice.insistsOn
      if (!started.trial && insisted !== null && losses.refused(insisted, error.message)) {
        replace((child) => child.end())
        return
      }
      if (!started.trial) {
        update({ state: 'failed', message: error.message })
        // What waits is answered by the process, with the reason.
        calls.connect(started.child.send)
      }
      started.settle(error)
    }
  }

  function ended(which: Running, reason: string, exitCode: number | null): void {
    which.watch.stop()
    running = null
    if (closed) return
    log(`The compute process ended: ${reason}`)
    const sentence = which.condemned === 'memory' ? OUT_OF_MEMORY : CRASHED
    const crashed = new CodedError('compute-crashed', sentence, { detail: reason })
    if (which.trial && which.way === null) {
      const message = `Compute stopped while it was started with these settings (${reason}).`
      which.settle(new CodedError('compute-failed', message))
      calls.disconnect(crashed)
      return
    }
    which.settle(crashed)
    if (exitCode === RECYCLED && which.answered > 0) {
      calls.takeBack(MOST_RECYCLES, crashed)
      update({ state: 'starting', message: null })
      void start()
      return
    }
    const restarts = status.restarts + 1
    if (which.way === null) {
      // Where the system could start no process at all, that is nobody's doing.
      if (which.child.pid !== null) losses.failedToStart()
    } else if (calls.sent() > 0 && losses.crashed(which.way)) {
      calls.takeBack(1, crashed)
      update({ state: 'restarting', ...nothing, restarts })
      void start()
      return
    }
    calls.disconnect(crashed)
    failures++
    if (failures >= GIVE_UP_AFTER) {
      givenUp = true
      update({ state: 'failed', ...nothing, message: KEEPS_STOPPING, restarts })
      calls.refuse(new CodedError('compute-crashed', KEEPS_STOPPING, { detail: reason }))
      return
    }
    update({ state: 'restarting', ...nothing, message: sentence, restarts })
    restartTimer = setTimeout(() => void start(), Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1)))
  }

  /** Takes leave of the running process, if any, without taking its end for a crash. */
  function dismiss(end: (child: Child) => Promise<void>): Promise<void> {
    if (restartTimer !== null) clearTimeout(restartTimer)
    restartTimer = null
    const which = running
    running = null
    if (which !== null) {
      which.watch.stop()
      which.settle(new CodedError('cancelled', CLOSING))
      leaving = end(which.child)
    }
    return leaving
  }

  function onLost(error: CodedError): boolean {
    const way = running?.way ?? null
    if (way === null || !losses.lose(way, error.message)) return false
    log(`${way} is lost: ${error.message} ${error.detail ?? ''}`)
    calls.takeBack(1, error)
    // At once: what it computes on may be gone, and the next rung needs the memory.
    replace((child) => child.kill())
    return true
  }

  function replace(end: (child: Child) => Promise<void>): void {
    update({ state: 'starting', ...nothing })
    void dismiss(end).then(() => {
      if (running === null && !closed) void start()
    })
  }

  /** Ends the process in good order and starts it with what is set now. */
  async function startAnew(trial: boolean): Promise<void> {
    do {
      refuseClosed()
      update({ state: 'starting', ...nothing })
      const gone = dismiss((child) => child.end())
      calls.disconnect(new CodedError('compute-crashed', CRASHED))
      await gone
      // Something else may have started it meanwhile.
    } while (running !== null)
    refuseClosed()
    failures = 0
    await start(trial)
  }

  void start()

  return {
    status: () => status,
    onStatus: (listener) => statusListeners.add(listener),
    onNotice: (listener) => noticeListeners.add(listener),
    settings: () => choice.view(),
    async configure(asked) {
      refuseClosed()
      const inUse = (): boolean => calls.count() > 0
      await choice.change(asked, { inUse, forgetLosses: () => losses.clear(), start: startAnew })
    },
    async call(method, params, callOptions = {}) {
      refuseClosed()
      if (!Object.hasOwn(computeMethods, method)) throw new CodedError('unknown-method', `No method "${method}".`)
      const troubled = losses.ways.size > 0 || status.state === 'failed'
      if (troubled && isFreshDoctor(method, params) && calls.count() === 0 && !choice.changing) {
        losses.clear()
        await startAnew(false).catch(() => undefined)
      }
      // Given up, and asked again: one more try.
      if (givenUp && !choice.changing) void start()
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
      calls.refuse(new CodedError('cancelled', CLOSING))
      await dismiss((child) => child.end())
      update({ state: 'stopped', ...nothing })
    },
  }
}

function isFreshDoctor(method: ComputeMethod, params: object): boolean {
  return method === 'doctor' && 'fresh' in params && params.fresh === true
}
