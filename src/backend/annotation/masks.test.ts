import { afterEach, describe, expect, it } from 'vitest'
import { Journal } from './journal.ts'
import { maskArray, Masks } from './masks.ts'
import { Cases } from '../project/cases.ts'
import { openProject } from '../project/project.ts'
import { addVolume, cleanUp, openWithCase, rectangle } from '../testing/fixtures.ts'

afterEach(cleanUp)

describe('Masks', () => {
  it('drops what was used longest ago beyond its budget, and brings it back from the journal', async () => {
    const test = await openWithCase()
    const other = await addVolume(test, { seed: 1 })
    for (const caseId of [test.caseId, other.id]) {
      const delta = rectangle({ index: 1, at: [0, 0], size: [2, 2], after: 1 })
      await test.call('annotation.commit', { caseId, delta })
    }
    await test.backend.close()
    const project = openProject(test.dir)
    const journal = new Journal(project.db)
    const loads: string[] = []
    const masks = new Masks({
      cases: new Cases(project.db),
      journal,
      readSnapshot: async (caseId) => {
        loads.push(caseId)
        return null
      },
      budget: 300,
    })
    const voxels = (caseId: string) => masks.use(caseId, (mask) => mask.labels.filter((label) => label === 1).length)
    // 240 bytes each: only one fits. While two are in use at once, both stay.
    expect(await Promise.all([voxels(test.caseId), voxels(test.caseId)])).toEqual([4, 4])
    expect(loads).toEqual([test.caseId])
    expect(await voxels(other.id)).toBe(4)
    expect(masks.loadedCases()).toEqual([other.id])
    expect(await voxels(test.caseId)).toBe(4)
    expect(loads).toEqual([test.caseId, other.id, test.caseId])
    await expect(voxels('unknown')).rejects.toMatchObject({ code: 'not-found' })
    project.close()
  })
})

describe('maskArray', () => {
  it('has a byte a voxel, and refuses in a sentence what is too large', () => {
    expect(maskArray([3, 4, 5])).toEqual(new Uint8Array(60))
    for (const dims of [
      [70_000, 70_000, 1],
      [100_000, 100_000, 100_000],
    ] as const) {
      expect(() => maskArray([...dims])).toThrow(expect.objectContaining({ code: 'bad-file' }))
      expect(() => maskArray([...dims])).toThrow("does not fit into this computer's memory")
    }
  })
})
