import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { ImageSelection } from '../../core/contract/schemas.ts'
import { readImage, readImageInfo } from '../index.ts'
import { runPython, type PythonPeer } from './peer.ts'

/**
 * What nibabel says of each file. The scaled values of all frames go to NAME.bin as float64, x fastest, of complex numbers to
 * NAME.part.bin by part; colours as interleaved red, green and blue.
 */
const DESCRIBE = `
import sys, json, numpy as np, nibabel as nib
out = sys.argv[1]
answers = {}
def dump(name, data):
    np.asarray(data, 'f8').ravel(order='F').tofile(out + '/' + name + '.bin')
for path in sys.argv[2:]:
    name = str(len(answers))
    try:
        img = nib.load(path); h = img.header
        nifti = isinstance(img, nib.Nifti1Pair)
        slope, inter = float(img.dataobj.slope), float(img.dataobj.inter)
        a = answers[path] = dict(ok=True, bin=name, shape=img.shape, affine=np.asarray(img.affine, float).tolist(),
            orientation=''.join(nib.aff2axcodes(img.affine)), zooms=[float(z) for z in h.get_zooms()[:3]],
            dtype=str(img.get_data_dtype().newbyteorder('=')), slope=slope, inter=inter, endian=h.endianness, values=False,
            version=(2 if int(h['sizeof_hdr']) == 540 else 1) if nifti else 0, single=bool(getattr(h, 'is_single', False)))
        if nifti:
            a.update(codes=[int(h['sform_code']), int(h['qform_code'])], qform=np.asarray(h.get_qform(), float).tolist(),
                sform=np.asarray(h.get_sform(), float).tolist(), units=list(h.get_xyzt_units()),
                extensions=[[int(e.get_code()), e._content.hex() if isinstance(e._content, bytes) else ''] for e in h.extensions])
    except Exception as e:
        answers[path] = dict(ok=False, error=str(e)); continue
    try:
        names = img.get_data_dtype().names
        if names:
            raw = np.asanyarray(img.dataobj)
            dump(name, np.stack([raw[c] for c in ('R', 'G', 'B')]))
        elif np.issubdtype(img.get_data_dtype(), np.complexfloating):
            z = np.asanyarray(img.dataobj)
            for part, v in dict(magnitude=np.abs(z), phase=np.angle(z), real=z.real, imaginary=z.imag).items(): dump(name + '.' + part, v)
        else: dump(name, img.get_fdata(dtype='f8'))
        a['values'] = True
    except Exception as e:
        a['error'] = str(e)
print(json.dumps(answers))
`

export interface Described {
  readonly ok: true
  readonly bin: string
  readonly shape: number[]
  readonly affine: number[][]
  readonly orientation: string
  readonly zooms: number[]
  readonly dtype: string
  readonly slope: number
  readonly inter: number
  readonly endian: '<' | '>'
  /** Could it read the voxels, too? */
  readonly values: boolean
  /** 0: no NIfTI. */
  readonly version: 0 | 1 | 2
  readonly single: boolean
  readonly codes: number[]
  readonly qform: number[][]
  readonly sform: number[][]
  readonly units: string[]
  readonly extensions: [number, string][]
}

/** What nibabel says of files, and null of those it cannot read. `folder` takes their voxels. */
export function describeFiles(
  peer: PythonPeer,
  folder: string,
  paths: readonly string[],
): Map<string, Described | null> {
  const answers = runPython(peer, DESCRIBE, [folder, ...paths]) as Record<string, Described | { ok: false }>
  return new Map(Object.entries(answers).map(([path, answer]) => [path, answer.ok ? answer : null]))
}

