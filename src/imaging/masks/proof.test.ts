import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import type { MaskFormat } from '../../core/contract/schemas.ts'
import { clearLeftovers, readImage, readMask, writeMaskAs, writeVolume, type ImageVolume } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { codecs } from './codecs.ts'
import { prove } from './write.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...parts: string[]): string => join(folder.path, ...parts)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const AFFINE = [
  [-1, 0, 0, 10],
  [0, 1, 0, -20],
  [0, 0, 3, 5],
  [0, 0, 0, 1],
]

async function image(edge = 6): Promise<ImageVolume> {
  const path = at(`image-${edge}.nii`)
  await writeVolume(path, { dims: [edge, edge, edge], affine: AFFINE, data: new Int16Array(edge ** 3) })
  return readImage(path)
}

async function errorOf(action: Promise<unknown>): Promise<CodedError> {
  const thrown: unknown = await action.then(
    () => null,
    (error: unknown) => error,
  )
  if (thrown instanceof CodedError) return thrown
  throw new Error('expected a coded error', { cause: thrown })
}

const LABELS = Uint8Array.from({ length: 216 }, (_, i) => (i % 5 === 0 ? 1 + (i % 2) : 0))

/** What lies in the file or folder, somewhere in it, is another byte than what was written. */
async function spoil(path: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const entries = await readdir(path, { recursive: true }).catch(() => [])
  const inside = entries.filter((name) => /masks.*nii\.gz$|labelsTr.*nii\.gz$|slice_0002/.test(name)).sort()
  const file = inside[0] === undefined ? path : join(path, inside[0])
  await writeFile(file, change(await readFile(file)))
}

describe('a mask that does not read back as it was', () => {
  const flip = (bytes: Buffer): Buffer => {
    // In the voxels of plain NIfTI; in the counts of COCO; elsewhere in the packed stream, whose checksum then tells.
    const copy = Buffer.from(bytes)
    const text = copy.indexOf('"counts":[')
    if (text >= 0) copy.write('9', text + 10)
    else if (copy.length === 352 + 216) copy[352 + 100] = 7
    else {
      // The last chunk of a PNG has twelve bytes.
      const place = copy.length - (copy[0] === 0x89 ? 18 : 12)
      copy[place] = (copy[place] ?? 0) ^ 64
    }
    return copy
  }
  const NAMES: Record<MaskFormat, [string, string]> = {
    nifti: ['m.nii', 'm.not-verified.nii'],
    png: ['slices', 'slices.not-verified'],
    tiff: ['m.tif', 'm.not-verified.tif'],
    instances: ['inst', 'inst.not-verified'],
    coco: ['m.json', 'm.not-verified.json'],
    nnunet: ['set', 'set.not-verified'],
  }
  it.each(Object.keys(NAMES) as MaskFormat[])('is kept aside as %s, and what was there stays', async (format) => {
    const [name, kept] = NAMES[format]
    const dir = at(`fault-${format}`)
    await mkdir(dir)
    const path = join(dir, name)
    const volume = await image()
    if (name.includes('.')) await writeFile(path, 'an older mask')
    const mask = { labels: LABELS, image: volume, stem: name.replace(/\..*/, ''), names: [], signal: undefined }
    const error = await errorOf(
      prove(path, format, mask, volume, {
        ...codecs[format],
        write: async (aside, ...rest) => {
          await codecs[format].write(aside, ...rest)
          await spoil(aside, flip)
        },
      }),
    )
    expect(error.code).toBe('verify-failed')
    expect(error.message).toContain(`${name} was not saved: read back, `)
    expect(error.message).toContain(`kept as ${kept}`)
    expect(error.message).toMatch(/^[^\n]+\.$/)
    expect(error.message).not.toContain('.maskwright-')
    expect(error.detail).toBe(join(dir, kept))
    expect(await readdir(dir)).toEqual([kept, name].filter((n) => n === kept || name.includes('.')).sort())
    if (name.includes('.')) expect(await readFile(path, 'utf8')).toBe('an older mask')
  })
  it('is told with the first voxel, or the number of the affine, that differs', async () => {
    const volume = await image()
    const mask = { labels: LABELS, image: volume, stem: 'm', names: [], signal: undefined }
    const told = async (change: (bytes: Buffer) => Buffer): Promise<string> => {
      const action = prove(at('told.nii'), 'nifti', mask, volume, {
        ...codecs.nifti,
        write: async (aside, ...rest) => {
          await codecs.nifti.write(aside, ...rest)
          await spoil(aside, change)
        },
      })
      return (await errorOf(action)).message
    }
    // Voxel 100 is (4, 4, 2), which holds 1.
    expect(await told(flip)).toContain('voxel (4, 4, 2) holds 7 instead of 1')
    const move = (bytes: Buffer): Buffer => {
      bytes.writeFloatLE(11, 292) // srow_x[3]
      return bytes
    }
    expect(await told(move)).toMatch(/sform/)
    expect(await told((bytes) => bytes.subarray(0, 500))).toMatch(/could not be read again|cut off/)
    const names = await readdir(folder.path)
    expect(names.filter((name) => name.startsWith('told'))).toEqual([
      ...['told.not-verified-2.nii', 'told.not-verified-3.nii', 'told.not-verified.nii'],
    ])
  })
})

