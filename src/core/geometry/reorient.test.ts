import { describe, expect, it } from 'vitest'
import type { Affine, Dims, Vec3 } from '../contract/schemas.ts'
import {
  arranged,
  invertAffine,
  inverseOrder,
  isAxisCode,
  isIdentity,
  largestDistance,
  multiplyAffines,
  ontoGrid,
  orientationOf,
  reorderVoxels,
  reorientation,
  resampleNearest,
  shearOf,
  voxelToWorld,
  withoutRounding,
  type Reorientation,
} from './index.ts'

const dims: Dims = [2, 3, 4]
const affine: Affine = [
  [1, 0, 0, -10.3],
  [0, 1.5, 0, -20.7],
  [0, 0, 2, 5.1],
  [0, 0, 0, 1],
]
/** 20 degrees about z, then 10 about x, with other spacings along each axis. */
const [cz, sz, cx, sx] = [Math.cos(Math.PI / 9), Math.sin(Math.PI / 9), Math.cos(Math.PI / 18), Math.sin(Math.PI / 18)]
const oblique: Affine = [
  [cz * 0.9, -sz * 1.1, 0, -81.25],
  [cx * sz * 0.9, cx * cz * 1.1, -sx * 2.5, -60.125],
  [sx * sz * 0.9, sx * cz * 1.1, cx * 2.5, 33.5],
  [0, 0, 0, 1],
]

/** All 48 axis codes, by another rule than the code's: three letters of "RLAPSI" of three different pairs. */
const letters = ['R', 'L', 'A', 'P', 'S', 'I']
const pair = (letter: string): number => Math.floor(letters.indexOf(letter) / 2)
const codes = letters.flatMap((a) =>
  letters.flatMap((b) => letters.filter((c) => new Set([pair(a), pair(b), pair(c)]).size === 3).map((c) => a + b + c)),
)
const single = (matrix: Affine): Affine => matrix.map((row) => row.map(Math.fround))
const values = Float64Array.from({ length: 24 }, (_, i) => i * 7 + 1)

describe('axis codes', () => {
  it('are 48', () => {
    expect(codes).toHaveLength(48)
    expect(codes.every(isAxisCode)).toBe(true)
    for (const wrong of ['', 'RA', 'RRS', 'RLS', 'ras', 'RASX', 'XYZ']) expect(isAxisCode(wrong)).toBe(false)
    expect(() => reorientation(dims, affine, 'RLA')).toThrow(RangeError)
  })
})

describe('reorientation', () => {
  it('is by hand what it is for one order', () => {
    expect(reorientation(dims, affine, 'PSL')).toEqual({
      axes: [1, 2, 0],
      flips: [true, false, true],
      dims: [3, 4, 2],
      // The first voxel is that of the highest y and x: y = -20.7 + 2 * 1.5, x = -10.3 + 1.
      affine: [
        [0, 0, -1, -10.3 + 1],
        [-1.5, 0, 0, -20.7 + 3],
        [0, 2, 0, 5.1],
        [0, 0, 0, 1],
      ],
    })
  })

  it.each([
    ['straight', affine],
    ['oblique', oblique],
  ])('keeps every voxel at its place in the %s world, for each of the 48 orders', (_, from) => {
    for (const code of codes) {
      const order = reorientation(dims, from, code)
      expect(orientationOf(order.affine)).toBe(code)
      const moved = reorderVoxels(values, dims, order)
      for (let z = 0; z < order.dims[2]; z++) {
        for (let y = 0; y < order.dims[1]; y++) {
          for (let x = 0; x < order.dims[0]; x++) {
            const value = moved[x + order.dims[0] * (y + order.dims[1] * z)] ?? -1
            const old = (value - 1) / 7
            const before: Vec3 = [old % 2, Math.floor(old / 2) % 3, Math.floor(old / 6)]
            const [p, q] = [voxelToWorld(order.affine, [x, y, z]), voxelToWorld(from, before)]
            expect(Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])).toBeLessThan(1e-9)
          }
        }
      }
      const back = reorderVoxels(moved, order.dims, inverseOrder(order))
      expect(back).toEqual(values)
    }
  })

  it.each([
    ['straight', affine],
    ['oblique', oblique],
  ])('gives the same numbers for each of 48 %s orders stored in single precision', (_, from) => {
    const expected = JSON.stringify(single(withoutRounding(dims, reorientation(dims, from, 'RAS').affine, 2 ** -24)))
    for (const code of codes) {
      const stored = reorientation(dims, from, code)
      const again = reorientation(stored.dims, single(stored.affine), 'RAS')
      const clean = withoutRounding(again.dims, again.affine, 2 ** -24)
      expect(JSON.stringify(single(clean))).toBe(expected)
      const data = reorderVoxels(reorderVoxels(values, dims, stored), stored.dims, again)
      expect(data).toEqual(values)
    }
  })

  it('does not depend on the order of storage where two axes lie halfway between two directions', () => {
    const half = Math.SQRT1_2
    const diagonal: Affine = [
      [half, -half, 0, 0],
      [half, half, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]
    const images = codes.map((code) => {
      // Any arrangement of the axes: that of a straight volume stored in this order.
      const { axes, flips } = reorientation(dims, affine, code)
      const stored = arranged(dims, diagonal, axes, flips)
      const again = reorientation(stored.dims, single(stored.affine), 'RAS')
      return [...reorderVoxels(reorderVoxels(values, dims, stored), stored.dims, again)].join()
    })
    expect(new Set(images).size).toBe(1)
  })

  it('knows when there is nothing to do', () => {
    expect(isIdentity(reorientation(dims, affine, 'RAS'))).toBe(true)
    expect(isIdentity(reorientation(dims, affine, 'LAS'))).toBe(false)
    expect(isIdentity(reorientation(dims, affine, 'ARS'))).toBe(false)
  })
})

