import { spawnSync } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readImage } from '../registry.ts'
import { temporaryFolder, testData } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'
import { bytesOf } from '../voxels/index.ts'

const peer = findPython(['pydicom', 'numpy', 'nibabel', 'gdcm', 'PIL'])
const script = (name: string): string => fileURLToPath(new URL(`testing/${name}`, import.meta.url))
const has = (tool: string): boolean => spawnSync(tool, ['--version'], { stdio: 'ignore' }).error === undefined
const tools = ['dcm2niix', 'dcmcjpeg', 'dcmcjpls', 'dcmcrle', 'dcmconv', 'gdcmconv']
const missing = tools.filter((tool) => !has(tool))
const reason = peer.available ? (missing.length > 0 ? `no ${missing.join(', ')} here` : '') : peer.reason

/** Series of which dcm2niix makes the same voxels in the same places. */
const SAME_AS_DCM2NIIX = [
  'axial',
  'reversed',
  'feet-first',
  'prone',
  'sagittal',
  'coronal',
  'oblique',
  'oblique2',
  'signed',
  'bytes',
  'implicit',
  'big-endian',
  'overlay-bits',
  'slopes',
  'mixed',
  'enhanced',
  'enhanced-oblique',
  'plain-frames',
]

/** Of these it makes none, or leaves out the shear; pydicom reads them. */
const SAME_AS_PYDICOM = ['deflated', 'tilted']
const PICTURES = ['rgb', 'rgb-planar', 'ybr', 'ybr-422', 'palette', 'cine', 'monochrome1', 'bits']

/** How a case is packed: the series, the tool, its options, and by how much decoders may differ (rounding of colours). */
const PACKED: Readonly<
  Record<string, readonly [series: string, tool: string, options: readonly string[], off: number]>
> = {
  'JPEG lossless, 12 bits': ['short', 'dcmcjpeg', ['+e1'], 0],
  'JPEG lossless with any predictor': ['short', 'dcmcjpeg', ['+el', '+sv', '6'], 0],
  'JPEG lossless of 16 bits with sign': ['short-signed', 'dcmcjpeg', ['+e1'], 0],
  'JPEG lossless of several frames': ['enhanced', 'dcmcjpeg', ['+e1'], 0],
  'JPEG lossless in colour': ['rgb', 'dcmcjpeg', ['+e1'], 0],
  'JPEG lossless by another program': ['short', 'gdcmconv', ['--jpeg'], 0],
  'JPEG extended, 12 bits': ['short', 'dcmcjpeg', ['+ee'], 0],
  'JPEG baseline': ['short-bytes', 'dcmcjpeg', ['+eb'], 0],
  'JPEG baseline in colour': ['rgb', 'dcmcjpeg', ['+eb'], 1],
  'JPEG baseline film': ['cine', 'dcmcjpeg', ['+eb'], 0],
  'JPEG film in small fragments': ['cine', 'dcmcjpeg', ['+e1', '+fs', '1'], 0],
  'JPEG-LS': ['short', 'dcmcjpls', ['+el'], 0],
  'JPEG-LS of 16 bits with sign': ['short-signed', 'dcmcjpls', ['+el'], 0],
  'JPEG-LS of 8 bits': ['short-bytes', 'dcmcjpls', ['+el'], 0],
  'JPEG-LS in colour': ['rgb', 'dcmcjpls', ['+el'], 0],
  'JPEG-LS in colour by another program': ['rgb', 'gdcmconv', ['--jpegls'], 0],
  'JPEG-LS of several frames': ['enhanced', 'dcmcjpls', ['+el'], 0],
  'JPEG-LS near-lossless': ['short', 'dcmcjpls', ['+en'], 0],
  'JPEG 2000': ['short', 'gdcmconv', ['--j2k'], 0],
  'JPEG 2000 of 16 bits with sign': ['short-signed', 'gdcmconv', ['--j2k'], 0],
  'JPEG 2000 of 8 bits': ['short-bytes', 'gdcmconv', ['--j2k'], 0],
  'JPEG 2000 in colour': ['rgb', 'gdcmconv', ['--j2k'], 0],
  'JPEG 2000 of several frames': ['enhanced', 'gdcmconv', ['--j2k'], 0],
  'JPEG 2000, lossy': ['short-bytes', 'gdcmconv', ['--j2k', '--lossy', '-r', '4'], 0],
  RLE: ['short', 'dcmcrle', [], 0],
  'RLE of 16 bits with sign': ['short-signed', 'dcmcrle', [], 0],
  'RLE in colour': ['rgb', 'dcmcrle', [], 0],
  'RLE of several frames': ['enhanced', 'dcmcrle', [], 0],
  'RLE by another program': ['short', 'gdcmconv', ['--rle'], 0],
  'big-endian by another program': ['short-bytes', 'dcmconv', ['+tb'], 0],
  'big-endian colours by another program': ['rgb', 'dcmconv', ['+tb'], 0],
  'deflated by another program': ['enhanced', 'dcmconv', ['+td'], 0],
}

