import { emit, int } from '../../graph/build.ts'
import { asNumbers, convert } from '../conversion.ts'
import { registerReduction } from './reduction.ts'

/** Registers a kernel that gives the place along one axis of the largest or smallest element, the first one of several. */
export function registerPlace(kernelName: string, op: 'ArgMax' | 'ArgMin'): void {
  registerReduction(kernelName, {
    dtype: () => 'int32',
    work: (x, [axis, ...more], keep, shape) => {
      if (axis === undefined || more.length > 0) throw new Error(`${op} works along one axis.`)
      const attributes = { axis: int(axis), keepdims: int(keep ? 1 : 0) }
      return convert(emit(op, [asNumbers(x)], shape, { type: 'int64', attributes }), 'int32')
    },
  })
}
