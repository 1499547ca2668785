import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Affine, Dims } from '../../core/contract/schemas.ts'
import {
  compareWithImage,
  readImage,
  readMask,
  resampleMask,
  writeDataset,
  writeMaskAs,
  writePng,
  writeVolume,
  type ImageVolume,
  type LabelArray,
} from '../index.ts'
import { temporaryFolder, testData } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...parts: string[]): string => join(folder.path, ...parts)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const DIMS: Dims = [9, 7, 5]
const VOXELS = 9 * 7 * 5
const AFFINE: Affine = [
  [-0.8, 0.1, 0, 12],
  [0.1, 0.8, 0.4, -7],
  [0, -0.3, 2.5, 31],
  [0, 0, 0, 1],
]
/** Blocks that touch at edges and corners, in three labels. */
const LABELS = Uint8Array.from({ length: VOXELS }, (_, i) => ((i * i) % 13 < 5 ? ([1, 3, 250][(i >> 2) % 3] ?? 0) : 0))
const NAMES = [
  { value: 1, name: 'Liver', color: '#ff0000' },
  { value: 3, name: 'background', color: '#00ff00' },
]

async function volume(): Promise<ImageVolume> {
  const data = Int16Array.from({ length: VOXELS }, (_, i) => i - 100)
  await writeVolume(at('v.nii.gz'), { dims: DIMS, affine: AFFINE, data, slope: 2, inter: -1 })
  return readImage(at('v.nii.gz'))
}

async function picture(): Promise<ImageVolume> {
  const data = Uint8Array.from({ length: 63 * 3 }, (_, i) => (i * 31) % 251)
  await writePng(at('p.png'), { width: 9, height: 7, channels: 3, data })
  return readImage(at('p.png'))
}

const peer = findPython(['nibabel', 'numpy', 'PIL', 'scipy', 'skimage', 'tifffile'])
const SCRIPT = `
import sys, json, os, glob, numpy as np, nibabel as nib, tifffile, scipy.ndimage as nd
from PIL import Image
from skimage import io
folder = sys.argv[1]
at = lambda *p: os.path.join(folder, *p)
flat = lambda a: np.asarray(a).astype(int).ravel(order='F').tolist()
out = {}
source = nib.load(at('v.nii.gz'))
for name in ('m.nii.gz', 'wide.nii.gz'):
    m = nib.load(at(name))
    out[name] = dict(dtype=str(m.get_data_dtype()), slope=float(m.dataobj.slope), values=flat(m.dataobj),
        affine=bool(np.array_equal(m.affine, source.affine)),
        forms=[int(m.header['qform_code']), int(m.header['sform_code'])],
        qform=bool(np.array_equal(m.get_qform(), source.get_qform())))
out['p.nii'] = dict(values=flat(nib.load(at('p.nii')).dataobj), shape=list(nib.load(at('p.nii')).shape))
# Pictures: rows first, so x fastest is C order.
rows = lambda a: np.asarray(a).astype(int).ravel().tolist()
out['m.png'] = dict(pillow=rows(Image.open(at('m.png'))), skimage=rows(io.imread(at('m.png'))), mode=Image.open(at('m.png')).mode)
out['wide.png'] = dict(skimage=rows(io.imread(at('wide.png'))), dtype=str(io.imread(at('wide.png')).dtype))
out['slices'] = [v for f in sorted(glob.glob(at('slices', '*.png'))) for v in rows(Image.open(f))]
t = tifffile.imread(at('m.tif')); out['m.tif'] = dict(values=rows(t), shape=list(t.shape), mode=Image.open(at('m.tif')).mode)
t = tifffile.imread(at('wide.tif')); out['wide.tif'] = dict(values=rows(t), dtype=str(t.dtype))
def coco(name):
    c = json.load(open(at(name)))
    images = {i['id']: i for i in c['images']}
    pages = {k: np.zeros((i['height'], i['width']), int) for k, i in images.items()}
    good = True
    for a in c['annotations']:
        h, w = a['segmentation']['size']; counts = a['segmentation']['counts']
        m = np.repeat(np.arange(len(counts)) % 2, counts).reshape((h, w), order='F').astype(bool)
        ys, xs = np.nonzero(m)
        good &= a['bbox'] == [int(xs.min()), int(ys.min()), int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1]
        good &= a['area'] == int(m.sum()) and a['iscrowd'] == 0 and nd.label(m, np.ones((3, 3)))[1] == 1
        pages[a['image_id']][m] = a['category_id']
    expected = sum(nd.label(p == v, np.ones((3, 3)))[1] for p in pages.values() for v in np.unique(p) if v)
    return dict(values=[v for k in sorted(pages) for v in rows(pages[k])], good=bool(good),
        parts=[len(c['annotations']), int(expected)], ids=len({a['id'] for a in c['annotations']}),
        categories=[[x['id'], x['name']] for x in c['categories']], files=[i['file_name'] for i in c['images']])
out['coco-v'] = coco('v.json'); out['coco-p'] = coco('p.json')
def instances(name, read):
    files = sorted(glob.glob(at(name, 'masks', '*')))
    union, values, ok = 0, set(), True
    for f in files:
        m = read(f); values |= set(np.unique(m).tolist())
        label = int(os.path.basename(f).split('-')[1].split('_')[0])
        one = (m > 0); ok &= nd.label(one, np.ones((3,) * one.ndim))[1] == 1
        union = union + one.astype(int) * label
    parts = sum(nd.label(union == v, np.ones((3,) * union.ndim))[1] for v in np.unique(union) if v)
    return dict(union=union, values=sorted(values), ok=bool(ok), parts=[len(files), int(parts)], images=os.listdir(at(name, 'images')))
p = instances('inst-p', lambda f: np.array(Image.open(f))); p['union'] = rows(p['union'])
v = instances('inst-v', lambda f: np.asarray(nib.load(f).dataobj)); v['union'] = flat(v['union'])
out['inst-p'] = p; out['inst-v'] = v
out['image'] = bool(np.array_equal(np.array(Image.open(at('inst-p', 'images', 'inst-p.png'))), np.array(Image.open(at('p.png')))))
image = nib.load(at('set', 'imagesTr', 'one_0000.nii.gz')); label = nib.load(at('set', 'labelsTr', 'one.nii.gz'))
out['set'] = dict(dataset=json.load(open(at('set', 'dataset.json'))), values=flat(label.dataobj), dtype=str(label.get_data_dtype()),
    same=bool(np.array_equal(image.affine, label.affine) and np.allclose(image.affine, source.affine, atol=1e-5) and image.header.get_zooms() == label.header.get_zooms()),
    pixels=bool(np.array_equal(image.get_fdata(), source.get_fdata())))
out['set2'] = dict(dataset=json.load(open(at('set2', 'dataset.json'))), values=rows(io.imread(at('set2', 'labelsTr', 'p.png'))), image=list(io.imread(at('set2', 'imagesTr', 'p_0000.png')).shape))
print(json.dumps(out))
`

