import { randomBetween, randomInt, randomNormal } from '../random.ts'
import type { AugmentationSettings } from '../../../core/contract/recipes.ts'
import type { Random } from '../random.ts'

/** Displacements, in pixels, of the nodes of a coarse grid that spans the patch; x fastest. */
export interface ElasticField {
  readonly grid: number
  readonly dx: Float64Array
  readonly dy: Float64Array
}

/** From pixels of the patch, counted from its middle, to pixels of the picture, counted from the patch's middle there. */
export interface Transform {
  readonly matrix: readonly [number, number, number, number]
  /** Pixels of the picture. */
  readonly shiftX: number
  readonly shiftY: number
  readonly elastic: ElasticField | null
}

export const IDENTITY: Transform = { matrix: [1, 0, 0, 1], shiftX: 0, shiftY: 0, elastic: null }

type Matrix = readonly [number, number, number, number]

const times = ([a, b, c, d]: Matrix, [e, f, g, h]: Matrix): Matrix => [
  a * e + b * g,
  a * f + b * h,
  c * e + d * g,
  c * f + d * h,
]

const degrees = Math.PI / 180

/**
 * Draws the geometric part of an augmentation for a patch of width x height pixels: elastic displacements first, then mirrors, quarter
 * turns, shear, rotation and zoom about the patch's middle, then a shift, as one mapping. Patches that are not square are turned
 * by half turns instead of quarter turns.
 */
export function drawTransform(
  settings: AugmentationSettings,
  width: number,
  height: number,
  random: Random,
): Transform {
  const { flip, quarterTurns, rotate, shear, zoom, shift, elastic } = settings
  const mirrorX = (flip === 'horizontal' || flip === 'both') && random() < 0.5 ? -1 : 1
  const mirrorY = (flip === 'vertical' || flip === 'both') && random() < 0.5 ? -1 : 1
  let matrix: Matrix = [mirrorX, 0, 0, mirrorY]
  if (quarterTurns) {
    const turns = width === height ? randomInt(random, 4) : 2 * randomInt(random, 2)
    for (let n = 0; n < turns; n++) matrix = times([0, -1, 1, 0], matrix)
  }
  if (shear > 0) matrix = times([1, Math.tan(randomBetween(random, -shear, shear) * degrees), 0, 1], matrix)
  if (rotate > 0) {
    const angle = randomBetween(random, -rotate, rotate) * degrees
    matrix = times([Math.cos(angle), -Math.sin(angle), Math.sin(angle), Math.cos(angle)], matrix)
  }
  if (zoom[0] !== 1 || zoom[1] !== 1) {
    // Twice as large: steps of half a pixel in the picture.
    const step = 1 / randomBetween(random, zoom[0], zoom[1])
    matrix = times([step, 0, 0, step], matrix)
  }
  const shiftX = shift > 0 ? randomBetween(random, -shift, shift) * width : 0
  const shiftY = shift > 0 ? randomBetween(random, -shift, shift) * height : 0
  const field = elastic !== null && random() < elastic.share ? elasticField(elastic.grid, elastic.sigma, random) : null
  return { matrix, shiftX, shiftY, elastic: field }
}

/** The U-Net paper's: displacements at the nodes of a coarse grid, normal with `sigma` pixels. */
function elasticField(grid: number, sigma: number, random: Random): ElasticField {
  const draw = (): Float64Array => Float64Array.from({ length: grid * grid }, () => sigma * randomNormal(random))
  return { grid, dx: draw(), dy: draw() }
}

/** For each of `size` pixels, four nodes and their weights. */
function cubicTaps(grid: number, size: number): { readonly node: Int32Array; readonly weight: Float64Array } {
  const node = new Int32Array(4 * size)
  const weight = new Float64Array(4 * size)
  for (let i = 0; i < size; i++) {
    const at = size > 1 ? (i * (grid - 1)) / (size - 1) : 0
    const first = Math.min(Math.floor(at), Math.max(0, grid - 2))
    for (let n = 0; n < 4; n++) {
      node[4 * i + n] = Math.max(0, Math.min(grid - 1, first - 1 + n))
      weight[4 * i + n] = cubic(at - (first - 1 + n))
    }
  }
  return { node, weight }
}

/** The cubic convolution kernel of Keys (1981), a = -1/2: goes through the nodes. */
function cubic(distance: number): number {
  const x = Math.abs(distance)
  if (x <= 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1
  return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0
}

/** The displacement of each pixel of a patch, bicubic between the nodes, in pixels. */
export function displacements(
  { grid, dx, dy }: ElasticField,
  width: number,
  height: number,
): { readonly dx: Float32Array; readonly dy: Float32Array } {
  const columns = cubicTaps(grid, width)
  const rows = cubicTaps(grid, height)
  const spread = (nodes: Float64Array): Float32Array => {
    const lines = new Float64Array(grid * width)
    for (let g = 0; g < grid; g++) {
      for (let x = 0; x < width; x++) {
        let sum = 0
        for (let n = 4 * x; n < 4 * x + 4; n++) {
          sum += (columns.weight[n] ?? 0) * (nodes[g * grid + (columns.node[n] ?? 0)] ?? 0)
        }
        lines[g * width + x] = sum
      }
    }
    const out = new Float32Array(width * height)
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0
        for (let n = 4 * y; n < 4 * y + 4; n++) {
          sum += (rows.weight[n] ?? 0) * (lines[(rows.node[n] ?? 0) * width + x] ?? 0)
        }
        out[y * width + x] = sum
      }
    }
    return out
  }
  return { dx: spread(dx), dy: spread(dy) }
}
