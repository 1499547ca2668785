import type * as Codecs from 'dcmjs-codecs'

/** Size and components of a JPEG 2000 code stream (ITU-T T.800, A.5.1). */
interface CodeStream {
  readonly width: number
  readonly height: number
  readonly components: number
  readonly bits: number
  readonly signed: boolean
  readonly subsampled: boolean
}

const SIZ = 0xff51

function header(stream: Uint8Array): CodeStream {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
  if (view.getUint16(0) !== 0xff4f || view.getUint16(2) !== SIZ) throw new RangeError('no JPEG 2000 code stream')
  const components = view.getUint16(40)
  let subsampled = false
  for (let c = 0; c < components; c++) {
    subsampled ||= view.getUint8(43 + 3 * c) !== 1 || view.getUint8(44 + 3 * c) !== 1
  }
  const depth = view.getUint8(42)
  return {
    width: view.getUint32(8) - view.getUint32(16),
    height: view.getUint32(12) - view.getUint32(20),
    components,
    bits: (depth & 127) + 1,
    signed: depth >= 128,
    subsampled,
  }
}

/** What a block has to be. */
export interface Wanted {
  readonly width: number
  readonly height: number
  readonly components: number
  readonly bits: number
}

let codecs: Promise<typeof Codecs> | null = null

/** WebAssembly, loaded when the first such block is met. */
function loadCodecs(): Promise<typeof Codecs> {
  codecs ??= (async () => {
    // A CommonJS module, whose exports Node cannot all tell by name.
    const loaded: typeof Codecs & { default?: typeof Codecs } = await import('dcmjs-codecs')
    const module = loaded.default ?? loaded
    if (!module.NativeCodecs.isInitialized()) await module.NativeCodecs.initializeAsync({ logCodecsInfo: false })
    return module
  })()
  return codecs
}

/** The samples of a block as little-endian bytes, components interleaved. Throws RangeError where it is something else. */
export async function decodeJpeg2000(stream: Uint8Array, wanted: Wanted): Promise<Uint8Array<ArrayBuffer>> {
  const found = header(stream)
  const { width, height, components, bits } = wanted
  if (found.width !== width || found.height !== height || found.components !== components) {
    throw new RangeError('a block of another size')
  }
  if (found.subsampled || found.signed || found.bits > bits || (bits !== 8 && bits !== 16)) {
    throw new RangeError('samples that are not of one kind')
  }
  const { Context, NativeCodecs } = await loadCodecs()
  const context = new Context({
    width,
    height,
    bitsAllocated: bits,
    bitsStored: found.bits,
    samplesPerPixel: components,
    pixelRepresentation: 0,
    planarConfiguration: 0,
    photometricInterpretation: components === 3 ? 'RGB' : 'MONOCHROME2',
    encodedBuffer: stream.slice(),
  })
  const decoded = NativeCodecs.decodeJpeg2000(context, {}).getDecodedBuffer()
  if (decoded?.length !== (width * height * components * bits) / 8) throw new RangeError('a block that is cut off')
  return new Uint8Array(decoded)
}
