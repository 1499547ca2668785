import { describe, expect, it } from 'vitest'
import type { Affine, Dims } from '../../core/contract/schemas.ts'
import { memoryStore, type ImageVolume } from '../../imaging/index.ts'
import { labelsForCompute, labelsFromCompute, networkLayout, sliceForCompute, sliceGeometry } from './computeSlices.ts'

const DIMS: Dims = [4, 3, 2]

/** A volume whose sample is its own voxel: 100 x + 10 y + z. */
function volume(affine: Affine | null): ImageVolume {
  const data = new Int16Array(24)
  for (let z = 0, i = 0; z < 2; z++)
    for (let y = 0; y < 3; y++) for (let x = 0; x < 4; x++) data[i++] = 100 * x + 10 * y + z
  return {
    info: {
      format: 'nifti1',
      dims: [4, 3, 2, 1],
      spacing: [1, 1, 1],
      spacingKnown: true,
      datatype: 'int16',
      channels: 1,
      channelNames: [],
      complex: false,
      tiled: false,
      disagreement: null,
      affine,
      affineSource: 'sform',
      orientation: null,
      slope: 2,
      inter: -1,
      byteOrder: 'little',
      compressed: false,
      frames: 1,
      levels: 1,
      warnings: [],
    },
    kind: 'volume',
    dims: DIMS,
    channels: 1,
    voxelType: 'int16',
    voxels: memoryStore(data, DIMS),
    slope: 2,
    inter: -1,
    affine,
    spacing: [1, 1, 1],
    spacingKnown: true,
    orientation: null,
    source: { kind: 'raster', path: '' },
    warnings: [],
  }
}

/** Rows: which way each world axis (right to left, back to front, up) runs along the voxel axes. */
const affines = {
  // x left, y posterior, z up: stored as it is shown.
  LPS: [
    [-1, 0, 0, 0],
    [0, -1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ],
  // x right, y anterior, z up.
  RAS: [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ],
  // x posterior, y up, z left: sagittal slices, the axial plane is across y and lies transposed.
  PSL: [
    [0, 0, -1, 0],
    [-1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 0, 1],
  ],
} satisfies Record<string, Affine>

async function shown(
  affine: Affine | null,
  index: number,
): Promise<{ width: number; height: number; samples: number[] }> {
  const image = volume(affine)
  const layout = networkLayout(image.dims, affine, image.spacing)
  const slice = await sliceForCompute(image, layout, index, { low: 0, high: 9 })
  expect(slice).toMatchObject({ index, slope: 2, inter: -1, low: 0, high: 9, voxelType: 'int16', channels: 1 })
  return { width: slice.width, height: slice.height, samples: [...new Int16Array(slice.data.slice().buffer)] }
}

describe('sliceForCompute', () => {
  it('gives an LPS slice as it is stored', async () => {
    const rows = [0, 100, 200, 300, 10, 110, 210, 310, 20, 120, 220, 320]
    expect(await shown(affines.LPS, 1)).toEqual({ width: 4, height: 3, samples: rows.map((value) => value + 1) })
    expect(await shown(null, 0)).toEqual({ width: 4, height: 3, samples: rows })
  })

  it('mirrors an RAS slice, so that patient right is on the left and anterior on top', async () => {
    expect((await shown(affines.RAS, 0)).samples).toEqual([320, 220, 120, 20, 310, 210, 110, 10, 300, 200, 100, 0])
  })

  it('turns the axial plane of a sagittal volume upright', async () => {
    // Across y = 1: columns run with z to the left, rows with x to posterior.
    expect(await shown(affines.PSL, 1)).toEqual({
      width: 2,
      height: 4,
      samples: [10, 11, 110, 111, 210, 211, 310, 311],
    })
  })
})

describe('labelsFromCompute', () => {
  it.each(Object.entries(affines))('takes labels back into the order of an %s file', (_name, affine) => {
    const layout = networkLayout(DIMS, affine, [1, 1, 1])
    const stored = Uint8Array.from({ length: layout.width * layout.height }, (_, i) => i)
    expect(labelsFromCompute(labelsForCompute(stored, layout), layout)).toEqual(stored)
  })

  it('puts a label where the network saw it', () => {
    const layout = networkLayout(DIMS, affines.PSL, [1, 1, 1])
    const seen = new Uint8Array(8)
    // Column 1, row 2 on the screen is z = 1, x = 2; stored with x fastest.
    seen[1 + 2 * 2] = 5
    const stored = labelsFromCompute(seen, layout)
    expect(stored.indexOf(5)).toBe(2 + 4 * 1)
  })
})

describe('sliceGeometry', () => {
  const of = (affine: Affine | null, change: object = {}) => {
    const image = { ...volume(affine), spacing: [0.5, 2, 7] as [number, number, number], spacingKnown: true, ...change }
    return sliceGeometry(image, networkLayout(image.dims, affine, image.spacing))
  }

  it('follows the axes that the network sees, whatever the order in the file', () => {
    expect(of(affines.LPS)).toEqual({ plane: 'axial', columns: 0.5, rows: 2, slices: 7 })
    // Axial slices lie across y; columns run with z, rows with x.
    expect(of(affines.PSL)).toEqual({ plane: 'axial', columns: 7, rows: 0.5, slices: 2 })
  })

  it('says what is not known', () => {
    expect(of(null)).toMatchObject({ plane: 'stored' })
    expect(of(affines.LPS, { spacingKnown: false })).toBeNull()
    expect(of(affines.LPS, { dims: [4, 3, 1] })).toMatchObject({ slices: null })
  })
})
