import { createHash } from 'node:crypto'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { computeDeviceSchema } from '../../core/contract/schemas.ts'
import { fileFacts, graphicsDriver, nvidiaVersion } from './driver.ts'
import { findPackage, packageVersion } from './optionalPackages.ts'
import { onnxRuntimeFiles } from './onnxRuntime.ts'
import { optionalPackage, providerOf, usesThreads } from './rungs.ts'
import { usableCores } from './threads.ts'
import { versions } from './versions.ts'
import type { Way } from '../../core/contract/schemas.ts'
import type { Refusal } from './unavailable.ts'

/** What came of trying a way of computing in a process of its own. */
export const proofSchema = z.object({
  /** It started and passed the self-test. */
  ok: z.boolean(),
  /** A sentence: why not, or what is not as it should be; null where all is well. */
  reason: z.string().nullable(),
  /** What to do about it. */
  remedy: z.string().nullable(),
  /** For those who look closer: what the library printed last. */
  detail: z.string().nullable(),
  selfTest: z.object({ ok: z.boolean(), ms: z.number(), difference: z.string().nullable() }).nullable(),
  /** runtime/timing.ts */
  stepMs: z.number().nullable(),
  device: computeDeviceSchema.nullable(),
  threads: z.int().nullable(),
  /** It was given up for lack of time, which a busy machine may lack: doctor, which has more, tries again. */
  late: z.boolean().default(false),
})
export type Proof = z.infer<typeof proofSchema>

export function refused(refusal: Omit<Refusal, 'detail'> & { detail?: string | null }): Proof {
  const { reason, remedy, detail = null, late = false } = refusal
  return { ok: false, reason, remedy, detail, selfTest: null, stepMs: null, device: null, threads: null, late }
}

/**
 * Stands for everything that a way's proof depends on: versions, processor, cores, threads, packages and drivers, as
 * far as it can be known without loading any of it. Another key: the proof is void.
 */
export function proofKey(way: Way, threads: number, packagesDir: string | null): string {
  const { maskwright, node, 'tfjs-core': core, 'tfjs-layers': layers } = versions(packagesDir)
  // A graphics card and plain JavaScript do not compute with our threads.
  const used = usesThreads(way) ? threads : null
  const processor = [process.platform, process.arch, os.cpus()[0]?.model, usableCores(), used]
  return digest([way, maskwright, node, core, layers, ...processor, ...ofWay(way, packagesDir)])
}

/** One key for the choice among ways of these keys. */
export function choiceKey(keys: readonly string[]): string {
  return digest(keys)
}

function ofWay(way: Way, packagesDir: string | null): (string | null)[] {
  if (way === 'wasm') return [packageVersion('@tensorflow/tfjs-backend-wasm')]
  if (way === 'js') return [packageVersion('@tensorflow/tfjs-backend-cpu')]
  const found = findPackage(optionalPackage(way), packagesDir)
  const library = found === null ? null : `${found.version} ${found.dir}`
  const provider = providerOf(way)
  if (provider !== null) {
    const files = onnxRuntimeFiles(provider, packagesDir).map(fileFacts)
    const driver = provider === 'cpu' ? null : graphicsDriver()
    // Which card WebGPU takes is asked of this package.
    return [library, ...files, driver, provider === 'webgpu' ? packageVersion('webgpu', packagesDir) : null]
  }
  if (way === 'webgpu') return [library, packageVersion('@tensorflow/tfjs-backend-webgpu'), graphicsDriver()]
  const binding = found === null ? null : fileFacts(path.join(found.dir, 'lib', 'napi-v8', 'tfjs_binding.node'))
  return [library, binding, way === 'cuda' ? nvidiaVersion() : null]
}

function digest(facts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32)
}
