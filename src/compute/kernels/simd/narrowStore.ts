import { and, i32, isBelow } from './assembler.ts'
import type { FunctionBuilder, I32, Local } from './assembler.ts'

/** Writes the first `valid` of four floats: one, two, three, or all for four and more. */
export function storeValid(f: FunctionBuilder, to: I32, value: Local<'v128'>, distance: number, valid: I32): void {
  f.when(
    isBelow(valid, i32(4)),
    () => {
      f.when(
        isBelow(valid, i32(2)),
        () => {
          f.storeLanes(to, value, { count: 1, first: 0, distance })
        },
        () => {
          f.storeLanes(to, value, { count: 2, first: 0, distance })
          f.when(and(valid, i32(1)), () => {
            f.storeLanes(to, value, { count: 1, first: 2, distance: distance + 8 })
          })
        },
      )
    },
    () => {
      f.store(to, value, distance)
    },
  )
}
