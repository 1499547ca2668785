import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { memoryStore, readImage, writePng, writeVolume } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'
import { castingOf, type WrittenType } from './samples.ts'
import { convertImage } from './index.ts'

const peer = findPython(['nibabel', 'numpy', 'tifffile', 'PIL'])

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string): string => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

describe('casting', () => {
  const data = Float32Array.of(0.5, 1.5, 2.5, -0.4, -1.6, 100)
  const image = async () => {
    const path = at('floats.nii')
    const affine = [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ]
    await writeVolume(path, { dims: [6, 1, 1], affine, data })
    return { ...(await readImage(path)), voxels: memoryStore(data, [6, 1, 1]) }
  }

  it('rounds halves to even numbers, and says that it rounded', async () => {
    const casting = castingOf(await image(), 'int8', true)
    expect([...casting.cast(data)]).toEqual([0, 2, 2, 0, -2, 100])
    expect(casting.rounded()).toBe(true)
    const exact = castingOf(await image(), 'int8', true)
    expect([...exact.cast(Float32Array.of(-3, 4))]).toEqual([-3, 4])
    expect(exact.rounded()).toBe(false)
  })

  it('refuses what does not fit, and says the value', async () => {
    const cast = async (type: WrittenType, ...values: number[]) =>
      castingOf(await image(), type, true).cast(Float64Array.from(values))
    await expect(cast('uint8', 255.4)).resolves.toEqual(Uint8Array.of(255))
    await expect(cast('uint8', 255.6)).rejects.toThrow(
      'floats.nii holds the value 255.6, which uint8 cannot; choose a wider data type.',
    )
    await expect(cast('int16', NaN)).rejects.toThrow(/value NaN/)
    await expect(cast('uint64', -1)).rejects.toThrow(/value -1,/)
    const doubles = { ...(await image()), voxelType: 'float64' as const }
    expect(() => castingOf(doubles, 'float32', true).cast(Float64Array.of(1e300))).toThrow(/1e\+300/)
    expect([...castingOf(doubles, 'float32', true).cast(Float64Array.of(NaN, Infinity))]).toEqual([NaN, Infinity])
    expect(() => castingOf(doubles, 'rgb24', true)).toThrow(/not in colour/)
  })

  it('keeps scaling where the format has it, and applies it where it has not', async () => {
    const scaled = { ...(await image()), slope: 2, inter: -1 }
    expect(castingOf(scaled, null, true)).toMatchObject({ type: 'float32', slope: 2, inter: -1 })
    const flat = castingOf(scaled, null, false)
    expect([flat.type, flat.slope, ...flat.cast(Float32Array.of(3))]).toEqual(['float32', 1, 5])
    const asked = castingOf(scaled, 'float32', true)
    expect([asked.slope, ...asked.cast(Float32Array.of(3))]).toEqual([1, 5])
  })
})

