import { readFile, readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { affineToQform, orientationOf, qformToAffine } from '../../core/geometry/index.ts'
import { readImage, verifyMask, writeMask, writeVolume, type ImageVolume } from '../index.ts'
import { temporaryFolder, testData } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'

const peer = findPython(['nibabel', 'numpy'])

/** Makes one file for each data type, byte order, version and kind of geometry, with values at the ends of the type. */
const GENERATE = `
import sys, json, numpy as np, nibabel as nib
out = sys.argv[1]
rng = np.random.default_rng(3)
def save(name, data, affine=None, cls=nib.Nifti1Image, be=False, sform=1, qform=1, edit=None):
    header = cls.header_class(endianness='>' if be else '<')
    header.set_data_dtype(data.dtype)
    img = cls(data, None, header)
    if affine is not None:
        img.set_sform(affine, code=sform)
        img.set_qform(affine, code=qform, strip_shears=True)
    if edit: edit(img.header)
    nib.save(img, out + '/' + name)
oblique = nib.affines.from_matvec(np.array([[0.9, 0.25, -0.2], [-0.3, 0.85, 0.35], [0.28, -0.24, 0.93]]) @ np.diag([0.7, 0.8, 2.2]), [-31.5, 12.25, 77])
las = np.diag([-1.5, 1.5, 3, 1.0]); las[:3, 3] = [90, -126, -72]
lps = np.diag([-1, -1, 5.0, 1])
psl = np.array([[0, 0, -3, 100], [-1, 0, 0, 50], [0, 2, 0, -20], [0, 0, 0, 1.0]])
for t in ['u1','i1','u2','i2','u4','i4','u8','i8','f4','f8']:
    for be in (False, True):
        for cls, v in ((nib.Nifti1Image, 1), (nib.Nifti2Image, 2)):
            if t[0] == 'f': data = rng.normal(0, 1e4, (5, 4, 3)).astype(t)
            else:
                info = np.iinfo(t)
                # beyond 2**53 values are rounded, by both sides
                top = min(info.max, 2**53); low = max(info.min, -2**53)
                data = rng.integers(low, top, (5, 4, 3), dtype=t, endpoint=True); data.flat[0] = top; data.flat[1] = low
            save(f'{t}-{"be" if be else "le"}-v{v}.nii' + ('.gz' if be else ''), data, oblique, cls, be)
small = rng.integers(0, 999, (6, 5, 4)).astype('i2')
save('oblique.nii.gz', small, oblique)
save('las.nii.gz', small, las)
save('lps.nii.gz', small, lps)
save('psl.nii', small, psl)
save('qform-only.nii', small, oblique, sform=0, qform=2)
save('sform-wins.nii', small, oblique, sform=1, qform=3)
save('neither.nii', small, las, sform=0, qform=0)
save('neither-v2-be.nii', small, las, nib.Nifti2Image, True, 0, 0)
save('rank2.nii', small[:, :, 0], oblique)
save('one-frame.nii.gz', small[..., None], las)
save('five-d.nii', np.stack([small, small + 1], -1)[:, :, :, None, :], las)
save('float-nan.nii', np.where(small > 900, np.nan, small).astype('f4'), las)
save('int64-small.nii', small.astype('i8'), las)
def slope(h): h['scl_slope'] = 0.125; h['scl_inter'] = -1024
img = nib.Nifti1Image(small, las); img.header.set_slope_inter(0.125, -1024)
raw = bytearray(); nib.save(img, out + '/scaled.nii.gz')
# a quaternion that single precision made too long: a half turn about (0.8, 0.6, 0)
long = nib.Nifti1Image(small, las); long.set_sform(None, 0); long.set_qform(las, 1)
h = long.header; h['quatern_b'] = 0.8; h['quatern_c'] = 0.6000001; h['quatern_d'] = 0
long = nib.Nifti1Image(small, None, h); nib.save(long, out + '/long-quaternion.nii')
print(json.dumps(None))
`

/** What nibabel says of each file; the scaled values of the first frame go to NAME.bin as float64 in x-fastest order. */
const DESCRIBE = `
import sys, json, os, numpy as np, nibabel as nib
out = sys.argv[1]
answers = {}
for path in sys.argv[2:]:
    try:
        img = nib.load(path); h = img.header
        if img.get_data_dtype().names:
            raw = np.asanyarray(img.dataobj)
            data = np.stack([raw[c] for c in ('R', 'G', 'B')]).astype('f8')
            data = data.reshape(data.shape[:4] + (-1,))[..., 0] if data.ndim > 4 else data
        else:
            data = img.get_fdata(dtype='f8') if not np.issubdtype(img.get_data_dtype(), np.complexfloating) else np.zeros((1,))
            while data.ndim > 3: data = data[..., 0]
        data.ravel(order='F').tofile(out + '/' + str(len(answers)) + '.bin')
        answers[path] = dict(ok=True, bin=str(len(answers)) + '.bin', shape=img.shape, affine=np.asarray(img.affine, float).tolist(),
            orientation=''.join(nib.aff2axcodes(img.affine)), zooms=[float(z) for z in h.get_zooms()[:3]],
            dtype=str(img.get_data_dtype()), codes=[int(h['sform_code']), int(h['qform_code'])], single=bool(h.is_single),
            qform=np.asarray(h.get_qform(), float).tolist(), sform=np.asarray(h.get_sform(), float).tolist(),
            units=list(h.get_xyzt_units()), version=2 if isinstance(img, nib.Nifti2Image) else 1, endian=h.endianness)
    except Exception as e:
        answers[path] = dict(ok=False, error=str(e))
print(json.dumps(answers))
`

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
    out.append(dict(affine=affine.tolist(), axes=''.join(nib.aff2axcodes(affine)), qform=header.get_qform().tolist()))
print(json.dumps(out))
`

interface Description {
  ok: boolean
  bin: string
  shape: number[]
  affine: number[][]
  orientation: string
  zooms: number[]
  dtype: string
  codes: number[]
  single: boolean
  qform: number[][]
  sform: number[][]
  units: string[]
  version: number
  endian: string
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

function describeFiles(paths: string[]): Map<string, Description> {
  const answers = runPython(peer, DESCRIBE, [folder.path, ...paths]) as Record<string, Description>
  return new Map(Object.entries(answers))
}

async function valuesOf({ bin }: Description): Promise<Float64Array> {
  const bytes = await readFile(join(folder.path, bin))
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

function close(numbers: readonly number[]): unknown[] {
  return numbers.map((value) => expect.closeTo(value, 4) as unknown)
}

async function compare(path: string, truth: Description): Promise<ImageVolume> {
  const volume = await readImage(path)
  const [x = 1, y = 1, z = 1] = truth.shape
  expect(volume.dims, path).toEqual([x, y, z])
  expect(volume.affine?.flat(), path).toEqual(close(truth.affine.flat()))
  expect(volume.orientation, path).toBe(truth.orientation)
  expect([...volume.spacing].slice(0, truth.zooms.length), path).toEqual(close(truth.zooms))
  const expected = await valuesOf(truth)
  const data = await volume.voxels.all()
  let wrong = 0
  if (truth.dtype.startsWith('[')) {
    // Colour: interleaved channels from nibabel; brightness or interleaved channels from us.
    const n = x * y * z
    for (let i = 0; i < n; i++) {
      const [r = 0, g = 0, b = 0] = expected.subarray(3 * i, 3 * i + 3)
      const luma = Math.round(0.299 * r + 0.587 * g + 0.114 * b)
      if (volume.channels === 1 ? data[i] !== luma : data[3 * i + 1] !== g) wrong++
    }
  } else {
    expect(data.length, path).toBe(expected.length)
    for (let i = 0; i < expected.length; i++) {
      const value = (data[i] ?? 0) * volume.slope + volume.inter
      if (!Object.is(value, expected[i]) && value !== expected[i]) wrong++
    }
  }
  expect(wrong, `${path}: voxels that differ`).toBe(0)
  return volume
}

describe.skipIf(!peer.available)(`NIfTI against nibabel ${peer.reason}`, () => {
  it('reads every data type, byte order, version and geometry alike', { timeout: 120_000 }, async () => {
    const made = await temporaryFolder()
    try {
      runPython(peer, GENERATE, [made.path])
      const paths = (await readdir(made.path)).map((name) => join(made.path, name))
      expect(paths.length).toBeGreaterThan(50)
      for (const [path, truth] of describeFiles(paths)) {
        expect(truth.ok, path).toBe(true)
        await compare(path, truth)
      }
    } finally {
      await made.remove()
    }
  })

  it('writes masks that nibabel finds in the same place with the same labels', { timeout: 120_000 }, async () => {
    const made = await temporaryFolder()
    try {
      runPython(peer, GENERATE, [made.path])
      const names = ['oblique.nii.gz', 'las.nii.gz', 'psl.nii', 'qform-only.nii', 'neither.nii', 'rank2.nii']
      names.push(
        'i2-be-v1.nii.gz',
        'f8-be-v2.nii.gz',
        'u8-le-v2.nii',
        'one-frame.nii.gz',
        'five-d.nii',
        'scaled.nii.gz',
      )
      const masks = new Map<string, { source: string; labels: Uint8Array }>()
      for (const name of names) {
        const source = join(made.path, name)
        const image = await readImage(source)
        const labels = Uint8Array.from(
          { length: image.dims[0] * image.dims[1] * image.dims[2] },
          (_, i) => (i * 7) % 256,
        )
        const path = join(made.path, `mask-of-${name.replace(/\.nii(\.gz)?$/, '')}.nii.gz`)
        await writeMask(path, labels, image)
        await verifyMask(path, labels, image)
        masks.set(path, { source, labels })
      }
      const truths = describeFiles([...masks.keys(), ...[...masks.values()].map(({ source }) => source)])
      for (const [path, { source, labels }] of masks) {
        const mask = truths.get(path)
        const image = truths.get(source)
        if (mask === undefined || image === undefined) throw new Error('nibabel did not answer')
        expect(mask, path).toMatchObject({ ok: true, dtype: 'uint8', single: true })
        expect(mask.shape, path).toEqual(image.shape.slice(0, 3))
        for (const field of ['affine', 'sform', 'qform', 'codes', 'units', 'zooms', 'version', 'endian'] as const) {
          expect(mask[field], `${path} ${field}`).toEqual(image[field])
        }
        expect(Uint8Array.from(await valuesOf(mask)), path).toEqual(labels)
      }
    } finally {
      await made.remove()
    }
  })

  it('writes new volumes that nibabel reads', async () => {
    const path = join(folder.path, 'new.nii.gz')
    const affine = [
      [-0.8, 0.1, 0.3, 10],
      [0.1, -0.7, 0.9, 20],
      [0.2, 0.3, 2.4, -30],
      [0, 0, 0, 1],
    ]
    const data = Float32Array.from({ length: 60 }, (_, i) => i / 8 - 2)
    await writeVolume(path, { dims: [5, 4, 3], affine, data })
    const truth = describeFiles([path]).get(path)
    if (truth === undefined) throw new Error('nibabel did not answer')
    expect(truth).toMatchObject({
      ok: true,
      dtype: 'float32',
      codes: [1, 1],
      units: ['mm', 'unknown'],
      shape: [5, 4, 3],
    })
    expect(truth.affine.flat()).toEqual(close(affine.flat()))
    expect([...(await valuesOf(truth))]).toEqual([...data])
  })

  it('names orientations and finds quaternions alike for any affine', () => {
    const truth = runPython(peer, AFFINES) as { affine: number[][]; axes: string; qform: number[][] }[]
    expect(truth.length).toBe(400)
    for (const { affine, axes, qform } of truth) {
      expect(orientationOf(affine), JSON.stringify(affine)).toBe(axes)
      const own = affineToQform(affine)
      const again = own === null ? [] : qformToAffine(own).flat()
      expect(again).toEqual(close(qform.flat()))
    }
  })

  const conformance = testData('nifti')
  it.skipIf(conformance === null)('reads or clearly refuses every conformance file', { timeout: 240_000 }, async () => {
    const files = (await readdir(conformance ?? '', { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile() && /nii|crash|hdr|img/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
    const outcome = { read: 0, refused: 0 }
    for (const [path, truth] of describeFiles(files)) {
      const readable = truth.ok && truth.single && !truth.dtype.startsWith('complex')
      if (readable) {
        await compare(path, truth)
        outcome.read++
      } else {
        const error: unknown = await readImage(path).catch((thrown: unknown) => thrown)
        expect(error, path).toBeInstanceOf(CodedError)
        if (error instanceof CodedError) {
          expect(error.code, path).toBe('bad-file')
          expect(error.message).toContain(basename(path))
          expect(error.message).toMatch(/^[^\n]+\.$/)
        }
        outcome.refused++
      }
    }
    expect(outcome.read).toBeGreaterThan(20)
    expect(outcome.refused).toBeGreaterThan(5)
  })
})
