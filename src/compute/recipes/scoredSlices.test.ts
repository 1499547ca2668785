import { describe, expect, it } from 'vitest'
import { slicesAlone, stackedSlices, stackGeometry } from './scoredSlices.ts'

/** 2 x 3 x 4, each voxel its number. */
const volume = Uint8Array.from({ length: 24 }, (_, i) => i)

describe('slices of one volume that are a case', () => {
  it.each([
    [0, [1], [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23]],
    [1, [0, 2], [0, 1, 4, 5, 6, 7, 10, 11, 12, 13, 16, 17, 18, 19, 22, 23]],
    [2, [1, 3], [6, 7, 8, 9, 10, 11, 18, 19, 20, 21, 22, 23]],
  ] as const)('are stacked across axis %i', (axis, indices, wanted) => {
    expect([...stackedSlices(volume, [2, 3, 4], { axis, indices })]).toEqual([...wanted])
  })

  it('stand alone in the whole volume', () => {
    const alone = slicesAlone(volume, [2, 3, 4], { axis: 1, indices: [2] })
    expect([...alone]).toEqual([...volume].map((value) => (Math.floor(value / 2) % 3 === 2 ? value : 0)))
    expect(volume[5]).toBe(5)
  })

  it('are as far apart as they are on average', () => {
    const only = { axis: 2 as const, indices: [1, 4, 7] }
    expect(stackGeometry([2, 3, 9], [1, 1, 3], only)).toEqual({ dims: [2, 3, 3], spacing: [1, 1, 9] })
    expect(stackGeometry([2, 3, 9], null, only)).toEqual({ dims: [2, 3, 3], spacing: null })
  })
})
