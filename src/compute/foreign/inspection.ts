import { fork } from 'node:child_process'
import { open, stat } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { CodedError } from '../../core/contract/errors.ts'
import { networkFactsSchema } from '../../core/contract/network.ts'
import { crashWords } from '../runtime/probe.ts'
import type { ChildProcess } from 'node:child_process'
import type { NetworkFacts } from '../../core/contract/network.ts'

export const INSPECT_ARGUMENT = '--inspect-network'
export const RESULT = 'result'
export const REFUSED = 'refused'

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal(RESULT), facts: networkFactsSchema }),
  /** `problem` completes the sentence "net.onnx …". */
  z.object({ kind: z.literal(REFUSED), problem: z.string(), detail: z.string() }),
])
export type InspectionMessage = z.infer<typeof messageSchema>

export interface InspectionOptions {
  /** The script that answers `--inspect-network FILE THREADS SECONDS PARENT` by `answerInspection`. */
  readonly entry: string
  readonly threads: number
  readonly packagesDir: string | null
  readonly signal?: AbortSignal | undefined
  readonly seconds?: number
}

/** Protocol buffers end at 2 GiB; half of that is more than any network for this use has. */
const MAX_BYTES = 2 ** 30
const MOST_SECONDS = 180
const KEPT_CHARACTERS = 4000

/**
 * Reads and runs an ONNX file in a process of its own, since a file that is not ours may take its process along.
 * Throws CodedError: 'bad-file' with one sentence that names the file and says what is wrong, 'cancelled', 'compute-failed'
 * where no process could be started.
 */
export async function inspectFile(file: string, options: InspectionOptions): Promise<NetworkFacts> {
  await checkFile(file)
  const message = await ask(file, options)
  if (message.kind === RESULT) return message.facts
  throw new CodedError('bad-file', `${path.basename(file)} ${message.problem}.`, { detail: message.detail })
}

/** An ordinary file of a size that a network has, that begins as one; pipes and devices are never opened. */
async function checkFile(file: string): Promise<void> {
  const name = path.basename(file)
  const found = await stat(file).catch((cause: unknown) => {
    throw new CodedError('bad-file', `${file} cannot be read; check the path and its permissions.`, { cause })
  })
  if (!found.isFile()) throw new CodedError('bad-file', `${name} is no ordinary file; choose an ONNX file.`)
  if (found.size === 0) throw new CodedError('bad-file', `${name} is empty; export the network again.`)
  if (found.size > MAX_BYTES) {
    const gigabytes = (found.size / 1e9).toFixed(1)
    throw new CodedError('bad-file', `${name} has ${gigabytes} GB; networks of more than 1 GB cannot be used here.`)
  }
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw new CodedError('bad-file', `${file} cannot be read; check its permissions.`, { cause })
  })
  await handle.close()
}

function ask(file: string, options: InspectionOptions): Promise<InspectionMessage> {
  const { entry, threads, packagesDir, signal, seconds = MOST_SECONDS } = options
  const name = path.basename(file)
  return new Promise((resolve, reject) => {
    let child: ChildProcess
    try {
      child = fork(entry, [INSPECT_ARGUMENT, file, String(threads), String(seconds + 5), String(process.pid)], {
        execArgv: [],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env: { ...process.env, ...(packagesDir === null ? {} : { MASKWRIGHT_PACKAGES: packagesDir }) },
      })
    } catch (error) {
      reject(notStarted(error))
      return
    }
    let printed = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-KEPT_CHARACTERS)))
    const kill = (): void => void child.kill('SIGKILL')
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      process.off('exit', kill)
      signal?.removeEventListener('abort', cancel)
      child.removeAllListeners()
      child.on('error', () => undefined)
      kill()
      settle()
    }
    const fail = (error: CodedError): void => {
      end(() => {
        reject(error)
      })
    }
    const refuse = (problem: string): void => {
      fail(new CodedError('bad-file', `${name} ${problem}; choose another network.`, { detail: printed }))
    }
    const cancel = (): void => {
      fail(new CodedError('cancelled', 'Cancelled.'))
    }
    const timer = setTimeout(() => {
      refuse(`was not understood within ${Math.round(seconds)} seconds, so it is too slow for this computer`)
    }, seconds * 1000)
    process.once('exit', kill)
    signal?.addEventListener('abort', cancel, { once: true })
    child.once('message', (message) => {
      const parsed = messageSchema.safeParse(message)
      if (!parsed.success) refuse('gave no readable answer when it was tried')
      else {
        end(() => {
          resolve(parsed.data)
        })
      }
    })
    child.once('error', (error) => {
      fail(notStarted(error))
    })
    child.once('close', (code, ended) => {
      refuse(`ends ONNX Runtime when it is loaded or run: ${crashWords(code, ended)}`)
    })
    if (signal?.aborted === true) cancel()
  })
}

function notStarted(cause: unknown): CodedError {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new CodedError('compute-failed', 'The file could not be tried: no other process could be started.', {
    cause,
    detail,
  })
}