describe.skipIf(!peer.available)(`masks in other programs ${peer.reason}`, () => {
  it('hold the same labels in the same places', { timeout: 120_000 }, async () => {
    const v = await volume()
    const p = await picture()
    const flat = LABELS.slice(0, 63)
    const wide = Uint16Array.from(LABELS, (value) => value * 100)
    const options = { names: NAMES }
    await writeMaskAs(at('m.nii.gz'), 'nifti', LABELS, v, options)
    await writeMaskAs(at('wide.nii.gz'), 'nifti', wide, v, options)
    await writeMaskAs(at('p.nii'), 'nifti', flat, p, options)
    await writeMaskAs(at('m.png'), 'png', flat, p, options)
    await writeMaskAs(at('wide.png'), 'png', wide.slice(0, 63), p, options)
    await writeMaskAs(at('slices'), 'png', LABELS, v, options)
    await writeMaskAs(at('m.tif'), 'tiff', LABELS, v, options)
    await writeMaskAs(at('wide.tif'), 'tiff', wide.slice(0, 63), p, options)
    await writeMaskAs(at('v.json'), 'coco', LABELS, v, options)
    await writeMaskAs(at('p.json'), 'coco', flat, p, options)
    await writeMaskAs(at('inst-v'), 'instances', LABELS, v, options)
    await writeMaskAs(at('inst-p'), 'instances', flat, p, options)
    const one = (stem: string, image: ImageVolume, labels: LabelArray) => ({
      stem,
      values: [1, 3, 250],
      open: <T>(use: (i: ImageVolume, l: LabelArray) => Promise<T>) => use(image, labels),
    })
    await writeDataset(at('set'), 'nnunet', [one('one', v, LABELS)], options)
    await writeDataset(at('set2'), 'nnunet', [one('p', p, flat)], options)
    const found = runPython(peer, SCRIPT, [folder.path]) as Record<string, unknown>
    const all = [...LABELS]
    const first = [...flat]
    const geometry = { affine: true, qform: true, forms: [0, 1] }
    const { forms } = found['m.nii.gz'] as { forms: number[] }
    expect(found['m.nii.gz']).toEqual({ dtype: 'uint8', slope: 1, values: all, ...geometry, forms })
    expect(found['wide.nii.gz']).toMatchObject({ dtype: 'uint16', slope: 1, values: [...wide], affine: true })
    expect(found['p.nii']).toEqual({ values: first, shape: [9, 7, 1] })
    expect(found['m.png']).toEqual({ pillow: first, skimage: first, mode: 'L' })
    expect(found['wide.png']).toEqual({ skimage: [...wide.slice(0, 63)], dtype: 'uint16' })
    expect(found.slices).toEqual(all)
    expect(found['m.tif']).toEqual({ values: all, shape: [5, 7, 9], mode: 'P' })
    expect(found['wide.tif']).toEqual({ values: [...wide.slice(0, 63)], dtype: 'uint16' })
    const categories = [
      [1, 'Liver'],
      [3, 'background'],
      [250, 'label 250'],
    ]
    for (const [name, values] of [
      ['coco-v', all],
      ['coco-p', first],
    ] as const) {
      const { parts, ids, files, ...rest } = found[name] as { parts: [number, number]; ids: number; files: string[] }
      expect(rest).toEqual({ values, good: true, categories })
      expect(parts[0]).toBe(parts[1])
      expect(ids).toBe(parts[0])
      expect(files[0]).toBe(name === 'coco-v' ? 'v_0000.png' : 'p.png')
    }
    for (const [name, values, top] of [
      ['inst-v', all, 1],
      ['inst-p', first, 255],
    ] as const) {
      const { parts, ...rest } = found[name] as { parts: [number, number] }
      const images = [name === 'inst-v' ? 'inst-v.nii.gz' : 'inst-p.png']
      expect(rest).toEqual({ union: values, values: [0, top], ok: true, images })
      expect(parts[0]).toBe(parts[1])
    }
    expect(found.image).toBe(true)
    const consecutive = (values: readonly number[]): number[] => values.map((value) => [0, 1, 3, 250].indexOf(value))
    const labels = { background: 0, Liver: 1, 'background (2)': 2, 'label 250': 3 }
    expect(found.set).toMatchObject({
      dataset: { channel_names: { 0: 'intensity' }, labels, numTraining: 1, file_ending: '.nii.gz' },
      ...{ values: consecutive(all), dtype: 'uint8', same: true, pixels: true },
    })
    expect(found.set2).toMatchObject({
      dataset: { channel_names: { 0: 'red', 1: 'green', 2: 'blue' }, labels, file_ending: '.png' },
      ...{ values: consecutive(first), image: [7, 9, 3] },
    })
  })
})

