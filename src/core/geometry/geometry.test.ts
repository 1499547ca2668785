import { describe, it, expect } from 'vitest'
import type { Affine, Dims, Vec3 } from '../contract/schemas.ts'
import {
  affineToQform,
  isQformOf,
  isTransposed,
  orientationOf,
  planeViews,
  qformToAffine,
  screenToVoxel,
  spacingOf,
  voxelToWorld,
} from './index.ts'

const diagonal = (x: number, y: number, z: number, offset: Vec3 = [0, 0, 0]): Affine => [
  [x, 0, 0, offset[0]],
  [0, y, 0, offset[1]],
  [0, 0, z, offset[2]],
  [0, 0, 0, 1],
]
/** Voxel axes: x to posterior, y to superior, z to left. */
const PSL: Affine = [
  [0, 0, -3, 100],
  [-1, 0, 0, 50],
  [0, 2, 0, -20],
  [0, 0, 0, 1],
]

describe('affines', () => {
  it('maps voxels to the world', () => {
    expect(voxelToWorld(PSL, [10, 5, 2])).toEqual([94, 40, -10])
    expect(spacingOf(PSL)).toEqual([1, 2, 3])
  })
  it('names orientations', () => {
    expect(orientationOf(diagonal(1, 1, 1))).toBe('RAS')
    expect(orientationOf(diagonal(-2, 1, 1))).toBe('LAS')
    expect(orientationOf(diagonal(-1, -1, 5))).toBe('LPS')
    expect(orientationOf(PSL)).toBe('PSL')
  })
  it('never gives one world axis to two voxel axes', () => {
    // Two columns lean towards x; the first takes it.
    const leaning: Affine = [
      [1, 0.9, 0, 0],
      [0.2, 0.8, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]
    expect(orientationOf(leaning)).toBe('RAS')
  })
})

describe('planeViews', () => {
  it('begins with the plane across which models train', () => {
    const first = (dims: Dims, affine: Affine | null) => planeViews(dims, affine, [1, 1, 1])[0]?.sliceAxis
    expect(first([9, 9, 9], diagonal(-1, -1, 5))).toBe(2)
    expect(first([9, 9, 9], PSL)).toBe(1)
    expect(first([9, 9, 1], PSL)).toBe(2)
    expect(first([9, 9, 1], null)).toBe(2)
  })
  it('shows an LPS volume as stored in the axial plane', () => {
    const [axial, coronal, sagittal] = planeViews([10, 20, 30], diagonal(-1, -2, 3), [1, 2, 3])
    expect(axial).toEqual({
      plane: 'axial',
      sliceAxis: 2,
      columnAxis: 0,
      rowAxis: 1,
      flipColumns: false,
      flipRows: false,
      width: 10,
      height: 20,
      slices: 30,
      columnSpacing: 1,
      rowSpacing: 2,
      letters: { left: 'R', right: 'L', top: 'A', bottom: 'P' },
    })
    expect(coronal).toMatchObject({ sliceAxis: 1, columnAxis: 0, rowAxis: 2, flipColumns: false, flipRows: true })
    expect(coronal?.letters).toEqual({ left: 'R', right: 'L', top: 'S', bottom: 'I' })
    expect(sagittal).toMatchObject({ sliceAxis: 0, columnAxis: 1, rowAxis: 2, flipColumns: false, flipRows: true })
    expect(sagittal?.letters).toEqual({ left: 'A', right: 'P', top: 'S', bottom: 'I' })
  })
  it('puts patient right on the left and anterior or superior on top, whatever the order of voxels', () => {
    const dims: Dims = [7, 8, 9]
    for (const affine of [diagonal(1, 1, 1), diagonal(-1, 1, -1), PSL]) {
      for (const view of planeViews(dims, affine, spacingOf(affine))) {
        const at = (i: number, j: number): Vec3 => voxelToWorld(affine, screenToVoxel(view, i, j, 3))
        const [origin, right, down] = [at(0, 0), at(1, 0), at(0, 1)]
        const x = view.plane === 'sagittal' ? 1 : 0
        const y = view.plane === 'axial' ? 1 : 2
        expect(right[x]).toBeLessThan(origin[x])
        expect(down[y]).toBeLessThan(origin[y])
        expect(view.width).toBe(dims[view.columnAxis])
      }
    }
  })
  it('says when a stored slice is transposed on the screen', () => {
    const views = planeViews([7, 8, 9], PSL, [1, 2, 3])
    // Axial: columns along z (left), rows along x (posterior); coronal: columns z, rows y; sagittal: columns x, rows y.
    expect(views.map(isTransposed)).toEqual([true, true, false])
  })
  it('has one view without letters where there is no geometry', () => {
    const views = planeViews([640, 480, 1], null, [1, 1, 1])
    expect(views).toHaveLength(1)
    expect(views[0]).toMatchObject({
      plane: 'axial',
      width: 640,
      height: 480,
      slices: 1,
      flipColumns: false,
      flipRows: false,
    })
    expect(views[0]?.letters.left).toBe('')
  })
  it('has the plane of the only slice alone', () => {
    const views = planeViews([7, 8, 1], PSL, [1, 2, 3])
    expect(views.map((view) => view.plane)).toEqual(['sagittal'])
  })
})

describe('quaternions', () => {
  it('gives the identity and a half turn', () => {
    expect(qformToAffine({ b: 0, c: 0, d: 0, offset: [4, 5, 6], spacing: [1, 2, 3], qfac: 1 })).toEqual(
      diagonal(1, 2, 3, [4, 5, 6]),
    )
    // b = 1: half a turn about x.
    const turned = qformToAffine({ b: 1, c: 0, d: 0, offset: [0, 0, 0], spacing: [1, 1, 1], qfac: 1 })
    expect(turned.map((row) => row.map((value) => value + 0))).toEqual(diagonal(1, -1, -1))
  })
  it('survives quaternions that rounding made too long', () => {
    const long = qformToAffine({ b: 0.8, c: 0.6000001, d: 0, offset: [0, 0, 0], spacing: [1, 1, 1], qfac: -1 })
    expect(long.flat().every(Number.isFinite)).toBe(true)
    // Half a turn about (0.8, 0.6, 0), third axis mirrored.
    expect(long[0]?.[0]).toBeCloseTo(0.28, 6)
    expect(long[0]?.[1]).toBeCloseTo(0.96, 6)
    expect(long[2]?.[2]).toBeCloseTo(1, 6)
  })
  it('comes back from an affine, mirrored ones and half turns too', () => {
    const quaternions: [number, number, number][] = [
      [0, 0, 0],
      [0.1, -0.2, 0.3],
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
      [0.9, 0.1, -0.3],
      [-0.1, 0.8, 0.4],
      [0.2, 0.1, -0.95],
    ]
    for (const [b, c, d] of quaternions) {
      for (const qfac of [1, -1] as const) {
        const affine = qformToAffine({ b, c, d, offset: [1, 2, 3], spacing: [0.5, 1.5, 4], qfac })
        const back = affineToQform(affine)
        expect(back?.qfac).toBe(qfac)
        const again = back === null ? [] : qformToAffine(back).flat()
        again.forEach((value, i) => expect(value).toBeCloseTo(affine.flat()[i] ?? NaN, 9))
        expect(again).toHaveLength(16)
      }
    }
    expect(affineToQform(diagonal(1, 0, 1))).toBeNull()
  })
  it('are known again after they were stored, where rounding is felt most too', () => {
    const stored = { b: Math.fround(Math.SQRT1_2), c: Math.fround(Math.SQRT1_2), d: 0, offset: [1, 2, 3] as Vec3 }
    const qform = { ...stored, spacing: [1, 1, 2] as Vec3, qfac: 1 as const }
    // Half a turn about (1, 1, 0): x and y change places, z is mirrored.
    const exact: Affine = [
      [0, 1, 0, 1],
      [1, 0, 0, 2],
      [0, 0, -2, 3],
      [0, 0, 0, 1],
    ]
    expect(isQformOf(qform, exact)).toBe(true)
    expect(isQformOf({ ...qform, b: -qform.b, c: -qform.c }, exact)).toBe(true)
    expect(isQformOf({ ...qform, b: qform.b + 1e-3 }, exact)).toBe(false)
    expect(isQformOf({ ...qform, offset: [1, 2, 3.01] }, exact)).toBe(false)
    expect(isQformOf({ ...qform, spacing: [1, 1.001, 2] }, exact)).toBe(false)
    expect(isQformOf({ ...qform, qfac: -1 }, exact)).toBe(false)
  })
})
