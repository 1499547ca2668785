import { writeTiffStack } from '../tiff/index.ts'
import { smallestLabels } from './labels.ts'
import type { MaskName, MaskToWrite } from './types.ts'

/**
 * Label numbers as TIFF, a page a slice across the third axis: 8 bits, indexed where the labels have colours, so that viewers show
 * them in these; 16 or 32 bits grey where a label is above 255. With the voxel size where it is known.
 */
export async function writeTiffMask(
  path: string,
  { labels, image, names, leastBits, signal }: MaskToWrite,
): Promise<void> {
  const small = smallestLabels(labels, leastBits)
  const [width, height, slices] = image.dims
  const size = width * height
  function* pages(): Generator<{ data: typeof small }> {
    for (let slice = 0; slice < slices; slice++) yield { data: small.subarray(slice * size, (slice + 1) * size) }
  }
  await writeTiffStack(path, [...pages()], width, height, {
    palette: small instanceof Uint8Array ? paletteOf(names) : undefined,
    spacing: image.info.spacingKnown ? image.spacing : undefined,
    signal,
  })
}

/** RGB triples by label value, black for the background; undefined where no label has a colour. */
function paletteOf(names: readonly MaskName[]): Uint8Array | undefined {
  const coloured = names.filter(({ value, color }) => value < 256 && color !== undefined)
  if (coloured.length === 0) return undefined
  const palette = new Uint8Array(256 * 3)
  // A label without a colour is told from the background by a grey.
  palette.fill(128, 3)
  for (const { value, color = '#808080' } of coloured) {
    const rgb = Number.parseInt(color.slice(1), 16)
    palette.set([rgb >> 16, (rgb >> 8) & 255, rgb & 255], 3 * value)
  }
  return palette
}