interface Compared {
  readonly pydicom?: { readonly difference: number; readonly mm?: number; readonly frames: number }
  readonly dcm2niix?: { readonly difference: number; readonly mm: number } | null
  readonly error?: string
}

const real = testData('ct-abdomen', 'dicom')

describe.skipIf(reason !== '')(`DICOM as other programs read it${reason === '' ? '' : ` (skipped: ${reason})`}`, () => {
  let root: Awaited<ReturnType<typeof temporaryFolder>>
  let compared: Record<string, Compared> = {}
  const dims = new Map<string, readonly number[]>()

  beforeAll(async () => {
    root = await temporaryFolder()
    const series = join(root.path, 'series')
    run(peer.python ?? '', ['-W', 'ignore', script('series.py'), series])
    const cases: unknown[] = []
    const add = async (name: string, folder: string, nifti: boolean, frame = 0): Promise<void> => {
      const image = await readImage(folder, { selection: { frame } })
      const scaled = Float64Array.from(await image.voxels.all(), (raw) => raw * image.slope + image.inter)
      await image.voxels.close()
      const data = join(root.path, `${cases.length}.f64`)
      await writeFile(data, bytesOf(scaled))
      dims.set(name, image.dims)
      const target = nifti ? join(root.path, `nifti-${cases.length}`) : null
      cases.push({
        name,
        folder,
        affine: image.affine,
        dims: image.dims,
        channels: image.channels,
        data,
        nifti: target,
        frame,
      })
    }
    for (const name of SAME_AS_DCM2NIIX) await add(name, join(series, name), true)
    for (const name of [...SAME_AS_PYDICOM, ...PICTURES]) await add(name, join(series, name), false)
    for (const [name, [from, tool, options]] of Object.entries(PACKED)) {
      const folder = join(root.path, `packed-${cases.length}`)
      await mkdir(folder)
      for (const file of await readdir(join(series, from))) {
        run(tool, [...options, join(series, from, file), join(folder, file)])
      }
      await add(name, folder, false)
    }
    for (const frame of [0, 1]) await add(`time ${frame + 1}`, join(series, 'times'), true, frame)
    if (real !== null) await add('real', real, true)
    const list = join(root.path, 'list.json')
    await writeFile(list, JSON.stringify(cases))
    compared = runPython(peer, `import runpy; runpy.run_path(${JSON.stringify(script('compare.py'))})`, [
      list,
    ]) as typeof compared
  }, 240_000)

  afterAll(async () => {
    await root.remove()
  })

  const same = (name: string, off = 0): void => {
    const found = compared[name]
    expect(found?.error).toBeUndefined()
    // Every slice was found where it belongs.
    expect(found?.pydicom?.frames).toBe(dims.get(name)?.[2])
    expect(found?.pydicom?.difference).toBeLessThanOrEqual(off)
    expect(found?.pydicom?.mm ?? 0).toBeLessThan(1e-3)
  }

  it.each(SAME_AS_DCM2NIIX)('has the voxels of dcm2niix and pydicom in the same places: %s', (name) => {
    same(name)
    expect(compared[name]?.dcm2niix).toMatchObject({ difference: 0 })
    // dcm2niix keeps single precision.
    expect(compared[name]?.dcm2niix?.mm).toBeLessThan(1e-3)
  })

  it.each([...SAME_AS_PYDICOM, ...PICTURES])('has the values of pydicom: %s', (name) => same(name))

  it.each(Object.entries(PACKED))('unpacks what pydicom unpacks: %s', (name, [, , , off]) => same(name, off))

  it.each(['time 1', 'time 2'])('has the frames of dcm2niix: %s', (name) => {
    expect(compared[name]?.dcm2niix).toMatchObject({ difference: 0 })
  })

  it.skipIf(real === null)('agrees on a real series', () => {
    same('real')
    expect(compared.real?.dcm2niix).toMatchObject({ difference: 0 })
    expect(compared.real?.dcm2niix?.mm).toBeLessThan(1e-3)
  })
})

function run(command: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${stderr}`)
}
