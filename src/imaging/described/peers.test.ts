import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readImage } from '../registry.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'
import { convertImage } from '../convert/index.ts'

const peer = findPython(['nibabel', 'numpy'])
const itk = spawnSync('plastimatch', ['--version']).error === undefined
const teem = spawnSync('teem-unu', ['about']).error === undefined

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string): string => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const MAKE = `
import sys, json, numpy as np, nibabel as nib
c, s = np.cos(.4), np.sin(.4)
turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
affine = np.eye(4)
affine[:3, :3] = turn @ np.array([[0, 0, -2.5], [0.75, 0, 0], [0, 1.25, 0]])
affine[:3, 3] = [-10.5, 20.25, 33]
rng = np.random.default_rng(3)
data = rng.integers(-2000, 2000, (5, 6, 4)).astype(np.int16)
nib.save(nib.Nifti1Image(data, affine), sys.argv[1])
print('null')
`
const LOAD = `
import sys, json, nibabel as nib, numpy as np
image = nib.load(sys.argv[1])
print(json.dumps(dict(data=np.asarray(image.dataobj).ravel(order='F').tolist(), affine=image.affine.tolist())))
`
interface Loaded {
  readonly data: number[]
  readonly affine: number[][]
}
const load = (name: string): Loaded => runPython(peer, LOAD, [at(name)]) as Loaded

async function expectSame(name: string, wanted: Loaded): Promise<void> {
  const image = await readImage(at(name))
  expect([...(await image.voxels.all())], name).toEqual(wanted.data)
  expect(image.affine?.flat()).toHaveLength(16)
  image.affine?.flat().forEach((value, i) => expect(value).toBeCloseTo(wanted.affine.flat()[i] ?? NaN, 4))
  await image.voxels.close()
}

/** plastimatch reads and writes with ITK, which defines MetaImage and the common use of NRRD. */
describe.skipIf(!peer.available || !itk)(
  `volumes of ITK ${itk ? peer.reason : '(no plastimatch on this machine)'}`,
  () => {
    it.each(['nrrd', 'nhdr', 'mha', 'mhd'])('lie where ITK puts them (.%s)', { timeout: 120_000 }, async (ending) => {
      runPython(peer, MAKE, [at('volume.nii')])
      spawnSync('plastimatch', ['convert', '--input', at('volume.nii'), '--output-img', at(`itk.${ending}`)])
      await expectSame(`itk.${ending}`, load('volume.nii'))
      await convertImage(at(`itk.${ending}`), at(`${ending}.nii.gz`))
      const back = load(`${ending}.nii.gz`)
      expect(back.data).toEqual(load('volume.nii').data)
    })
  },
)

describe.skipIf(!peer.available || !itk || !teem)(
  `volumes of Teem ${teem ? '' : '(no teem-unu on this machine)'}`,
  () => {
    it.each([
      ['raw', ['-en', 'big']],
      ['gzip', []],
      ['ascii', []],
      ['hex', []],
    ] as const)('read as %s what Teem wrote', { timeout: 120_000 }, async (encoding, more) => {
      runPython(peer, MAKE, [at('source.nii')])
      spawnSync('plastimatch', ['convert', '--input', at('source.nii'), '--output-img', at('source.nrrd')])
      const name = `teem-${encoding}.nrrd`
      const { stderr } = spawnSync(
        'teem-unu',
        ['save', '-f', 'nrrd', '-e', encoding, ...more, '-i', at('source.nrrd'), '-o', at(name)],
        { encoding: 'utf8' },
      )
      expect(stderr).toBe('')
      await expectSame(name, load('source.nii'))
    })
  },
)