describe('a mask that cannot be written', () => {
  it('leaves nothing behind, and what was there stays', async () => {
    const dir = at('cannot')
    await mkdir(dir)
    await writeFile(join(dir, 'm.nii'), 'an older mask')
    const volume = await image()
    const mask = { labels: LABELS, image: volume, stem: 'm', names: [], signal: undefined }
    const failing = prove(join(dir, 'm.nii'), 'nifti', mask, volume, {
      ...codecs.nifti,
      write: async (aside) => {
        await writeFile(aside, 'half')
        throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
      },
    })
    expect(await errorOf(failing)).toMatchObject({
      code: 'disk-full',
      message: expect.stringContaining('m.nii') as string,
    })
    const aborted = AbortSignal.abort()
    const cancelled = writeMaskAs(join(dir, 'new.nii'), 'nifti', LABELS, volume, { signal: aborted })
    expect((await errorOf(cancelled)).code).toBe('cancelled')
    expect((await errorOf(writeMaskAs(join(dir, 'no', 'm.nii'), 'nifti', LABELS, volume))).code).toBe('file-missing')
    expect((await errorOf(writeMaskAs(join(dir, 'm.png'), 'nifti', LABELS, volume))).code).toBe('bad-request')
    expect((await errorOf(writeMaskAs(at('image-6.nii'), 'nifti', LABELS, volume))).code).toBe('bad-request')
    expect((await errorOf(writeMaskAs(dir, 'instances', LABELS, volume))).message).toMatch(/not empty/)
    expect((await errorOf(writeMaskAs(join(dir, 'm.nii'), 'instances', LABELS, volume))).message).toMatch(/is a file/)
    expect(await readdir(dir)).toEqual(['m.nii'])
    expect(await readFile(join(dir, 'm.nii'), 'utf8')).toBe('an older mask')
  })
  it('gives a folder to the first of two who want the same one', async () => {
    const volume = await image()
    const dir = at('wanted')
    await mkdir(dir)
    const both = await Promise.allSettled([1, 2].map(() => writeMaskAs(join(dir, 'set'), 'nnunet', LABELS, volume)))
    const failed = both.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []))
    expect(failed).toEqual([expect.stringMatching(/folder set is not empty; choose a new or an empty one/)])
    expect(await readdir(dir)).toEqual(['set'])
    expect((await readMask(join(dir, 'set'))).labels).toEqual(LABELS)
  })
  it.skipIf(process.platform === 'win32')('fills an empty folder that a link leads to', async () => {
    const volume = await image()
    const dir = at('linked')
    await mkdir(join(dir, 'real'), { recursive: true })
    await symlink(join(dir, 'real'), join(dir, 'link'))
    const { files } = await writeMaskAs(join(dir, 'link'), 'instances', LABELS, volume)
    expect(files[0]).toMatch(/linked.link.images/)
    expect((await readMask(join(dir, 'real'))).labels).toEqual(LABELS)
    expect((await readdir(dir)).sort()).toEqual(['link', 'real'])
  })
  it.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
    'is told where the folder may not be written to (as root everything may)',
    async () => {
      await mkdir(at('closed'))
      await chmod(at('closed'), 0o500)
      expect((await errorOf(writeMaskAs(at('closed', 'm.nii'), 'nifti', LABELS, await image()))).code).toBe(
        'no-permission',
      )
      await chmod(at('closed'), 0o700)
    },
  )
})

