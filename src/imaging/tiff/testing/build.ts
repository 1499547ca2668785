/** A tag with its values; bytes for types without an entry of their own. */
export type TestTag = readonly [tag: number, type: number, values: readonly number[] | string | Uint8Array]

/** One page of a test TIFF: its tags but for where its blocks are, and the blocks as they are stored. */
export interface TestPage {
  readonly tags: readonly TestTag[]
  readonly blocks: readonly Uint8Array[]
  readonly tiled?: boolean
}

const SIZES: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 12: 8, 16: 8 }

export interface TestOptions {
  readonly big?: boolean
  readonly littleEndian?: boolean
  /** What the last page says of the next one; 0 where left out. */
  readonly next?: (offsets: readonly number[]) => number
}

/** A TIFF written by hand, to say what no program would say. */
export function buildTiff(pages: readonly TestPage[], options: TestOptions = {}): Uint8Array {
  const { big = false, littleEndian: le = true } = options
  const word = big ? 8 : 4
  const chunks: { at: number; bytes: Uint8Array }[] = []
  let end = big ? 16 : 8
  const put = (bytes: Uint8Array): number => {
    const at = end
    chunks.push({ at, bytes })
    end += bytes.length + (bytes.length % 2)
    return at
  }
  const words = (values: readonly number[], type: number): Uint8Array => {
    const bytes = new Uint8Array(values.length * (type === 5 ? 4 : (SIZES[type] ?? 1)))
    const view = new DataView(bytes.buffer)
    values.forEach((value, i) => {
      if (type === 3) view.setUint16(2 * i, value, le)
      else if (type === 4 || type === 5) view.setUint32(4 * i, value, le)
      else if (type === 16) view.setBigUint64(8 * i, BigInt(value), le)
      else if (type === 12) view.setFloat64(8 * i, value, le)
      else view.setUint8(i, value)
    })
    return bytes
  }
  const offsets: number[] = []
  const links: { at: number; view: DataView; place: number }[] = []
  for (const page of pages) {
    const blocks = page.blocks.map((block) => (block.length === 0 ? 0 : put(block)))
    const counts = page.blocks.map((block) => block.length)
    const has = (tag: number): boolean => page.tags.some(([known]) => known === tag)
    const own: TestTag[] = [...page.tags]
    const [where, length] = page.tiled === true ? [324, 325] : [273, 279]
    if (!has(where) && blocks.length > 0) own.push([where, big ? 16 : 4, blocks])
    if (!has(length) && blocks.length > 0) own.push([length, 4, counts])
    own.sort((a, b) => a[0] - b[0])
    const entryBytes = big ? 20 : 12
    const bytes = new Uint8Array((big ? 8 : 2) + own.length * entryBytes + word)
    const view = new DataView(bytes.buffer)
    const setWord = (at: number, value: number): void => {
      if (big) view.setBigUint64(at, BigInt(value), le)
      else view.setUint32(at, value, le)
    }
    if (big) view.setBigUint64(0, BigInt(own.length), le)
    else view.setUint16(0, own.length, le)
    own.forEach(([tag, type, values], i) => {
      const raw =
        typeof values === 'string'
          ? new TextEncoder().encode(`${values}\0`)
          : values instanceof Uint8Array
            ? values
            : words(values, type)
      const at = (big ? 8 : 2) + i * entryBytes
      view.setUint16(at, tag, le)
      view.setUint16(at + 2, type, le)
      setWord(at + 4, raw.length / (SIZES[type] ?? 1))
      if (raw.length <= word) bytes.set(raw, at + 4 + word)
      else setWord(at + 4 + word, put(raw))
    })
    const at = put(bytes)
    offsets.push(at)
    links.push({ at, view, place: bytes.length - word })
  }
  links.forEach(({ view, place }, i) => {
    const next = offsets[i + 1] ?? options.next?.(offsets) ?? 0
    if (big) view.setBigUint64(place, BigInt(next), le)
    else view.setUint32(place, next, le)
  })
  const file = new Uint8Array(end)
  const view = new DataView(file.buffer)
  file.set(le ? [0x49, 0x49] : [0x4d, 0x4d])
  view.setUint16(2, big ? 43 : 42, le)
  if (big) view.setUint16(4, 8, le)
  if (big) view.setBigUint64(8, BigInt(offsets[0] ?? 0), le)
  else view.setUint32(4, offsets[0] ?? 0, le)
  for (const { at, bytes } of chunks) file.set(bytes, at)
  return file
}

/** The tags of a plain grey page. */
export function greyTags(
  width: number,
  height: number,
  { bits = 8, compression = 1, photometric = 1, format = 1, rows = height } = {},
): TestTag[] {
  return [
    [256, 4, [width]],
    [257, 4, [height]],
    [258, 3, [bits]],
    [259, 3, [compression]],
    [262, 3, [photometric]],
    [277, 3, [1]],
    [278, 4, [rows]],
    [339, 3, [format]],
  ]
}

/** A page of 8-bit grey in one strip. */
export function greyPage(width: number, height: number, value: (i: number) => number, more: TestTag[] = []): TestPage {
  const data = Uint8Array.from({ length: width * height }, (_, i) => value(i))
  return { tags: [...greyTags(width, height), ...more], blocks: [data] }
}
