import path from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { sha256 } from '../models/checksums.ts'
import { loadOnnxRuntime } from '../native/session/package.ts'
import { refusalOf, refusalText } from '../runtime/unavailable.ts'
import { NETWORK_FILE } from './folder.ts'
import { inspectFile } from './inspection.ts'
import { ForeignNetwork } from './network.ts'
import type { NetworkFacts } from '../../core/contract/compute.ts'
import type { OnnxRuntime } from '../native/session/package.ts'
import type { ImportedFiles } from './folder.ts'
import type { ImportedCard } from './network.ts'

export interface ForeignModel {
  readonly foreign: ForeignNetwork
  readonly card: ImportedCard
}

/** Runs networks from elsewhere in this process, after each was tried in one of its own. */
export interface ForeignEngine {
  /** Throws CodedError: 'bad-file' with the reason, 'compute-failed' without ONNX Runtime, 'cancelled'. */
  inspect(file: string, signal?: AbortSignal): Promise<NetworkFacts>
  /** Throws the same, and 'bad-file' where ONNX Runtime does not take what it took before. */
  open(files: ImportedFiles): Promise<ForeignModel>
}

export interface ForeignOptions {
  /** The script of the compute process; null: nothing is tried beforehand (tests). */
  readonly entry: string | null
  readonly threads: number
  readonly packagesDir: string | null
}

export function createForeignEngine({ entry, threads, packagesDir }: ForeignOptions): ForeignEngine {
  /** Networks that a process of its own has run on this computer. */
  const proven = new Set<string>()
  let loaded: OnnxRuntime | null = null

  function runtime(): OnnxRuntime {
    try {
      loaded ??= loadOnnxRuntime(packagesDir)
      return loaded
    } catch (error) {
      const { detail, ...refusal } = refusalOf(error)
      const message = `Networks from elsewhere need ONNX Runtime. ${refusalText(refusal)}`
      throw new CodedError('compute-failed', message, { cause: error, ...(detail === null ? {} : { detail }) })
    }
  }

  async function inspect(file: string, signal?: AbortSignal): Promise<NetworkFacts> {
    if (entry === null) throw new CodedError('compute-failed', 'There is no process to try the file in.')
    const facts = await inspectFile(file, { entry, threads, packagesDir, signal })
    proven.add(facts.sha256)
    return facts
  }

  return {
    inspect,
    async open({ dir, card, bytes }) {
      if (entry !== null && !proven.has(sha256(bytes))) await inspect(path.join(dir, NETWORK_FILE))
      return { foreign: await ForeignNetwork.open({ runtime: runtime(), threads }, bytes, card), card }
    },
  }
}
