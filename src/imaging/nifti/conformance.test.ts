import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { readImage } from '../index.ts'
import { temporaryFolder, testData } from '../testing/folders.ts'
import { describeFiles, expectInfo, expectValues } from '../testing/nibabel.ts'
import { findPython } from '../testing/peer.ts'

const peer = findPython(['nibabel', 'numpy'])
const conformance = testData('nifti')
const reason = peer.available ? 'no conformance files on this machine' : peer.reason

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

async function refusal(path: string): Promise<CodedError> {
  const error: unknown = await readImage(path).catch((thrown: unknown) => thrown)
  if (!(error instanceof CodedError)) throw new Error(`${path} was read`)
  return error
}

describe.skipIf(conformance === null || !peer.available)(`Files of other readers' tests (or ${reason})`, () => {
  it('are read as nibabel reads them, or refused in a sentence', { timeout: 240_000 }, async () => {
    const files = (await readdir(conformance ?? '', { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && /\.(nii|hdr|img)(\.gz)?$|crash/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
    const outcome = { read: 0, refused: 0 }
    for (const [path, truth] of describeFiles(peer, folder.path, files)) {
      if (truth !== null) await expectInfo(path, truth)
      if (truth?.values === true) {
        await expectValues(folder.path, path, truth)
        outcome.read++
        continue
      }
      // Packed on one side alone, which nibabel does not look for; the same pair as minimal.hdr and minimal.img.
      if (basename(path).startsWith('minimal2.')) {
        const [pair, other] = await Promise.all([readImage(path), readImage(join(path, '..', 'minimal.hdr'))])
        expect(await pair.voxels.all()).toEqual(await other.voxels.all())
        outcome.read++
        continue
      }
      const error = await refusal(path)
      expect(error.code, path).toBe('bad-file')
      expect(error.message).toContain(basename(path))
      expect(error.message).toMatch(/^[^\n]+\.$/)
      outcome.refused++
    }
    expect(outcome.read).toBeGreaterThan(35)
    expect(outcome.refused).toBe(7)
  })
})
