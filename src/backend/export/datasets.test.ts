import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { writePng } from '../../imaging/index.ts'
import { cleanUp, jobEnd, openWithCase, rectangle, temporaryFolder } from '../testing/fixtures.ts'

afterEach(cleanUp)

describe('a project with volumes and pictures', () => {
  it('gives nnU-Net a data set of each kind', async () => {
    const test = await openWithCase()
    const folder = temporaryFolder()
    const picture = async (name: string, channels: 1 | 3): Promise<string> => {
      const path = join(folder, `${name}.png`)
      const data = Uint8Array.from({ length: 48 * channels }, (_, i) => (i * 7) % 251)
      await writePng(path, { width: 8, height: 6, channels, data })
      return (await test.call('case.add', { fileId: test.backend.registerFile(path, 'open').id })).id
    }
    const ids = [test.caseId, await picture('grey', 1), await picture('colour', 3)]
    for (const caseId of ids) {
      await test.call('annotation.commit', {
        caseId,
        delta: rectangle({ index: 0, at: [1, 1], size: [2, 2], after: 1 }),
      })
    }
    const written = async (only: 'volumes' | 'grey' | 'colour' | null): Promise<[string, string[]]> => {
      const target = join(folder, `set-${only ?? 'all'}`)
      const fileId = test.backend.registerFile(target, 'save').id
      const { id } = await test.call('export.dataset', { format: 'nnunet', caseIds: null, only, fileId })
      const { state } = await jobEnd(test, id)
      return [state, state === 'done' ? readdirSync(join(target, 'labelsTr')) : []]
    }
    expect(await written(null)).toEqual(['failed', []])
    expect(await written('volumes')).toEqual(['done', ['volume-0.nii.gz']])
    expect(await written('grey')).toEqual(['done', ['grey.png']])
    expect(await written('colour')).toEqual(['done', ['colour.png']])
  })
})
