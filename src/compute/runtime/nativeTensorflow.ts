import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import util from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { hasNvidiaDriver } from './driver.ts'
import { findPackage } from './optionalPackages.ts'
import { optionalPackage } from './rungs.ts'
import { RungUnavailable } from './unavailable.ts'
import type { Refusal } from './unavailable.ts'

export type NativeRung = 'cuda' | 'tensorflow'

/** What a CUDA build of TensorFlow 2.9, which the package downloads, asks for. */
const CUDA_NEEDS = 'It needs an NVIDIA graphics card with its driver, CUDA 11.2 and cuDNN 8.1.'

/**
 * Why a rung of the TensorFlow C library cannot be used, as far as files tell; null when it may work. Loads nothing, so
 * a broken library cannot do harm.
 */
export function missingNativeTensorflow(
  rung: NativeRung,
  packagesDir: string | null,
  driver = hasNvidiaDriver(),
): Refusal | null {
  if (rung === 'cuda' && !driver) return refusal('No NVIDIA graphics driver was found on this computer.', CUDA_NEEDS)
  const name = optionalPackage(rung)
  const found = findPackage(name, packagesDir)
  if (found === null) {
    return refusal(
      `The optional package ${name} is not installed.`,
      `Run "npm install ${name}" in Maskwright's folder.`,
    )
  }
  const lib = path.join(found.dir, 'lib')
  const built = existsSync(lib) && readdirSync(lib).some((dir) => existsSync(path.join(lib, dir, 'tfjs_binding.node')))
  return built ? null : refusal(`The package ${name} is here, but its TensorFlow library is not.`, downloadAgain(name))
}

/**
 * Loads the package and makes it the current backend. Node 23 removed functions of `util` that it calls
 * (tensorflow/tfjs#8609): they are put back first. May crash the process when a driver is broken: probe in a child.
 * Throws RungUnavailable.
 */
export async function startNativeTensorflow(rung: NativeRung, packagesDir: string | null): Promise<void> {
  const missing = missingNativeTensorflow(rung, packagesDir)
  if (missing !== null) throw new RungUnavailable(missing.reason, missing.remedy)
  restoreUtil()
  const name = optionalPackage(rung)
  try {
    findPackage(name, packagesDir)?.load()
  } catch (error) {
    throw loadFailure(error, name)
  }
  if (!(await tf.setBackend('tensorflow'))) {
    throw new RungUnavailable('The TensorFlow library was loaded, but did not start.', downloadAgain(name))
  }
  await tf.ready()
}

/** What the dynamic loader of each system says, in plain words. */
export function loadFailure(error: unknown, name: string): RungUnavailable {
  const message = error instanceof Error ? error.message : String(error)
  const options = { detail: error instanceof Error ? (error.stack ?? message) : message, cause: error }
  const library = /(lib(?:cuda|cudart|cudnn|cublas|cufft|curand|cusolver|cusparse)[\w.-]*)/.exec(message)?.[1]
  if (library !== undefined) {
    return new RungUnavailable(`The TensorFlow library does not find ${library}, a part of CUDA.`, CUDA_NEEDS, options)
  }
  const newer = /version [`']([\w.]+)' not found/.exec(message)?.[1]
  if (newer !== undefined) {
    return new RungUnavailable(
      `The TensorFlow library of ${name} was made for a newer system (${newer}).`,
      'Use another rung, or update the operating system.',
      options,
    )
  }
  const absent = /(libtensorflow[\w.-]*)|specified module could not be found|Library not loaded/i.exec(message)
  if (absent !== null && !/invalid|wrong/i.test(message)) {
    return new RungUnavailable(
      `The package ${name} is here, but ${absent[1] ?? 'a library that it needs'} is missing.`,
      downloadAgain(name),
      options,
    )
  }
  if (error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_FAILED') {
    const reason = `The TensorFlow library of ${name} is damaged or made for another system.`
    return new RungUnavailable(reason, downloadAgain(name), options)
  }
  if (message.includes('tfjs_binding.node) can not be found')) {
    const reason = `The package ${name} has no TensorFlow library for this version of Node.`
    return new RungUnavailable(reason, downloadAgain(name), options)
  }
  return new RungUnavailable(`The package ${name} could not be loaded.`, downloadAgain(name), options)
}

/** What a CUDA build prints when it goes on without a card: it would compute on the processor under a wrong name. */
export function cudaComplaint(printed: string): string | null {
  const library = /Could not load dynamic library '([^']+)'/.exec(printed)?.[1]
  if (library !== undefined) return `TensorFlow does not find ${library}, a part of CUDA or of the driver.`
  const failed = /failed call to cuInit|no CUDA-capable device|Cannot dlopen some GPU libraries/i.test(printed)
  return failed ? 'TensorFlow finds no graphics card that it can use.' : null
}

export function cudaRefusal(reason: string, detail: string): Refusal {
  return { reason, remedy: CUDA_NEEDS, detail }
}

function downloadAgain(name: string): string {
  return `"npm rebuild ${name} --ignore-scripts=false" in Maskwright's folder downloads it.`
}

function refusal(reason: string, remedy: string): Refusal {
  return { reason, remedy, detail: null }
}

function restoreUtil(): void {
  const removed: Record<string, (value: unknown) => boolean> = {
    isNullOrUndefined: (value) => value === null || value === undefined,
    isArray: (value) => Array.isArray(value),
  }
  for (const [name, test] of Object.entries(removed)) {
    if (!(name in util)) Object.defineProperty(util, name, { value: test, configurable: true, writable: true })
  }
}
