import * as tf from '@tensorflow/tfjs-core'
import { constant, emit, int64s, text } from '../../graph/build.ts'
import { numberOf, pairsOf } from '../attributes.ts'
import { arranged } from '../axes.ts'
import { filled } from '../filling.ts'
import { layoutOf, registerNativeKernel } from '../recorder.ts'
import type { Value } from '../../graph/types.ts'

export function registerPad(): void {
  registerNativeKernel(tf.PadV2, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const paddings = pairsOf(attrs, 'paddings')
    const layout = layoutOf(backend, x)
    const shape = x.shape.map((extent, axis) => extent + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0))
    const padded = padWith(value('x', layout), arranged(paddings, layout), numberOf(attrs, 'constantValue'))
    return backend.make(padded, shape, x.dtype, layout)
  })
}

type Paddings = readonly (readonly [before: number, after: number])[]

/** One pair an axis of the value. */
export function padWith(value: Value, paddings: Paddings, filling: number): Value {
  if (isNothing(paddings)) return value
  return emit(
    'Pad',
    [value, padsOf(paddings), constant(filled(1, filling, value.type), [], value.type)],
    paddedShape(value, paddings),
    {
      attributes: { mode: text('constant') },
    },
  )
}

/** Mirrored at the centre of the outermost element. Each padding is less than its extent. */
export function padReflecting(value: Value, paddings: Paddings): Value {
  if (isNothing(paddings)) return value
  return emit('Pad', [value, padsOf(paddings)], paddedShape(value, paddings), {
    attributes: { mode: text('reflect') },
  })
}

export function paddedShape({ shape }: Pick<Value, 'shape'>, paddings: Paddings): number[] {
  return shape.map((extent, axis) => extent + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0))
}

function isNothing(paddings: Paddings): boolean {
  return paddings.every(([before, after]) => before === 0 && after === 0)
}

/** All that stand before, then all that stand after. */
function padsOf(paddings: Paddings): Value {
  return int64s([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)])
}