const ENCODE = `
import sys, json, numpy as np
# maskApi.c, rleToString, by its description.
def string(counts):
    s = ''
    for i, x in enumerate(counts):
        if i > 2: x -= counts[i - 2]
        more = True
        while more:
            c = x & 31; x >>= 5
            more = x != -1 if c & 16 else x != 0
            s += chr(48 + (c | 32 if more else c))
    return s
rng = np.random.default_rng(3)
m = rng.random((40, 70)) < 0.4
m[5:20, 3:60] = True
f = m.ravel(order='F').astype(int)
edges = np.flatnonzero(np.diff(f)) + 1
counts = np.diff(np.concatenate([[0], edges, [f.size]])).tolist()
if f[0]: counts = [0] + counts
print(json.dumps(dict(text=string(counts), pixels=m.ravel().astype(int).tolist())))
`

describe('COCO files of others', () => {
  const file = (annotations: object[], more: object = {}): string =>
    JSON.stringify({
      images: [{ id: 7, file_name: 'sub/a.jpg', width: 6, height: 4 }],
      categories: [{ id: 2, name: 'Cell' }],
      annotations: annotations.map((annotation) => ({ image_id: 7, category_id: 2, ...annotation })),
      ...more,
    })
  const read = async (text: string): ReturnType<typeof readMask> => {
    await writeFile(at('other.json'), text)
    return readMask(at('other.json'))
  }
  it.skipIf(!peer.available)(`are read with compressed RLE ${peer.reason}`, { timeout: 60_000 }, async () => {
    const { text, pixels } = runPython(peer, ENCODE) as { text: string; pixels: number[] }
    const annotations = [{ image_id: 'x', category_id: 9, segmentation: { size: [40, 70], counts: text } }]
    const mask = await read(file(annotations, { images: [{ id: 'x', file_name: 'b.png', width: 70, height: 40 }] }))
    expect(mask.dims).toEqual([70, 40, 1])
    expect([...mask.labels]).toEqual(pixels.map((value) => value * 9))
  })
  it('are read with polygons, names and overlaps', async () => {
    const mask = await read(
      file([
        { segmentation: [[1, 1, 4, 1, 4, 3, 1, 3]] },
        { category_id: 5, segmentation: { size: [4, 6], counts: [9, 1, 14] } },
        { bbox: [0, 0, 1, 1] },
      ]),
    )
    // prettier-ignore
    expect([...mask.labels]).toEqual([
      0, 0, 0, 0, 0, 0,
      0, 2, 5, 2, 0, 0,
      0, 2, 2, 2, 0, 0,
      0, 0, 0, 0, 0, 0,
    ])
    expect(mask.names).toEqual(new Map([[2, 'Cell']]))
    expect(mask.warnings).toEqual([
      'Annotations overlap in 1 voxels; there the later one was taken.',
      '1 outlines are polygons; the pixels whose centres lie inside were taken.',
    ])
    const zero = await read(file([{ category_id: 0, segmentation: { size: [4, 6], counts: [0, 1, 23] } }]))
    expect([...zero.labels.subarray(0, 2)]).toEqual([1, 0])
  })
  it('are refused where they are damaged or it is not known which image is meant', async () => {
    const rle = (counts: unknown) => file([{ segmentation: { size: [4, 6], counts } }])
    for (const counts of [[9, 1], [1e9, 3], [-1, 25], [0.5, 23.5], 'zzzzzz~', '\u0001']) {
      await expect(read(rle(counts))).rejects.toThrow(/damaged outline/)
    }
    await expect(read('{"images": [')).rejects.toThrow(/no JSON/)
    await expect(read('{"a": 1}')).rejects.toThrow(/not a COCO file.*images/)
    await expect(read(file([], { images: [] }))).rejects.toThrow(/no images/)
    const huge = { images: [{ id: 1, file_name: 'a', width: 2 ** 27, height: 2 ** 27 }] }
    await expect(read(file([], huge))).rejects.toThrow(/more voxels/)
    const two = { images: ['a.png', 'p.png'].map((file_name, i) => ({ id: i, file_name, width: 9, height: 7 })) }
    await expect(read(file([], two))).rejects.toThrow(/holds 2 images; /)
    const mask = await readMask(at('other.json'), { image: await picture() })
    expect(mask.dims).toEqual([9, 7, 1])
  })
})

