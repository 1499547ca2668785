import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImageSelection } from '../../core/contract/schemas.ts'
import { imageFiles, readImage, readImageInfo } from '../registry.ts'
import { temporaryFolder } from '../testing/folders.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...parts: string[]): string => join(folder.path, ...parts)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

/** x + 10 y + 100 z, which says where a voxel was. */
const place = (dims: readonly number[]): number[] => {
  const [nx = 1, ny = 1, nz = 1] = dims
  return Array.from(
    { length: nx * ny * nz },
    (_, i) => (i % nx) + 10 * (Math.floor(i / nx) % ny) + 100 * Math.floor(i / (nx * ny)),
  )
}
const HEAD = 'NRRD0004\n# a comment\n'
const bytes = (data: ArrayBufferView): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength)

let counter = 0
async function file(header: string, data: Uint8Array | string = ''): Promise<string> {
  const path = at(`${++counter}.nrrd`)
  await writeFile(path, Buffer.concat([Buffer.from(`${HEAD}${header}\n`), Buffer.from(data)]))
  return path
}

async function read(path: string, selection: ImageSelection = {}) {
  const image = await readImage(path, { selection })
  const data = [...(await image.voxels.all())]
  await image.voxels.close()
  return { ...image, data }
}

const shape = 'type: short\ndimension: 3\nsizes: 3 2 2\n'
const values = place([3, 2, 2])