/** NIfTI files of many kinds. */
const MAKE = `
import sys, json, numpy as np, nibabel as nib
folder = sys.argv[1] + '/'
rng = np.random.default_rng(7)
affine = np.array([[-1.5, 0, 0, 40], [0, 0, 2, -30], [0, 2.5, 0, 10], [0, 0, 0, 1.]])
def save(name, data, cls=nib.Nifti1Image, endian='<', affine=affine, edit=None):
    header = cls.header_class(endianness=endian)
    header.set_data_dtype(data.dtype)
    image = cls(data, affine, header)
    image.set_sform(affine, 2)
    image.set_qform(affine, 1)
    if edit: edit(image)
    nib.save(image, folder + name)
def rich(image):
    h = image.header
    h.set_xyzt_units('mm', 'msec')
    h['pixdim'][4] = 720
    h['descrip'] = 'kept'
    h['cal_max'] = 77
    h['intent_name'] = 'intent'
    h['toffset'] = 3
    h.set_dim_info(freq=0, phase=2, slice=1)
    h['slice_start'], h['slice_end'], h['slice_code'] = 0, 3, 1
    h.set_slope_inter(0.5, -3)
    for text in (b'first', b'second, and longer than sixteen bytes'):
        h.extensions.append(nib.nifti1.Nifti1Extension('comment', text))
four = rng.integers(-500, 500, (5, 4, 3, 6)).astype(np.int16)
save('four.nii.gz', four, edit=rich)
save('four-big.nii', four.astype('>i2'), endian='>', edit=rich)
save('four-2.nii.gz', four, cls=nib.Nifti2Image, edit=rich)
save('pair.img', four[..., 0], cls=nib.Nifti1Pair)
for kind in ('int8', 'uint8', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float32', 'float64'):
    save(kind + '.nii', rng.integers(0, 100, (5, 4, 3)).astype(kind))
save('complex64.nii', (rng.random((5, 4, 3)) + 1j * rng.random((5, 4, 3))).astype('complex64'))
save('most-int64.nii', np.array([-2**63, 2**63 - 1, 7], 'int64').reshape(3, 1, 1))
save('most-uint64.nii.gz', np.array([0, 2**64 - 1, 2**63], 'uint64').reshape(3, 1, 1))
wide = np.zeros((128, 128, 80), 'int64')
wide[-1, -1, -1] = 2**53 + 1
save('wide.nii.gz', wide)
rgb = rng.integers(0, 255, (5, 4, 3, 3)).astype('u1')
save('rgb24.nii', np.ascontiguousarray(rgb).view([('R', 'u1'), ('G', 'u1'), ('B', 'u1')])[..., 0])
def apart(image): image.set_qform(np.diag([3., 3, 3, 1]), 3)
save('apart.nii', four[..., 0], edit=apart)
save('nowhere.nii', four[..., 0])
with open(folder + 'nowhere.nii', 'r+b') as f:
    f.seek(252)
    f.write(bytes(4))
def micron(image): image.header.set_xyzt_units('micron')
save('micron.nii', four[..., 0], edit=micron)
print('null')
`

/** Is a converted file what nibabel makes of the original? Both are brought into one order. */
const COMPARE = `
import sys, json, numpy as np, nibabel as nib
a, b = nib.load(sys.argv[1]), nib.load(sys.argv[2])
ca, cb = nib.as_closest_canonical(a), nib.as_closest_canonical(b)
da, db = np.asarray(ca.dataobj), np.asarray(cb.dataobj)
h, g = a.header, b.header
kept = ['cal_max', 'cal_min', 'toffset', 'descrip', 'intent_code', 'intent_name', 'xyzt_units', 'sform_code', 'qform_code']
print(json.dumps(dict(
    same=bool(da.shape == db.shape and np.array_equal(da, db)), dtype=str(b.get_data_dtype()),
    slope=[float(a.dataobj.slope) == float(b.dataobj.slope), float(a.dataobj.inter) == float(b.dataobj.inter)],
    apart=float(np.abs(ca.affine - cb.affine).max()), axes=''.join(nib.aff2axcodes(b.affine)),
    sform=b.get_sform().tolist(), qform=b.get_qform().tolist(), codes=[int(g['qform_code']), int(g['sform_code'])],
    changed=[k for k in kept if h[k] != g[k]], zooms=[float(z) for z in g.get_zooms()],
    extensions=[e.get_content().decode() for e in g.extensions], endian=g.endianness,
    timing=[list(g.get_dim_info()), int(g['slice_start']), int(g['slice_end']), int(g['slice_code'])], shape=list(b.shape))))
`
interface Compared {
  readonly sform: number[][]
  readonly qform: number[][]
  readonly apart: number
  readonly zooms: number[]
}
const compare = (from: string, to: string) => runPython(peer, COMPARE, [at(from), at(to)]) as Compared

