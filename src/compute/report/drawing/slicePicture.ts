import { newCanvas } from './canvas.ts'
import type { NetworkInput } from '../../../core/contract/network.ts'
import type { Canvas } from './canvas.ts'

/**
 * A slice that the network sees, as a picture to look at: from its 0.5th to its 99.5th percentile, the same for all
 * channels. `image`: channels x height x width; one channel is grey, of others the first three are red, green and blue.
 * `standardize`: what was done to its channels, which is taken back, so that colours are those of the image.
 */
export function slicePicture(slice: {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly image: Float32Array
  readonly standardize?: NetworkInput['standardize']
}): Canvas {
  const { width, height, channels, standardize } = slice
  const pixels = width * height
  const image = standardize === undefined ? slice.image : restored(slice.image, pixels, standardize)
  const sorted = image.filter(Number.isFinite).sort()
  const low = sorted[Math.floor(0.005 * (sorted.length - 1))] ?? 0
  const high = sorted[Math.ceil(0.995 * (sorted.length - 1))] ?? low
  const factor = high > low ? 255 / (high - low) : 0
  const canvas = newCanvas(width, height)
  for (let c = 0; c < 3; c++) {
    const plane = Math.min(c, channels - 1) * pixels
    for (let i = 0; i < pixels; i++) {
      const value = ((image[plane + i] ?? 0) - low) * factor
      canvas.data[i * 3 + c] = value > 0 ? Math.min(255, Math.round(value)) : 0
    }
  }
  return canvas
}

function restored(
  image: Float32Array,
  pixels: number,
  { mean, deviation }: NonNullable<NetworkInput['standardize']>,
): Float32Array {
  return image.map((value, at) => {
    const channel = Math.floor(at / pixels)
    return value * (deviation[channel] ?? 1) + (mean[channel] ?? 0)
  })
}
