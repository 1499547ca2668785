import { describe, expect, it } from 'vitest'
import { generateCtCase, type CtCase, type CtOptions } from './phantomCt.ts'

interface Organ {
  voxels: number
  mean: number
  centre: [number, number, number]
}

function measure(ct: CtCase, keep: (label: number, x: number) => boolean): Organ {
  const [nx, ny] = ct.dims
  const sum = [0, 0, 0]
  let voxels = 0
  let total = 0
  ct.labels.forEach((label, i) => {
    const x = i % nx
    if (!keep(label, x)) return
    voxels++
    total += ct.data[i] ?? 0
    sum[0] = (sum[0] ?? 0) + x
    sum[1] = (sum[1] ?? 0) + (Math.floor(i / nx) % ny)
    sum[2] = (sum[2] ?? 0) + Math.floor(i / (nx * ny))
  })
  return {
    voxels,
    mean: total / voxels,
    centre: [(sum[0] ?? 0) / voxels, (sum[1] ?? 0) / voxels, (sum[2] ?? 0) / voxels],
  }
}

describe('generateCtCase', () => {
  const ct = generateCtCase(7)
  const [nx, ny, nz] = ct.dims
  const voxelMl = (2.2 * 2.2 * 3.5) / 1000

  it('gives an anisotropic int16 volume in LPS voxel order', () => {
    expect(nx).toBeGreaterThanOrEqual(160)
    expect(ny).toBeGreaterThanOrEqual(160)
    expect(nz).toBeGreaterThanOrEqual(80)
    expect(ct.data).toBeInstanceOf(Int16Array)
    expect(ct.data.length).toBe(nx * ny * nz)
    expect(ct.labels.length).toBe(nx * ny * nz)
    expect(ct.affine.slice(0, 3).map((row) => row.slice(0, 3))).toEqual([
      [-2.2, 0, 0],
      [0, -2.2, 0],
      [0, 0, 3.5],
    ])
  })

  it('is the same for the same seed and another for another seed', () => {
    const again = generateCtCase(7)
    expect(Buffer.from(again.data.buffer).equals(Buffer.from(ct.data.buffer))).toBe(true)
    expect(Buffer.from(again.labels).equals(Buffer.from(ct.labels))).toBe(true)
    expect(Buffer.from(generateCtCase(8).labels).equals(Buffer.from(ct.labels))).toBe(false)
  })

  it('holds organs of human size, place and portal venous density', () => {
    const ct = generateCtCase(7, { contrast: 1, arterial: 0, steatosis: 0 })
    const liver = measure(ct, (label) => label === 1)
    const spleen = measure(ct, (label) => label === 2)
    const right = measure(ct, (label, x) => label === 3 && x < nx / 2)
    const left = measure(ct, (label, x) => label === 3 && x >= nx / 2)
    const spine = measure(ct, (label) => label === 4)
    expect(liver.voxels * voxelMl).toBeGreaterThan(600)
    expect(liver.voxels * voxelMl).toBeLessThan(2200)
    expect(spleen.voxels * voxelMl).toBeGreaterThan(60)
    expect(spleen.voxels * voxelMl).toBeLessThan(500)
    for (const kidney of [right, left]) {
      expect(kidney.voxels * voxelMl).toBeGreaterThan(80)
      expect(kidney.voxels * voxelMl).toBeLessThan(350)
      expect(kidney.mean).toBeGreaterThan(110)
      expect(kidney.mean).toBeLessThan(210)
    }
    // x grows to the patient's left, y to the back.
    expect(liver.centre[0]).toBeLessThan(0.45 * nx)
    expect(spleen.centre[0]).toBeGreaterThan(0.6 * nx)
    expect(Math.abs(spine.centre[0] - nx / 2)).toBeLessThan(8)
    expect(spine.centre[1]).toBeGreaterThan(0.55 * ny)
    expect(liver.centre[2]).toBeGreaterThan(right.centre[2])
    for (const organ of [liver, spleen]) {
      expect(organ.mean).toBeGreaterThan(80)
      expect(organ.mean).toBeLessThan(150)
    }
    expect(spine.mean).toBeGreaterThan(180)
  })

  it('shows less of the kidneys where less contrast is given, and darker livers with fat', () => {
    const mean = (wanted: number, options: CtOptions): number =>
      measure(generateCtCase(7, options), (label) => label === wanted).mean
    const full = { contrast: 1, arterial: 0, steatosis: 0 }
    expect(mean(3, { ...full, contrast: 0.3 })).toBeLessThan(mean(3, full) - 50)
    expect(mean(1, { ...full, steatosis: 40 })).toBeLessThan(mean(1, full) - 30)
  })
})
