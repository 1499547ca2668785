import { gzipSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { bitmap, coco, dicomFile, metaImage, nifti, nnunetJson, nrrd, omeTiff } from './seedFiles.ts'
import type { Random } from './random.ts'
import { mutate } from './mutate.ts'

/** Files that belong together; the first is the one that is opened. */
export interface Seed {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  /** The file is packed: what is inside is damaged, and packed again. */
  readonly packed?: boolean
}

const one = (name: string, bytes: Uint8Array, packed = false): Seed => ({ files: [{ name, bytes }], packed })

/** Sound files of every format, small, so that a change soon meets something that matters. */
export const seeds: Readonly<Record<string, () => Promise<readonly Seed[]>>> = {
  nifti: async () =>
    [2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 1280, 1792, 2304].flatMap((code, i) => [
      one('fuzz.nii', nifti({ code, version: i % 2 === 0 ? 1 : 2, littleEndian: i % 3 !== 0 })),
    ]),
  'nifti-gz': async () =>
    [4, 16, 128, 1792, 1024].map((code, i) =>
      one('fuzz.nii.gz', nifti({ code, version: i % 2 === 0 ? 1 : 2, littleEndian: true }), true),
    ),
  'nifti-pair': async () =>
    [2, 4, 16].map((code) => {
      const { header, voxels } = nifti.pair({ code, littleEndian: code !== 4 })
      return {
        files: [
          { name: 'fuzz.hdr', bytes: header },
          { name: 'fuzz.img', bytes: voxels },
        ],
      }
    }),
  png: async () => [
    one('fuzz.png', await grey().png().toBuffer()),
    one('fuzz.png', await colour().png({ palette: true }).toBuffer()),
    one('fuzz.png', await colour().ensureAlpha().png().toBuffer()),
    one('fuzz.png', await grey().toColourspace('grey16').png().toBuffer()),
  ],
  jpeg: async () => [
    one('fuzz.jpg', await grey().jpeg().toBuffer()),
    one(
      'fuzz.jpg',
      await colour()
        .jpeg({ progressive: true })
        .withExif({ IFD0: { Orientation: '6' } })
        .toBuffer(),
    ),
  ],
  bmp: async () => [one('fuzz.bmp', bitmap(24)), one('fuzz.bmp', bitmap(8))],
  tiff: async () => {
    const compressions = ['none', 'lzw', 'deflate', 'packbits', 'jpeg'] as const
    const plain = compressions.map((compression) => colour().tiff({ compression }).toBuffer())
    const more = [
      grey().tiff({ compression: 'deflate', predictor: 'horizontal', bigtiff: true }).toBuffer(),
      grey().threshold().tiff({ compression: 'ccittfax4', bitdepth: 1 }).toBuffer(),
      grey().toColourspace('b-w').tiff({ bitdepth: 4, compression: 'none' }).toBuffer(),
      colour().tiff({ tile: true, tileWidth: 16, tileHeight: 16, pyramid: true, compression: 'jpeg' }).toBuffer(),
    ]
    return (await Promise.all([...plain, ...more])).map((bytes) => one('fuzz.tif', bytes))
  },
  'ome-tiff': async () => [one('fuzz.ome.tif', omeTiff())],
  dicom: async () => [
    one('fuzz.dcm', dicomFile({})),
    one('fuzz.dcm', dicomFile({ implicit: true })),
    one('fuzz.dcm', dicomFile({ frames: 3 })),
    one(
      'fuzz.dcm',
      dicomFile({ encapsulated: { syntax: '1.2.840.10008.1.2.4.50', bytes: await grey().jpeg().toBuffer() } }),
    ),
    one('fuzz.dcm', dicomFile({ encapsulated: { syntax: '1.2.840.10008.1.2.5', bytes: rle() } })),
  ],
  nrrd: async () => [
    one('fuzz.nrrd', nrrd({ encoding: 'raw' })),
    one('fuzz.nrrd', nrrd({ encoding: 'gzip' })),
    one('fuzz.nrrd', nrrd({ encoding: 'ascii' })),
    { files: [...nrrd.detached()] },
  ],
  metaimage: async () => [
    one('fuzz.mha', metaImage({ compressed: false })),
    one('fuzz.mha', metaImage({ compressed: true })),
    { files: [...metaImage.detached()] },
  ],
}

/** Masks beside those that are images: of several files, the folder is opened. */
export const maskSeeds: Readonly<Record<string, () => Promise<readonly Seed[]>>> = {
  coco: async () => [one('fuzz.json', coco([3, 5, 4, 2, 466])), one('fuzz.json', coco('05424Xe00'))],
  nnunet: async () => {
    const labels = gzipSync(nifti({ code: 2, littleEndian: true, scaled: false }))
    return [
      {
        files: [
          { name: 'dataset.json', bytes: nnunetJson() },
          { name: 'labelsTr/fuzz.nii.gz', bytes: labels },
          { name: 'imagesTr/fuzz_0000.nii.gz', bytes: labels },
        ],
      },
    ]
  },
  instances: async () => {
    const mask = await grey().threshold().png().toBuffer()
    return [{ files: ['a', 'b'].map((name) => ({ name: `masks/${name}.png`, bytes: mask })) }]
  },
}

function pixels(channels: 1 | 3): Buffer {
  return Buffer.from(Uint8Array.from({ length: 24 * 20 * channels }, (_, i) => (i * 37 + (i >> 4)) % 251))
}

function grey(): Sharp {
  return sharp(pixels(1), { raw: { width: 24, height: 20, channels: 1 } }).toColourspace('b-w')
}

function colour(): Sharp {
  return sharp(pixels(3), { raw: { width: 24, height: 20, channels: 3 } })
}

/** One segment of literal runs: 24 x 20 pixels of 8 bits (DICOM PS3.5 annex G). */
function rle(): Uint8Array {
  const header = Buffer.alloc(64)
  header.writeUInt32LE(1, 0)
  header.writeUInt32LE(64, 4)
  const rows = Array.from({ length: 20 }, (_, y) => Buffer.from([23, ...pixels(1).subarray(24 * y, 24 * (y + 1))]))
  return Buffer.concat([header, ...rows])
}

/** The files of the `index`-th damaged input of a format: the same on every machine. */
export function damaged(seed: Seed, random: Random): { name: string; bytes: Uint8Array }[] {
  const victim = random.below(seed.files.length)
  return seed.files.map(({ name, bytes }, i) => {
    if (i !== victim) return { name, bytes }
    if (seed.packed !== true) return { name, bytes: mutate(bytes, random) }
    // Half of the time the packed stream itself is hit, which seldom gets further than its checksum.
    if (random.chance(0.25)) return { name, bytes: mutate(gzipSync(bytes), random) }
    return { name, bytes: gzipSync(mutate(bytes, random), { level: 1 }) }
  })
}
