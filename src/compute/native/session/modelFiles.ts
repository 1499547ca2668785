import { createHash } from 'node:crypto'
import { readFile, unlink } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { sealedFiles } from './sealedFiles.ts'
import { sessionOptions } from './options.ts'
import type { InferenceSession } from 'onnxruntime-common'
import type { SealedFiles } from './sealedFiles.ts'
import type { Provider, SessionRequest } from './options.ts'
import type { OnnxRuntime } from './package.ts'

/** Of all files of the folder together. */
const MOST_BYTES = 64 * 2 ** 20
/** Graphs with less are made as quickly as they are read. */
const LEAST_NODES = 64
/** Larger ones hold weights, and are others after every training. */
const LARGEST_GRAPH = 8 * 2 ** 20

/** Makes sessions, with the help of a folder in which graphs lie as ONNX Runtime has simplified them. */
export interface SessionMaker {
  /** `bytes` is the graph as an ONNX file of so many nodes. */
  make(
    bytes: Uint8Array,
    nodes: number,
    request: Pick<SessionRequest, 'onDevice' | 'profileTo'>,
  ): Promise<InferenceSession>
}

/**
 * A simplified graph is good for the version of ONNX Runtime, the provider, the number of threads and the processor that
 * it was made for (its convolutions are laid out in blocks of the processor's vectors, of which virtual machines of one
 * processor's name may have others); these are part of the key. It is written for the processor alone: other providers rewrite graphs into what cannot be read again.
 */
export function sessionMaker(
  runtime: OnnxRuntime,
  provider: Provider,
  { stateDir, block }: { readonly stateDir: string | null; readonly block: number | null },
): SessionMaker {
  const files = stateDir === null ? null : sealedFiles(path.join(stateDir, 'native-cache'), MOST_BYTES)
  const machine = [runtime.version, process.platform, process.arch, os.cpus()[0]?.model ?? '', String(block)]
  const context = [...machine, JSON.stringify(sessionOptions(provider, plain([], null)))].join('\n')

  async function makeAndKeep(bytes: Uint8Array, into: SealedFiles, key: string): Promise<InferenceSession> {
    const writeTo = await into.draft()
    if (writeTo === null) return await runtime.createSession(bytes, sessionOptions(provider, plain([], null)))
    try {
      const session = await runtime.createSession(bytes, sessionOptions(provider, { ...plain([], null), writeTo }))
      await into.write(key, await readFile(writeTo))
      return session
    } catch {
      // A full disk, say; what is wrong with the graph itself is thrown again.
      return await runtime.createSession(bytes, sessionOptions(provider, plain([], null)))
    } finally {
      await unlink(writeTo).catch(() => undefined)
    }
  }

  return {
    async make(bytes, nodes, { onDevice, profileTo }) {
      const worth = nodes >= LEAST_NODES && bytes.length <= LARGEST_GRAPH
      if (files === null || provider.name !== 'cpu' || profileTo !== null || !worth) {
        return await runtime.createSession(bytes, sessionOptions(provider, plain(onDevice, profileTo)))
      }
      const key = `${context}\n${createHash('sha256').update(bytes).digest('hex')}`
      const found = await files.read(key)
      if (found !== null) {
        try {
          return await runtime.createSession(found, sessionOptions(provider, { ...plain([], null), simplified: true }))
        } catch {
          await files.remove(key)
        }
      }
      return await makeAndKeep(bytes, files, key)
    },
  }
}

function plain(onDevice: readonly string[], profileTo: string | null): SessionRequest {
  return { onDevice, profileTo, simplified: false, writeTo: null }
}
