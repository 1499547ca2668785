import { add, FunctionBuilder, i32, multiply, subtract } from './assembler.ts'
import { lanesOf } from './lanes.ts'

/** swapAxes(begin, end, from, to, a, b, run): [units, a, b, run] into [units, b, a, run], runs of one float or more. */
export function swapAxesFunction(): FunctionBuilder {
  const f = new FunctionBuilder('swapAxes')
  const [begin, end, from, to] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const [a, b, run] = [f.parameter('i32'), f.parameter('i32'), f.parameter('i32')]
  const bytes = f.let(multiply(run, i32(4)))
  const size = f.let(multiply(multiply(a, b), bytes))
  const toRow = f.let(multiply(a, bytes))
  const [target, column] = [f.local('i32'), f.local('i32')]
  const lanes = lanesOf(f, run)
  for (const pointer of [from, to]) f.set(pointer, add(pointer, multiply(begin, size)))
  f.repeat(subtract(end, begin), () => {
    f.set(column, to)
    f.repeat(a, () => {
      f.set(target, column)
      f.repeat(b, () => {
        lanes([from, target], ({ load, store }) => store(target, load(from)))
        // The run moved the target on by itself.
        f.set(target, add(target, subtract(toRow, bytes)))
      })
      f.set(column, add(column, bytes))
    })
    f.set(to, add(to, size))
  })
  return f
}
