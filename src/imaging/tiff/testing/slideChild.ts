/** Run by a test as a process of its own: reads a slide here and there, and prints what it found and how much memory it took. */
import { openTiled } from '../tiledImage.ts'

const path = process.argv[2] ?? ''
const image = await openTiled(path)
const points = [
  [20_500, 6500],
  [22_500, 7500],
  [39_999, 29_999],
  [20_010, 6010],
] as const
const found: number[][][] = []
for (const [level, { width, height, downsample }] of image.levels.entries()) {
  found.push([])
  for (const [px, py] of points) {
    const x = Math.min(width - 1, Math.floor(px / downsample))
    const y = Math.min(height - 1, Math.floor(py / downsample))
    const pixels = await image.region(level, { x, y, width: 1, height: 1 })
    found[level]?.push([...pixels.data])
  }
}
// As a viewer does that is dragged over the slide: far more than is kept.
for (let i = 0; i < 400; i++) await image.tile(0, (i * 7) % 78, (i * 5) % 58)
const last = await image.tile(0, Math.ceil(40_000 / 512) - 1, Math.ceil(30_000 / 512) - 1)
const region = await image.region(0, { x: 20_000, y: 6000, width: 4000, height: 3000 })
const { levels, info } = image
await image.close()
process.stdout.write(
  JSON.stringify({
    dims: info.dims,
    tiled: info.tiled,
    levels: levels.map(({ width, height }) => [width, height]),
    found,
    last: [last.width, last.height],
    region: region.data.length,
    megabytes: process.resourceUsage().maxRSS / 1024,
  }),
)
