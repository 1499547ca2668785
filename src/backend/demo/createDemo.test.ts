import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeCard, writeModelFolder } from '../testing/fakeCompute.ts'
import { cleanUp, openBackend, temporaryFolder } from '../testing/fixtures.ts'
import { createDemoProject } from './createDemo.ts'

afterEach(cleanUp)

describe('createDemoProject', () => {
  it('makes a whole project with volumes, pictures, labels and the model, or leaves the folder alone', async () => {
    const folder = temporaryFolder()
    const modelDir = join(folder, 'model')
    writeModelFolder(
      modelDir,
      fakeCard({ id: 'demo-model', name: 'Demo model', labels: [{ value: 1, name: 'Liver' }] }),
    )
    const dir = join(folder, 'demo')
    mkdirSync(dir)
    await createDemoProject(dir, { modelDir })
    expect(readdirSync(folder).sort()).toEqual(['demo', 'model'])

    const test = await openBackend(dir)
    const project = await test.call('project.get', {})
    expect(project).toMatchObject({ name: 'Demo', isDemo: true, models: [{ version: 1, active: true }] })
    expect(project.labels.map((label) => [label.value, label.name])).toEqual([
      [1, 'Liver'],
      [2, 'Spleen'],
      [3, 'Kidney'],
      [4, 'Vertebra'],
      [5, 'Nucleus'],
    ])
    const volumes = project.cases.filter((item) => item.kind === 'volume')
    expect(volumes.map((item) => item.name)).toEqual(['CT abdomen A', 'CT abdomen B', 'CT abdomen C'])
    expect(project.cases.length).toBeGreaterThan(6)
    expect(project.lastCaseId).toBe(volumes[0]?.id)
    expect(await test.call('settings.get', {})).toEqual({ firstRun: true })
    const detail = await test.call('case.open', { caseId: volumes[0]?.id ?? '' })
    expect(detail).toMatchObject({ orientation: 'LPS', missing: false })
    expect(detail.dims.every((extent, axis) => extent >= (axis === 2 ? 80 : 160))).toBe(true)

    await expect(createDemoProject(dir, { modelDir })).rejects.toMatchObject({ code: 'conflict' })
    writeFileSync(join(folder, 'model', 'mine.txt'), 'not a project')
    await expect(createDemoProject(join(folder, 'model'), { modelDir })).rejects.toMatchObject({ code: 'conflict' })
    expect(existsSync(join(folder, 'model', 'mine.txt'))).toBe(true)
  })
})
