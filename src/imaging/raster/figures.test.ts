import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { findPython, runPython } from '../testing/peer.ts'
import { temporaryFolder } from '../testing/folders.ts'
import { decodePng, encodeGif, encodeJpeg, renderSvg } from './index.ts'

const peer = findPython(['PIL'])
const READ = `
import json, sys
from PIL import Image
image = Image.open(sys.argv[1])
frames = []
for n in range(getattr(image, 'n_frames', 1)):
    image.seek(n)
    frames.append({'delay': image.info.get('duration'), 'pixels': list(image.convert('RGB').getdata())})
print(json.dumps({'format': image.format, 'size': image.size, 'loop': image.info.get('loop'), 'layers': getattr(image, 'layer', None), 'frames': frames}))
`

let remove: (() => Promise<void>) | null = null
afterEach(async () => {
  await remove?.()
  remove = null
})

async function opened(bytes: Uint8Array, name: string): Promise<unknown> {
  const folder = await temporaryFolder()
  remove = folder.remove
  const path = join(folder.path, name)
  await writeFile(path, bytes)
  return runPython(peer, READ, [path])
}

/** 8 x 8 pixels of one colour. */
function plain(colour: readonly [number, number, number]): Uint8Array {
  return Uint8Array.from({ length: 8 * 8 * 3 }, (_, at) => colour[at % 3] ?? 0)
}

describe('encodeGif', () => {
  it.skipIf(!peer.available)(`is read by Pillow with its frames, delays and colours ${peer.reason}`, async () => {
    const frames = [plain([0, 0, 0]), plain([255, 255, 255]), plain([255, 214, 10])]
    const gif = await encodeGif(frames, { width: 8, height: 8, delays: [250, 250, 2000] })
    const read = (await opened(gif, 'a.gif')) as { frames: { delay: number; pixels: number[][] }[] }
    expect(read).toMatchObject({ format: 'GIF', size: [8, 8], loop: 0 })
    expect(read.frames.map(({ delay }) => delay)).toEqual([250, 250, 2000])
    expect(read.frames.map(({ pixels }) => pixels[27])).toEqual([
      [0, 0, 0],
      [255, 255, 255],
      [255, 214, 10],
    ])
  })

  it('gives the same bytes each time, and takes a single frame', async () => {
    const encode = () => encodeGif([plain([9, 80, 200])], { width: 8, height: 8, delays: [100] })
    const gif = await encode()
    expect(gif.subarray(0, 6).toString('latin1')).toBe('GIF89a')
    expect(gif.equals(await encode())).toBe(true)
  })

  it('refuses frames that are not of the size', async () => {
    await expect(encodeGif([new Uint8Array(5)], { width: 8, height: 8, delays: [100] })).rejects.toThrow(RangeError)
    await expect(encodeGif([], { width: 8, height: 8, delays: [] })).rejects.toThrow(RangeError)
  })
})

describe('encodeJpeg', () => {
  it.skipIf(!peer.available)(
    `keeps a thin coloured line that half the colours would smear ${peer.reason}`,
    async () => {
      const data = new Uint8Array(32 * 32 * 3)
      for (let y = 0; y < 32; y++) data.set([255, 214, 10], (y * 32 + 15) * 3)
      const jpeg = await encodeJpeg({ width: 32, height: 32, channels: 3, data }, 90)
      const { frames } = (await opened(jpeg, 'a.jpg')) as { frames: { pixels: number[][] }[] }
      const [line = [], beside = []] = [frames[0]?.pixels[16 * 32 + 15], frames[0]?.pixels[16 * 32 + 19]]
      expect(line[0]).toBeGreaterThan(215)
      expect(line[2]).toBeLessThan(60)
      expect(Math.max(...beside)).toBeLessThan(30)
    },
  )
})

describe('renderSvg', () => {
  it('draws at the scale, on white', async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"><rect width="2" height="2" fill="#f00"/></svg>'
    const { width, height, data } = await decodePng(await renderSvg(svg, 2), 'a.png')
    expect([width, height]).toEqual([8, 4])
    expect([...data.subarray(0, 3)]).toEqual([255, 0, 0])
    expect([...data.subarray(21, 24)]).toEqual([255, 255, 255])
  })
})
