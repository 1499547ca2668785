import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readImage, readImageInfo, readLabelMap, writePng, writeVolume } from '../../imaging/index.ts'
import { threshold } from '../inference/testing/pointwise.ts'
import { startRuntime } from '../runtime/start.ts'
import { predictFile } from './predictFile.ts'
import type { Affine } from '../../core/contract/schemas.ts'

let dir = ''
const at = (name: string): string => path.join(dir, name)
const call = { signal: new AbortController().signal, onProgress: () => undefined, notify: () => undefined }
const affine: Affine = [
  [0, 2, 0, -5],
  [-1.5, 0, 0, 7],
  [0, 0, 3, 9],
  [0, 0, 0, 1],
]

/** Two squares that do not touch, of 9 and 4 pixels, in rows of 8. */
const squares = Uint8Array.from(
  Array.from('00000000' + '01110000' + '01110110' + '01110110' + '00000000', (digit) => 200 * Number(digit)),
)

beforeAll(async () => {
  await startRuntime({ backend: 'wasm', threads: 1 })
  dir = await mkdtemp(path.join(os.tmpdir(), 'predict-file-'))
  await writePng(at('squares.png'), { width: 8, height: 5, channels: 1, data: squares })
  const data = new Uint8Array(120)
  for (let z = 0; z < 3; z++) data.set(squares, z * 40)
  await writeVolume(at('volume.nii.gz'), { dims: [8, 5, 3], affine, data })
}, 60_000)

afterAll(() => rm(dir, { recursive: true, force: true }))

const order = { probabilities: false, instances: false } as const

describe('predictFile', () => {
  it('writes a mask where it belongs, and nothing else', async () => {
    const model = threshold()
    const result = await predictFile(model, { ...order, input: at('squares.png'), output: at('mask.png') }, call)
    expect(result).toEqual({ files: [at('mask.png')], objects: null })
    expect([...(await readLabelMap(at('mask.png'))).labels]).toEqual([...squares].map((raw) => (raw > 0 ? 7 : 0)))
    expect((await readdir(dir)).sort()).toEqual(['mask.png', 'squares.png', 'volume.nii.gz'])
    await expect(
      predictFile(model, { ...order, input: at('squares.png'), output: at('squares.png') }, call),
    ).rejects.toMatchObject({ code: 'bad-request' })
    model.network.dispose()
  })

  it('writes probabilities and their entropy in the geometry of the image', async () => {
    const model = threshold()
    for (const [input, output, ending] of [
      ['volume.nii.gz', 'v.nii.gz', '.nii.gz'],
      ['squares.png', 's.png', '.tiff'],
    ] as const) {
      const stem = output.slice(0, 1)
      const result = await predictFile(
        model,
        { ...order, input: at(input), output: at(output), probabilities: true },
        call,
      )
      expect(result.files).toEqual([output, `${stem}.probabilities${ending}`, `${stem}.entropy${ending}`].map(at))
    }
    const info = await readImageInfo(at('v.probabilities.nii.gz'))
    expect([info.dims, info.datatype, info.affine]).toEqual([[8, 5, 3, 2], 'float32', affine])
    const label = await readImage(at('v.probabilities.nii.gz'), { selection: { frame: 1 } })
    const values = await label.voxels.all()
    expect(values[0]).toBeCloseTo(1 / (1 + Math.exp(4)), 6)
    expect(values[9]).toBeCloseTo(1 / (1 + Math.exp(4 - (8 * 200) / 255)), 6)
    await label.voxels.close()
    const pages = await readImageInfo(at('s.probabilities.tiff'))
    expect(pages.dims.slice(0, 3)).toEqual([8, 5, 2])
    model.network.dispose()
  })

  it('numbers objects with 16 bits and lists them', async () => {
    const model = threshold()
    const asked = { ...order, input: at('squares.png'), output: at('ids.png'), instances: true }
    const result = await predictFile(model, asked, call)
    expect(result).toEqual({ files: ['ids.png', 'ids.objects.csv', 'ids.objects.json'].map(at), objects: 2 })
    const mask = await readFile(at('ids.png'))
    // Bit depth and colour type of the header: 16 bits, grey.
    expect([mask[24], mask[25]]).toEqual([16, 0])
    const { labels } = await readLabelMap(at('ids.png'))
    expect([labels[9], labels[21], labels[0]]).toEqual([1, 2, 0])
    expect(await readFile(at('ids.objects.csv'), 'utf8')).toBe(
      'id,area,areaMm2,perimeter,perimeterMm,x,y,meanIntensity\n1,9,,8,,2,2,200\n2,4,,4,,5.5,2.5,200\n',
    )
    const volume = { ...asked, input: at('volume.nii.gz'), output: at('ids.nii.gz') }
    expect((await predictFile(model, volume, call)).objects).toBe(2)
    expect((await readImageInfo(at('ids.nii.gz'))).datatype).toBe('uint16')
    const table = JSON.parse(await readFile(at('ids.objects.json'), 'utf8')) as { objects: Record<string, number>[] }
    // 27 voxels of 1.5 x 2 x 3 mm; the middle (2, 2, 1) lies at (2 y - 5, 7 - 1.5 x, 3 z + 9).
    expect(table.objects[0]).toEqual({
      ...{ id: 1, voxels: 27, volumeMm3: 243, x: 2, y: 2, z: 1, xMm: -1, yMm: 4, zMm: 12, meanIntensity: 200 },
    })
    model.network.dispose()
  })
})
