import { open, readFile, rename, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Affine } from '../../core/contract/schemas.ts'
import { imageFiles, readImage, readImageInfo } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { writeVolume } from './index.ts'

const LPS: Affine = [
  [-0.75, 0, 0, 60],
  [0, -0.75, 0, 70],
  [0, 0, 2.5, -100],
  [0, 0, 0, 1],
]

/** Windows would write gigabytes of zeros. */
const noSparseFiles = process.platform === 'win32'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

/** A file with 4 x 3 x 2 voxels of int16, -1000, -900 …, changed. */
async function changed(name: string, change: (bytes: Buffer) => Buffer | undefined): Promise<string> {
  const path = join(folder.path, name)
  const data = Int16Array.from({ length: 24 }, (_, i) => i * 100 - 1000)
  await writeVolume(path.replace(/\.gz$/, ''), { dims: [4, 3, 2], affine: LPS, data })
  const bytes = await readFile(path.replace(/\.gz$/, ''))
  await writeFile(path, change(bytes) ?? bytes)
  return path
}

/** The same file with other voxels, of a type by its code. */
function withVoxels(bytes: Buffer, code: number, dims: readonly number[], voxels: ArrayBufferView): Buffer {
  bytes.writeInt16LE(dims.length, 40)
  for (let i = 0; i < 7; i++) bytes.writeInt16LE(dims[i] ?? 1, 42 + 2 * i)
  bytes.writeInt16LE(code, 70)
  return Buffer.concat([bytes.subarray(0, 352), Buffer.from(voxels.buffer, voxels.byteOffset, voxels.byteLength)])
}

describe('two positions in one header', () => {
  const moved = (mm: number) => (bytes: Buffer) => void bytes.writeFloatLE(60 + mm, 268)

  it('are told of where they are more than 0.1 mm apart, and either can be chosen', async () => {
    const path = await changed('moved.nii', moved(3))
    const image = await readImage(path)
    expect(image.info).toMatchObject({ affineSource: 'sform', disagreement: { mm: 3, other: 'qform' } })
    expect(image.warnings.join()).toMatch(/3\.0 mm apart; the sform is used/)
    expect(image.affine?.[0]?.[3]).toBe(60)
    const other = await readImage(path, { selection: { affine: 'qform' } })
    expect(other.info).toMatchObject({ affineSource: 'qform', disagreement: { mm: 3, other: 'sform' } })
    expect(other.affine?.[0]?.[3]).toBe(63)
    const near = await readImage(await changed('near.nii', moved(0.09)))
    expect(near.info.disagreement).toBeNull()
    expect(near.warnings).toEqual([])
  })
  it('are compared in the far corners', async () => {
    // A step along z that is longer by 0.15 mm: nothing at the first slice, 0.15 mm at the second.
    const path = await changed('longer.nii', (bytes) => void bytes.writeFloatLE(2.65, 88))
    expect((await readImageInfo(path)).disagreement?.mm).toBeCloseTo(0.15, 5)
  })
  it('of which one is missing or of no use leave no choice', async () => {
    const path = await changed('only.nii', (bytes) => void bytes.writeInt16LE(0, 252))
    expect((await readImageInfo(path)).disagreement).toBeNull()
    await expect(readImage(path, { selection: { affine: 'qform' } })).rejects.toMatchObject({ code: 'bad-request' })
  })
})

describe('lengths in another unit', () => {
  it('are kept in the description and converted in the image', async () => {
    for (const [code, factor, unit, name] of [
      [3, 0.001, 'um', 'micrometres'] as const,
      [1, 1000, 'm', 'metres'] as const,
      [2, 1, undefined, ''] as const,
    ]) {
      const path = await changed('unit.nii', (bytes) => void bytes.writeUInt8(code, 123))
      const image = await readImage(path)
      expect(image.info.affine).toEqual(LPS)
      expect(image.info.unit).toBe(unit)
      expect(image.info.spacing).toEqual([0.75, 0.75, 2.5])
      expect(image.spacing).toEqual([0.75 * factor, 0.75 * factor, 2.5 * factor])
      expect(image.affine).toEqual(LPS.map((row, i) => (i < 3 ? row.map((value) => value * factor) : row)))
      expect(image.warnings.join()).toContain(name)
    }
  })
})

