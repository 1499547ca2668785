import { Compression } from '../tags.ts'

/** Size and kind of a LERC2 blob (github.com/Esri/lerc, the header of Lerc2). */
interface Blob {
  readonly width: number
  readonly height: number
  readonly dims: number
  /** 0 int8, 1 uint8, 2 int16, 3 uint16, 4 int32, 5 uint32, 6 float32, 7 float64. */
  readonly type: number
}

function header(blob: Uint8Array): Blob {
  if (String.fromCharCode(...blob.subarray(0, 6)) !== 'Lerc2 ') throw new RangeError('no LERC2 blob')
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const version = view.getInt32(6, true)
  const at = version >= 3 ? 14 : 10
  const hasDims = version >= 4
  return {
    height: view.getUint32(at, true),
    width: view.getUint32(at + 4, true),
    dims: hasDims ? view.getUint32(at + 8, true) : 1,
    type: view.getInt32(at + (hasDims ? 24 : 20), true),
  }
}

const TYPES = ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'float32', 'float64']

/** What a block has to be. */
export interface WantedBlob {
  readonly width: number
  readonly height: number
  readonly samples: number
  readonly type: string
}

/** The samples of a block as little-endian bytes. Throws where the blob is damaged or something else. */
export async function decodeLerc(blob: Uint8Array<ArrayBuffer>, wanted: WantedBlob): Promise<Uint8Array<ArrayBuffer>> {
  const found = header(blob)
  const fits = found.width === wanted.width && found.height === wanted.height && found.dims === wanted.samples
  if (!fits || TYPES[found.type] !== wanted.type) throw new RangeError('a block of another size or type')
  const { getDecoder } = await import('geotiff')
  const decoder = await getDecoder(Compression.lerc, {
    tileWidth: wanted.width,
    tileHeight: wanted.height,
    predictor: 1,
    bitsPerSample: 8,
    planarConfiguration: 1,
    // Further compression of the blob is undone before, in bounds.
    ...{ LercParameters: [4, 0] },
  })
  return new Uint8Array((await decoder.decodeBlock(blob.slice().buffer)) as ArrayBuffer)
}
