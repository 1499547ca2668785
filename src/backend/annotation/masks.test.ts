import { afterEach, describe, expect, it } from 'vitest'
import { Journal } from './journal.ts'
import { Masks } from './masks.ts'
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