describe.skipIf(!peer.available)(`converted files in nibabel ${peer.reason}`, () => {
  beforeAll(() => {
    runPython(peer, MAKE, [folder.path])
  }, 120_000)

  it.each(['four.nii.gz', 'four-big.nii', 'four-2.nii.gz'])(
    'keep frames, scaling, extensions and what else the header says (%s)',
    { timeout: 120_000 },
    async (name) => {
      const to = `lpi-${name}`
      const made = await convertImage(at(name), at(to), { reorient: 'LPI' })
      expect(made).toMatchObject({ dims: [5, 3, 4, 6], datatype: 'int16', warnings: [] })
      const found = compare(name, to)
      expect(found).toMatchObject({
        ...{ same: true, slope: [true, true], axes: 'LPI', changed: [], endian: name.includes('big') ? '>' : '<' },
        extensions: ['first', 'second, and longer than sixteen bytes'],
        // Slices were across the second axis, which is now the third one, mirrored: upwards has become downwards.
        timing: [[0, 1, 2], 0, 3, 2],
      })
      expect(found.apart).toBeLessThan(1e-4)
      expect(found.zooms.map((zoom) => Number(zoom.toFixed(4)))).toEqual([1.5, 2, 2.5, 720])
    },
  )

  it('take one frame, or every type as it is', { timeout: 240_000 }, async () => {
    const one = await convertImage(at('four.nii.gz'), at('frame.nii'), { selection: { frame: 4 } })
    expect(one).toMatchObject({ dims: [5, 4, 3, 1], warnings: [] })
    const image = await readImage(at('four.nii.gz'), { selection: { frame: 4 } })
    const frame = await readImage(at('frame.nii'))
    expect(await frame.voxels.all()).toEqual(await image.voxels.all())
    expect([frame.slope, frame.inter]).toEqual([0.5, -3])
    for (const type of [
      'int8',
      'uint8',
      'uint16',
      'int32',
      'uint32',
      'int64',
      'uint64',
      'float32',
      'float64',
      'rgb24',
    ]) {
      const made = await convertImage(at(`${type}.nii`), at(`${type}-ras.nii.gz`), { reorient: 'RAS' })
      expect(made.datatype).toBe(type)
      const found = compare(`${type}.nii`, `${type}-ras.nii.gz`)
      expect(found, type).toMatchObject({ same: true, axes: 'RAS' })
      if (type !== 'rgb24') expect(found).toMatchObject({ dtype: type })
    }
    expect(await convertImage(at('pair.img'), at('single.nii'))).toMatchObject({ dims: [5, 4, 3, 1] })
    expect(compare('pair.img', 'single.nii')).toMatchObject({ same: true, changed: [] })
    const phase = await convertImage(at('complex64.nii'), at('phase.nii'), { selection: { part: 'phase' } })
    expect(phase.datatype).toBe('float32')
  })

  it('say the same twice, or two things, as their source does', { timeout: 120_000 }, async () => {
    await convertImage(at('apart.nii'), at('apart-ras.nii'), { reorient: 'RAS' })
    const apart = compare('apart.nii', 'apart-ras.nii')
    // The order follows the sform (x mirrored, y and z changed); the qform was straight, so it turns alike.
    expect(apart).toMatchObject({ same: true, changed: [], codes: [3, 2] })
    const rounded = apart.qform.map((row) => row.map((value) => Number(value.toFixed(5)) + 0))
    expect(rounded).toEqual([
      [-3, 0, 0, 12],
      [0, 0, 3, 0],
      [0, 3, 0, 0],
      [0, 0, 0, 1],
    ])
    // Who goes by the qform gets it in both forms, turned or not.
    const selection = { affine: 'qform' } as const
    const qform = [
      [3, 0, 0, 0],
      [0, 3, 0, 0],
      [0, 0, 3, 0],
      [0, 0, 0, 1],
    ]
    await convertImage(at('apart.nii'), at('apart-qform.nii'), { selection })
    expect(compare('apart-qform.nii', 'apart-qform.nii')).toMatchObject({ sform: qform, qform, codes: [3, 3] })
    await convertImage(at('apart.nii'), at('apart-lps.nii'), { selection, reorient: 'LPS' })
    const turned = compare('apart-lps.nii', 'apart-qform.nii')
    // Both are brought into one order of axes by nibabel.
    expect(turned).toMatchObject({ same: true })
    expect(turned.apart).toBeLessThan(1e-4)
    const nowhere = await convertImage(at('nowhere.nii'), at('nowhere-ras.nii'), { reorient: 'RAS' })
    expect(nowhere.warnings.join(' ')).toMatch(/assumed/)
    expect(compare('nowhere.nii', 'nowhere-ras.nii')).toMatchObject({ same: true, axes: 'RAS', codes: [2, 2] })
    await convertImage(at('nowhere.nii'), at('nowhere-same.nii'))
    expect(compare('nowhere.nii', 'nowhere-same.nii')).toMatchObject({ same: true, codes: [0, 0] })
    await convertImage(at('micron.nii'), at('micron-ras.nii'), { reorient: 'RAS' })
    const micron = compare('micron.nii', 'micron-ras.nii')
    expect(micron).toMatchObject({ same: true, changed: [] })
    expect(micron.apart).toBeLessThan(1e-4)
  })

  it('keep the largest whole numbers, and say where others were rounded', { timeout: 120_000 }, async () => {
    const rounded = ['Some values are too large to be kept to the last digit; they were rounded.']
    for (const [from, to] of [
      ['most-int64.nii', 'most-int64-out.nii.gz'],
      ['most-uint64.nii.gz', 'most-uint64-out.nii'],
    ] as const) {
      expect((await convertImage(at(from), at(to))).warnings).toEqual(rounded)
      expect(compare(from, to)).toMatchObject({ same: true })
    }
    // Large enough for its voxels to be still arriving when the image counts as open.
    expect((await convertImage(at('wide.nii.gz'), at('wide-out.nii'))).warnings).toEqual(rounded)
  })

  it('leave nothing, and the process alive, where a value does not fit', { timeout: 120_000 }, async () => {
    for (let i = 0; i < 3; i++) {
      await expect(convertImage(at('four.nii.gz'), at('unfit.nii.gz'), { datatype: 'uint8' })).rejects.toMatchObject({
        code: 'bad-request',
      })
    }
    expect((await readdir(folder.path)).filter((name) => name.startsWith('.') || name === 'unfit.nii.gz')).toEqual([])
  })

  it('become the same when voxels are held in a scratch file', { timeout: 120_000 }, async () => {
    vi.stubEnv('MASKWRIGHT_VOXEL_MEMORY', '64')
    try {
      for (const code of ['RAS', 'SPL', 'AIR']) {
        await convertImage(at('four.nii.gz'), at(`scratch-${code}.nii`), { reorient: code })
        expect(compare('four.nii.gz', `scratch-${code}.nii`)).toMatchObject({ same: true, axes: code })
      }
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('become TIFF and PNG as others read them', { timeout: 120_000 }, async () => {
    await convertImage(at('float32.nii'), at('float.tif'))
    await convertImage(at('rgb24.nii'), at('rgb.tif'), { reorient: 'RAS' })
    await convertImage(at('four.nii.gz'), at('scaled.tif'), { selection: { frame: 1 } })
    await convertImage(at('four.nii.gz'), at('whole.tif'), { selection: { frame: 1 }, datatype: 'int16' })
    const grey = Uint16Array.of(0, 65535, 300, 4, 5, 6)
    await writePng(at('grey.png'), { width: 3, height: 2, channels: 1, data: grey })
    await convertImage(at('grey.png'), at('grey.nii'))
    await convertImage(at('grey.nii'), at('again.png'))
    const script = `
import sys, json, tifffile, numpy as np, nibabel as nib
from PIL import Image
f = sys.argv[1] + '/'
load = lambda name: np.asarray(nib.load(f + name).dataobj)
rgb = np.asarray(nib.as_closest_canonical(nib.load(f + 'rgb24.nii')).dataobj)
rgb = np.stack([rgb[c] for c in 'RGB'], -1)
t = tifffile.imread
print(json.dumps([bool(np.array_equal(t(f + 'float.tif'), load('float32.nii').T)), str(t(f + 'float.tif').dtype),
    bool(np.array_equal(t(f + 'rgb.tif'), rgb.transpose(2, 1, 0, 3))),
    bool(np.allclose(t(f + 'scaled.tif'), load('four.nii.gz')[..., 1].T)), str(t(f + 'scaled.tif').dtype),
    bool(np.array_equal(t(f + 'whole.tif'), np.rint(load('four.nii.gz')[..., 1]).T)), str(t(f + 'whole.tif').dtype),
    np.array(Image.open(f + 'again.png')).ravel().tolist()]))
`
    expect(runPython(peer, script, [folder.path])).toEqual([
      ...[true, 'float32', true, true, 'float32', true, 'int16'],
      [...grey],
    ])
    expect((await readdir(folder.path)).filter((name) => name.startsWith('.'))).toEqual([])
  })
})
