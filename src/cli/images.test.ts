import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testData } from '../imaging/testing/folders.ts'
import { findPython, runPython } from '../imaging/testing/peer.ts'
import { runCli, type Finished } from './testing/runCli.ts'

const peer = findPython(['nibabel', 'numpy'])
const nifti = testData('nifti')
const slides = testData('slides')

/** What nibabel says of files, in the fields of `info --json`; null for those that it does not open. */
const NIBABEL = `
import sys, json, numpy as np, nibabel as nib
NAMES = {('R', 'G', 'B'): 'rgb24', ('R', 'G', 'B', 'A'): 'rgba32'}
out = {}
for path in json.loads(sys.argv[1]):
    try:
        image = nib.load(path)
    except Exception:
        out[path] = None
        continue
    header = image.header
    dtype = header.get_data_dtype()
    out[path] = dict(dims=[int(n) for n in image.shape], spacing=[float(z) for z in header.get_zooms()[:3]],
        affine=image.affine.tolist(), datatype=NAMES.get(dtype.names, dtype.name),
        slope=float(image.dataobj.slope), inter=float(image.dataobj.inter))
print(json.dumps(out))
`

interface Said {
  readonly dims: number[]
  readonly spacing: number[]
  readonly affine: number[][]
  readonly datatype: string
  readonly slope: number
  readonly inter: number
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/README|LICEN[CS]E|COPYING|\.json$|\.md$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** Some at a time: each is a process of its own. */
async function infoOf(paths: readonly string[]): Promise<Map<string, Finished>> {
  const found = new Map<string, Finished>()
  const waiting = [...paths]
  const worker = async (): Promise<void> => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      found.set(path, await runCli('info', path, '--json'))
    }
  }
  await Promise.all([worker(), worker(), worker()])
  return found
}

function withoutOnes(dims: readonly number[]): number[] {
  const kept = [...dims]
  while (kept.length > 0 && kept.at(-1) === 1) kept.pop()
  return kept
}

const reason = nifti === null ? 'no shared test data' : peer.reason

describe.skipIf(nifti === null || !peer.available)(`info of the conformance files ${reason}`, () => {
  it('says what nibabel says', { timeout: 600_000 }, async () => {
    const paths = filesIn(nifti ?? '')
    const said = runPython(peer, NIBABEL, [JSON.stringify(paths)]) as Record<string, Said | null>
    expect(Object.values(said).filter((one) => one !== null).length).toBeGreaterThan(30)
    for (const [path, { code, stdout, stderr }] of await infoOf(paths)) {
      const wanted = said[path] ?? null
      if (wanted === null) {
        // nibabel refuses some that can be read; either way there is a document or a sentence, never a crash.
        if (code !== 0)
          expect([code, stdout, stderr], path).toEqual([1, '', expect.stringMatching(/^error: [^\n]+\n$/)])
        continue
      }
      expect([code, stderr], path).toEqual([0, ''])
      const info = JSON.parse(stdout) as Said
      expect(withoutOnes(info.dims), path).toEqual(withoutOnes(wanted.dims))
      expect(info.datatype, path).toBe(wanted.datatype)
      const numbers = (one: Said): number[] => [
        ...[0, 1, 2].map((axis) => Math.abs(one.spacing[axis] ?? 1)),
        ...one.affine.flat(),
        one.slope,
        one.inter,
      ]
      const [found, expected] = [numbers(info), numbers(wanted)]
      expect(found, path).toHaveLength(expected.length)
      found.forEach((value, i) => {
        const apart = Math.abs(value - (expected[i] ?? NaN))
        expect(apart, `${path}: number ${i} is ${value} instead of ${expected[i] ?? NaN}`).toBeLessThanOrEqual(1e-4)
      })
    }
  })
})

/**
 * As the files describe themselves: tags, ImageDescription and OME-XML of the TIFF files (by tifffile), attributes of the DICOM file
 * (by pydicom).
 */
const SLIDES: Readonly<Record<string, object>> = {
  'libvips/CMU-1-Small-Region.svs': {
    ...{ format: 'svs', dims: [2220, 2967, 1, 1], spacing: [0.000499, 0.000499, 1], datatype: 'uint8', channels: 3 },
  },
  'libvips/multi-channel-z-series.ome.tif': {
    ...{ format: 'ome-tiff', dims: [439, 167, 5, 1], datatype: 'int8', channels: 3, byteOrder: 'big' },
  },
  'libvips/1bit.tif': { format: 'tiff', dims: [256, 4, 1, 1], channels: 1 },
  'libvips/2bit.tif': { format: 'tiff', dims: [256, 4, 1, 1], channels: 1 },
  'libvips/4bit.tif': { format: 'tiff', dims: [256, 4, 1, 1], channels: 1 },
  'libvips/sample.tif': { format: 'tiff', dims: [290, 442, 1, 1], datatype: 'uint16', channels: 3 },
  'libvips/subsampled.tif': { format: 'tiff', dims: [250, 325, 1, 1], datatype: 'uint8', channels: 3 },
  'libvips/ojpeg-strip.tif': { format: 'tiff', dims: [160, 160, 1, 1], channels: 3, byteOrder: 'big' },
  'libvips/ojpeg-tile.tif': { format: 'tiff', dims: [234, 213, 1, 1], channels: 3, byteOrder: 'big' },
  'libvips/avg152T1_LR_nifti.nii.gz': {
    format: 'nifti1',
    dims: [91, 109, 91, 1],
    spacing: [2, 2, 2],
    orientation: 'LAS',
  },
  'libvips/t00740_tr1_segm.hdr': { format: 'analyze', dims: [128, 128, 63, 1], datatype: 'int16', byteOrder: 'big' },
  'libvips/t00740_tr1_segm.img': { format: 'analyze', dims: [128, 128, 63, 1], datatype: 'int16', byteOrder: 'big' },
  'libvips/dicom_test_image.dcm': { format: 'dicom', dims: [128, 128, 4, 1], datatype: 'int16', channels: 1 },
  'openslide-python/boxes.tiff': { format: 'tiff', dims: [300, 250, 1, 1], datatype: 'uint8', channels: 3, levels: 4 },
  'openslide-python/boxes.png': { format: 'png', dims: [300, 250, 1, 1], datatype: 'uint8', channels: 3 },
  'openslide-python/boxes-no-icc.png': { format: 'png', dims: [300, 250, 1, 1], datatype: 'uint8', channels: 3 },
  'openslide-python/small.svs': { format: 'svs', dims: [16, 16, 1, 1], datatype: 'uint8', channels: 3 },
}

describe.skipIf(slides === null)(`info of slides ${slides === null ? '(no shared test data)' : ''}`, () => {
  it('says what the files say', { timeout: 600_000 }, async () => {
    const paths = filesIn(slides ?? '')
    for (const [path, { code, stdout, stderr }] of await infoOf(paths)) {
      const known = Object.entries(SLIDES).find(([name]) => path.endsWith(join(...name.split('/'))))
      if (known === undefined) {
        if (code !== 0)
          expect([code, stdout, stderr], path).toEqual([1, '', expect.stringMatching(/^error: [^\n]+\n$/)])
        continue
      }
      expect([code, stderr], path).toEqual([0, ''])
      expect(JSON.parse(stdout), path).toMatchObject({ slope: expect.any(Number) as number, ...known[1] })
    }
  })
})