describe('frames', () => {
  it('are chosen by their number over all further dimensions, and there are no others', async () => {
    const voxels = Int16Array.from({ length: 4 * 3 * 2 * 6 }, (_, i) => i)
    for (const name of ['frames.nii', 'frames.nii.gz']) {
      const path = await changed(name, (bytes) => {
        const all = withVoxels(bytes, 4, [4, 3, 2, 2, 3], voxels)
        return name.endsWith('gz') ? gzipSync(all) : all
      })
      expect(await readImageInfo(path)).toMatchObject({ dims: [4, 3, 2, 2, 3], frames: 6 })
      for (const frame of [0, 1, 5]) {
        const image = await readImage(path, { selection: { frame } })
        expect([...(await image.voxels.all())]).toEqual([...voxels.subarray(frame * 24, frame * 24 + 24)])
        expect(image.warnings).toEqual([])
      }
      await expect(readImage(path, { selection: { frame: 6 } })).rejects.toMatchObject({
        code: 'bad-request',
        message: 'There is no frame 7 in the 6 of the image.',
      })
      expect((await readImage(path)).warnings.join()).toMatch(/6 frames/)
    }
  })
  it('of one alone are a volume', async () => {
    const path = await changed('one.nii', (bytes) => void bytes.writeInt16LE(4, 40))
    const image = await readImage(path)
    expect(image.info).toMatchObject({ dims: [4, 3, 2, 1], frames: 1 })
    expect(image.warnings).toEqual([])
  })
})

describe('complex numbers', () => {
  it('give their magnitude, or the part that is chosen, after they are scaled', async () => {
    // 3 + 4i and -2i; twice that, and 1 more: 7 + 8i and 1 - 4i.
    const path = await changed('complex.nii', (bytes) => {
      const all = withVoxels(bytes, 32, [2, 1, 1], Float32Array.of(3, 4, 0, -2))
      all.writeFloatLE(2, 112)
      all.writeFloatLE(1, 116)
      return all
    })
    const part = async (name?: 'phase' | 'real' | 'imaginary'): Promise<number[]> => {
      const image = await readImage(path, name === undefined ? {} : { selection: { part: name } })
      expect(image).toMatchObject({ voxelType: 'float32', slope: 1, inter: 0 })
      expect(image.info).toMatchObject({ complex: true, datatype: 'complex64', slope: 2, inter: 1 })
      return [...(await image.voxels.all())]
    }
    expect(await part()).toEqual([Math.sqrt(113), Math.sqrt(17)].map(Math.fround))
    expect(await part('phase')).toEqual([Math.atan2(8, 7), Math.atan2(-4, 1)].map(Math.fround))
    expect(await part('real')).toEqual([7, 1])
    expect(await part('imaginary')).toEqual([8, -4])
  })
})

describe('colours', () => {
  const rgb = (count: number, grey: boolean): Uint8Array =>
    Uint8Array.from({ length: 3 * count }, (_, i) => (grey ? Math.floor(i / 3) : i))

  it('of a volume stay, of a picture without colour become grey', async () => {
    const volume = await readImage(await changed('rgb.nii', (b) => withVoxels(b, 128, [2, 2, 2], rgb(8, true))))
    expect([volume.channels, volume.dims]).toEqual([3, [2, 2, 2]])
    expect([...(await volume.voxels.slice(2, 1))]).toEqual([4, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7])
    const picture = await readImage(await changed('rgb2.nii', (b) => withVoxels(b, 128, [2, 2], rgb(4, false))))
    expect([picture.channels, picture.info.channels]).toEqual([3, 3])
    const grey = await readImage(await changed('grey.nii', (b) => withVoxels(b, 128, [2, 2], rgb(4, true))))
    expect([grey.channels, grey.info.channels]).toEqual([1, 3])
    expect([...(await grey.voxels.all())]).toEqual([0, 1, 2, 3])
  })
})

describe('numbers and bits that JavaScript has not', () => {
  it('are rounded with a warning, or refused', async () => {
    const wide = await readImage(
      await changed('wide.nii', (b) => withVoxels(b, 1024, [2], BigInt64Array.of(-(2n ** 53n), 2n ** 62n + 1n))),
    )
    expect([...(await wide.voxels.all())]).toEqual([-(2 ** 53), 2 ** 62])
    expect(wide.warnings.join()).toMatch(/rounded/)
    const exact = await readImage(
      await changed('exact.nii', (b) => withVoxels(b, 1280, [1], BigUint64Array.of(2n ** 52n))),
    )
    expect([...(await exact.voxels.all())]).toEqual([2 ** 52])
    expect(exact.warnings).toEqual([])
    for (const [code, what] of [
      [1, 'one-bit'],
      [1536, '128-bit'],
      [2048, '256-bit'],
    ] as const) {
      const path = await changed('refused.nii', (b) => withVoxels(b, code, [1], new Uint8Array(32)))
      await expect(readImage(path)).rejects.toThrow(new RegExp(`refused\\.nii holds ${what} .*convert it`))
    }
  })
})

