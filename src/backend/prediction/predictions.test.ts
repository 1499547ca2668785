import { afterEach, describe, expect, it } from 'vitest'
import type { Affine, Axis, Dims } from '../../core/contract/schemas.ts'
import { extractSlice, sliceExtent } from '../../core/labelmap/index.ts'
import { Cases } from '../project/cases.ts'
import { openProject } from '../project/project.ts'
import { addVolume, cleanUp, emptyProject, openBackend } from '../testing/fixtures.ts'
import { Predictions } from './predictions.ts'

afterEach(cleanUp)

const dims: Dims = [4, 3, 5]
/** Axial slices across x, y and z. */
const affines: readonly Affine[] = [
  [
    [0, -1, 0, 0],
    [0, 0, 1, 0],
    [1, 0, 0, 0],
    [0, 0, 0, 1],
  ],
  [
    [1, 0, 0, 0],
    [0, 0, 1, 0],
    [0, 1, 0, 0],
    [0, 0, 0, 1],
  ],
  [
    [-1, 0, 0, 0],
    [0, -1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ],
]

describe('Predictions', () => {
  it.each([0, 1, 2] as const)('give every slice of what was predicted across axis %i', async (trainingAxis) => {
    const test = await openBackend(emptyProject())
    const { id } = await addVolume(test, { dims, affine: affines[trainingAxis] ?? [] })
    await test.backend.close()
    const project = openProject(test.dir)
    try {
      project.db.run(`INSERT INTO models VALUES ('m', 1, NULL, 'Model', '', 1, '{}')`)
      const cases = new Cases(project.db)
      expect(cases.get(id).trainingAxis).toBe(trainingAxis)
      const whole = Uint8Array.from({ length: 60 }, (_, i) => i + 1)
      const predicted = dims[trainingAxis] - 1
      const slices = Array.from({ length: predicted }, (_, index) => ({
        index,
        data: extractSlice(whole, dims, trainingAxis, index),
      }))
      new Predictions(project.db, cases).store(id, 'm', 3, slices)
      // The last one was not.
      const expected = whole.map((label, i) => {
        const voxel = [i % 4, Math.floor(i / 4) % 3, Math.floor(i / 12)]
        return voxel[trainingAxis] === predicted ? 0 : label
      })
      // Kept as one array, and too large for that.
      for (const predictions of [new Predictions(project.db, cases), new Predictions(project.db, cases, 1)]) {
        expect(predictions.volume(id)).toEqual({ labels: expected, modelId: 'm', revision: 3 })
        for (const axis of [0, 1, 2] as Axis[]) {
          const [width, height] = sliceExtent(dims, axis)
          for (let index = 0; index < dims[axis]; index++) {
            const isEmpty = axis === trainingAxis && index === predicted
            expect(predictions.slice(id, axis, index)).toEqual({
              width,
              height,
              data: extractSlice(expected, dims, axis, index),
              modelId: isEmpty ? null : 'm',
              revision: isEmpty ? 0 : 3,
            })
          }
        }
      }
    } finally {
      project.close()
    }
  })
})