describe('withoutRounding', () => {
  it('takes a short number within the error, and what all corners can be stored in otherwise', () => {
    const stored = single([
      [0.7, 0, 0, -90.3],
      [0, 0.7, 0, 1 / 3],
      [0, 0, 3, 0],
      [0, 0, 0, 1],
    ])
    const clean = withoutRounding([256, 256, 20], stored, 2 ** -24)
    // 178.8 mm is stored in steps of 2^-16.
    expect(clean.map((row) => row[3])).toEqual([-90.3, Math.round(2 ** 16 / 3) / 2 ** 16, 0, 1])
    expect(clean[0]?.[0]).toBe(Math.fround(0.7))
    const double = withoutRounding([256, 256, 20], stored, 2 ** -53)
    expect(double[1]?.[3]).toBeCloseTo(Math.fround(1 / 3), 12)
  })
})

describe('measures of affines', () => {
  it('inverts and multiplies', () => {
    const inverse = invertAffine(oblique)
    const product = inverse === null ? [] : multiplyAffines(inverse, oblique)
    const identity = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    expect(product.flat()).toHaveLength(16)
    product.flat().forEach((value, i) => expect(value).toBeCloseTo(identity[i] ?? NaN, 12))
    expect(invertAffine([[0, 0, 0, 1], ...affine.slice(1)])).toBeNull()
  })

  it('finds the largest distance at a corner', () => {
    const longer = affine.map((row) => [...row])
    longer[2] = [0, 0, 2.5, 4.1]
    // 1 mm too low at the first slice, 0.5 mm too high at the last one.
    expect(largestDistance(dims, affine, longer)).toBeCloseTo(1, 12)
    longer[2] = [0, 0, 3, 5.1]
    expect(largestDistance(dims, affine, longer)).toBeCloseTo(3, 12)
    longer[2] = [0, 0, NaN, 5.1]
    expect(largestDistance(dims, affine, longer)).toBe(Infinity)
  })

  it('measures shear as an angle', () => {
    expect(shearOf(oblique)).toBeLessThan(1e-6)
    const leaning: Affine = [
      [1, 1, 0, 0],
      [0, Math.sqrt(3), 0, 0],
      [0, 0, 5, 0],
      [0, 0, 0, 1],
    ]
    // The second axis stands at 60 degrees to the first.
    expect(shearOf(leaning)).toBeCloseTo(30, 9)
    expect(
      shearOf([
        [1, 1, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
      ]),
    ).toBe(90)
  })
})

describe('ontoGrid', () => {
  const grid = { dims, affine: oblique }

  it('finds the order that lays a volume on another, whichever of 48 it is stored in', () => {
    for (const code of codes) {
      const stored: Reorientation = reorientation(dims, oblique, code)
      const order = ontoGrid({ dims: stored.dims, affine: single(stored.affine) }, grid, 1e-3)
      expect(order).not.toBeNull()
      if (order === null) continue
      expect(reorderVoxels(reorderVoxels(values, dims, stored), stored.dims, order)).toEqual(values)
    }
  })

  it('finds none where the grid is another', () => {
    const moved = oblique.map((row, r) => (r === 0 ? [...row.slice(0, 3), (row[3] ?? 0) + 0.01] : row))
    expect(ontoGrid({ dims, affine: moved }, grid, 1e-3)).toBeNull()
    expect(ontoGrid({ dims, affine: moved }, grid, 0.02)).not.toBeNull()
    expect(ontoGrid({ dims: [2, 3, 5], affine: oblique }, grid, 1e-3)).toBeNull()
    expect(ontoGrid({ dims, affine: [[0, 0, 0, 0], ...oblique.slice(1)] }, grid, 1e-3)).toBeNull()
    expect(ontoGrid({ dims: [2, 2, 2], affine }, { dims: [2, 2, 2], affine: oblique }, 1e-3)).toBeNull()
  })
})

describe('reorderVoxels and resampleNearest', () => {
  it('keeps the samples of a voxel together', () => {
    const rgb = Uint8Array.from({ length: 18 }, (_, i) => i)
    const mirrored = reorderVoxels(rgb, [3, 2, 1], { axes: [0, 1, 2], flips: [true, false, false] }, 3)
    expect([...mirrored]).toEqual([6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11])
    expect(() => reorderVoxels(rgb, [3, 3, 1], { axes: [0, 1, 2], flips: [true, false, false] }, 3)).toThrow(RangeError)
  })

  it('takes the nearest voxel, the upper one of two, and a value for outside', () => {
    const data = Uint8Array.from([1, 2, 3])
    const at = (scale: number, offset: number): Affine => [
      [scale, 0, 0, offset],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]
    const sample = (toSource: Affine, count: number) => [
      ...resampleNearest(data, [3, 1, 1], toSource, [count, 1, 1], new Uint8Array(count), 9),
    ]
    expect(sample(at(0.5, 0), 6)).toEqual([1, 2, 2, 3, 3, 9])
    expect(sample(at(0.5, -1e-9), 5)).toEqual([1, 2, 2, 3, 3])
    expect(sample(at(1, -1), 4)).toEqual([9, 1, 2, 3])
    expect(sample(at(-1, 2), 3)).toEqual([3, 2, 1])
  })
})