describe('the layout of the Data Science Bowl', () => {
  const data = testData('nuclei', 'stage1_train')
  it.skipIf(data === null || !peer.available)('is read as it is there', { timeout: 120_000 }, async () => {
    if (data === null) return
    const ids = (await readdir(data)).sort().filter((_, i) => i % 24 === 0)
    const sums = runPython(
      peer,
      `
import sys, json, os, numpy as np
from PIL import Image
out = {}
for folder in sys.argv[1:]:
    total = 0
    label = None
    for n, f in enumerate(sorted(os.listdir(folder + '/masks'))):
        m = np.array(Image.open(folder + '/masks/' + f))
        if label is None: label = np.zeros(m.shape, int)
        total += int((label[m > 0] > 0).sum())
        label[m > 0] = n + 1
    out[folder] = dict(sum=int((label.ravel() * (np.arange(label.size) % 97)).sum()), overlap=total, shape=label.shape)
print(json.dumps(out))
`,
      ids.map((id) => join(data, id)),
    ) as Record<string, { sum: number; overlap: number; shape: [number, number] }>
    for (const [path, { sum, overlap, shape }] of Object.entries(sums)) {
      const mask = await readMask(path)
      expect(mask.dims).toEqual([shape[1], shape[0], 1])
      let found = 0
      mask.labels.forEach((label: number, i: number) => (found += label * (i % 97)))
      expect(found).toBe(sum)
      expect(mask.warnings.join(' ').includes('overlap')).toBe(overlap > 0)
    }
  })
  it('of several images is read by the name of the image', async () => {
    for (const [id, value] of [
      ['p', 255],
      ['q', 200],
    ] as const) {
      await mkdir(at('bowl', id, 'masks'), { recursive: true })
      for (const [n, from] of [
        [0, 0],
        [1, 2],
      ] as const) {
        const pixels = Uint8Array.from({ length: 63 }, (_, i) => (i >= from && i < from + 3 ? value : 0))
        await writePng(at('bowl', id, 'masks', `${n}.png`), { width: 9, height: 7, channels: 1, data: pixels })
      }
    }
    await expect(readMask(at('bowl'))).rejects.toThrow(/holds 2 images/)
    const mask = await readMask(at('bowl'), { image: await picture() })
    expect([...mask.labels.subarray(0, 7)]).toEqual([1, 1, 2, 2, 2, 0, 0])
    expect(mask.warnings[0]).toBe('Instances overlap in 1 voxel; there the later one was taken.')
    // The folder of the masks is as good as the one that holds it.
    await mkdir(at('bowl', 'q', 'images'))
    const inner = await readMask(at('bowl', 'q', 'masks'))
    expect(inner.format).toBe('instances')
    expect([...inner.labels.subarray(0, 7)]).toEqual([1, 1, 2, 2, 2, 0, 0])
    await writePng(at('bowl', 'p', 'masks', '2.png'), { width: 3, height: 7, channels: 1, data: new Uint8Array(21) })
    await expect(readMask(at('bowl', 'p'))).rejects.toThrow('2.png has another size')
  })
})

