import { describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { decodeBmp } from './bmp.ts'

interface Parts {
  bits: number
  width: number
  height: number
  pixels: number[]
  palette?: number[]
  compression?: number
  masks?: number[]
}

/** A bitmap with the 40-byte header of Windows 3, after the format description; palette entries are b, g, r, 0. */
function bmp({ bits, width, height, pixels, palette = [], compression = 0, masks = [] }: Parts): Uint8Array {
  const offset = 54 + masks.length * 4 + palette.length
  const bytes = Buffer.alloc(offset + pixels.length)
  bytes.write('BM')
  bytes.writeUInt32LE(offset, 10)
  bytes.writeUInt32LE(40, 14)
  bytes.writeInt32LE(width, 18)
  bytes.writeInt32LE(height, 22)
  bytes.writeUInt16LE(1, 26)
  bytes.writeUInt16LE(bits, 28)
  bytes.writeUInt32LE(compression, 30)
  masks.forEach((mask, i) => bytes.writeUInt32LE(mask, 54 + 4 * i))
  bytes.set(palette, 54 + masks.length * 4)
  bytes.set(pixels, offset)
  return bytes
}

const GREYS = [0, 0, 0, 0, 10, 10, 10, 0, 20, 20, 20, 0, 30, 30, 30, 0]
const reds = (bytes: Uint8Array): number[] => [...decodeBmp(bytes, 'x.bmp').rgb].filter((_, i) => i % 3 === 0)

describe('decodeBmp', () => {
  it('reads 24 bits, rows from the bottom, padded to four bytes', () => {
    const bytes = bmp({ bits: 24, width: 1, height: 2, pixels: [3, 2, 1, 0, 6, 5, 4, 0] })
    expect([...decodeBmp(bytes, 'x.bmp').rgb]).toEqual([4, 5, 6, 1, 2, 3])
  })
  it('reads rows from the top where the height is negative', () => {
    const bytes = bmp({ bits: 24, width: 1, height: -2, pixels: [3, 2, 1, 0, 6, 5, 4, 0] })
    expect([...decodeBmp(bytes, 'x.bmp').rgb]).toEqual([1, 2, 3, 4, 5, 6])
  })
  it('reads 32 bits without alpha', () => {
    const bytes = bmp({ bits: 32, width: 2, height: 1, pixels: [3, 2, 1, 99, 6, 5, 4, 0] })
    expect([...decodeBmp(bytes, 'x.bmp').rgb]).toEqual([1, 2, 3, 4, 5, 6])
  })
  it('reads palettes of 1, 2, 4 and 8 bits', () => {
    const palette = GREYS
    expect(reds(bmp({ bits: 8, width: 3, height: 1, palette, pixels: [3, 1, 2, 0] }))).toEqual([30, 10, 20])
    expect(reds(bmp({ bits: 4, width: 3, height: 1, palette, pixels: [0x31, 0x20, 0, 0] }))).toEqual([30, 10, 20])
    expect(reds(bmp({ bits: 2, width: 3, height: 1, palette, pixels: [0b11011000, 0, 0, 0] }))).toEqual([30, 10, 20])
    expect(reds(bmp({ bits: 1, width: 9, height: 1, palette, pixels: [0b10000001, 128, 0, 0] }))).toEqual([
      10, 0, 0, 0, 0, 0, 0, 10, 10,
    ])
  })
  it('reads 16 bits and bit fields', () => {
    // 5-5-5: red 31, green 0, blue 1.
    const plain = bmp({ bits: 16, width: 1, height: 1, pixels: [0x01, 0x7c, 0, 0] })
    expect([...decodeBmp(plain, 'x.bmp').rgb]).toEqual([255, 0, 8])
    const masks = [0xf800, 0x07e0, 0x001f]
    const fields = bmp({ bits: 16, width: 1, height: 1, compression: 3, masks, pixels: [0xe0, 0x07, 0, 0] })
    expect([...decodeBmp(fields, 'x.bmp').rgb]).toEqual([0, 255, 0])
    const swapped = bmp({
      bits: 32,
      width: 1,
      height: 1,
      compression: 3,
      masks: [0xff, 0xff00, 0xff000000],
      pixels: [1, 2, 3, 4],
    })
    expect([...decodeBmp(swapped, 'x.bmp').rgb]).toEqual([1, 2, 4])
  })
  it('reads run-length packing: runs, literals, jumps, ends of lines', () => {
    const palette = GREYS
    const rle8 = [2, 1, 1, 3, 0, 0, 0, 3, 1, 2, 3, 0, 0, 1]
    expect(reds(bmp({ bits: 8, width: 3, height: 2, compression: 1, palette, pixels: rle8 }))).toEqual([
      10, 20, 30, 10, 10, 30,
    ])
    const jump = [1, 3, 0, 2, 1, 1, 1, 2, 0, 1]
    expect(reds(bmp({ bits: 8, width: 3, height: 2, compression: 1, palette, pixels: jump }))).toEqual([
      0, 0, 20, 30, 0, 0,
    ])
    const rle4 = [3, 0x12, 0, 0, 0, 3, 0x32, 0x10, 0, 1]
    expect(reds(bmp({ bits: 4, width: 3, height: 2, compression: 2, palette, pixels: rle4 }))).toEqual([
      30, 20, 10, 10, 20, 10,
    ])
  })
  it('refuses what is short, damaged or of another kind', () => {
    const good = bmp({ bits: 24, width: 2, height: 2, pixels: new Array<number>(16).fill(5) })
    const refused = (bytes: Uint8Array, words: RegExp): void => {
      expect(() => decodeBmp(bytes, 'x.bmp')).toThrow(CodedError)
      expect(() => decodeBmp(bytes, 'x.bmp')).toThrow(words)
    }
    refused(good.subarray(0, 60), /x\.bmp is cut off/)
    refused(good.subarray(0, 20), /damaged/)
    refused(bmp({ bits: 24, width: 0, height: 2, pixels: [0] }), /damaged/)
    refused(bmp({ bits: 24, width: 2 ** 30, height: 2 ** 30, pixels: [0] }), /damaged/)
    refused(bmp({ bits: 7, width: 2, height: 2, pixels: [0] }), /damaged/)
    refused(bmp({ bits: 24, width: 2, height: 2, compression: 4, pixels: [0] }), /save it as PNG/)
    const wild = Uint8Array.from(good)
    wild.fill(255, 10, 14)
    refused(wild, /damaged/)
  })
})
