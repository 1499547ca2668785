import { generateCtCase, type CtCase } from '../../src/backend/demo/phantomCt.ts'
import { generateNucleiCase, type NucleiCase } from '../../src/backend/demo/phantomNuclei.ts'
import { spacingOf } from '../../src/core/geometry/index.ts'
import { robustRange } from '../../src/imaging/index.ts'
import type { TrainingSample } from '../../src/core/contract/compute.ts'

/** Slices of a CT phantom across its last axis, from `first` on, every `every`-th. */
export function ctSamples(ct: CtCase, indices: readonly number[], role: TrainingSample['role']): TrainingSample[] {
  const [nx, ny] = ct.dims
  const range = robustRange({ data: ct.data, channels: 1, slope: 1, inter: 0 })
  const [columns, rows, slices] = spacingOf(ct.affine)
  return indices.map((index) => {
    const from = index * nx * ny
    const data = ct.data.slice(from, from + nx * ny)
    return {
      index,
      width: nx,
      height: ny,
      channels: 1,
      voxelType: 'int16',
      data: new Uint8Array(data.buffer),
      slope: 1,
      inter: 0,
      low: range.low,
      high: range.high,
      labels: ct.labels.slice(from, from + nx * ny),
      role,
      geometry: { plane: 'axial', columns, rows, slices },
    }
  })
}

export function nucleiSample(image: NucleiCase, role: TrainingSample['role']): TrainingSample {
  const range = robustRange({ data: image.data, channels: image.channels, slope: 1, inter: 0 })
  return {
    index: 0,
    width: image.width,
    height: image.height,
    channels: image.channels,
    voxelType: 'uint8',
    data: image.data.slice(),
    slope: 1,
    inter: 0,
    low: range.low,
    high: range.high,
    labels: image.labels.slice(),
    role,
  }
}

/**
 * What the shipped model learns from: every fourth slice of each abdomen, and whole nuclei images. All abdomens are in
 * the portal venous phase or near it, and their labels leave out vessels of the liver and arches of the vertebrae: what a
 * model meets in the demo project is not quite what it was taught, as with any model that comes from elsewhere.
 */
export function trainingSet(ctSeeds: readonly number[], nucleiSeeds: readonly number[]): TrainingSample[] {
  const slices = ctSeeds.flatMap((seed) => {
    const ct = generateCtCase(seed, {
      contrast: 1 - 0.03 * (seed % 5),
      arterial: 0.04 * (seed % 4),
      steatosis: 0,
      annotation: 'core',
    })
    const first = seed % 4
    const indices = Array.from({ length: Math.ceil((ct.dims[2] - first) / 4) }, (_, k) => first + 4 * k)
    return ctSamples(ct, indices, 'corrected')
  })
  return [...slices, ...nucleiSeeds.map((seed) => nucleiSample(generateNucleiCase(seed), 'corrected'))]
}
