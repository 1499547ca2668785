import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maskFormatSchema, type MaskFormat } from '../../core/contract/schemas.ts'
import { dicomBytes, sliceElements } from '../dicom/testing/dicomFile.ts'
import {
  compareWithImage,
  readImage,
  readMask,
  writeMaskAs,
  writePng,
  type ImageVolume,
  type LabelArray,
} from '../index.ts'
import { temporaryFolder, testData } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'
import { buildTiff, greyPage } from '../tiff/testing/build.ts'
import { maskEndings } from './target.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...parts: string[]): string => join(folder.path, ...parts)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const peer = findPython(['nibabel', 'numpy'])
const NIBABEL = `
import sys, numpy as np, nibabel as nib
folder = sys.argv[1]
affine = np.array([[-.9, .1, 0, 12], [.1, .9, .3, -7], [0, -.2, 2.5, 31], [0, 0, 0, 1]])
data = (np.arange(6 * 5 * 4) * 7 % 300).reshape(6, 5, 4)
def save(name, image, sform=1, qform=1, units='mm'):
    image.header.set_xyzt_units(units)
    image.set_sform(affine if sform else None, sform); image.set_qform(affine if qform else None, qform)
    nib.save(image, folder + '/' + name)
save('n1.nii.gz', nib.Nifti1Image(data.astype(np.int16), affine))
save('big.nii', nib.Nifti1Image(data.astype(np.float32), affine, nib.Nifti1Header(endianness='>')))
save('n2.nii.gz', nib.Nifti2Image(data.astype(np.float64), affine), 2, 4)
save('pair.hdr', nib.Nifti1Pair(data.astype(np.uint8), affine))
save('qform.nii', nib.Nifti1Image(data.astype(np.int16), affine), 0, 1)
save('nowhere.nii', nib.Nifti1Image(data.astype(np.int16), affine), 0, 0)
save('micron.nii.gz', nib.Nifti1Image(data.astype(np.uint16), affine), 1, 1, 'micron')
save('flat.nii', nib.Nifti1Image(data[:, :, 0].astype(np.int16), affine))
save('frames.nii', nib.Nifti1Image(np.stack([data] * 3, -1).astype(np.int16), affine))
extended = nib.Nifti1Image(data.astype(np.int16), affine)
extended.header.extensions.append(nib.nifti1.Nifti1Extension('comment', b'kept' * 20))
save('extended.nii.gz', extended)
rgb = np.zeros((6, 5, 4), dtype=[('R', 'u1'), ('G', 'u1'), ('B', 'u1')]); rgb['R'] = data % 256
save('colour.nii.gz', nib.Nifti1Image(rgb, affine))
print('0')
`

const AFFINE_NRRD = `space: left-posterior-superior
space directions: (0.9,0,0) (0,0,-2) (0,1.1,0)
space origin: (10,20,-5)`
const shorts = (count: number): Buffer => Buffer.from(Int16Array.from({ length: count }, (_, i) => i * 3).buffer)
const grey = (count: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: count }, (_, i) => (i * 37) % 255)

