import * as tf from '@tensorflow/tfjs-core'
import { pairsOf } from '../attributes.ts'
import { arranged } from '../axes.ts'
import { layoutOf, registerNativeKernel } from '../recorder.ts'
import { cutAxis, reversed } from '../slicing.ts'
import { joined } from './concat.ts'
import { paddedShape, padReflecting } from './pad.ts'
import type { Value } from '../../graph/types.ts'

/** Mirrored at the centre of the outermost element (`reflect`), or at its outer edge (`symmetric`). */
export function registerMirrorPad(): void {
  registerNativeKernel(tf.MirrorPad, ({ input, value, attrs, backend }) => {
    const x = input('x')
    const paddings = pairsOf(attrs, 'paddings')
    const shape = paddedShape(x, paddings)
    const layout = layoutOf(backend, x)
    const pads = arranged(paddings, layout)
    const inner = value('x', layout)
    const padded = attrs.mode === 'reflect' ? padReflecting(inner, pads) : padSymmetrically(inner, pads)
    return backend.make(padded, shape, x.dtype, layout)
  })
}

/** Axis by axis; ONNX has no operation for it. */
function padSymmetrically(value: Value, paddings: readonly (readonly [number, number])[]): Value {
  return paddings.reduce((inner, [before, after], axis) => {
    const extent = inner.shape[axis] ?? 1
    const parts = [
      ...(before > 0 ? [reversed(cutAxis(inner, axis, 0, before), [axis])] : []),
      inner,
      ...(after > 0 ? [reversed(cutAxis(inner, axis, extent - after, after), [axis])] : []),
    ]
    return joined(parts, axis, inner.shape.with(axis, before + extent + after))
  }, value)
}
