import { badFile } from '../files.ts'
import type { Elements } from './elements.ts'
import { TAGS } from './tags.ts'

/** Colours of an indexed picture: value `first` has the first colour, values beyond the ends those at the ends. */
export interface Palette {
  readonly first: number
  readonly entries: number
  /** Interleaved RGB. */
  readonly colours: Uint8Array
}

/** The three tables of a palette (PS3.3, C.7.6.3.1.5), of 16 bits as their upper 8. Throws where they do not fit. */
export function readPalette(path: string, elements: Elements): Palette {
  const [stated = 0, first = 0, bits = 16] = elements.words(TAGS.redDescriptor)
  const entries = stated === 0 ? 65_536 : stated
  const tables = [TAGS.redTable, TAGS.greenTable, TAGS.blueTable].map((tag) => elements.value(tag))
  const colours = new Uint8Array(entries * 3)
  tables.forEach((table, channel) => {
    if (table.length < entries) {
      throw badFile(path, 'has no colour table that can be read; convert it to RGB.')
    }
    // Tables of 8 bits are stored one or two to a word; those of 16 as words of the file's byte order.
    const wide = table.length >= entries * 2
    const values = wide ? elements.words([TAGS.redTable, TAGS.greenTable, TAGS.blueTable][channel] ?? '') : table
    const shift = wide && (bits > 8 || values.some((value) => value > 255)) ? 8 : 0
    for (let i = 0; i < entries; i++) colours[3 * i + channel] = (values[i] ?? 0) >> shift
  })
  return { first, entries, colours }
}

/** Interleaved RGB of the colours that indices stand for. */
export function applyPalette(
  indices: ArrayLike<number>,
  { first, entries, colours }: Palette,
): Uint8Array<ArrayBuffer> {
  const rgb = new Uint8Array(indices.length * 3)
  for (let i = 0; i < indices.length; i++) {
    const at = 3 * Math.min(Math.max((indices[i] ?? 0) - first, 0), entries - 1)
    rgb[3 * i] = colours[at] ?? 0
    rgb[3 * i + 1] = colours[at + 1] ?? 0
    rgb[3 * i + 2] = colours[at + 2] ?? 0
  }
  return rgb
}
