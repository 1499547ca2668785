import { afterEach, describe, expect, it } from 'vitest'
import type { Affine, Axis, Dims } from '../../core/contract/schemas.ts'
import { extractSlice, sliceExtent } from '../../core/labelmap/index.ts'
import { Cases } from '../project/cases.ts'
import {
  addVolume,
  AXIAL_ACROSS,
  cleanUp,
  emptyProject,
  inClosedProject,
  openBackend,
  openWithCase,
  rectangle,
} from '../testing/fixtures.ts'
import { predict, retrain } from '../testing/versions.ts'
import { Predictions } from './predictions.ts'

afterEach(cleanUp)

const dims: Dims = [4, 3, 5]

describe('Predictions', () => {
  it.each([0, 1, 2] as const)('give every slice of what was predicted across axis %i', async (trainingAxis) => {
    const test = await openBackend(emptyProject())
    const { id } = await addVolume(test, { dims, affine: AXIAL_ACROSS[trainingAxis] })
    await inClosedProject(test, (project) => {
      project.db.run(
        `INSERT INTO models (id, version, parent_id, name, created_at, active, card) VALUES ('m', 1, NULL, 'Model', '', 1, '{}')`,
      )
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
    })
  })

  it.each([0, 1, 2] as const)('keep how unsure they are, across axis %i', async (trainingAxis) => {
    const test = await openBackend(emptyProject())
    const { id } = await addVolume(test, { dims, affine: AXIAL_ACROSS[trainingAxis] })
    await inClosedProject(test, (project) => {
      const predictions = new Predictions(project.db, new Cases(project.db))
      const labels = Uint8Array.from({ length: 60 }, (_, i) => i % 7)
      const unsure = labels.map((_, i) => 255 - i)
      // Of slice 0 it was not asked for. The id is that of no version: it still learns.
      const slices = [0, 1].map((index) => ({
        index,
        data: extractSlice(labels, dims, trainingAxis, index),
        ...(index === 0 ? {} : { uncertainty: extractSlice(unsure, dims, trainingAxis, index) }),
      }))
      predictions.store(id, 'live', 2, slices)
      const at = (i: number): number => [i % 4, Math.floor(i / 4) % 3, Math.floor(i / 12)][trainingAxis] ?? 0
      const expected = unsure.map((value, i) => (at(i) === 1 ? value : 0))
      for (const axis of [0, 1, 2] as Axis[]) {
        for (let index = 0; index < dims[axis]; index++) {
          const known = axis !== trainingAxis || index === 1
          expect(predictions.slice(id, axis, index, 'uncertainty')).toMatchObject({
            data: extractSlice(expected, dims, axis, index),
            modelId: known ? 'live' : null,
            revision: known ? 2 : 0,
          })
        }
      }
      expect(predictions.volume(id)).toMatchObject({ modelId: 'live', revision: 2 })
      // Predicted again without it: what was known of the slice before does not hold.
      predictions.store(id, 'live', 3, [{ index: 1, data: extractSlice(labels, dims, trainingAxis, 1) }])
      expect(predictions.slice(id, trainingAxis, 1, 'uncertainty').modelId).toBeNull()
    })
  })
})

describe('predict.start', () => {
  it('tells how unsure the model is, in the orientation of the labels, and keeps it', async () => {
    // Columns and rows run the other way than on the screen.
    const affine: Affine = [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 2, 0],
      [0, 0, 0, 1],
    ]
    const test = await openWithCase({ affine })
    const { caseId } = test
    await test.call('annotation.commit', { caseId, delta: rectangle({ index: 0, at: [0, 0], size: [2, 2], after: 1 }) })
    await retrain(test)
    test.compute.learning.entropy = (value) => value
    await predict(test, caseId, 1)
    const image = await test.call('volume.slice', { caseId, axis: 2, index: 1 })
    const values = Uint8Array.from(new Int16Array(image.data.slice().buffer))
    const kept = await test.call('annotation.slice', { caseId, axis: 2, index: 1, layer: 'uncertainty' })
    expect(kept.data).toEqual(values)
    const [first] = test.told('prediction.slices')
    expect(first?.slices[0]).toMatchObject({ index: 1, uncertainty: values })
  })
})
