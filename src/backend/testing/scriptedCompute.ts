import { appendFileSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import type { ComputeReply, ComputeRequest } from '../../core/contract/compute.ts'
import type { ErrorCode } from '../../core/contract/errors.ts'
import { createFrameReader, encodeFrame } from '../../core/rpc/frames.ts'
import { fakeCard } from './fakeCompute.ts'

/**
 * Run as a compute process by the tests of what watches over one: it computes nothing and behaves as it is told, by the
 * model folder of a `predict` or the parent of a `train`:
 * - `work` answers; `wait` answers when it is cancelled; `notice` tells something and answers
 * - `lost:RUNG` loses that rung, `crash:RUNG` crashes on it, on others it answers
 * - `recycle` answers and ends itself; `recycle-once` ends itself unanswered in the first process, answers in the next
 * - `block` neither answers nor listens for four seconds, then answers
 * - `grow` holds 400 MB more and waits; `garbled` sends replies to calls that nobody made, then answers
 *
 * SCRIPT_LOG is a file that gets one line a start. SCRIPT_LADDER names what the computer has, fastest first. SCRIPT_REFUSED and SCRIPT_CRASHING name rungs that cannot be used,
 * SCRIPT_START_MS is how long a start takes.
 */
export interface ScriptedStart {
  readonly pid: number
  readonly rung: string
  readonly execArgv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const LADDER = ['cuda', 'webgpu', 'wasm', 'js']

function names(variable: string): string[] {
  return (process.env[variable] ?? '').split(',').filter((name) => name !== '')
}

/** Of "native-cpu", "native". */
function rungOf(name: string): string {
  return name.startsWith('native-') ? 'native' : name
}

function serve(log: string): void {
  const { MASKWRIGHT_BACKEND: wanted = 'auto' } = process.env
  const without = names('MASKWRIGHT_WITHOUT')
  const refused = names('SCRIPT_REFUSED')
  const ladder = names('SCRIPT_LADDER').length > 0 ? names('SCRIPT_LADDER') : LADDER
  const usable = ladder.filter((name) => ![name, rungOf(name)].some((each) => [...without, ...refused].includes(each)))
  // As the real one: what was asked for and gave up in this session is not insisted on.
  const gaveUp = ladder.some((name) => rungOf(name) === wanted && without.includes(name))
  const asked = usable.find((name) => [name, rungOf(name)].includes(wanted))
  const rung = asked ?? (wanted === 'auto' || gaveUp ? (usable[0] ?? 'js') : wanted)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('MASKWRIGHT_')))
  const start = { pid: process.pid, rung, execArgv: process.execArgv, env }
  appendFileSync(log, `${JSON.stringify(start)}\n`)
  const starts = readFileSync(log, 'utf8').trim().split('\n').length
  if (names('SCRIPT_CRASHING').includes(rung)) process.exit(9)

  const pipe = new Socket({ fd: 3, readable: true, writable: true })
  const send = (reply: ComputeReply): void => void pipe.write(encodeFrame(reply))
  const fail = (id: number, code: ErrorCode, message: string): void =>
    send({ t: 'error', id, error: { code, message } })
  const cancelable = new Set<number>()
  const held: Buffer[] = []

  function status(id: number): void {
    if (usable.includes(rung)) {
      const device = { name: `a ${rung} device`, memoryMB: null }
      const provider = rung.startsWith('native-') ? rung.replace('native-', '') : null
      const result = { backend: rungOf(rung), provider, threads: 1, device, cached: false, versions: {} }
      send({ t: 'ok', id, result })
    } else fail(id, 'compute-failed', `There is no ${rung} here.`)
  }

  function work(id: number, result: unknown, what: string): void {
    const answer = (): void => send({ t: 'ok', id, result })
    if (what === 'wait') cancelable.add(id)
    else if (what === 'notice') {
      send({ t: 'notice', level: 'info', message: 'A smaller batch is used.' })
      answer()
    } else if (what === `lost:${rung}` || what === 'lost:all') fail(id, 'backend-lost', `The ${rung} device was lost.`)
    else if (what === `crash:${rung}`) process.exit(9)
    else if (what === 'recycle') {
      answer()
      // As the real one does it.
      pipe.end(() => process.exit(75))
    } else if (what === 'recycle-once' && starts === 1) {
      process.exit(75)
    } else if (what === 'grow') {
      held.push(Buffer.alloc(400 * 2 ** 20, 1))
      cancelable.add(id)
    } else {
      if (what === 'block') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4000)
      if (what === 'garbled') {
        send({ t: 'ok', id: id + 1000, result })
        send({ t: 'progress', id: id - 1, progress: { step: 7, steps: 7, point: null, secondsLeft: null } })
        send({ t: 'error', id: id - 1, error: { code: 'internal', message: 'to nobody' } })
        pipe.write(encodeFrame({ t: 'weather', id }))
      }
      answer()
    }
  }

  function receive(message: unknown): void {
    // Only the host of the tests speaks to this.
    const request = message as ComputeRequest
    if (request.t === 'ping') send({ t: 'pong', id: request.id, rssMB: process.memoryUsage.rss() / 2 ** 20 })
    else if (request.t === 'cancel') {
      if (cancelable.delete(request.id)) fail(request.id, 'cancelled', 'Cancelled.')
    } else call(request)
  }

  function call({ id, method, params }: Extract<ComputeRequest, { t: 'call' }>): void {
    const { modelDir = '', parentDir = '' } = params as { modelDir?: string; parentDir?: string | null }
    if (method === 'status') setTimeout(() => status(id), Number(process.env.SCRIPT_START_MS ?? 0))
    else if (method === 'predict') work(id, { slices: [], seconds: starts }, modelDir)
    else if (method === 'train') {
      for (let step = 0; step < 3; step++) {
        send({ t: 'progress', id, progress: { step, steps: 3, point: null, secondsLeft: null } })
      }
      work(id, { card: fakeCard({ id: 'm', name: 'm', labels: [] }) }, parentDir ?? 'work')
    } else fail(id, 'unknown-method', `The script has no ${method}.`)
  }

  pipe.on('data', createFrameReader(receive))
  pipe.on('close', () => process.exit(0))
  pipe.on('end', () => process.exit(0))
}

if (process.env.SCRIPT_LOG !== undefined) serve(process.env.SCRIPT_LOG)
