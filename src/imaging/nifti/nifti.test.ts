import { copyFile, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import type { Affine } from '../../core/contract/schemas.ts'
import {
  readImage,
  readImageInfo,
  readLabelMap,
  verifyMask,
  writeMask,
  writeVerifiedMask,
  writeVolume,
} from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'

const LPS: Affine = [
  [-0.75, 0, 0, 60],
  [0, -0.75, 0, 70],
  [0, 0, 2.5, -100],
  [0, 0, 0, 1],
]

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

async function errorOf(action: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await action
  } catch (error) {
    if (error instanceof CodedError) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('did not fail')
}

/** A small volume as plain bytes, for tests that damage it. */
async function sample(): Promise<Buffer> {
  const path = join(folder.path, 'sample.nii')
  const data = Int16Array.from({ length: 24 }, (_, i) => i * 100 - 1000)
  await writeVolume(path, { dims: [4, 3, 2], affine: LPS, data })
  return readFile(path)
}

describe('volumes', () => {
  it('come back as they were written, plain and packed', async () => {
    const data = Int16Array.from({ length: 24 }, (_, i) => i * 100 - 1000)
    for (const name of ['a.nii', 'a.nii.gz']) {
      const path = join(folder.path, name)
      const bytes = await writeVolume(path, { dims: [4, 3, 2], affine: LPS, data })
      expect((await readFile(path)).length).toBe(bytes)
      const volume = await readImage(path)
      expect(volume).toMatchObject({
        kind: 'volume',
        dims: [4, 3, 2],
        channels: 1,
        voxelType: 'int16',
        orientation: 'LPS',
      })
      expect(await volume.voxels.all()).toEqual(data)
      expect(volume.affine).toEqual(LPS)
      expect(volume.spacing).toEqual([0.75, 0.75, 2.5])
      expect(volume.warnings).toEqual([])
      expect(volume.info).toMatchObject({ affineSource: 'sform', compressed: name.endsWith('gz'), byteOrder: 'little' })
    }
  })
  it('know their slope and intercept, and when there is none', async () => {
    const bytes = await sample()
    for (const [slope, inter, expected] of [
      [2, -7, [2, -7]],
      [0, 5, [1, 0]],
      [Number.NaN, 5, [1, 0]],
      [Infinity, 5, [1, 0]],
      [3, Number.NaN, [3, 0]],
    ] as const) {
      bytes.writeFloatLE(slope, 112)
      bytes.writeFloatLE(inter, 116)
      const path = join(folder.path, 'slope.nii')
      await writeFile(path, bytes)
      const volume = await readImage(path)
      expect([volume.slope, volume.inter]).toEqual(expected)
    }
  })
  it('assume and warn where the header states no orientation', async () => {
    const bytes = await sample()
    bytes.writeInt16LE(0, 252)
    bytes.writeInt16LE(0, 254)
    const path = join(folder.path, 'no-orientation.nii')
    await writeFile(path, bytes)
    const volume = await readImage(path)
    expect(volume.orientation).toBe('LAS')
    // x to the left, origin in the middle: (4 - 1) / 2 * 0.75, -(3 - 1) / 2 * 0.75, -(2 - 1) / 2 * 2.5.
    expect(volume.affine?.map((row) => row[3])).toEqual([1.125, -0.75, -1.25, 1])
    expect(volume.warnings.join(' ')).toMatch(/orientation/)
  })
  it('pass over a form that holds no geometry', async () => {
    const bytes = await sample()
    bytes.fill(0, 280, 328)
    const path = join(folder.path, 'singular.nii')
    await writeFile(path, bytes)
    const info = await readImageInfo(path)
    expect(info).toMatchObject({ affineSource: 'qform', orientation: 'LPS' })
    info.affine?.flat().forEach((value, i) => expect(value).toBeCloseTo(LPS.flat()[i] ?? NaN, 5))
    expect(info.warnings).toHaveLength(1)
  })
  it('of more than one frame give the first and say so', async () => {
    const bytes = await sample()
    bytes.writeInt16LE(4, 40)
    bytes.writeInt16LE(1, 46)
    bytes.writeInt16LE(2, 48)
    const path = join(folder.path, 'frames.nii.gz')
    await writeFile(path, gzipSync(bytes))
    const volume = await readImage(path)
    expect(volume.info.dims).toEqual([4, 3, 1, 2])
    expect((await volume.voxels.all()).length).toBe(12)
    expect(volume.warnings.join()).toMatch(/2 frames/)
  })
  it('can be cancelled', async () => {
    await sample()
    const error = await errorOf(readImage(join(folder.path, 'sample.nii'), { signal: AbortSignal.abort() }))
    expect(error.code).toBe('cancelled')
  })
})

describe('broken files', () => {
  async function messageFor(name: string, bytes: Uint8Array): Promise<string> {
    const path = join(folder.path, name)
    await writeFile(path, bytes)
    const error = await errorOf(readImage(path))
    expect(error.code).toBe('bad-file')
    expect(error.message).toContain(name)
    // One sentence that ends, without a stack or a path.
    expect(error.message).toMatch(/^[^\n]+\.$/)
    return error.message
  }

  it('are refused in one sentence with the name of the file', async () => {
    const good = await sample()
    const packed = gzipSync(good)
    expect(await messageFor('short.nii', good.subarray(0, 380))).toMatch(/cut off/)
    expect(await messageFor('header-only.nii', good.subarray(0, 348))).toMatch(/cut off/)
    expect(await messageFor('stub.nii', good.subarray(0, 100))).toMatch(/not an image/)
    expect(await messageFor('short.nii.gz', packed.subarray(0, packed.length - 12))).toMatch(/cut off/)
    const flipped = Buffer.from(packed)
    flipped.writeUInt32LE(0, flipped.length - 8)
    expect(await messageFor('checksum.nii.gz', flipped)).toMatch(/damaged/)
    expect(await messageFor('text.nii.gz', gzipSync('no image'))).toMatch(/not a NIfTI image/)
    expect(await messageFor('not-packed.nii.gz', Buffer.from('plain text'))).toMatch(/not an image/)
    expect(await messageFor('empty.nii', Buffer.alloc(0))).toMatch(/empty/)
  })
  it('are refused where the header lies', async () => {
    const lie = async (name: string, change: (bytes: Buffer) => void): Promise<string> => {
      const bytes = await sample()
      change(bytes)
      return messageFor(name, bytes)
    }
    expect(await lie('rank.nii', (b) => b.writeInt16LE(9, 40))).toMatch(/9 dimensions/)
    expect(await lie('negative.nii', (b) => b.writeInt16LE(-4, 42))).toMatch(/impossible size/)
    expect(await lie('zero.nii', (b) => b.writeInt16LE(0, 44))).toMatch(/impossible size/)
    expect(await lie('offset.nii', (b) => b.writeFloatLE(-1, 108))).toMatch(/impossible place/)
    expect(await lie('offset2.nii', (b) => b.writeFloatLE(1e9, 108))).toMatch(/cut off/)
    expect(await lie('type.nii', (b) => b.writeInt16LE(77, 70))).toMatch(/unknown data type/)
    expect(await lie('complex.nii', (b) => b.writeInt16LE(32, 70))).toMatch(/complex/)
    expect(await lie('wide.nii', (b) => b.writeInt16LE(1536, 70))).toMatch(/128-bit/)
    expect(await lie('pair.nii', (b) => b.write('ni1', 344))).toMatch(/pair/)
    const huge = (b: Buffer): void => [42, 44, 46].forEach((at) => b.writeInt16LE(32767, at))
    expect(await lie('overflow.nii', huge)).toMatch(/more than can be annotated/)
    const large = (b: Buffer): void => [42, 44].forEach((at) => b.writeInt16LE(30000, at))
    expect(await lie('large.nii', large)).toMatch(/cut off/)
    const bytes = await sample()
    large(bytes)
    // A small packed file that promises gigabytes is refused before they are allocated.
    expect(await messageFor('large.nii.gz', gzipSync(bytes))).toMatch(/cut off/)
  })
})

describe('masks', () => {
  it('keep the geometry of the image byte by byte and nothing of its values', async () => {
    const bytes = await sample()
    bytes.writeFloatLE(2, 112)
    bytes.writeFloatLE(100, 124)
    bytes.write('secret', 148)
    bytes.writeUInt8(10, 123)
    const path = join(folder.path, 'image.nii')
    await writeFile(path, bytes)
    const image = await readImage(path)
    const labels = Uint8Array.from({ length: 24 }, (_, i) => i % 5)
    const target = join(folder.path, 'mask.nii')
    const written = await writeMask(target, labels, image)
    const mask = await readFile(target)
    expect(written.bytes).toBe(mask.length)
    expect(mask.length).toBe(352 + 24)
    expect(mask.subarray(252, 328)).toEqual(bytes.subarray(252, 328))
    expect(mask.subarray(76, 92)).toEqual(bytes.subarray(76, 92))
    expect(mask.readUInt8(123)).toBe(10)
    expect([mask.readInt16LE(70), mask.readInt16LE(72), mask.readFloatLE(112), mask.readFloatLE(116)]).toEqual([
      2, 8, 1, 0,
    ])
    expect(mask.readFloatLE(124)).toBe(0)
    expect(mask.includes('secret')).toBe(false)
    expect(new Uint8Array(mask.subarray(352))).toEqual(labels)
    await verifyMask(target, labels, image)
    expect(await readLabelMap(target)).toEqual({ dims: [4, 3, 2], labels, affine: image.affine })
  })
  it('are found out when they are not what was to be saved', async () => {
    await sample()
    const image = await readImage(join(folder.path, 'sample.nii'))
    const labels = new Uint8Array(24).fill(1)
    const target = join(folder.path, 'verify.nii.gz')
    await writeMask(target, labels, image)
    await verifyMask(target, labels, image)
    const other = labels.slice()
    other[23] = 2
    expect((await errorOf(verifyMask(target, other, image))).code).toBe('verify-failed')
    const moved = {
      ...image,
      source: {
        ...image.source,
        header: image.source.kind === 'nifti' ? image.source.header.slice() : new Uint8Array(),
      },
    }
    if (moved.source.kind !== 'nifti') throw new Error('a NIfTI image expected')
    new DataView(moved.source.header.buffer).setFloat32(292, 61, true)
    expect(await errorOf(verifyMask(target, labels, { ...image, source: { ...moved.source } }))).toMatchObject({
      code: 'verify-failed',
      message: expect.stringContaining('sform') as string,
    })
    await writeFile(target, (await readFile(target)).subarray(0, 40))
    expect((await errorOf(verifyMask(target, labels, image))).code).toBe('verify-failed')
  })
  it('that cannot get their name leave nothing behind and are spoken of by that name', async () => {
    const own = await temporaryFolder()
    try {
      await sample()
      const image = await readImage(join(folder.path, 'sample.nii'))
      const labels = new Uint8Array(24).fill(2)
      await mkdir(join(own.path, 'm.nii.gz', 'full'), { recursive: true })
      const error = await errorOf(writeVerifiedMask(join(own.path, 'm.nii.gz'), labels, image))
      expect(error.code).toBe('not-saved')
      expect(error.message).toMatch(/^m\.nii\.gz /)
      const nowhere = await errorOf(writeVerifiedMask(join(own.path, 'none', 'm.nii'), labels, image))
      expect(nowhere).toMatchObject({ code: 'file-missing', message: expect.stringContaining(' m.nii ') as string })
      expect(await readdir(own.path)).toEqual(['m.nii.gz'])
      await writeVerifiedMask(join(own.path, 'n.nii'), labels, image)
      expect((await readLabelMap(join(own.path, 'n.nii'))).labels).toEqual(labels)
      const itself = await errorOf(writeVerifiedMask(join(folder.path, 'sample.nii'), labels, image))
      expect(itself.message).toContain('is the image itself')
    } finally {
      await own.remove()
    }
  })
  it('replace an older mask and leave nothing else behind', async () => {
    const own = await temporaryFolder()
    try {
      await sample()
      const image = await readImage(join(folder.path, 'sample.nii'))
      const target = join(own.path, 'm.nii.gz')
      await writeMask(target, new Uint8Array(24), image)
      await writeMask(target, new Uint8Array(24).fill(3), image)
      expect((await readLabelMap(target)).labels[0]).toBe(3)
      expect(await readdir(own.path)).toEqual(['m.nii.gz'])
    } finally {
      await own.remove()
    }
  })
  it('are never written over the image, under a wrong ending or into a missing folder', async () => {
    await sample()
    const path = join(folder.path, 'sample.nii')
    const image = await readImage(path)
    const labels = new Uint8Array(24)
    expect((await errorOf(writeMask(path, labels, image))).code).toBe('bad-request')
    expect((await errorOf(writeMask(join(folder.path, 'm.png'), labels, image))).code).toBe('bad-request')
    expect((await errorOf(writeMask(join(folder.path, 'no/m.nii'), labels, image))).code).toBe('file-missing')
    const before = await readdir(folder.path)
    const blocked = join(folder.path, 'blocked.nii.gz')
    await mkdir(blocked, { recursive: true })
    expect((await errorOf(writeMask(blocked, labels, image))).code).toBe('not-saved')
    expect((await readdir(folder.path)).filter((name) => !before.includes(name))).toEqual(['blocked.nii.gz'])
  })
  it('are refused as masks when they hold other than labels', async () => {
    const path = join(folder.path, 'values.nii')
    await sample()
    await copyFile(join(folder.path, 'sample.nii'), path)
    expect((await errorOf(readLabelMap(path))).message).toMatch(/-1000/)
    const data = Float32Array.of(0, 1, 255, 7)
    await writeVolume(path, { dims: [2, 2, 1], affine: LPS, data })
    expect([...(await readLabelMap(path)).labels]).toEqual([0, 1, 255, 7])
  })
})
