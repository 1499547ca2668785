import { describe, expect, it } from 'vitest'
import { computeMethods } from './compute.ts'
import { augmentationSettingsSchema, inferenceSettingsSchema, instanceSettingsSchema } from './recipes.ts'

describe('settings of recipes', () => {
  it('refuse factors and exponents that make nothing of a picture', () => {
    for (const name of ['zoom', 'gamma']) {
      expect(augmentationSettingsSchema.safeParse({ [name]: [0.5, 2] }).success).toBe(true)
      for (const pair of [
        [0, 1],
        [-1, 1],
        [2, 1],
        [1, Infinity],
      ]) {
        expect(augmentationSettingsSchema.safeParse({ [name]: pair }).success).toBe(false)
      }
    }
    expect(augmentationSettingsSchema.parse({ scale: [0, 1] }).scale).toEqual([0, 1])
  })

  it('refuse what would keep a computer busy for ever', () => {
    expect(augmentationSettingsSchema.safeParse({ blur: 1e6 }).success).toBe(false)
    expect(instanceSettingsSchema.safeParse({ kind: 'distance', smooth: 1e6 }).success).toBe(false)
    expect(inferenceSettingsSchema.safeParse({ overlap: 0.95 }).success).toBe(false)
  })

  it("are the model card's where a prediction names none", () => {
    const order = { modelDir: '/m', input: '/in.png', output: '/out.png', probabilities: false, instances: false }
    expect(computeMethods.predictFile.params.parse(order)).toEqual(order)
  })
})