describe('NRRD', () => {
  it('reads raw, packed, text and hexadecimal samples alike, in both byte orders', async () => {
    const little = bytes(Int16Array.from(values))
    const big = Buffer.from(little).swap16()
    const files = [
      await file(`${shape}encoding: raw\nendian: little\n`, little),
      await file(`${shape}encoding: raw\nendian: big\n`, big),
      await file(`${shape}encoding: gzip\nendian: little\n`, gzipSync(little)),
      await file(`${shape}encoding: gz\nendian: big\n`, gzipSync(big)),
      await file(`${shape}encoding: ascii\n`, values.join(' \n')),
      await file(`${shape}encoding: txt\n`, `  ${values.join(', ')}\n\n`),
      await file(
        `${shape}encoding: hex\nendian: big\n`,
        `${big.toString('hex').slice(0, 7)}\n${big.toString('hex').slice(7)}`,
      ),
      await file(`${shape}encoding: raw\nendian: little\nbyte skip: -1\n`, Buffer.concat([Buffer.alloc(5, 9), little])),
      await file(
        `${shape}encoding: raw\nendian: little\nline skip: 2\nbyte skip: 3\n`,
        Buffer.concat([Buffer.from('one\ntwo\n\n\n\n'), little]),
      ),
      await file(
        `${shape}encoding: gzip\nendian: little\nbyte skip: 4\n`,
        gzipSync(Buffer.concat([Buffer.alloc(4, 1), little])),
      ),
      await file(`${shape.replaceAll('\n', '\r\n')}encoding: raw\r\nendian: little\r\n\r`, little),
    ]
    for (const path of files) {
      const { data, dims, voxelType, affine } = await read(path)
      expect({ path, data, dims, voxelType, affine }).toEqual({
        path,
        data: values,
        dims: [3, 2, 2],
        voxelType: 'int16',
        affine: null,
      })
    }
  })

  it('knows every type by each of its names', async () => {
    const cases: [string, ArrayBufferView, string, number[]][] = [
      ['signed char', Int8Array.of(-1, 2), 'int8', [-1, 2]],
      ['uchar', Uint8Array.of(255, 2), 'uint8', [255, 2]],
      ['unsigned short int', Uint16Array.of(65535, 2), 'uint16', [65535, 2]],
      ['int', Int32Array.of(-5, 2), 'int32', [-5, 2]],
      ['uint32_t', Uint32Array.of(4e9, 2), 'uint32', [4e9, 2]],
      ['long long', BigInt64Array.of(-(2n ** 40n), 2n), 'int64', [-(2 ** 40), 2]],
      ['unsigned long long int', BigUint64Array.of(2n ** 52n, 2n), 'uint64', [2 ** 52, 2]],
      ['float', Float32Array.of(0.5, NaN), 'float32', [0.5, NaN]],
      ['double', Float64Array.of(0.1, -Infinity), 'float64', [0.1, -Infinity]],
    ]
    for (const [name, data, datatype, wanted] of cases) {
      const path = await file(`type: ${name}\ndimension: 2\nsizes: 2 1\nencoding: raw\nendian: little\n`, bytes(data))
      const found = await read(path)
      expect([found.info.datatype, found.data]).toEqual([datatype, wanted])
    }
  })

  it('says where a whole number is too large to be held', async () => {
    const header = 'type: int64\ndimension: 2\nsizes: 2 1\nencoding: raw\nendian: big\n'
    const warnings = async (...values: bigint[]): Promise<string> => {
      const data = Buffer.alloc(16)
      values.forEach((value, i) => data.writeBigInt64BE(value, 8 * i))
      return (await read(await file(header, data))).warnings.join(' ')
    }
    expect(await warnings(2n ** 53n - 1n, -(2n ** 53n) + 1n)).not.toMatch(/rounded/)
    expect(await warnings(0n, 2n ** 53n + 1n)).toMatch(/they were rounded/)
  })

  it('places a volume by its space, its directions and its origin', async () => {
    const directions = 'space directions: (0,2,0) (0,0,3) (-0.5,0,0)\nspace origin: (10,20,30)\n'
    const affineOf = async (space: string): Promise<unknown> => {
      const { affine, spacing } = await read(
        await file(`${shape}encoding: ascii\n${space}${directions}`, values.join(' ')),
      )
      expect(spacing).toEqual([2, 3, 0.5])
      return affine
    }
    const ras = [
      [0, 0, -0.5, 10],
      [2, 0, 0, 20],
      [0, 3, 0, 30],
      [0, 0, 0, 1],
    ]
    expect(await affineOf('space: right-anterior-superior\n')).toEqual(ras)
    expect(await affineOf('space: RAS\n')).toEqual(ras)
    expect(await affineOf('space: LAS\n')).toEqual([[0, 0, 0.5, -10], ...ras.slice(1)])
    const lps = [[0, 0, 0.5, -10], [-2, 0, 0, -20], ...ras.slice(2)]
    expect(await affineOf('space: left-posterior-superior\n')).toEqual(lps)
    expect(await affineOf('space: scanner-xyz\n')).toEqual(lps)
    const micrometres = await read(
      await file(`${shape}encoding: ascii\nspace: RAS\nspace units: "um" "um" "um"\n${directions}`, values.join(' ')),
    )
    expect(micrometres.affine?.[1]).toEqual([0.002, 0, 0, 0.02])
  })

  it('says what it has to assume', async () => {
    const unnamed = `space dimension: 3\nspace directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (1,2,3)\n`
    const info = await readImageInfo(await file(`${shape}encoding: ascii\n${unnamed}`, values.join(' ')))
    expect(info.warnings).toEqual([expect.stringContaining('does not name the directions')])
    expect(info.affine?.map((row) => row[3])).toEqual([-1, -2, 3, 1])
    const flat = 'space: RAS\nspace directions: (1,0,0) (2,0,0) (0,0,1)\n'
    const unusable = await readImageInfo(await file(`${shape}encoding: ascii\n${flat}`, values.join(' ')))
    expect([unusable.affine, unusable.spacing, unusable.warnings]).toEqual([
      null,
      [1, 2, 1],
      [expect.stringContaining('not usable')],
    ])
    const spaced = await readImageInfo(await file(`${shape}encoding: ascii\nspacings: 0.5 0.5 2\n`, values.join(' ')))
    expect([spaced.affine, spaced.spacing, spaced.spacingKnown]).toEqual([null, [0.5, 0.5, 2], true])
    const nodes = await readImageInfo(
      await file(
        `${shape}encoding: ascii\naxis mins: 0 0 0\naxis maxs: 4 2 6\ncenterings: node cell cell\n`,
        values.join(' '),
      ),
    )
    expect(nodes.spacing).toEqual([2, 1, 3])
  })

  it('finds colours first and last, components and frames', async () => {
    const rgb = Uint8Array.from({ length: 18 }, (_, i) => i * 3)
    const planar = Uint8Array.from({ length: 18 }, (_, i) => rgb[(i % 6) * 3 + Math.floor(i / 6)] ?? 0)
    const rgba = Uint8Array.from({ length: 24 }, (_, i) =>
      i % 4 === 3 ? 200 : (rgb[Math.floor(i / 4) * 3 + (i % 4)] ?? 0),
    )
    const colour = async (sizes: string, kinds: string, data: Uint8Array) =>
      read(await file(`type: uchar\ndimension: 4\nsizes: ${sizes}\nkinds: ${kinds}\nencoding: raw\n`, data))
    for (const found of [
      await colour('3 3 2 1', 'RGB-color domain domain domain', rgb),
      await colour('3 2 1 3', 'domain domain domain RGB-color', planar),
      await colour('4 3 2 1', 'RGBA-color domain domain domain', rgba),
      await colour('3 3 2 1', 'vector domain domain domain', rgb),
    ]) {
      expect([found.dims, found.channels, found.data]).toEqual([[3, 2, 1], 3, [...rgb]])
    }
    const grey = await colour(
      '3 3 2 1',
      'RGB-color domain domain domain',
      Uint8Array.from({ length: 18 }, (_, i) => Math.floor(i / 3)),
    )
    expect([grey.channels, grey.data]).toEqual([1, [0, 1, 2, 3, 4, 5]])

    // Four frames that vary faster than the room, and slower.
    const fast = Int16Array.from({ length: 48 }, (_, i) => 1000 * (i % 4) + (values[Math.floor(i / 4)] ?? 0))
    const slow = Int16Array.from({ length: 48 }, (_, i) => 1000 * Math.floor(i / 12) + (values[i % 12] ?? 0))
    const four = 'type: short\ndimension: 4\nencoding: raw\nendian: little\n'
    const first = await file(
      `${four}sizes: 4 3 2 2\nkinds: list domain domain domain\nspace: RAS\nspace directions: none (1,0,0) (0,1,0) (0,0,1)\n`,
      bytes(fast),
    )
    const last = await file(`${four}sizes: 3 2 2 4\nkinds: space space space time\n`, bytes(slow))
    const packed = await file(`${four.replace('raw', 'gzip')}sizes: 3 2 2 4\n`, gzipSync(bytes(slow)))
    for (const path of [first, last, packed]) {
      expect((await readImageInfo(path)).dims).toEqual([3, 2, 2, 4])
      for (const frame of [0, 3]) {
        const found = await read(path, { frame })
        expect([found.info.frames, found.data]).toEqual([4, values.map((value) => value + 1000 * frame)])
      }
      await expect(readImage(path, { selection: { frame: 4 } })).rejects.toThrow(/no frame/)
    }
    const pairs = Float32Array.of(3, 4, 0, -2)
    const complex = await file(
      'type: float\ndimension: 3\nsizes: 2 2 1\nkinds: complex domain domain\nencoding: raw\nendian: little\n',
      bytes(pairs),
    )
    expect((await read(complex)).data).toEqual([5, 2])
    expect((await read(complex, { part: 'imaginary' })).data).toEqual([4, -2])
    expect((await readImageInfo(complex)).datatype).toBe('complex64')
    const vectors = await file(
      'type: float\ndimension: 3\nsizes: 2 2 1\nkinds: 2-vector domain domain\nencoding: raw\nendian: little\n',
      bytes(pairs),
    )
    expect((await read(vectors, { channel: 1 })).data).toEqual([4, -2])
    expect((await readImageInfo(vectors)).channelNames).toHaveLength(2)
  })

  it('reads samples from files beside it, one, listed or numbered, and names them all', async () => {
    await mkdir(at('slices'))
    const head = `${HEAD}${shape}encoding: raw\nendian: little\n`
    const data = Int16Array.from(values)
    await writeFile(at('whole.raw'), bytes(data))
    for (const z of [0, 1])
      await writeFile(at('slices', `s${String(z + 7).padStart(3, '0')}.raw`), bytes(data.subarray(6 * z, 6 * z + 6)))
    await writeFile(at('one.nhdr'), `${head}data file: whole.raw\n`)
    await writeFile(at('list.nhdr'), `${head}datafile: LIST\nslices/s007.raw\n./slices/s008.raw\n`)
    await writeFile(at('numbers.nhdr'), `${head}data file: slices/s%03d.raw 7 8 1\n\n`)
    for (const name of ['one.nhdr', 'list.nhdr', 'numbers.nhdr']) expect((await read(at(name))).data).toEqual(values)
    expect(await imageFiles(at('list.nhdr'))).toEqual([
      at('list.nhdr'),
      at('slices', 's007.raw'),
      at('slices', 's008.raw'),
    ])
  })

  it('refuses what is damaged, out of reach or not known, in one sentence', async () => {
    const refused = async (header: string, sentence: RegExp, data: Uint8Array | string = ''): Promise<void> => {
      const path = await file(header, data)
      const error = await readImage(path).then(
        async ({ voxels }) =>
          voxels.complete().then(
            () => null,
            (reason: unknown) => reason,
          ),
        (reason: unknown) => reason,
      )
      expect(error).toMatchObject({ code: 'bad-file', message: expect.stringMatching(sentence) as string })
    }
    const raw = `${shape}encoding: raw\nendian: little\n`
    await refused(raw, /cut off/, bytes(Int16Array.of(1, 2)))
    await refused(
      `${shape}encoding: gzip\nendian: little\n`,
      /cut off/,
      gzipSync(bytes(Int16Array.from(values))).subarray(0, 20),
    )
    await refused(`${shape}encoding: bzip2\n`, /packed in a way.*\(bzip2\)/)
    await refused('type: block\ndimension: 1\nsizes: 4\nencoding: raw\n', /type "block"/)
    await refused('type: short\ndimension: 3\nsizes: 3 2\nencoding: raw\n', /dimensions/)
    await refused('type: short\ndimension: 3\nsizes: 3 0 2\nencoding: raw\n', /impossible size/)
    await refused('type: short\ndimension: 3\nsizes: 3e9 3e9 3e9\nencoding: raw\n', /impossible size/)
    await refused(
      'type: short\ndimension: 3\nsizes: 3000000 30000 3000\nencoding: gzip\n',
      /more than can be annotated|cut off/,
      'x',
    )
    await refused(`${shape}encoding: ascii\n`, /"1e9" where a number of type int16/, '1 1e9 2 3 4 5 6 7 8 9 10 11')
    await refused(`${shape}encoding: ascii\n`, /no text of numbers/, 'x'.repeat(500))
    await refused(`${shape}encoding: hex\n`, /hexadecimal/, 'no'.repeat(60))
    for (const name of ['../out.raw', '/etc/passwd', 'a/../../b.raw', '..\\out.raw']) {
      await refused(`${raw}data file: ${name}\n`, /outside of its folder/)
    }
    await refused(`${raw}data file: missing.raw\n`, /names a data file that is not there \(missing\.raw\)/)
    await refused(`${raw}data file: s%d%d.raw 1 2 1\n`, /pattern/)
    await refused(`${raw}data file: s%d.raw 1 900000000 1\n`, /other data files .* than it can have slices/)
    await refused(`${raw}byte skip: x\n`, /where its samples begin/)
    await refused(
      'type: uchar\ndimension: 3\nsizes: 3 4 2\nkinds: domain vector domain\nencoding: raw\n',
      /order that cannot be read/,
    )
    const odd = at('odd.nrrd')
    await writeFile(odd, 'NRRD0009\ntype: short\n\n')
    await expect(readImage(odd)).rejects.toThrow(/version of NRRD/)
  })
})
