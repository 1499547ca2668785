import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { orientationOf, voxelToWorld } from '../../core/geometry/index.ts'
import type { Vec3 } from '../../core/contract/schemas.ts'
import { readImage, writeVerifiedMask } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'
import { convertImage } from './index.ts'

const peer = findPython(['nibabel', 'numpy'])

/**
 * One asymmetric volume in every order of storage, as nibabel stores it: single files and packed ones, both versions, with the forms as
 * `as_reoriented` leaves them and with both set.
 */
const MAKE = `
import sys, json, itertools, numpy as np, nibabel as nib
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
folder, kind = sys.argv[1:]
rng = np.random.default_rng(5)
data = rng.integers(-1000, 3000, (7, 9, 11)).astype(np.int16)
data[:3, :2, :5] = 4000
affine = np.array([[1.25, 0, 0, -31.4], [0, 0.7, 0, -17.25], [0, 0, 2.5, 12.3], [0, 0, 0, 1]])
if kind == 'odd':
    affine = np.array([[2.5, 0, 0, 3.3333332538604736], [0, 2.5, 0, -7.123456001281738], [0, 0, 1.5, -55.03813552856445], [0, 0, 0, 1]])
if kind == 'oblique':
    c, s = np.cos(.35), np.sin(.35)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ affine[:3, :3]
cls = nib.Nifti2Image if kind == 'double' else nib.Nifti1Image
image = cls(data, affine)
image.header.set_xyzt_units('mm', 'sec')
image.header['descrip'] = 'one volume'
image.set_sform(affine, 1)
image.set_qform(affine, 1 if kind != 'sform' else 0)
names = []
for letters in itertools.permutations(['RL', 'AP', 'SI']):
    for code in itertools.product(*letters):
        want = ornt_transform(io_orientation(affine), axcodes2ornt(code))
        stored = image.as_reoriented(want)
        if kind != 'sform':
            stored.set_sform(stored.affine, 1)
            stored.set_qform(stored.affine, 1)
        else:
            stored.header['sform_code'] = 2
        name = ''.join(code) + ('.nii.gz' if code[0] in 'RAS' else '.nii')
        nib.save(stored, folder + '/' + name)
        names.append(name)
np.save(folder + '/truth.npy', data)
np.save(folder + '/affine.npy', affine)
block = np.argwhere(data == 4000) @ affine[:3, :3].T + affine[:3, 3]
print(json.dumps(dict(names=names, block=block.tolist())))
`

/** Masks as nibabel sees them: brought into one order, all the same and where they were drawn; converted volumes likewise. */
const COMPARE = `
import sys, json, glob, os, numpy as np, nibabel as nib
folder = sys.argv[1]
truth, affine = np.load(folder + '/truth.npy'), np.load(folder + '/affine.npy')
out = []
for path in sorted(glob.glob(folder + '/???.nii*')):
    name = os.path.basename(path)
    image = nib.load(path)
    mask = nib.load(folder + '/masks/' + name)
    ras = nib.load(folder + '/ras/' + name.split('.')[0] + '.nii')
    back = nib.as_closest_canonical(mask)
    out.append(dict(
        name=name,
        overlays=bool(mask.shape == image.shape and np.array_equal(mask.affine, image.affine) and
            np.array_equal(mask.get_qform(), image.get_qform())),
        drawn=bool(np.array_equal(np.asarray(back.dataobj), (truth == 4000).astype(np.uint8))),
        apart=float(np.abs(back.affine - affine).max()),
        voxels=bool(np.array_equal(np.asarray(ras.dataobj), truth) and ras.get_data_dtype() == truth.dtype),
        place=float(np.abs(ras.affine - affine).max()),
        qplace=float(np.abs(ras.get_qform() - affine).max()),
        descrip=ras.header['descrip'].item().decode(), units=list(ras.header.get_xyzt_units())))
print(json.dumps(out))
`

interface Compared {
  readonly name: string
  readonly overlays: boolean
  readonly drawn: boolean
  readonly apart: number
  readonly voxels: boolean
  readonly place: number
  readonly qplace: number
  readonly descrip: string
  readonly units: string[]
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

describe.skipIf(!peer.available)(`one volume in its 48 orders of storage ${peer.reason}`, () => {
  it.each(['straight', 'oblique', 'odd', 'double', 'sform'])(
    'becomes 48 identical files, and what is drawn on each lies on the same anatomy (%s)',
    { timeout: 240_000 },
    async (kind) => {
      const at = (...parts: string[]): string => join(folder.path, kind, ...parts)
      await mkdir(at('ras'), { recursive: true })
      await mkdir(at('masks'))
      const made = runPython(peer, MAKE, [at(), kind]) as { names: string[]; block: Vec3[] }
      const { names, block } = made
      expect(names).toHaveLength(48)
      const digests = new Set<string>()
      for (const name of names) {
        const code = name.slice(0, 3)
        const image = await readImage(at(name))
        expect(image.orientation).toBe(code)
        // Drawn by the place in the patient, as in the viewer.
        const [nx, ny, nz] = image.dims
        const labels = new Uint8Array(nx * ny * nz)
        for (let i = 0; i < labels.length; i++) {
          const voxel: Vec3 = [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))]
          const [x, y, z] = image.affine === null ? [0, 0, 0] : voxelToWorld(image.affine, voxel)
          const hit = block.some(([p, q, r]) => Math.hypot(p - x, q - y, r - z) < 1e-2)
          labels[i] = hit ? 1 : 0
        }
        await writeVerifiedMask(at('masks', name), labels, image)
        await image.voxels.close()
        const ras = at('ras', `${code}.nii`)
        const converted = await convertImage(at(name), ras, { reorient: 'RAS' })
        expect(converted).toMatchObject({ dims: [7, 9, 11, 1], datatype: 'int16', warnings: [] })
        digests.add(
          createHash('sha256')
            .update(await readFile(ras))
            .digest('hex'),
        )
        const again = await readImage(ras)
        expect(again.affine === null ? '' : orientationOf(again.affine)).toBe('RAS')
        await again.voxels.close()
      }
      expect(digests.size).toBe(1)
      const compared = runPython(peer, COMPARE, [at()]) as Compared[]
      expect(compared).toHaveLength(48)
      for (const one of compared) {
        expect(one).toMatchObject({ overlays: true, drawn: true, voxels: true, descrip: 'one volume' })
        expect(one.units).toEqual(['mm', 'sec'])
        expect(one.apart).toBeLessThan(1e-4)
        expect(one.place).toBeLessThan(1e-4)
        expect(one.qplace).toBeLessThan(1e-4)
      }
    },
  )
})
