import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImageSelection, VoxelType } from '../../core/contract/schemas.ts'
import { openTiled, readImage } from '../index.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { findPython } from '../testing/peer.ts'
import { viewAs } from '../voxels/index.ts'
import { readTiffIndices } from './index.ts'

interface Case {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: VoxelType
  readonly tolerance: number
  readonly info: { readonly selection?: ImageSelection; readonly labels?: number[]; readonly spacing?: number[] }
  readonly skipped?: string
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const peer = findPython(['tifffile', 'numpy', 'PIL'])
const hasVips = spawnSync('vips', ['--version'], { stdio: 'ignore' }).status === 0

/** The largest difference, of grey that was stored as colour too; infinite where the number of voxels differs. */
function difference(data: ArrayLike<number>, expected: ArrayLike<number>): number {
  const repeat = expected.length / data.length
  if (repeat !== 1 && repeat !== 3) return Infinity
  let largest = 0
  for (let i = 0; i < expected.length; i++) {
    const value = data[Math.floor(i / repeat)] ?? NaN
    const wanted = expected[i] ?? NaN
    const by = Object.is(value, wanted) ? 0 : Math.abs(value - wanted)
    if (!(by <= largest)) largest = by
  }
  return largest
}

describe.skipIf(!peer.available)(`TIFF as other programs write it ${peer.reason}`, () => {
  it('is read to the same voxels', { timeout: 240_000 }, async () => {
    if (!peer.available) return
    const script = fileURLToPath(new URL('testing/cases.py', import.meta.url))
    const args = ['-W', 'ignore', script, folder.path, ...(hasVips ? ['vips'] : [])]
    const { status, stderr } = spawnSync(peer.python, args, { encoding: 'utf8', timeout: 200_000 })
    expect(status, stderr).toBe(0)
    const cases = JSON.parse(await readFile(join(folder.path, 'cases.json'), 'utf8')) as Case[]
    expect(cases.filter((one) => one.skipped === undefined).length).toBeGreaterThan(120)
    for (const { name, dtype, tolerance, info, skipped } of cases) {
      if (skipped !== undefined) continue
      const path = join(folder.path, name)
      const { selection, labels, spacing, ...said } = info
      const image = await readImage(path, { selection })
      const data = await image.voxels.all()
      const raw = await readFile(`${path}.raw`)
      const expected = viewAs(dtype, Uint8Array.from(raw).buffer)
      expect(image.voxelType, name).toBe(dtype)
      expect(difference(data, expected), name).toBeLessThanOrEqual(tolerance)
      expect(image.info, name).toMatchObject(said)
      spacing?.forEach((mm, axis) => {
        expect(image.spacing[axis], name).toBeCloseTo(mm, 9)
      })
      if (labels !== undefined) expect([...(await readTiffIndices(path)).labels.slice(0, 40)], name).toEqual(labels)
      await image.voxels.close()
    }
    for (const channel of [0, 1]) {
      const tiled = await openTiled(join(folder.path, 'channels.ome.tif'), { selection: { channel } })
      expect((await tiled.tile(1, 0, 0)).data[0], 'levels of a channel').toBe(77 + channel)
      await tiled.close()
    }
  })
})