const NEAREST = `
import sys, json, numpy as np
m = json.load(open(sys.argv[1]))
mask = np.array(m['labels']).reshape(m['dims'], order='F')
grid = np.stack(np.meshgrid(*[np.arange(n) for n in m['image']], indexing='ij') + [np.ones(m['image'])], -1)
ijk = (grid @ np.array(m['to']).T @ np.linalg.inv(np.array(m['from'])).T)[..., :3]
near = np.floor(ijk + 0.5 + 1e-6).astype(int)
inside = np.all((near >= 0) & (near < np.array(m['dims'])), -1)
near[~inside] = 0
out = np.where(inside, mask[near[..., 0], near[..., 1], near[..., 2]], 0)
print(json.dumps(out.ravel(order='F').astype(int).tolist()))
`

describe('a mask against an image', () => {
  it.skipIf(!peer.available)(`is resampled as numpy does ${peer.reason}`, { timeout: 60_000 }, async () => {
    const image = await volume()
    const from: Affine = [
      [1.1, 0.2, 0, 0],
      [-0.2, 1.3, 0.1, -14],
      [0, 0, 1.7, 29],
      [0, 0, 0, 1],
    ]
    const mask = {
      dims: [12, 10, 6] as Dims,
      affine: from,
      labels: Uint16Array.from({ length: 720 }, (_, i) => i + 200),
    }
    expect(compareWithImage(mask, image)).toMatchObject({ fit: 'shape', canResample: true })
    const given = { labels: [...mask.labels], dims: mask.dims, image: DIMS, to: image.affine, from }
    await writeFile(at('nearest.json'), JSON.stringify(given))
    const expected = runPython(peer, NEAREST, [at('nearest.json')]) as number[]
    expect([...resampleMask(mask, image)]).toEqual(expected)
    expect(expected.some((value) => value > 0) && expected.includes(0)).toBe(true)
  })
  it('is the same within what rounding does, moved beyond it', async () => {
    const image = await volume()
    const shifted = (mm: number): Affine => AFFINE.map((row, r) => row.map((v, c) => (r === 0 && c === 3 ? v + mm : v)))
    const compare = (affine: Affine | null, dims = DIMS) => compareWithImage({ dims, affine }, image)
    expect(compare(shifted(0.002))).toEqual({ fit: 'same', difference: null, canResample: true })
    expect(compare(shifted(0.3))).toMatchObject({
      fit: 'moved',
      difference: expect.stringContaining('0.3 mm') as string,
    })
    expect(compare(null)).toEqual({ fit: 'same', difference: null, canResample: false })
    expect(compare(null, [7, 9, 5])).toMatchObject({ fit: 'shape', canResample: false })
    expect(
      compare([
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 1],
      ]),
    ).toMatchObject({ canResample: false })
    expect(await readFile(at('v.nii.gz'))).toBeDefined()
  })
})
