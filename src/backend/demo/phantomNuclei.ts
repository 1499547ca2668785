import type { Dims } from '../../core/contract/index.ts'
import { addCorrelatedNoise, blurAxis, noiseField } from './noise.ts'
import { createRandom, type Random } from './random.ts'

/** A microscopy-like image with its true labels. */
export interface NucleiCase {
  readonly width: number
  readonly height: number
  /** 1: fluorescence, bright nuclei on black. 3: haematoxylin and eosin, blue-violet nuclei on pink, RGB interleaved. */
  readonly channels: 1 | 3
  /** height x width x channels, x fastest. */
  readonly data: Uint8Array<ArrayBuffer>
  /** height x width: 0 background, 5 nucleus. */
  readonly labels: Uint8Array<ArrayBuffer>
}

export const NUCLEUS_LABEL = 5

/** An irregular ellipse: its outline wobbles by a few harmonics. Pixels and radians. */
interface Nucleus {
  readonly x: number
  readonly y: number
  readonly long: number
  readonly short: number
  readonly angle: number
  readonly wobble: readonly { readonly order: number; readonly size: number; readonly phase: number }[]
  /** 1 is a nucleus of common brightness or stain. */
  readonly density: number
  /** 0 evenly filled, 1 pale inside with a dense rim. */
  readonly vesicular: number
}

interface Field {
  readonly dims: Dims
  /** How much of each pixel is nucleus, 0 to 1. */
  readonly cover: Float32Array
  /** Amount of nuclear stain, about 1 inside a common nucleus. */
  readonly stain: Float32Array
  readonly labels: Uint8Array<ArrayBuffer>
}

/** Paints cells that do not exist. The seed alone decides; every third image or so is stained tissue, the rest glow. */
export function generateNucleiCase(seed: number): NucleiCase {
  const random = createRandom(seed ^ 0x5eed)
  const channels = random.chance(0.4) ? 3 : 1
  const sizes = [256, 288, 320, 352, 384] as const
  const width = sizes[random.int(0, sizes.length - 1)] ?? 256
  const height = sizes[random.int(0, sizes.length - 1)] ?? 256
  const field = paintNuclei([width, height, 1], scatter(width, height, channels === 3, random), random)
  const data = channels === 3 ? tissue(field, random) : fluorescence(field, random)
  return { width, height, channels, data, labels: field.labels }
}

function scatter(width: number, height: number, dense: boolean, random: Random): Nucleus[] {
  const common = dense ? random.range(7, 10) : random.range(8, 14)
  const crowd = random.range(0.55, 1) * (dense ? 0.2 : 0.17)
  const wanted = Math.round((crowd * width * height) / (Math.PI * common * common))
  const found: Nucleus[] = []
  for (let attempt = 0; attempt < wanted * 12 && found.length < wanted; attempt++) {
    const pair = found.length > 0 && random.chance(0.3) ? found[random.int(0, found.length - 1)] : undefined
    const nucleus = createNucleus(width, height, common, pair, random)
    // Nuclei may touch and overlap a little, as cells in a layer do; they may not lie on each other.
    const free = found.every(
      (other) => Math.hypot(other.x - nucleus.x, other.y - nucleus.y) > 0.8 * (other.short + nucleus.short),
    )
    if (free) found.push(nucleus)
  }
  return found
}

function createNucleus(
  width: number,
  height: number,
  common: number,
  touching: Nucleus | undefined,
  random: Random,
): Nucleus {
  const size = common * Math.exp(0.22 * random.normal())
  const stretch = random.range(1, 1.55)
  const angle = random.range(0, Math.PI)
  const aside = random.range(0, 2 * Math.PI)
  const gap = touching === undefined ? 0 : 0.92 * (touching.short + size)
  return {
    x: touching === undefined ? random.range(-4, width + 4) : touching.x + gap * Math.cos(aside),
    y: touching === undefined ? random.range(-4, height + 4) : touching.y + gap * Math.sin(aside),
    long: size * Math.sqrt(stretch),
    short: size / Math.sqrt(stretch),
    angle,
    wobble: [2, 3, 4, 5].map((order) => ({
      order,
      size: (random.normal() * 0.11) / order,
      phase: random.range(0, 6.3),
    })),
    density: Math.max(0.3, 1 + 0.28 * random.normal()),
    vesicular: random.next(),
  }
}

