import { Compression, FieldType } from '../tags.ts'

/** One strip of a picture, to be decoded by libvips. */
export interface MiniTiff {
  readonly width: number
  readonly height: number
  readonly samples: number
  readonly bits: number
  readonly compression: number
  readonly photometric: number
  /** Tags 266, 292 and 293 of CCITT compression. */
  readonly extra?: readonly (readonly [tag: number, value: number])[]
  readonly data: Uint8Array
}

/** A little-endian TIFF in memory around one strip, for what libvips decodes or converts and we do not. */
export function miniTiff(picture: MiniTiff): Uint8Array {
  const { width, height, samples, bits, compression, photometric, data } = picture
  const entries: [number, number, number][] = [
    [256, FieldType.long, width],
    [257, FieldType.long, height],
    [258, FieldType.short, bits],
    [259, FieldType.short, compression],
    [262, FieldType.short, photometric],
    [273, FieldType.long, 0],
    [277, FieldType.short, samples],
    [278, FieldType.long, height],
    [279, FieldType.long, data.length],
    [284, FieldType.short, 1],
    ...(picture.extra ?? []).map(([tag, value]) => [tag, FieldType.long, value] as [number, number, number]),
  ]
  entries.sort((a, b) => a[0] - b[0])
  const bitsAt = 8 + 2 + entries.length * 12 + 4
  const dataAt = bitsAt + 2 * samples + ((2 * samples) % 4)
  const bytes = new Uint8Array(dataAt + data.length)
  const view = new DataView(bytes.buffer)
  bytes.set([0x49, 0x49, 42, 0, 8, 0, 0, 0])
  view.setUint16(8, entries.length, true)
  entries.forEach(([tag, type, value], i) => {
    const at = 10 + i * 12
    view.setUint16(at, tag, true)
    view.setUint16(at + 2, type, true)
    view.setUint32(at + 4, tag === 258 ? samples : 1, true)
    if (tag === 258 && samples > 2) view.setUint32(at + 8, bitsAt, true)
    else if (tag === 258) for (let s = 0; s < samples; s++) view.setUint16(at + 8 + 2 * s, bits, true)
    else if (tag === 273) view.setUint32(at + 8, dataAt, true)
    else if (type === FieldType.short) view.setUint16(at + 8, value, true)
    else view.setUint32(at + 8, value, true)
  })
  for (let s = 0; s < samples; s++) view.setUint16(bitsAt + 2 * s, bits, true)
  bytes.set(data, dataAt)
  return bytes
}

/** Is it one of the compressions of faxes? */
export function isFax(compression: number): boolean {
  return (
    compression === Compression.ccittRle ||
    compression === Compression.ccittFax3 ||
    compression === Compression.ccittFax4
  )
}
