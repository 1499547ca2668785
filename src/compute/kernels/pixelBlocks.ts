import { z } from 'zod'
import { shape4 } from './convolution.ts'
import { address } from './heap.ts'
import { input, registerWasmKernel } from './register.ts'
import { parallel } from './threads/index.ts'

/**
 * [n, h, w, rows * columns * c] into [n, rows * h, columns * w, c]: the values of a pixel, ordered by row, column and channel,
 * become a block of pixels. Attributes rows and columns.
 */
export const SPREAD_PIXELS = 'SpreadPixels'

/** The inverse: [n, rows * h, columns * w, c] into [n, h, w, rows * columns * c]. */
export const JOIN_PIXELS = 'JoinPixels'

const attrsSchema = z.object({ rows: z.int().min(1), columns: z.int().min(1) })

export function registerPixelBlocks(): void {
  registerWasmKernel(SPREAD_PIXELS, ({ inputs, attrs, backend }) => {
    const x = input(inputs, 'x')
    const { rows, columns } = attrsSchema.parse(attrs)
    const [n, h, w, wide] = shape4.parse(x.shape)
    const channels = wide / (rows * columns)
    const out = backend.makeOutput([n, h * rows, w * columns, channels], 'float32')
    // A row of a block lies in one piece both before and after.
    const [from, to] = [address(backend, x), address(backend, out)]
    parallel(backend).run('swapAxes', n * h, from, to, w, rows, columns * channels)
    return out
  })
  registerWasmKernel(JOIN_PIXELS, ({ inputs, attrs, backend }) => {
    const x = input(inputs, 'x')
    const { rows, columns } = attrsSchema.parse(attrs)
    const [n, height, width, channels] = shape4.parse(x.shape)
    const [h, w] = [height / rows, width / columns]
    const out = backend.makeOutput([n, h, w, rows * columns * channels], 'float32')
    const [from, to] = [address(backend, x), address(backend, out)]
    parallel(backend).run('swapAxes', n * h, from, to, rows, w, columns * channels)
    return out
  })
}
