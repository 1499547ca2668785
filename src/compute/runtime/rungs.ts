import { rungSchema } from '../../core/contract/schemas.ts'
import type { Rung } from '../../core/contract/schemas.ts'

/** The rungs of the ladder of backends, highest first: between two that are equally fast the higher one is taken. */
export const RUNGS = rungSchema.options

/** The rungs that this version can run, in the same order. */
export const USABLE_RUNGS = ['cuda', 'webgpu', 'tensorflow', 'wasm', 'js'] as const satisfies readonly Rung[]
export type UsableRung = (typeof USABLE_RUNGS)[number]

/**
 * Rungs that load libraries and drivers which are not ours: they are let into a process only after they were proven in
 * one of their own. `wasm` and `js` are plain JavaScript and WebAssembly and cannot take a process along.
 */
export const FOREIGN_RUNGS = ['cuda', 'webgpu', 'tensorflow'] as const satisfies readonly UsableRung[]
export type ForeignRung = (typeof FOREIGN_RUNGS)[number]

export function isUsable(name: string): name is UsableRung {
  return USABLE_RUNGS.some((rung) => rung === name)
}

export function isForeign(name: string): name is ForeignRung {
  return FOREIGN_RUNGS.some((rung) => rung === name)
}

/** What TensorFlow.js calls the backend of a rung. */
export const BACKEND_NAMES: Readonly<Record<UsableRung, string>> = {
  cuda: 'tensorflow',
  webgpu: 'webgpu',
  tensorflow: 'tensorflow',
  wasm: 'wasm',
  js: 'cpu',
}

/** The optional package that a rung needs. */
export const OPTIONAL_PACKAGES: Readonly<Record<ForeignRung, string>> = {
  cuda: '@tensorflow/tfjs-node-gpu',
  webgpu: 'webgpu',
  tensorflow: '@tensorflow/tfjs-node',
}
