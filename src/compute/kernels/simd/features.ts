import { assemble, FunctionBuilder, load, vAdd, vFusedMultiplyAdd, vMultiply } from './assembler.ts'
import type { V128 } from './assembler.ts'

/**
 * Whether the engine has the relaxed SIMD instructions: then a multiplication and an addition are one, with one rounding
 * where the processor has that too.
 */
const hasFusedMultiplyAdd = canRun((f) => {
  const at = f.parameter('i32')
  f.store(at, vFusedMultiplyAdd(load(at), load(at), load(at)))
})

/** a * b + c, by one instruction where there is one: the last bits of sums are the processor's. */
export const vMultiplyAdd: (a: V128, b: V128, c: V128) => V128 = hasFusedMultiplyAdd
  ? vFusedMultiplyAdd
  : (a, b, c) => vAdd(vMultiply(a, b), c)

function canRun(body: (f: FunctionBuilder) => void): boolean {
  const f = new FunctionBuilder('probe')
  body(f)
  return WebAssembly.validate(assemble([f], false))
}
