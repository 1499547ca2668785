import { mirrorIndex } from '../padding.ts'
import { displacements } from './transform.ts'
import type { NetworkSlice } from '../../recipes/types.ts'
import type { Transform } from './transform.ts'

export interface PatchPlace {
  /** Middle of the patch in the slice, in pixels; halves lie between two. */
  readonly centerX: number
  readonly centerY: number
  readonly width: number
  readonly height: number
  /** Classes and weights are wanted of what is left without so many pixels at each side. */
  readonly margin: number
}

export interface Patch {
  /** channels x height x width. */
  readonly image: Float32Array
  /** (height - 2 margin) x (width - 2 margin). */
  readonly classes: Uint8Array
  readonly weights: Float32Array | null
}

/**
 * Takes a patch out of a slice through a transform, in one resampling: intensities bilinear, classes and weights of the nearest
 * pixel. Beyond its borders a slice continues as its mirror image.
 */
export function resamplePatch(slice: NetworkSlice, place: PatchPlace, transform: Transform): Patch {
  const { width: w, height: h, channels, image: source } = slice
  const { width, height, margin } = place
  const [a, b, c, d] = transform.matrix
  const centerX = place.centerX + transform.shiftX
  const centerY = place.centerY + transform.shiftY
  const field = transform.elastic === null ? null : displacements(transform.elastic, width, height)
  const pixels = width * height
  const outWidth = width - 2 * margin
  const outHeight = height - 2 * margin
  const image = new Float32Array(channels * pixels)
  const classes = new Uint8Array(outWidth * outHeight)
  const weights = slice.weights === null ? null : new Float32Array(outWidth * outHeight)
  const planeSize = w * h
  for (let y = 0, to = 0; y < height; y++) {
    const line = y - margin
    for (let x = 0; x < width; x++, to++) {
      const p = x - (width - 1) / 2 + (field?.dx[to] ?? 0)
      const q = y - (height - 1) / 2 + (field?.dy[to] ?? 0)
      const u = centerX + a * p + b * q
      const v = centerY + c * p + d * q
      let left = Math.floor(u)
      let upper = Math.floor(v)
      const fx = u - left
      const fy = v - upper
      let right = left + 1
      let lower = upper + 1
      if (left < 0 || right >= w) {
        left = mirrorIndex(left, w)
        right = mirrorIndex(right, w)
      }
      if (upper < 0 || lower >= h) {
        upper = mirrorIndex(upper, h)
        lower = mirrorIndex(lower, h)
      }
      const above = upper * w
      const below = lower * w
      for (let n = 0; n < channels; n++) {
        const plane = n * planeSize
        const over = (source[plane + above + left] ?? 0) * (1 - fx) + (source[plane + above + right] ?? 0) * fx
        const under = (source[plane + below + left] ?? 0) * (1 - fx) + (source[plane + below + right] ?? 0) * fx
        image[n * pixels + to] = over * (1 - fy) + under * fy
      }
      const column = x - margin
      if (line >= 0 && line < outHeight && column >= 0 && column < outWidth) {
        const nearest = (fy < 0.5 ? above : below) + (fx < 0.5 ? left : right)
        const at = line * outWidth + column
        classes[at] = slice.classes[nearest] ?? 0
        if (weights !== null) weights[at] = slice.weights?.[nearest] ?? 1
      }
    }
  }
  return { image, classes, weights }
}
