import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import util from 'node:util'
import * as tf from '@tensorflow/tfjs-core'

// Not named `require`: the build puts its own of that name into the same chunk.
const packages = createRequire(import.meta.url)

/**
 * Why a package of the TensorFlow C library cannot be loaded, in plain words, as far as files tell; null when it may
 * work. Loads nothing, so a broken library cannot do harm.
 */
export function missingNativeTensorflow(packageName: string): string | null {
  let root: string
  try {
    root = path.dirname(packages.resolve(`${packageName}/package.json`))
  } catch {
    return `The optional package ${packageName} is not installed.`
  }
  const lib = path.join(root, 'lib')
  const built = existsSync(lib) && readdirSync(lib).some((dir) => existsSync(path.join(lib, dir, 'tfjs_binding.node')))
  if (built) return null
  return `The package ${packageName} is here, but its TensorFlow library is not; "npm rebuild ${packageName} --ignore-scripts=false" downloads it.`
}

/**
 * Loads the package and makes it the current backend. Node 23 removed functions of `util` that it calls while loading
 * (tensorflow/tfjs#8609): they are put back first. May crash the process when a driver is broken: probe in a child.
 */
export async function startNativeTensorflow(packageName: string): Promise<void> {
  restoreUtil()
  await import(packageName)
  if (!(await tf.setBackend('tensorflow'))) throw new Error('The TensorFlow library did not start.')
  await tf.ready()
}

function restoreUtil(): void {
  const removed: Record<string, (value: unknown) => boolean> = {
    isNullOrUndefined: (value) => value === null || value === undefined,
    isArray: (value) => Array.isArray(value),
    isString: (value) => typeof value === 'string',
    isFunction: (value) => typeof value === 'function',
  }
  for (const [name, test] of Object.entries(removed)) {
    if (!(name in util)) Object.defineProperty(util, name, { value: test, configurable: true, writable: true })
  }
}
