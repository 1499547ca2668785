import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { readImageInfo } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { describeFiles, expectInfo, expectValues, GEOMETRIES } from '../testing/nibabel.ts'
import { findPython, runPython } from '../testing/peer.ts'

const peer = findPython(['nibabel', 'numpy'])

/** Every data type in every byte order, version, packing and number of files, with values at the ends of the type. */
const TYPES = `
import sys, numpy as np, nibabel as nib
out = sys.argv[1]
rng = np.random.default_rng(3)
oblique = nib.affines.from_matvec(np.array([[0.9, 0.25, -0.2], [-0.3, 0.85, 0.35], [0.28, -0.24, 0.93]]) @ np.diag([0.7, 0.8, 2.2]), [-31.5, 12.25, 77])
shape = (5, 4, 3)
def values(t):
    if t in ('rgb', 'rgba'):
        names = [(c, 'u1') for c in 'RGBA'[:len(t)]]
        data = np.zeros(shape, names)
        for c, _ in names: data[c] = rng.integers(0, 256, shape)
        return data
    if t[0] == 'f': return rng.normal(0, 1e4, shape).astype(t)
    if t[0] == 'c': return (rng.normal(0, 1e4, shape) + 1j * rng.normal(0, 10, shape)).astype(t)
    info = np.iinfo(t)
    # beyond 2**53 values are rounded, by both sides
    top = min(info.max, 2**53); low = max(info.min, -2**53)
    data = rng.integers(low, top, shape, dtype=t, endpoint=True); data.flat[0] = top; data.flat[1] = low
    return data
for t in ['u1','i1','u2','i2','u4','i4','u8','i8','f4','f8','c8','c16','rgb','rgba']:
    for be in (False, True):
        for version, single, pair in ((1, nib.Nifti1Image, nib.Nifti1Pair), (2, nib.Nifti2Image, nib.Nifti2Pair)):
            data = values(t)
            for cls, ending in ((single, 'nii'), (pair, 'img')):
                for gz in ('', '.gz'):
                    header = cls.header_class(endianness='>' if be else '<')
                    header.set_data_dtype(data.dtype)
                    img = cls(data, None, header)
                    img.set_sform(oblique, 1); img.set_qform(oblique, 1)
                    nib.save(img, f'{out}/{t}-{"be" if be else "le"}-v{version}-{"gz" if gz else "plain"}.{ending}{gz}')
print('null')
`

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())
afterEach(() => vi.unstubAllEnvs())

async function generated(script: string): Promise<string[]> {
  const made = join(folder.path, `made-${script.length}`)
  runPython(peer, `import os, sys; os.mkdir(sys.argv[1])\n${script}`, [made])
  return (await readdir(made)).map((name) => join(made, name))
}

describe.skipIf(!peer.available)(`NIfTI against nibabel ${peer.reason}`, () => {
  it('reads every data type, byte order, version, packing and pair alike', { timeout: 240_000 }, async () => {
    const paths = await generated(TYPES)
    // 14 types in 8 kinds of single files, and of pairs of which both halves are opened.
    expect(paths.length).toBe(14 * 8 + 14 * 16)
    for (const [path, truth] of describeFiles(peer, folder.path, paths)) {
      if (truth === null) throw new Error(`nibabel does not read ${path}`)
      await expectInfo(path, truth)
      for (const memory of ['1', '1000000']) {
        vi.stubEnv('MASKWRIGHT_VOXEL_MEMORY', memory)
        await expectValues(folder.path, path, truth)
      }
    }
  })

  it('reads every geometry, rank, unit, offset and extension alike', { timeout: 120_000 }, async () => {
    const paths = await generated(GEOMETRIES)
    expect(paths.length).toBeGreaterThan(35)
    for (const [path, truth] of describeFiles(peer, folder.path, paths)) {
      if (truth === null) throw new Error(`nibabel does not read ${path}`)
      await expectInfo(path, truth)
      await expectValues(folder.path, path, truth)
      const { warnings } = await readImageInfo(path)
      expect(
        warnings.some((line) => line.includes('right angles')),
        path,
      ).toBe(path.endsWith('sheared.nii'))
    }
  })
})
