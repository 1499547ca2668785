import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createComputeProcess } from '../backend/compute/process.ts'
import { CRASHED } from '../backend/compute/words.ts'
import { findPlaces, userDataDir } from '../backend/host/places.ts'
import type { ComputePort } from '../backend/index.ts'
import { readModelCard, type ModelCard } from '../core/contract/compute.ts'
import { CodedError } from '../core/contract/errors.ts'
import { interruptible } from './interrupt.ts'
import type { CommonOptions, Output } from './output.ts'

export interface ComputeOptions extends CommonOptions {
  /** What the command line says; without it the environment, then what is kept for this computer. */
  readonly backend?: string
  readonly threads?: number
  readonly seed: number
}

/** A command does not wait for compute to be started again. */
const STOPPED =
  'The compute process stopped or no longer answered, and no unfinished file was left behind; try again or with another --backend ("maskwright doctor" says what works).'

/** What is said where something was kept of work that did not come to its end. */
interface EndWords {
  readonly interrupted: () => string
  /** Of a compute process that stopped; null: nothing was kept. */
  readonly stopped: () => string | null
}

/**
 * Runs work with a compute process that ends with it. Interrupting the command aborts the signal, so that what the
 * command began to write is removed; `words` say what was kept, where something was.
 */
export async function withComputeProcess<T>(
  options: ComputeOptions,
  output: Output,
  work: (compute: ComputePort, signal: AbortSignal) => Promise<T>,
  words?: EndWords,
): Promise<T> {
  const places = findPlaces()
  const compute = createComputeProcess({
    nodePath: places.nodePath,
    entry: places.computeEntry,
    env: {
      ...(options.backend === undefined ? {} : { MASKWRIGHT_BACKEND: options.backend }),
      ...(options.threads === undefined ? {} : { MASKWRIGHT_THREADS: String(options.threads) }),
    },
    stateDir: userDataDir(),
    log: (line) => {
      if (options.debug === true) output.note(`compute: ${line}`)
    },
  })
  compute.onNotice(({ level, message }) => {
    if (level !== 'info' || options.debug === true) output.note(message)
  })
  try {
    return await interruptible((signal) => work(compute, signal), words?.interrupted)
  } catch (error) {
    if (!(error instanceof CodedError) || error.message !== CRASHED) throw error
    throw new CodedError(error.code, words?.stopped() ?? STOPPED, { cause: error })
  } finally {
    output.endProgress()
    await compute.close()
  }
}

/** Reads the card of a model folder. Throws CodedError('bad-file') that names the folder. */
export async function readCard(modelDir: string): Promise<ModelCard> {
  const path = join(resolve(modelDir), 'card.json')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new CodedError('file-missing', `${modelDir} is not a model folder: it has no readable card.json.`, { cause })
  }
  return readModelCard(text, path)
}
