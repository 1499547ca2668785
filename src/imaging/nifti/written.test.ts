import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { affineToQform, qformToAffine } from '../../core/geometry/index.ts'
import type { Affine } from '../../core/contract/schemas.ts'
import { readImage } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { close, describeFiles, GEOMETRIES, valuesOf, type Described } from '../testing/nibabel.ts'
import { findPython, runPython } from '../testing/peer.ts'
import { verifyNiftiMask, writeNiftiMask, writeVolume } from './index.ts'

const peer = findPython(['nibabel', 'numpy'])

/** Random affines with rotation, shear, spacing and mirroring, some exactly along the axes. */
const AFFINES = `
import json, numpy as np, nibabel as nib
rng = np.random.default_rng(11)
out = []
for n in range(400):
    m = np.linalg.qr(rng.normal(size=(3, 3)))[0] if n % 4 else np.eye(3)[rng.permutation(3)] * rng.choice([-1, 1], 3)
    shear = np.eye(3) + np.triu(rng.normal(0, 0.15, (3, 3)), 1) * (n % 3 == 0)
    affine = nib.affines.from_matvec(m @ shear @ np.diag(rng.uniform(0.3, 6, 3)), rng.uniform(-200, 200, 3))
    header = nib.Nifti2Header(); header.set_qform(affine, 1, strip_shears=True)
    out.append(dict(affine=affine.tolist(), qform=header.get_qform().tolist()))
print(json.dumps(out))
`

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

function found(answers: ReadonlyMap<string, Described | null>, path: string): Described {
  const answer = answers.get(path) ?? null
  if (answer === null) throw new Error(`nibabel does not read ${path}`)
  return answer
}

/** Labels up to the given one. */
function labelsFor(count: number, largest: number): Uint8Array | Uint16Array | Uint32Array {
  const values = Array.from({ length: count }, (_, i) => (i === 0 ? largest : (i * 7919) % (largest + 1)))
  if (largest < 2 ** 8) return Uint8Array.from(values)
  return largest < 2 ** 16 ? Uint16Array.from(values) : Uint32Array.from(values)
}

describe.skipIf(!peer.available)(`NIfTI files that are written ${peer.reason}`, () => {
  it('as masks are found by nibabel where their image is', { timeout: 240_000 }, async () => {
    const made = join(folder.path, 'made')
    runPython(peer, `import os, sys; os.mkdir(sys.argv[1])\n${GEOMETRIES}`, [made])
    const sources = (await readdir(made)).map((name) => join(made, name))
    const masks = new Map<string, { source: string; labels: Uint8Array | Uint16Array | Uint32Array }>()
    for (const [n, source] of sources.entries()) {
      const image = await readImage(source)
      const labels = labelsFor(image.dims[0] * image.dims[1] * image.dims[2], [200, 60_000, 70_000][n % 3] ?? 0)
      const path = join(folder.path, `mask-of-${basename(source)}.nii${n % 2 === 0 ? '.gz' : ''}`)
      await writeNiftiMask(path, labels, image)
      await verifyNiftiMask(path, labels, image)
      await image.voxels.close()
      masks.set(path, { source, labels })
    }
    const truths = describeFiles(peer, folder.path, [...masks.keys(), ...sources])
    for (const [path, { source, labels }] of masks) {
      const mask = found(truths, path)
      const image = found(truths, source)
      const dtype = labels instanceof Uint8Array ? 'uint8' : labels instanceof Uint16Array ? 'uint16' : 'uint32'
      expect(mask, path).toMatchObject({ dtype, slope: 1, inter: 0, single: true })
      expect(mask.shape, path).toEqual(image.shape.slice(0, 3))
      expect(mask.affine.flat(), path).toEqual(close(image.affine.flat()))
      const kept = ['sform', 'qform', 'codes', 'units', 'zooms', 'version', 'endian', 'extensions'] as const
      if (image.version !== 0) for (const field of kept) expect(mask[field], `${path} ${field}`).toEqual(image[field])
      expect([...(await valuesOf(folder.path, mask))], path).toEqual([...labels])
    }
  })

  it('as volumes are read by nibabel, sheared or not, of any type, with scaling, in colour', async () => {
    const oblique: Affine = [
      [-0.8, 0.6, 0, 10],
      [0.6, 0.8, 0, 20],
      [0, 0, 2.5, -30],
      [0, 0, 0, 1],
    ]
    const sheared: Affine = [
      [-0.8, 0.1, 0.3, 10],
      [0.1, -0.7, 0.9, 20],
      [0.2, 0.3, 2.4, -30],
      [0, 0, 0, 1],
    ]
    const values = Array.from({ length: 60 }, (_, i) => (i * 37) % 120)
    const types = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array]
    const made = new Map<string, { affine: Affine; code: number }>()
    for (const [i, Type] of types.entries()) {
      const path = join(folder.path, `new-${Type.name}.nii${i % 2 === 0 ? '.gz' : ''}`)
      const affine = i % 3 === 0 ? sheared : oblique
      await writeVolume(path, { dims: [5, 4, 3], affine, data: Type.from(values), slope: 2, inter: -5 })
      made.set(path, { affine, code: i % 3 === 0 ? 0 : 1 })
    }
    const colour = join(folder.path, 'colour.nii')
    await writeVolume(colour, {
      dims: [5, 2, 2],
      affine: null,
      spacing: [2, 3, 4],
      channels: 3,
      data: Uint8Array.from(values),
    })
    const long = join(folder.path, 'long.nii.gz')
    const pieces = async function* (): AsyncGenerator<Uint16Array<ArrayBuffer>> {
      for (let i = 0; i < 4; i++) yield Promise.resolve(new Uint16Array(10_000).fill(i))
    }
    await writeVolume(long, { dims: [40_000, 1, 1], affine: oblique, data: pieces(), voxelType: 'uint16' })
    const truths = describeFiles(peer, folder.path, [...made.keys(), colour, long])
    for (const [path, { affine, code }] of made) {
      const truth = found(truths, path)
      expect(truth).toMatchObject({ codes: [1, code], units: ['mm', 'unknown'], shape: [5, 4, 3], slope: 2, inter: -5 })
      expect(truth.affine.flat(), path).toEqual(close(affine.flat()))
      expect([...(await valuesOf(folder.path, truth))], path).toEqual(values.map((value) => 2 * value - 5))
    }
    expect(found(truths, colour)).toMatchObject({ codes: [0, 0], zooms: [2, 3, 4], shape: [5, 2, 2] })
    expect([...(await valuesOf(folder.path, found(truths, colour)))]).toEqual(values)
    expect(found(truths, long)).toMatchObject({ version: 2, shape: [40_000, 1, 1], codes: [1, 1], zooms: [1, 1, 2.5] })
    expect((await valuesOf(folder.path, found(truths, long)))[29_999]).toBe(2)
  })

  it('have the quaternion that nibabel finds', () => {
    const truth = runPython(peer, AFFINES) as { affine: number[][]; qform: number[][] }[]
    expect(truth.length).toBe(400)
    for (const { affine, qform } of truth) {
      const own = affineToQform(affine)
      expect(own === null ? [] : qformToAffine(own).flat()).toEqual(close(qform.flat()))
    }
  })
})