function paintNuclei(dims: Dims, nuclei: readonly Nucleus[], random: Random): Field {
  const [width, height] = dims
  const cover = new Float32Array(width * height)
  const stain = new Float32Array(width * height)
  const labels = new Uint8Array(width * height)
  const chromatin = noiseField(dims, [3.2, 3.2, 1], random)
  for (const nucleus of nuclei) {
    const reach = Math.ceil(nucleus.long * 1.4) + 2
    const [cosine, sine] = [Math.cos(nucleus.angle), Math.sin(nucleus.angle)]
    for (let y = Math.max(0, Math.floor(nucleus.y - reach)); y < Math.min(height, nucleus.y + reach); y++) {
      for (let x = Math.max(0, Math.floor(nucleus.x - reach)); x < Math.min(width, nucleus.x + reach); x++) {
        const dx = x - nucleus.x
        const dy = y - nucleus.y
        const a = (cosine * dx + sine * dy) / nucleus.long
        const b = (-sine * dx + cosine * dy) / nucleus.short
        const r = Math.hypot(a, b)
        const theta = Math.atan2(b, a)
        let outline = 1
        for (const wave of nucleus.wobble) outline += wave.size * Math.cos(wave.order * theta + wave.phase)
        const depth = (outline - r) * nucleus.short
        if (depth < -0.7) continue
        const i = x + width * y
        const inside = Math.min(1, (depth + 0.7) / 1.4)
        const rim = Math.exp(-depth / 2)
        const fill = 1 - 0.35 * nucleus.vesicular + 0.35 * nucleus.vesicular * rim
        const amount = inside * nucleus.density * fill * (1 + 0.16 * (chromatin[i] ?? 0))
        cover[i] = Math.max(cover[i] ?? 0, inside)
        // Overlapping nuclei add up, less than twofold.
        stain[i] = Math.max(stain[i] ?? 0, amount) + 0.35 * Math.min(stain[i] ?? 0, amount)
        if (depth >= 0) labels[i] = NUCLEUS_LABEL
      }
    }
  }
  return { dims, cover, stain, labels }
}

/** Fluorescence: glow around bright nuclei, uneven illumination, dim cytoplasm, camera noise. */
function fluorescence(field: Field, random: Random): Uint8Array<ArrayBuffer> {
  const { dims } = field
  const [width, height] = dims
  const glow = Float32Array.from(field.stain)
  for (let pass = 0; pass < 14; pass++) blurPlane(glow, dims, 0.25)
  const light = noiseField(dims, [110, 110, 1], random)
  const cytoplasm = noiseField(dims, [22, 22, 1], random)
  const image = Float32Array.from(field.stain)
  blurPlane(image, dims, 0.2)
  const gain = random.range(75, 165)
  const floor = random.range(6, 22)
  for (let i = 0; i < image.length; i++) {
    const illumination = 1 + 0.16 * (light[i] ?? 0)
    const dim = floor * (1 + 0.35 * (cytoplasm[i] ?? 0))
    image[i] = illumination * (dim + gain * ((image[i] ?? 0) + 0.22 * (glow[i] ?? 0)))
  }
  for (let speck = 0; speck < random.int(0, 9); speck++) {
    const at = random.int(0, width * height - 1)
    image[at] = 230
    if (at + 1 < image.length) image[at + 1] = 160
  }
  addCorrelatedNoise(image, dims, random.range(3, 7), random)
  return Uint8Array.from(image, toByte)
}

/** Stain vectors, optical density of red, green and blue for one unit (Ruifrok and Johnston 2001). */
const HAEMATOXYLIN = [0.65, 0.704, 0.286] as const
const EOSIN = [0.072, 0.99, 0.105] as const

/** Haematoxylin and eosin by the law of Beer and Lambert: light passed = 240 * exp(-density). */
function tissue(field: Field, random: Random): Uint8Array<ArrayBuffer> {
  const { dims } = field
  const [width, height] = dims
  const nuclear = Float32Array.from(field.stain)
  blurPlane(nuclear, dims, 0.16)
  const fibreAngle = random.range(0, Math.PI)
  const stroma = noiseField(dims, [34, 34, 1], random)
  const patches = noiseField(dims, [15, 15, 1], random)
  const fine = noiseField(dims, [2.6, 2.6, 1], random)
  blurPlane(fine, dims, 0.25)
  const bend = noiseField(dims, [28, 28, 1], random)
  const blue = random.range(0.95, 1.35)
  const pink = random.range(0.28, 0.45)
  const grain = new Float32Array(width * height)
  addCorrelatedNoise(grain, dims, random.range(2.5, 5), random)
  const out = new Uint8Array(width * height * 3)
  for (let i = 0; i < grain.length; i++) {
    const x = i % width
    const y = Math.floor(i / width)
    const along = x * Math.cos(fibreAngle) + y * Math.sin(fibreAngle) + 9 * (bend[i] ?? 0)
    const fibres = 0.5 + 0.5 * Math.sin(along * 0.55)
    const lumen =
      Math.max(0, Math.min(1, ((stroma[i] ?? 0) + 0.45 * (patches[i] ?? 0) - 0.95) * 3)) * (1 - (field.cover[i] ?? 0))
    const eosin =
      pink *
      (1 - 0.9 * lumen) *
      (0.85 + 0.22 * (stroma[i] ?? 0) + 0.06 * (patches[i] ?? 0) + 0.22 * fibres + 0.2 * (fine[i] ?? 0))
    const haematoxylin = blue * (nuclear[i] ?? 0) + 0.05 * (1 - lumen) * (1 + (fine[i] ?? 0))
    for (let c = 0; c < 3; c++) {
      const density = (HAEMATOXYLIN[c] ?? 0) * Math.max(0, haematoxylin) + (EOSIN[c] ?? 0) * Math.max(0, eosin)
      out[i * 3 + c] = toByte(240 * Math.exp(-density) + (grain[i] ?? 0))
    }
  }
  return out
}

function blurPlane(data: Float32Array, dims: Dims, side: number): void {
  blurAxis(data, dims, 0, side)
  blurAxis(data, dims, 1, side)
}

const toByte = (value: number): number => Math.max(0, Math.min(255, Math.round(value)))
