/** What of a LERC2 blob's header matters (github.com/Esri/lerc, Lerc2). */
interface BlobHeader {
  readonly width: number
  readonly height: number
  readonly dims: number
  readonly microBlock: number
  /** 0 int8, 1 uint8, 2 int16, 3 uint16, 4 int32, 5 uint32, 6 float32, 7 float64. */
  readonly type: number
}

function header(blob: Uint8Array): BlobHeader {
  if (String.fromCharCode(...blob.subarray(0, 6)) !== 'Lerc2 ') throw new RangeError('no LERC2 blob')
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const version = view.getInt32(6, true)
  const size = version >= 3 ? 14 : 10
  const rest = size + (version >= 4 ? 12 : 8)
  return {
    height: view.getUint32(size, true),
    width: view.getUint32(size + 4, true),
    dims: version >= 4 ? view.getUint32(size + 8, true) : 1,
    microBlock: view.getInt32(rest + 4, true),
    type: view.getInt32(rest + 12, true),
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
export async function decodeLerc(blob: Uint8Array, wanted: WantedBlob): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, dims, microBlock, type } = header(blob)
  const fits = width === wanted.width && height === wanted.height && dims === wanted.samples
  // The decoder divides by the size of its small blocks, and trusts it.
  if (!fits || TYPES[type] !== wanted.type || !(microBlock >= 1 && microBlock <= 256))
    throw new RangeError('a block of another size or type')
  const { default: lerc } = await import('lerc')
  const { pixels } = lerc.decode(blob.slice().buffer, { returnPixelInterleavedDims: true })
  const samples = pixels[0]
  if (samples === undefined) throw new RangeError('a blob without pixels')
  // A copy: the samples can lie in the blob itself.
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength).slice()
}