/** The scaled values that nibabel read, all frames. */
export async function valuesOf(folder: string, { bin }: Described, part = ''): Promise<Float64Array> {
  const bytes = await readFile(join(folder, `${bin}${part === '' ? '' : `.${part}`}.bin`))
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

/** Numbers that agree to 1e-4. */
export function close(numbers: readonly number[]): unknown[] {
  return numbers.map((value) => expect.closeTo(value, 4) as unknown)
}

/** Names of data types, as nibabel calls those that it calls otherwise. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  "[('R', 'u1'), ('G', 'u1'), ('B', 'u1')]": 'rgb24',
  "[('R', 'u1'), ('G', 'u1'), ('B', 'u1'), ('A', 'u1')]": 'rgba32',
}

/** `readImageInfo` against nibabel: shape, spacing, affine, type, scaling, byte order. */
export async function expectInfo(path: string, truth: Described): Promise<void> {
  const info = await readImageInfo(path)
  const shape = [...truth.shape, 1, 1, 1].slice(0, Math.max(4, truth.shape.length))
  expect(info.dims, path).toEqual(shape)
  expect(info.frames, path).toBe(shape.slice(3).reduce((product, extent) => product * extent, 1))
  expect(info.affine?.flat(), path).toEqual(close(truth.affine.flat()))
  expect(info.orientation, path).toBe(truth.orientation)
  expect([...info.spacing].slice(0, truth.zooms.length), path).toEqual(close(truth.zooms))
  expect(info.datatype, path).toBe(TYPE_NAMES[truth.dtype] ?? truth.dtype)
  expect([info.slope, info.inter], path).toEqual([truth.slope, truth.inter])
  if (info.datatype !== 'uint8' && info.datatype !== 'int8') {
    expect(info.byteOrder, path).toBe(truth.endian === '<' ? 'little' : 'big')
  }
  expect(info.format, path).toBe(['analyze', 'nifti1', 'nifti2'][truth.version])
}

const PARTS = ['magnitude', 'phase', 'real', 'imaginary'] as const

/**
 * The voxels of the first and the last frame against nibabel, of complex numbers every part: whole numbers exactly, others to 1e-6 of
 * their size. `folder` holds what nibabel read.
 */
export async function expectValues(folder: string, path: string, truth: Described): Promise<void> {
  const frames = truth.shape.slice(3).reduce((product, extent) => product * extent, 1)
  const parts = truth.dtype.startsWith('complex') ? PARTS : ([undefined] as const)
  for (const part of parts) {
    const expected = await valuesOf(folder, truth, part)
    for (const frame of new Set([0, frames - 1])) {
      const step = expected.length / frames
      const wanted = expected.subarray(frame * step, (frame + 1) * step)
      await expectFrame(path, truth, wanted, { frame, ...(part === undefined ? {} : { part }) })
    }
  }
}

async function expectFrame(
  path: string,
  truth: Described,
  expected: Float64Array,
  selection: ImageSelection,
): Promise<void> {
  const volume = await readImage(path, { selection })
  try {
    const data = await volume.voxels.all()
    const exact = /^u?int/.test(truth.dtype) && volume.slope === 1 && volume.inter === 0
    const grey = truth.dtype.startsWith('[') && volume.channels === 1
    const count = grey ? expected.length / 3 : expected.length
    expect(data.length, path).toBe(count)
    let wrong = 0
    for (let i = 0; i < count; i++) {
      const value = (data[i] ?? 0) * volume.slope + volume.inter
      const wanted = expected[grey ? 3 * i : i] ?? NaN
      const apart = Math.abs(value - wanted)
      const same = Object.is(value, wanted) || value === wanted || (!exact && apart <= 1e-6 * Math.abs(wanted))
      if (!same) wrong++
    }
    expect(wrong, `${path} ${JSON.stringify(selection)}: voxels that differ`).toBe(0)
  } finally {
    await volume.voxels.close()
  }
}

/** What a header can say of where the image lies, and of how many dimensions it has. */
export const GEOMETRIES = `
import sys, numpy as np, nibabel as nib
out = sys.argv[1]
rng = np.random.default_rng(4)
def save(name, data, affine=None, cls=nib.Nifti1Image, be=False, sform=1, qform=1, edit=None):
    header = cls.header_class(endianness='>' if be else '<')
    header.set_data_dtype(data.dtype)
    img = cls(data, None, header)
    if affine is not None:
        img.set_sform(affine, code=sform)
        img.set_qform(affine, code=qform, strip_shears=True)
    if edit: edit(img)
    nib.save(img, out + '/' + name)
oblique = nib.affines.from_matvec(np.linalg.qr(np.array([[-0.9, 0.25, -0.2], [0.3, -0.85, 0.35], [-0.28, 0.24, -0.93]]))[0] @ np.diag([0.7, 0.8, 2.2]), [-31.5, 12.25, 77])
las = np.diag([-1.5, 1.5, 3, 1.0]); las[:3, 3] = [90, -126, -72]
lps = np.diag([-1, -1, 5.0, 1])
psl = np.array([[0, 0, -3, 100], [-1, 0, 0, 50], [0, 2, 0, -20], [0, 0, 0, 1.0]])
small = rng.integers(0, 999, (6, 5, 4)).astype('i2')
save('oblique.nii.gz', small, oblique)
save('las.nii.gz', small, las)
save('lps.nii.gz', small, lps)
save('psl.nii', small, psl)
save('qform-only.nii', small, oblique, sform=0, qform=2)
save('sform-wins.nii', small, oblique, sform=1, qform=3)
save('neither.nii', small, las, sform=0, qform=0)
save('neither-v2-be.nii', small, las, nib.Nifti2Image, True, 0, 0)
sheared = oblique.copy(); sheared[:3, 1] += 0.3 * sheared[:3, 0]
save('sheared.nii', small, sheared)
save('rank1.nii', small[:, 0, 0], las)
save('rank2.nii', small[:, :, 0], oblique)
save('rank2-neither.nii', small[:, :, 0], las, sform=0, qform=0)
save('one-frame.nii.gz', small[..., None], las)
many = rng.integers(-999, 999, (6, 5, 4, 2, 3, 1, 2)).astype('i2')
save('rank4.nii', many[:, :, :, :, 0, 0, 0], las)
save('rank5.nii.gz', many[:, :, :, :, :, 0, 0], las)
save('rank6.nii', many[..., 0], las)
save('rank7.nii.gz', many, las, be=True)
save('vector.nii', many[:, :, :, :1, :, 0, 0], las)
save('float-nan.nii', np.where(small > 900, np.nan, small).astype('f4'), las)
def units(u):
    def edit(img): img.header.set_xyzt_units(u, 'sec')
    return edit
for u in ('micron', 'meter'): save(u + '.nii', small, las, edit=units(u))
def offset(img): img.header.set_data_offset(1024)
save('offset.nii', small, las, edit=offset)
save('offset.img.gz', small, las, nib.Nifti1Pair, edit=lambda img: img.header.set_data_offset(96))
def extended(img):
    for code, size in ((6, 7), (4, 4000), (44, 100000)):
        img.header.extensions.append(nib.nifti1.Nifti1Extension(code, bytes(i % 251 for i in range(size))))
save('extended.nii.gz', small, las, edit=extended)
save('extended.img', small, las, nib.Nifti2Pair, True, edit=extended)
img = nib.Nifti1Image(small.astype('f8') * 0.125 - 1024, las); img.header.set_data_dtype('i2'); nib.save(img, out + '/scaled.nii.gz')
img = nib.Nifti1Image(small * (0.5 + 2j) + 3, las); img.header.set_data_dtype('c8'); img.header.set_slope_inter(2, 0); nib.save(img, out + '/scaled-complex.nii')
img = nib.Spm2AnalyzeImage(small, las); nib.save(img, out + '/spm2.img')
img = nib.Spm99AnalyzeImage(small * 3.7, lps); img.header.set_data_dtype('i2'); nib.save(img, out + '/spm99.img')
img = nib.AnalyzeImage(small, None, nib.AnalyzeHeader(endianness='>')); img.header.set_zooms((2, 3, 4)); nib.save(img, out + '/analyze.img.gz')
import os
[os.remove(out + '/' + f) for f in os.listdir(out) if f.endswith('.mat')]
# a quaternion that single precision made too long: a half turn about (0.8, 0.6, 0)
long = nib.Nifti1Image(small, las); long.set_sform(None, 0); long.set_qform(las, 1)
h = long.header; h['quatern_b'] = 0.8; h['quatern_c'] = 0.6000001; h['quatern_d'] = 0
long = nib.Nifti1Image(small, None, h); nib.save(long, out + '/long-quaternion.nii')
print('null')
`
