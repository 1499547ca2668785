import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { imageFiles, readImage, readImageInfo } from '../registry.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { dataSet, dicomBytes, encapsulated, metaBytes, sliceElements, type TestElement } from './testing/dicomFile.ts'

/** Numbers from 0 up to below 1, the same ones for the same seed. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const values = Array.from({ length: 64 * 48 }, (_, i) => i % 4000)
const slice = { columns: 64, rows: 48, values, bitsStored: 12 }

function groups(): TestElement[] {
  const place = (z: number): TestElement[] => [[0x00209113, 'SQ', [[[0x00200032, 'DS', `0\\0\\${z}`]]]]]
  return [
    [0x00280008, 'IS', '2'],
    [0x52009230, 'SQ', [place(0), place(1)]],
  ]
}

/** An RLE frame of zeros. */
function runs(): Buffer {
  const header = Buffer.alloc(64)
  const segment = Buffer.from(Array.from({ length: 24 }, () => [0x81, 0]).flat())
  ;[2, 64, 64 + segment.length].forEach((value, i) => header.writeUInt32LE(value, 4 * i))
  return Buffer.concat([header, segment, segment])
}

/** One of each form, all of which can be read. */
function originals(): Buffer[] {
  const bare = sliceElements(slice).filter(([tag]) => tag !== 0x7fe00010)
  const body = dataSet(sliceElements(slice), { bigEndian: false, implicit: false })
  return [
    dicomBytes(sliceElements(slice)),
    dicomBytes(sliceElements(slice), { implicit: true, transferSyntax: '1.2.840.10008.1.2' }),
    dicomBytes(sliceElements(slice), { bigEndian: true, transferSyntax: '1.2.840.10008.1.2.2' }),
    dicomBytes(sliceElements({ ...slice, values: [...values, ...values], more: groups() })),
    Buffer.concat([dicomBytes(bare, { transferSyntax: '1.2.840.10008.1.2.5' }), encapsulated([runs()])]),
    Buffer.concat([metaBytes('1.2.840.10008.1.2.1.99'), deflateRawSync(body)]),
  ]
}

function damaged(bytes: Buffer, next: () => number): Buffer {
  const whole = Buffer.from(bytes)
  const place = (): number => Math.floor(next() * whole.length)
  const kind = Math.floor(next() * 4)
  if (kind === 0) return whole.subarray(0, place())
  if (kind === 1) {
    for (let i = 0; i < 4; i++) whole[place()] = Math.floor(next() * 256)
    return whole
  }
  if (kind === 2) {
    // In the header, where lengths are.
    const lengths = [0, 1, 0xffff, 0x7fffffff, 0xffffffff]
    whole.writeUInt32LE(
      lengths[Math.floor(next() * lengths.length)] ?? 0,
      132 + Math.floor(next() * (Math.min(whole.length, 700) - 136)),
    )
    return whole
  }
  const at = place()
  return Buffer.concat([whole.subarray(0, at), whole.subarray(Math.max(0, at - 200))])
}

describe('damaged DICOM files', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  beforeAll(async () => {
    folder = await temporaryFolder()
  })
  afterAll(async () => {
    await folder.remove()
  })

  it('are read, or refused with a sentence that names the file', async () => {
    const next = numbers(11)
    const all = originals()
    const outcomes = { read: 0, refused: 0 }
    for (let i = 0; i < 240; i++) {
      const inner = join(folder.path, 'series')
      await mkdir(inner)
      const path = join(inner, 'image.dcm')
      const original = all[i % all.length] ?? Buffer.alloc(0)
      await writeFile(path, i < all.length ? original : damaged(original, next))
      try {
        await readImageInfo(path)
        await imageFiles(path)
        const image = await readImage(i % 2 === 0 ? path : inner)
        try {
          const voxels = await image.voxels.all()
          expect(voxels.length).toBe(image.dims[0] * image.dims[1] * image.dims[2] * image.channels)
        } finally {
          await image.voxels.close()
        }
        outcomes.read++
      } catch (error) {
        expect(error).toBeInstanceOf(CodedError)
        expect(error).toHaveProperty('code', 'bad-file')
        expect((error as Error).message).toMatch(/^(image\.dcm|series) .+\.$/)
        expect((error as Error).message).not.toMatch(/could not be read; copy it/)
        outcomes.refused++
      }
      if (i < all.length) expect(outcomes.read, `original ${i}`).toBe(i + 1)
      await rm(inner, { recursive: true })
    }
    expect(outcomes.refused).toBeGreaterThan(50)
    expect(outcomes.read).toBeGreaterThan(30)
  })

  it('are refused where sequences are nested without end', async () => {
    const deep = Buffer.concat(
      Array.from({ length: 50_000 }, () => {
        const head = Buffer.from([0x00, 0x52, 0x29, 0x92, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff])
        return Buffer.concat([head, Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0xff, 0xff, 0xff, 0xff])])
      }),
    )
    const path = join(folder.path, 'deep.dcm')
    await writeFile(path, Buffer.concat([metaBytes('1.2.840.10008.1.2.1'), deep]))
    await expect(readImage(path)).rejects.toThrow(/^deep.dcm has a damaged DICOM header; get the file again/)
  })

  it('are refused where a little unpacks to more than can be held', async () => {
    const path = join(folder.path, 'bomb.dcm')
    const zeros = Buffer.alloc(2 ** 26)
    await writeFile(path, Buffer.concat([metaBytes('1.2.840.10008.1.2.1.99'), deflateRawSync(zeros)]))
    await expect(readImage(path)).rejects.toThrow(/^bomb.dcm has a damaged DICOM header/)
    const large: TestElement[] = [
      [0x00280008, 'IS', '100'],
      [0x00280010, 'US', [2000]],
      [0x00280011, 'US', [2000]],
      [0x7fe00010, 'OW', Buffer.alloc(0)],
    ]
    const body = dataSet(sliceElements({ more: large }), { bigEndian: false, implicit: false })
    body.writeUInt32LE(800_000_000, body.length - 4)
    const packed = deflateRawSync(Buffer.concat([body, zeros]))
    await writeFile(path, Buffer.concat([metaBytes('1.2.840.10008.1.2.1.99'), packed, Buffer.alloc(2 ** 20)]))
    await expect(readImage(path)).rejects.toThrow(/^bomb.dcm is too large to be unpacked; convert it/)
  })
})
