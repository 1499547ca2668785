import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../testing/folders.ts'
import { findPython, runPython } from '../testing/peer.ts'
import { writeTiffStack } from './writeStack.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (name: string): string => join(folder.path, name)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

const W = 700
const H = 501
const page8 = (seed: number) => ({ data: Uint8Array.from({ length: W * H }, (_, i) => (i * seed) % 7) })

describe('writing a stack', () => {
  it('leaves nothing behind where a page has another size', async () => {
    const pages = [page8(1), { data: new Uint8Array(3) }]
    await expect(writeTiffStack(at('broken.tif'), pages, W, H)).rejects.toThrow()
    await expect(writeTiffStack(at('none.tif'), [], W, H)).rejects.toThrow()
    expect(await readdir(folder.path)).toEqual([])
  })
})

const peer = findPython(['tifffile', 'numpy', 'PIL'])
const SCRIPT = `
import sys, json, tifffile, numpy as np
from PIL import Image
out = {}
for path in sys.argv[1:]:
    with tifffile.TiffFile(path) as t:
        a = t.asarray()
        ij = t.imagej_metadata or {}
        p = t.pages[0]
        tag = lambda n: p.tags[n].value if n in p.tags else None
        pil = Image.open(path)
        out[path] = dict(shape=a.shape, dtype=str(a.dtype), sums=[int((a.reshape(-1).astype(np.int64) * (np.arange(a.size) % 101)).sum())],
            spacing=ij.get('spacing'), unit=ij.get('unit'), xres=tag('XResolution'), unit2=int(tag('ResolutionUnit') or 0),
            frames=getattr(pil, 'n_frames', 1), mode=pil.mode,
            palette=(pil.getpalette() or [])[:9], same=bool(np.array_equal(np.array(pil), a if a.ndim == 2 else a[0])))
print(json.dumps(out))
`

describe.skipIf(!peer.available)(`a written stack in tifffile and Pillow ${peer.reason}`, () => {
  it('holds the samples, the palette and the distances', { timeout: 60_000 }, async () => {
    const p16 = { data: Uint16Array.from({ length: W * H }, (_, i) => (i * 31) % 65536) }
    const p32 = { data: Uint32Array.from({ length: 6 }, (_, i) => i * 500_000_000) }
    const sum = (...arrays: ArrayLike<number>[]): number => {
      let total = 0
      let k = 0
      for (const array of arrays) for (const value of Array.from(array)) total += value * (k++ % 101)
      return total
    }
    await writeTiffStack(at('a8.tif'), [page8(1), page8(3), page8(5)], W, H, {
      palette: [0, 0, 0, 255, 10, 20],
      spacing: [0.5, 0.25, 2],
    })
    await writeTiffStack(at('a16.tif'), [p16], W, H, { spacing: [0.0005, 0.0005, 1] })
    async function* streamed() {
      yield await Promise.resolve(p32)
      yield await Promise.resolve(p32)
    }
    await writeTiffStack(at('a32.tif'), streamed(), 3, 2)
    // The claimed number of pages makes it a BigTIFF; another number of pages than claimed is refused at the end.
    const claimed = { pageCount: 200_000_000 }
    await expect(writeTiffStack(at('big.tif'), [page8(1)].values() as never, W, H, claimed)).rejects.toThrow(/saved/)
    const found = runPython(peer, SCRIPT, [at('a8.tif'), at('a16.tif'), at('a32.tif')]) as Record<string, object>
    expect(found[at('a8.tif')]).toMatchObject({
      shape: [3, H, W],
      dtype: 'uint8',
      sums: [sum(page8(1).data, page8(3).data, page8(5).data)],
      spacing: 2,
      unit: 'mm',
      frames: 3,
      mode: 'P',
      palette: [0, 0, 0, 255, 10, 20, 0, 0, 0],
      same: true,
    })
    expect(found[at('a16.tif')]).toMatchObject({
      shape: [H, W],
      dtype: 'uint16',
      sums: [sum(p16.data)],
      unit2: 3,
      same: true,
    })
    expect(found[at('a32.tif')]).toMatchObject({ shape: [2, 2, 3], dtype: 'uint32', sums: [sum(p32.data, p32.data)] })
  })
})
