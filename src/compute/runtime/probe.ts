import { fork } from 'node:child_process'
import { cudaComplaint, cudaRefusal } from './nativeTensorflow.ts'
import { cudaLibraryRefusal } from './onnxRuntime.ts'
import { proofSchema, refused } from './proof.ts'
import type { Way } from '../../core/contract/schemas.ts'
import type { ChildProcess } from 'node:child_process'
import type { Proof } from './proof.ts'

export const PROBE_ARGUMENT = '--probe'

export interface ProbeOptions {
  /** The script that answers `--probe WAY THREADS SECONDS PARENT HARDWARE` by `answerProbe`. */
  readonly entry: string
  readonly threads: number
  readonly seconds?: number
  /** As in rung.ts. */
  readonly hardwareOnly?: boolean
  /** Added to this process's own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Aborting it ends the probe; its answer is then a refusal that nobody should keep. */
  readonly signal?: AbortSignal | undefined
}

/** Programs for a graphics card may take half of it to be made the first time. */
export const PROBE_SECONDS = 60
/** Of what it printed on standard error. */
const KEPT_CHARACTERS = 4000
const KEPT_LINES = 20

const DRIVER = "Update or install again the graphics card's driver."
const REMEDIES: Partial<Record<Way, string>> = {
  'native-cuda': DRIVER,
  'native-dml': DRIVER,
  'native-webgpu': DRIVER,
  webgpu: DRIVER,
  cuda: DRIVER,
  tensorflow:
    '"npm rebuild @tensorflow/tfjs-node --ignore-scripts=false" in Maskwright\'s folder downloads its library again.',
}

/**
 * Starts, self-tests and times a way of computing in a process of its own, since a broken driver takes its process along. The child
 * ends with this process, whatever way that ends. Never rejects: a crash is a reason.
 */
export function probeWay(way: Way, options: ProbeOptions): Promise<Proof> {
  const { entry, threads, seconds = PROBE_SECONDS, hardwareOnly = false, env = {}, signal } = options
  return new Promise((resolve) => {
    const limits = [threads, seconds, process.pid, Number(hardwareOnly)].map(String)
    let child: ChildProcess
    try {
      child = fork(entry, [PROBE_ARGUMENT, way, ...limits], {
        execArgv: [],
        // What it prints on standard output is of no use; a library that writes there must not fill a pipe.
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env: { ...process.env, ...env },
      })
    } catch (error) {
      // Some reasons are thrown, as that there is no memory for another process; others are told by an event.
      resolve(notStarted(error))
      return
    }
    let printed = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-KEPT_CHARACTERS)))
    const kill = () => void child.kill('SIGKILL')
    const finish = (proof: Proof) => {
      clearTimeout(timer)
      process.off('exit', kill)
      signal?.removeEventListener('abort', cancel)
      child.removeAllListeners()
      // A child that could not be started tells so again when it is ended.
      child.on('error', () => undefined)
      kill()
      resolve(proof)
    }
    const refusal = (reason: string, detail: string) =>
      refused({ reason, remedy: REMEDIES[way] ?? null, detail: lastLines(detail, printed) })
    const refuse = (reason: string, detail: string) => {
      finish(refusal(reason, detail))
    }
    const cancel = () => {
      refuse('It was not tried to the end.', '')
    }
    const timer = setTimeout(() => {
      finish({
        ...refusal(`It did not answer within ${Math.round(seconds)} seconds when it was tried.`, ''),
        late: true,
      })
    }, seconds * 1000)
    process.once('exit', kill)
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted === true) cancel()
    child.once('message', (message) => {
      const parsed = proofSchema.safeParse(message)
      if (parsed.success) finish(checked(way, parsed.data, printed))
      else refuse('It gave no readable answer when it was tried.', parsed.error.message)
    })
    child.once('error', (error) => {
      finish(notStarted(error))
    })
    // Not `exit`: what it printed last is here first.
    child.once('close', (code, ended) => {
      const how = ended ?? `exit code ${String(code)}`
      refuse(`It crashed when it was tried: ${crashWords(code, ended)}.`, how)
    })
  })
}

/** That another process cannot be started now says nothing of the way. */
function notStarted(error: unknown): Proof {
  const detail = error instanceof Error ? error.message : String(error)
  return { ...refused({ reason: 'It could not be tried.', remedy: null, detail }), late: true }
}

/** How a process ended, in plain words. */
export function crashWords(code: number | null, signal: NodeJS.Signals | null): string {
  const named = signal === null ? WINDOWS_CODES.get(code ?? 0) : SIGNALS[signal]
  if (named !== undefined) return signal === null ? named : `${named} (${signal})`
  return signal === null ? `it ended by itself with exit code ${String(code)}` : `it was ended by ${signal}`
}

const SIGNALS: Partial<Record<NodeJS.Signals, string>> = {
  SIGSEGV: 'its library or driver touched memory that is not its own',
  SIGBUS: 'its library or driver touched memory that is not there',
  SIGABRT: 'its library or driver gave up by itself',
  SIGILL: 'its library uses instructions that this processor does not have',
  SIGFPE: 'its library divided by zero',
  SIGKILL: 'the system ended it, perhaps for want of memory',
}
const WINDOWS_CODES = new Map([
  [0xc0000005, 'its library or driver touched memory that is not its own (code 0xC0000005)'],
  [0xc000001d, 'its library uses instructions that this processor does not have (code 0xC000001D)'],
  [0xc0000409, 'its library or driver gave up by itself (code 0xC0000409)'],
])

/** A CUDA build goes on without a card, on the processor and under a wrong name; only what it prints tells. */
function checked(way: Way, proof: Proof, printed: string): Proof {
  const complaint = way === 'cuda' && proof.ok ? cudaComplaint(printed) : null
  if (complaint !== null) return refused(cudaRefusal(complaint, lastLines('', printed)))
  // ONNX Runtime throws only that it could not load a library, and prints which one that one lacks.
  const library = way === 'native-cuda' && !proof.ok ? cudaLibraryRefusal(printed) : null
  if (library !== null) return refused({ ...library, detail: lastLines(proof.detail ?? '', printed) })
  const kept = proof.ok ? proof.detail : lastLines(proof.detail ?? '', printed)
  return { ...proof, detail: kept === '' ? null : kept }
}

function lastLines(first: string, printed: string): string {
  // What Node appends of its own when it is aborted tells nothing of the library.
  const [told = ''] = printed.split(/^.*----- (?:Native|JavaScript) stack trace -----/m)
  const lines = told.trim().split('\n').slice(-KEPT_LINES).join('\n')
  return [first, lines].filter((text) => text !== '').join('\n')
}
