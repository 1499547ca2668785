import { add, i32, minimum, multiply, subtract } from './assembler.ts'
import { forEachFloat } from './lanes.ts'
import type { FunctionBuilder, I32, Local } from './assembler.ts'
import type { Access } from './lanes.ts'

/** Floats of a block: the unit by which work over whole arrays is shared out. */
export const BLOCK = 1024

const FLOAT = 4

/** How many blocks an array of `size` floats has. */
export function blocksOf(size: number): number {
  return Math.ceil(size / BLOCK)
}

/**
 * Runs the body over the floats of the blocks begin..end-1 of arrays of `size` floats, four at a time and the last ones
 * singly. `pointers` lie at the arrays' starts and are left behind the last block.
 */
export function forEachInBlocks(
  f: FunctionBuilder,
  { begin, end, size }: { readonly begin: I32; readonly end: I32; readonly size: I32 },
  pointers: readonly Local<'i32'>[],
  body: (access: Access) => void,
): void {
  const first = f.let(multiply(begin, i32(BLOCK)))
  const count = f.let(subtract(minimum(multiply(end, i32(BLOCK)), size), first))
  for (const pointer of pointers) f.set(pointer, add(pointer, multiply(first, i32(FLOAT))))
  forEachFloat(f, count, pointers, body)
}