const NIFTI = [
  ...['n1.nii.gz', 'big.nii', 'n2.nii.gz', 'pair.hdr', 'qform.nii', 'nowhere.nii', 'micron.nii.gz', 'flat.nii'],
  ...['frames.nii', 'extended.nii.gz', 'colour.nii.gz'],
]
const pixels = { width: 11, height: 6, channels: 3 as const }
const picture = () => sharp(grey(198), { raw: pixels })
/** One image a format: its name, and what makes it. Null: nibabel does. */
const IMAGES: Record<string, (() => Promise<void>) | null> = {
  ...Object.fromEntries(NIFTI.map((name) => [name, null])),
  'colour.png': async () => {
    await writePng(at('colour.png'), { ...pixels, data: grey(198) })
  },
  'sixteen.png': async () => {
    const data = Uint16Array.from(grey(66), (value) => value * 257)
    await writePng(at('sixteen.png'), { width: 11, height: 6, channels: 1, data })
  },
  'photo.jpg': async () => {
    await picture().withMetadata({ orientation: 6 }).jpeg().toFile(at('photo.jpg'))
  },
  'page.tif': async () => {
    await picture().tiff({ compression: 'lzw' }).toFile(at('page.tif'))
  },
  'old.bmp': async () => {
    const bytes = Buffer.alloc(54 + 12 * 4)
    bytes.write('BM')
    bytes.writeUInt32LE(54, 10)
    bytes.writeUInt32LE(40, 14)
    bytes.writeInt32LE(4, 18)
    bytes.writeInt32LE(4, 22)
    bytes.writeUInt16LE(1, 26)
    bytes.writeUInt16LE(24, 28)
    await writeFile(at('old.bmp'), bytes)
  },
  'stack.tif': async () => {
    const pages = [1, 2, 3].map((seed) => greyPage(8, 5, (i) => (i * seed) % 200))
    await writeFile(at('stack.tif'), buildTiff(pages))
  },
  'stack.ome.tif': async () => {
    const text = `<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="8" SizeY="5" SizeZ="3" SizeC="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeY="0.5" PhysicalSizeZ="2"><TiffData/></Pixels></Image></OME>`
    const pages = [1, 2, 3].map((seed, n) => greyPage(8, 5, (i) => (i * seed) % 200, n === 0 ? [[270, 2, text]] : []))
    await writeFile(at('stack.ome.tif'), buildTiff(pages))
  },
  'ct.dicom': async () => {
    await mkdir(at('ct.dicom'))
    for (let k = 0; k < 4; k++) {
      const position = [-30, -20, 5 + 2.5 * k] as const
      const slice = {
        columns: 6,
        rows: 5,
        position,
        number: 4 - k,
        slope: 1,
        inter: -1024,
        spacing: [0.8, 0.7] as const,
      }
      await writeFile(
        at('ct.dicom', `${9 - k}.dcm`),
        dicomBytes(sliceElements({ ...slice, values: grey(30) as never })),
      )
    }
  },
  'volume.nrrd': async () => {
    const header = `NRRD0004\ntype: short\ndimension: 3\nsizes: 6 5 4\nencoding: raw\nendian: little\n${AFFINE_NRRD}\n\n`
    await writeFile(at('volume.nrrd'), Buffer.concat([Buffer.from(header), shorts(120)]))
  },
  'volume.mha': async () => {
    const header =
      'ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nTransformMatrix = 1 0 0 0 0 1 0 -1 0\n' +
      'Offset = 1 2 3\nElementSpacing = 0.8 0.9 2\nDimSize = 6 5 4\nElementType = MET_SHORT\nElementDataFile = LOCAL\n'
    await writeFile(at('volume.mha'), Buffer.concat([Buffer.from(header), shorts(120)]))
  },
}

/** Some labels in blocks; the larger ones need 16 and 32 bits. */
function labelsFor(voxels: number, largest: number): LabelArray {
  const label = (i: number): number => ((i >> 1) % 3 === 0 ? 1 + ((i >> 3) % 2) * (largest - 1) : 0)
  const values = Array.from({ length: voxels }, (_, i) => label(i))
  if (largest < 256) return Uint8Array.from(values)
  return largest < 65536 ? Uint16Array.from(values) : Uint32Array.from(values)
}

describe('image in, mask out, mask in', () => {
  beforeAll(async () => {
    if (peer.available) runPython(peer, NIBABEL, [folder.path])
    for (const make of Object.values(IMAGES)) await make?.()
  }, 60_000)

  for (const [name, make] of Object.entries(IMAGES)) {
    const possible = make !== null || peer.available
    it.skipIf(!possible)(
      `${name}: identical in every mask format ${possible ? '' : peer.reason}`,
      { timeout: 60_000 },
      async () => {
        const image = await readImage(at(name))
        try {
          for (const format of maskFormatSchema.options) {
            await identical(image, name, format, format === 'png' ? [200, 65535] : [200, 65535, 3_000_000_000])
          }
        } finally {
          await image.voxels.close()
        }
      },
    )
  }

  const slide = testData('slides', 'openslide-python', 'small.svs')
  it.skipIf(slide === null)('a slide: identical in every mask format', { timeout: 60_000 }, async () => {
    const image = await readImage(slide ?? '')
    for (const format of maskFormatSchema.options) await identical(image, 'small.svs', format, [200])
    await image.voxels.close()
  })
})

async function identical(
  image: ImageVolume,
  name: string,
  format: MaskFormat,
  largest: readonly number[],
): Promise<void> {
  const { dims } = image
  for (const most of largest) {
    const labels = labelsFor(dims[0] * dims[1] * dims[2], most)
    const path = at(`${name.replace('.', '-')}-${format}-${most}${maskEndings(format, dims[2])[0] ?? ''}`)
    if (cannot(image, format)) {
      await expect(writeMaskAs(path, format, labels, image)).rejects.toMatchObject({ code: 'bad-request' })
      continue
    }
    await writeMaskAs(path, format, labels, image, { names: [{ value: 1, name: 'Cell', color: '#102030' }] })
    const read = await readMask(path, { image })
    const what = `${name} as ${format} up to ${most}`
    expect(read.dims, what).toEqual(dims)
    expect(compareWithImage(read, image), what).toMatchObject({ fit: 'same', difference: null })
    expect(Buffer.compare(Buffer.from(read.labels.buffer), Buffer.from(labels.buffer)), what).toBe(0)
  }
}

/** A picture of samples that no PNG holds is in no data set for nnU-Net. */
function cannot({ kind, voxelType }: ImageVolume, format: MaskFormat): boolean {
  return format === 'nnunet' && kind === 'image' && voxelType !== 'uint8' && voxelType !== 'uint16'
}