describe('pairs', () => {
  async function pair(header: string, voxels: string | null): Promise<string[]> {
    const bytes = await readFile(await changed('single.nii', () => undefined))
    bytes.write('ni1', 344)
    bytes.writeFloatLE(0, 108)
    const put = async (name: string, half: Buffer): Promise<string> => {
      const path = join(folder.path, name)
      await writeFile(path, /\.gz$/i.test(name) ? gzipSync(half) : half)
      return path
    }
    return Promise.all([
      put(header, bytes.subarray(0, 348)),
      ...(voxels === null ? [] : [put(voxels, bytes.subarray(352))]),
    ])
  }

  it('open by either half, whichever is packed and whatever the case of their names', async () => {
    const names = [
      ['a.hdr', 'a.img'],
      ['b.hdr.gz', 'b.img.gz'],
      ['c.hdr', 'c.img.gz'],
      ['d.hdr.gz', 'd.img'],
      ['E.HDR', 'E.IMG'],
    ]
    for (const [header = '', voxels = ''] of names) {
      const paths = await pair(header, voxels)
      for (const path of paths) {
        const image = await readImage(path)
        expect((await image.voxels.all())[23], path).toBe(1300)
        expect(image.affine).toEqual(LPS)
        expect(await imageFiles(path)).toEqual(paths)
      }
    }
  })
  it('of which a half is missing say which', async () => {
    const [header = ''] = await pair('alone.hdr', null)
    await expect(readImage(header)).rejects.toThrow('alone.hdr has no voxels in it; put alone.img beside it')
    expect((await readImageInfo(header)).dims).toEqual([4, 3, 2, 1])
    const [half = '', voxels = ''] = await pair('lost.hdr.gz', 'lost.img.gz')
    await rename(half, join(folder.path, 'elsewhere.hdr.gz'))
    const [, plain = ''] = await pair('else.hdr', 'other.img')
    await expect(readImage(plain)).rejects.toThrow('other.img is one half of a pair of files; put other.hdr beside it')
    await expect(readImage(voxels)).rejects.toThrow(
      'lost.img.gz is one half of a pair of files; put lost.hdr beside it',
    )
  })
})

describe('files that are not what their name says', () => {
  it('are read: packed without .gz, plain with it', async () => {
    const packed = await changed('packed.nii', (bytes) => gzipSync(bytes))
    const plain = await changed('plain.nii.gz', () => undefined)
    for (const path of [packed, plain]) expect((await (await readImage(path)).voxels.all())[23]).toBe(1300)
    expect([(await readImageInfo(packed)).compressed, (await readImageInfo(plain)).compressed]).toEqual([true, false])
  })
})

describe('large files', () => {
  it('that are damaged further on show what comes before', async () => {
    const path = join(folder.path, 'damaged.nii.gz')
    const data = Float32Array.from({ length: 200 * 200 * 100 }, (_, i) => (i * 2654435761) % 1000)
    await writeVolume(path, { dims: [200, 200, 100], affine: LPS, data })
    const bytes = await readFile(path)
    await writeFile(path, bytes.subarray(0, bytes.length / 2))
    const { voxels } = await readImage(path)
    expect(await voxels.slice(2, 1)).toEqual(data.slice(40_000, 80_000))
    await expect(voxels.slice(2, 99)).rejects.toMatchObject({ code: 'bad-file' })
    await expect(voxels.complete()).rejects.toThrow(/damaged\.nii\.gz is cut off/)
    await voxels.close()
  })
  it.skipIf(noSparseFiles)('of more than 4 GiB are read where they lie, frame by frame', async () => {
    const path = await changed('huge.nii', (bytes) => {
      withVoxels(bytes, 16, [1000, 1000, 600, 2], new Uint8Array(0)).copy(bytes)
      return undefined
    })
    const frame = 4 * 6e8
    const handle = await open(path, 'r+')
    await handle.write(new Uint8Array(Float32Array.of(7).buffer), 0, 4, 352 + 2 * frame - 4)
    await handle.close()
    await truncate(path, 352 + 2 * frame)
    const image = await readImage(path, { selection: { frame: 1 } })
    expect(image.voxels.byteLength).toBe(frame)
    const last = await image.voxels.slice(2, 599)
    expect([last[0], last[999_999]]).toEqual([0, 7])
    expect(image.voxels.heldBytes).toBe(0)
    await image.voxels.close()
  })
  it.skipIf(noSparseFiles)('of big-endian NIfTI-2 begin where they say', async () => {
    // More than 2^31: such numbers come out of the header parser as negative ones.
    const offset = 3 * 2 ** 30
    const path = join(folder.path, 'far.nii')
    const bytes = Buffer.alloc(544)
    bytes.writeInt32BE(540, 0)
    bytes.write('n+2\0\r\n\x1a\n', 4, 'latin1')
    bytes.writeInt16BE(4, 12)
    ;[3, 2, 1, 1, 1, 1, 1, 1].forEach((extent, i) => bytes.writeBigInt64BE(BigInt(extent), 16 + 8 * i))
    bytes.writeBigInt64BE(BigInt(offset), 168)
    const handle = await open(path, 'w')
    await handle.write(bytes, 0, bytes.length, 0)
    await handle.write(Uint8Array.of(1, 2, 3, 4), 0, 4, offset)
    await handle.close()
    const image = await readImage(path)
    expect([...(await image.voxels.all())]).toEqual([0x0102, 0x0304])
    await image.voxels.close()
    await truncate(path, offset + 2)
    await expect(readImage(path)).rejects.toThrow(/cut off/)
  })
})
