import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writePng, writeVolume } from '../imaging/index.ts'
import { testData } from '../imaging/testing/folders.ts'
import { findPython, runPython } from '../imaging/testing/peer.ts'
import { runCli, type Finished } from './testing/runCli.ts'

let dir = ''
const at = (...parts: string[]): string => join(dir, ...parts)

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maskwright-convert-'))
  await writeVolume(at('volume.nii.gz'), {
    dims: [4, 3, 2],
    affine: [
      [-2, 0, 0, 30],
      [0, 1.5, 0, -20],
      [0, 0, 3, 5],
      [0, 0, 0, 1],
    ],
    data: Int16Array.from({ length: 24 }, (_, i) => i * 20 - 100),
  })
  await writePng(at('picture.png'), { width: 3, height: 2, channels: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) })
})
afterAll(() => rm(dir, { recursive: true, force: true }))

function expectFailure({ code, stdout, stderr }: Finished, sentence: RegExp, wanted = 1): void {
  expect(stderr).toMatch(sentence)
  expect(stderr).toMatch(/^error: [^\n]+\n$/)
  expect([code, stdout]).toEqual([wanted, ''])
}

const convert = (from: string, to: string, ...more: string[]) => runCli('convert', at(from), at(to), ...more)

describe('maskwright convert', () => {
  it('says what it wrote, as JSON and in words', { timeout: 120_000 }, async () => {
    const asked = await convert('volume.nii.gz', 'ras.nii', '--reorient', 'RAS', '--json')
    expect([asked.code, asked.stderr]).toEqual([0, ''])
    expect(JSON.parse(asked.stdout)).toEqual({
      output: at('ras.nii'),
      dims: [4, 3, 2, 1],
      datatype: 'int16',
      warnings: [],
    })
    const told = await convert('volume.nii.gz', 'stack.tif')
    expect([told.code, told.stdout]).toEqual([
      0,
      `${at('volume.nii.gz')} -> ${at('stack.tif')} (4 x 3 x 2 x 1, int16)\n`,
    ])
    expect(told.stderr).toBe('warning: TIFF does not keep where the image lies in the patient.\n')
    const info = JSON.parse((await runCli('info', at('ras.nii'), '--json')).stdout) as Record<string, unknown>
    // Mirrored along x: the first voxel is now the one that was the last of its row, at 30 - 3 * 2.
    expect(info).toMatchObject({
      ...{ orientation: 'RAS', affineSource: 'sform', datatype: 'int16', dims: [4, 3, 2, 1] },
      affine: [
        [2, 0, 0, 24],
        [0, 1.5, 0, -20],
        [0, 0, 3, 5],
        [0, 0, 0, 1],
      ],
    })
  })

  it('takes wrong usage for what it is', { timeout: 120_000 }, async () => {
    expectFailure(await convert('volume.nii.gz', 'out.jpg'), /out\.jpg must end in \.nii/, 2)
    expectFailure(await convert('volume.nii.gz', 'out.nii', '--reorient', 'RLA'), /three letters/, 2)
    expectFailure(await convert('volume.nii.gz', 'out.nii', '--datatype', 'short'), /one of uint8/, 2)
    expectFailure(await convert('volume.nii.gz', 'out.nii', '--frame', 'one'), /whole number/, 2)
    expect(await readdir(dir)).not.toContain('out.nii')
  })

  it('refuses what the output cannot hold, in a sentence, and leaves nothing', { timeout: 120_000 }, async () => {
    const before = await readdir(dir)
    expectFailure(await convert('volume.nii.gz', 'flat.png'), /volume\.nii\.gz has 2 slices and PNG holds one/)
    expectFailure(
      await convert('volume.nii.gz', 'small.nii', '--datatype', 'uint8'),
      /the value -100, which uint8 cannot/,
    )
    expectFailure(await convert('volume.nii.gz', 'late.nii.gz', '--frame', '3'), /no frame/)
    expectFailure(await convert('picture.png', 'turned.nii', '--reorient', 'RAS'), /does not say where it lies/)
    expectFailure(await convert('missing.nii', 'other.nii'), /missing\.nii is not there/)
    expectFailure(
      await runCli('convert', at('picture.png'), at('nowhere', 'out.png')),
      /folder for out\.png is not there/,
    )
    expect(await readdir(dir)).toEqual(before)
  })

  it('never writes over its input, under whatever name', { timeout: 120_000 }, async () => {
    const bytes = await readFile(at('volume.nii.gz'))
    expectFailure(await convert('volume.nii.gz', join('.', 'volume.nii.gz')), /is the image itself/)
    expect(await readFile(at('volume.nii.gz'))).toEqual(bytes)
    await writeFile(at('taken.nii'), 'what was there before')
    expectFailure(await convert('volume.nii.gz', 'taken.nii', '--datatype', 'uint8'), /uint8/)
    expect(await readFile(at('taken.nii'), 'utf8')).toBe('what was there before')
  })
})

const peer = findPython(['nibabel', 'numpy', 'tifffile', 'PIL'])
const dicom = testData('ct-abdomen', 'dicom')
const dcm2niix = spawnSync('dcm2niix', ['--version']).error === undefined
const dicomReason = dicom === null ? 'no shared test data' : dcm2niix ? peer.reason : 'no dcm2niix on this machine'

/** Two NIfTI files, brought into one order: are the scaled voxels the same, and how far apart do they lie at most? */
const COMPARE = `
import sys, json, numpy as np, nibabel as nib
a, b = (nib.as_closest_canonical(nib.load(path)) for path in sys.argv[1:])
corners = np.array([[x, y, z, 1] for x in (0, a.shape[0] - 1) for y in (0, a.shape[1] - 1) for z in (0, a.shape[2] - 1)])
print(json.dumps(dict(shape=list(a.shape) == list(b.shape), same=bool(np.array_equal(a.get_fdata(), b.get_fdata())),
    apart=float(np.abs(corners @ (a.affine - b.affine).T).max()), spread=float(np.ptp(a.get_fdata())))))
`

describe.skipIf(dicom === null || !dcm2niix || !peer.available)(`a DICOM series ${dicomReason}`, () => {
  it('has the voxels in the places where dcm2niix has them', { timeout: 240_000 }, async () => {
    await mkdir(at('peer'))
    const { status } = spawnSync('dcm2niix', ['-b', 'n', '-z', 'n', '-f', 'series', '-o', at('peer'), dicom ?? ''])
    expect(status).toBe(0)
    const made = await runCli('convert', dicom ?? '', at('series.nii.gz'), '--json')
    expect([made.code, made.stderr]).toEqual([0, ''])
    const [name = ''] = (await readdir(at('peer'))).filter((file) => file.endsWith('.nii'))
    const compared = runPython(peer, COMPARE, [at('series.nii.gz'), at('peer', name)])
    expect(compared).toMatchObject({ shape: true, same: true })
    const { apart, spread } = compared as { apart: number; spread: number }
    expect(apart).toBeLessThan(1e-3)
    expect(spread).toBeGreaterThan(1000)
  })
})
