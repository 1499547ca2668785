import { describe, expect, it } from 'vitest'
import { imageCuts, labelCut, labelledBySlice } from './cuts.ts'
import { imageOf } from './testing/images.ts'
import type { Affine, Dims } from '../../core/contract/schemas.ts'

/** A number for each voxel of 2 x 3 x 4: x + 10 y + 100 z, less what does not fit a byte. */
const DIMS: Dims = [2, 3, 4]
const numbers = Uint8Array.from(
  { length: 24 },
  (_, at) => (at % 2) + 10 * (Math.floor(at / 2) % 3) + 50 * Math.floor(at / 6),
)

/** x to the left, y to posterior, z to superior: a screen in radiological convention shows rows and columns as stored. */
const LPS: Affine = [
  [-1, 0, 0, 0],
  [0, -1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
]
const RAS: Affine = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 3, 0],
  [0, 0, 0, 1],
]

describe('imageCuts', () => {
  it('lays a cut as a radiologist reads it, image and labels alike', async () => {
    const cuts = await imageCuts(imageOf(DIMS, numbers, { affine: RAS, spacing: [1, 1, 3] }))
    const view = cuts.views[0]
    if (view === undefined) throw new Error('no view')
    expect([view.plane, view.slices, view.width, view.height]).toEqual(['axial', 4, 2, 3])
    // Anterior on top, the patient's right on the left: both axes are mirrored.
    const expected = [71, 70, 61, 60, 51, 50]
    expect([...labelCut(numbers, DIMS, view, 1)].map((value) => value + (value < 50 ? 50 : 0))).toEqual(expected)
    const picture = await cuts.picture(view, 1)
    const greys = Array.from({ length: 6 }, (_, at) => picture.data[at * 3] ?? 0)
    // The same order of brightness as of the numbers.
    expect([...greys].sort((a, b) => b - a)).toEqual(greys)
    expect(greys[0]).toBeGreaterThan(greys[5] ?? 0)
  })

  it('takes the axis of the largest spacing first, then has the other planes', async () => {
    const cuts = await imageCuts(imageOf(DIMS, numbers, { affine: LPS, spacing: [4, 1, 1] }))
    expect(cuts.views.map(({ plane }) => plane)).toEqual(['sagittal', 'axial', 'coronal'])
    const [sagittal] = cuts.views
    // Columns to posterior as stored; superior on top: rows from z = 3 down.
    const expected = [150, 160, 170, 100, 110, 120, 50, 60, 70, 0, 10, 20]
    if (sagittal !== undefined) expect([...labelCut(numbers, DIMS, sagittal, 0)]).toEqual(expected)
  })

  it('shows three planes of a stack without orientation, and one of a picture', async () => {
    const stack = await imageCuts(imageOf(DIMS, numbers))
    expect(stack.views.map(({ sliceAxis, width, height }) => [sliceAxis, width, height])).toEqual([
      [2, 2, 3],
      [1, 2, 4],
      [0, 3, 4],
    ])
    const [, coronal] = stack.views
    if (coronal !== undefined)
      expect([...labelCut(numbers, DIMS, coronal, 2)]).toEqual([20, 21, 70, 71, 120, 121, 170, 171])
    const picture = await imageCuts(imageOf([4, 6, 1], numbers))
    expect(picture.views).toHaveLength(1)
  })

  it('shows colours as they are, and dark ones brighter', async () => {
    const bright = Uint8Array.from([255, 255, 255, 10, 20, 30, 200, 100, 0, 250, 250, 250])
    const cuts = await imageCuts(imageOf([4, 1, 1], bright, { channels: 3 }))
    const [view] = cuts.views
    if (view !== undefined) expect([...(await cuts.picture(view, 0)).data]).toEqual([...bright])
    const dark = Uint8Array.from([40, 40, 40, 20, 20, 20, 0, 0, 0, 40, 40, 40])
    const brighter = await imageCuts(imageOf([4, 1, 1], dark, { channels: 3 }))
    const [same] = brighter.views
    if (same !== undefined)
      expect([...(await brighter.picture(same, 0)).data].slice(0, 6)).toEqual([255, 255, 255, 128, 128, 128])
  })
})

describe('labelledBySlice', () => {
  it('counts voxels of any label along each axis', () => {
    const labels = new Uint8Array(24)
    labels.set([1, 2], 6) // (0, 0, 1) and (1, 0, 1)
    labels.set([1], 23) // (1, 2, 3)
    expect([...labelledBySlice(labels, DIMS, 2)]).toEqual([0, 2, 0, 1])
    expect([...labelledBySlice(labels, DIMS, 1)]).toEqual([2, 0, 1])
    expect([...labelledBySlice(labels, DIMS, 0)]).toEqual([1, 2])
  })
})