const CHILD = join(import.meta.dirname, 'testing', 'maskWriterChild.ts')
const NODE = ['--disable-warning=ExperimentalWarning', CHILD]

const mounts = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' }).status === 0
const why = mounts ? '' : '(small disks cannot be mounted here)'

describe.skipIf(!mounts)(`a disk that is full ${why}`, () => {
  it.each(['nifti', 'instances'] as const)(
    'is told in words, and left clean (%s)',
    { timeout: 60_000 },
    async (format) => {
      await mkdir(at(`small-${format}`))
      await image(48)
      const name = format === 'nifti' ? 'm.nii.gz' : 'm'
      const size = format === 'nifti' ? '8k' : '128k'
      const script = `mount -t tmpfs -o size=${size} tmpfs "$0" && "$@"; ls -A "$0"`
      const { stdout } = spawnSync(
        'unshare',
        [
          ...['-rm', 'bash', '-c', script, at(`small-${format}`), process.execPath, ...NODE],
          ...[at(`small-${format}`), at('image-48.nii'), name, format, '40'],
        ],
        { encoding: 'utf8', timeout: 50_000 },
      )
      const lines = stdout.trim().split('\n')
      const told: unknown = JSON.parse(lines.find((line) => line.startsWith('{')) ?? 'null')
      expect(told).toMatchObject({ code: 'disk-full', message: expect.stringMatching(/no room/) as string })
      expect(lines.filter((line) => line.startsWith('.'))).toEqual([])
    },
  )
})

describe('a writer that is killed', () => {
  it.each(['nifti', 'coco'] as const)('leaves whole masks (%s)', { timeout: 120_000 }, async (format) => {
    const dir = at(`killed-${format}`)
    await mkdir(dir)
    const volume = await image(24)
    const name = format === 'nifti' ? 'm.nii.gz' : 'm.json'
    let leftovers = 0
    for (let round = 0; round < 6; round++) {
      const child = spawn(process.execPath, [...NODE, dir, at('image-24.nii'), name, format, '0'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await new Promise((resolve) => setTimeout(resolve, 7 * round))
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.kill('SIGKILL')
      await ended
      const { labels, dims } = await readMask(join(dir, name), { image: volume })
      expect(dims).toEqual([24, 24, 24])
      expect(new Set(labels).size).toBe(2)
      const hidden = (await readdir(dir)).filter((file) => file !== name)
      expect(hidden.every((file) => /^\.maskwright-[0-9a-f]{6}-\d+-[0-9a-f]{12}/.test(file))).toBe(true)
      leftovers += hidden.length
      if (round % 2 === 0) await clearLeftovers(dir)
      else await writeMaskAs(join(dir, name), format, new Uint8Array(24 ** 3).fill(1), volume)
      expect(await readdir(dir)).toEqual([name])
    }
    expect(leftovers).toBeGreaterThan(0)
  })
})

describe('what killed writers left', () => {
  it('is cleared, and nothing that somebody may still be writing', async () => {
    const dir = at('left')
    await mkdir(join(dir, '.maskwright-000000-1-0123456789ab'), { recursive: true })
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 6)
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    const names = [
      `.maskwright-${host}-${dead}-0123456789ab.nii.gz`, // gone
      `.maskwright-${host}-${process.ppid}-0123456789ab.png`, // lives
      `.maskwright-${host}-${process.pid}-0123456789ab`, // this process writes no such thing: an older one of its number
      '.maskwright-other',
      'mask.nii.gz',
    ]
    for (const name of names) await writeFile(join(dir, name), 'x')
    await clearLeftovers(dir)
    // The folder is of another computer, and new.
    expect((await readdir(dir)).sort()).toEqual(
      ['.maskwright-000000-1-0123456789ab', names[1], '.maskwright-other', 'mask.nii.gz'].sort(),
    )
    await clearLeftovers(at('nowhere'))
  })
})
