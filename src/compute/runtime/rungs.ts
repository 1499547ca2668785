import { rungSchema } from '../../core/contract/schemas.ts'
import type { Rung } from '../../core/contract/schemas.ts'

/** The rungs of the ladder of backends, fastest first. */
export const RUNGS = rungSchema.options

/** The rungs that this version can run, in the order in which they are preferred. */
export const USABLE_RUNGS = ['cuda', 'tensorflow', 'wasm', 'js'] as const satisfies readonly Rung[]
export type UsableRung = (typeof USABLE_RUNGS)[number]

export function isUsable(name: string): name is UsableRung {
  return USABLE_RUNGS.some((rung) => rung === name)
}

export const NATIVE_PACKAGES: Partial<Record<UsableRung, string>> = {
  cuda: '@tensorflow/tfjs-node-gpu',
  tensorflow: '@tensorflow/tfjs-node',
}
