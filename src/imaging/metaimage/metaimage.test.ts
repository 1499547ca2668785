import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
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

const values = Array.from({ length: 12 }, (_, i) => i * 11 - 20)
const bytes = (data: ArrayBufferView): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength)
const little = bytes(Int16Array.from(values))
const big = Buffer.from(little).swap16()

let counter = 0
async function file(header: string, data: Uint8Array | string = '', place = 'LOCAL'): Promise<string> {
  const path = at(`${++counter}.mha`)
  await writeFile(path, Buffer.concat([Buffer.from(`${header}ElementDataFile = ${place}\n`), Buffer.from(data)]))
  return path
}
async function read(path: string, selection: ImageSelection = {}) {
  const image = await readImage(path, { selection })
  const data = [...(await image.voxels.all())]
  await image.voxels.close()
  return { ...image, data }
}

const head = 'ObjectType = Image\nNDims = 3\nDimSize = 3 2 2\nElementType = MET_SHORT\nElementSpacing = 0.5 2 3\n'

describe('MetaImage', () => {
  it('reads plain, packed and text samples alike, in both byte orders', async () => {
    for (const path of [
      await file(head, little),
      await file(`${head}BinaryData = True\nElementByteOrderMSB = True\n`, big),
      await file(`${head}BinaryDataByteOrderMSB = T\n`, big),
      await file(`${head}CompressedData = True\nCompressedDataSize = 20\n`, deflateSync(little)),
      await file(`${head}CompressedData = True\nBinaryDataByteOrderMSB = True\n`, deflateSync(big)),
      await file(`${head}BinaryData = False\n`, values.join(' ')),
      await file(`${head}HeaderSize = 6\n`, Buffer.concat([Buffer.alloc(6, 7), little])),
      await file(`${head}HeaderSize = -1\n`, Buffer.concat([Buffer.alloc(9, 7), little])),
      await file(`Comment = made by hand\r\n${head.replaceAll('\n', '\r\n')}dim[0] = 3\r\n`, little),
    ]) {
      const { data, dims, voxelType, spacing } = await read(path)
      expect({ path, data, dims, voxelType, spacing }).toEqual({
        ...{ path, data: values, dims: [3, 2, 2], voxelType: 'int16', spacing: [0.5, 2, 3] },
      })
    }
  })

  it('knows every type', async () => {
    const cases: [string, ArrayBufferView, string, number[]][] = [
      ['MET_CHAR', Int8Array.of(-1, 2), 'int8', [-1, 2]],
      ['MET_UCHAR', Uint8Array.of(255, 2), 'uint8', [255, 2]],
      ['MET_USHORT', Uint16Array.of(65535, 2), 'uint16', [65535, 2]],
      ['MET_INT', Int32Array.of(-5, 2), 'int32', [-5, 2]],
      ['MET_ULONG', Uint32Array.of(4e9, 2), 'uint32', [4e9, 2]],
      ['MET_LONG_LONG', BigInt64Array.of(-(2n ** 40n), 2n), 'int64', [-(2 ** 40), 2]],
      ['MET_ULONG_LONG', BigUint64Array.of(2n ** 52n, 2n), 'uint64', [2 ** 52, 2]],
      ['MET_FLOAT', Float32Array.of(0.5, NaN), 'float32', [0.5, NaN]],
      ['MET_DOUBLE', Float64Array.of(0.1, -Infinity), 'float64', [0.1, -Infinity]],
    ]
    for (const [name, data, datatype, wanted] of cases) {
      const found = await read(await file(`NDims = 2\nDimSize = 2 1\nElementType = ${name}\n`, bytes(data)))
      expect([found.info.datatype, found.dims, found.data]).toEqual([datatype, [2, 1, 1], wanted])
    }
  })

  it('takes the rows of the matrix as directions of the voxel axes, in LPS', async () => {
    const turned = 'TransformMatrix = 0 1 0 0 0 1 1 0 0\nOffset = 10 20 30\n'
    const wanted = [
      // x runs to posterior (y of LPS), y to superior, z to the left (x of LPS).
      [0, 0, -3, -10],
      [-0.5, 0, 0, -20],
      [0, 2, 0, 30],
      [0, 0, 0, 1],
    ]
    const found = await read(await file(head + turned, little))
    expect([found.affine, found.orientation]).toEqual([wanted, 'PSL'])
    const older = turned.replace('TransformMatrix', 'Orientation').replace('Offset', 'Position')
    expect((await read(await file(head + older, little))).affine).toEqual(wanted)
    const flat =
      'NDims = 2\nDimSize = 3 2\nElementType = MET_SHORT\nElementSpacing = 2 3\nTransformMatrix = 0 1 -1 0\nOffset = 5 6\n'
    expect((await read(await file(flat, little))).affine).toEqual([
      [0, 3, 0, -5],
      [-2, 0, 0, -6],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
    ])
    expect((await read(await file(head, little))).affine).toBeNull()
    expect((await read(await file(`${head}Offset = 1 2 3\n`, little))).affine?.map((row) => row[3])).toEqual([
      -1, -2, 3, 1,
    ])
  })

  it('finds colours, channels and frames', async () => {
    const rgb = Uint8Array.from({ length: 18 }, (_, i) => i * 3)
    const picture = 'NDims = 2\nDimSize = 3 2\nElementNumberOfChannels = 3\n'
    const colour = await read(await file(`${picture}ElementType = MET_UCHAR\n`, rgb))
    expect([colour.channels, colour.data]).toEqual([3, [...rgb]])
    const field = await file(`${picture}ElementType = MET_FLOAT_ARRAY\n`, bytes(Float32Array.from(rgb)))
    expect((await readImageInfo(field)).channels).toBe(3)
    expect((await read(field, { channel: 2 })).data).toEqual([6, 15, 24, 33, 42, 51])
    const series = await file(head.replace('NDims = 3\nDimSize = 3 2 2', 'NDims = 4\nDimSize = 3 2 1 2'), little)
    expect((await readImageInfo(series)).dims).toEqual([3, 2, 1, 2])
    expect((await read(series, { frame: 1 })).data).toEqual(values.slice(6))
  })

  it('reads samples from files beside it, one, listed or numbered, and names them all', async () => {
    await mkdir(at('slices'))
    await writeFile(at('whole.raw'), little)
    await writeFile(at('whole.zraw'), deflateSync(little))
    for (const z of [0, 1]) await writeFile(at('slices', `${z + 1}.raw`), little.subarray(12 * z, 12 * z + 12))
    await writeFile(at('one.mhd'), `${head}ElementDataFile = whole.raw\n`)
    await writeFile(at('packed.mhd'), `${head}CompressedData = True\nElementDataFile = whole.zraw\n`)
    await writeFile(at('list.mhd'), `${head}ElementDataFile = LIST\nslices/1.raw\nslices/2.raw\n`)
    await writeFile(at('list2.mhd'), `${head}ElementDataFile = LIST 2D\nslices/1.raw\nslices/2.raw\nleft over\n`)
    await writeFile(at('numbers.mhd'), `${head}ElementDataFile = slices/%d.raw 1 2 1\n`)
    for (const name of ['one', 'packed', 'list', 'list2', 'numbers'])
      expect((await read(at(`${name}.mhd`))).data).toEqual(values)
    expect(await imageFiles(at('one.mhd'))).toEqual([at('one.mhd'), at('whole.raw')])
  })

  it('refuses what is damaged, out of reach or not known, in one sentence', async () => {
    const refused = async (
      header: string,
      sentence: RegExp,
      data: Uint8Array | string = '',
      place?: string,
    ): Promise<void> => {
      const path = await file(header, data, place)
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
    await refused(head, /cut off/, little.subarray(0, 20))
    await refused(`${head}CompressedData = True\n`, /damaged/, little)
    await refused(head.replace('Image', 'Tube'), /no image \(tube\)/)
    await refused(head.replace('MET_SHORT', 'MET_STRING'), /type "MET_STRING"/)
    await refused(head.replace('3 2 2', '3 2'), /dimensions/)
    await refused(head.replace('3 2 2', '3 -2 2'), /impossible size/)
    await refused(head.replace('3 2 2', '9e9 9e9 9e9'), /impossible size/)
    await refused(head, /outside of its folder/, '', '../away.raw')
    await refused(head, /other data files .* than it can have slices/, '', '%d.raw 1 900000000 1')
    await refused(head, /lists 1 data files/, 'only.raw\n', 'LIST')
    const headless = at('headless.mha')
    await writeFile(headless, 'NDims = 3\nDimSize = 1 1 1\n')
    await expect(readImage(headless)).rejects.toThrow(/ElementDataFile/)
  })
})
