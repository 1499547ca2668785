import type { VoxelType } from '../../core/contract/schemas.ts'

export { typeOf, viewAs } from '../voxels/index.ts'

/** How the voxels of a NIfTI data type are stored and what they become. */
export type Datatype =
  | { readonly name: VoxelType; readonly kind: 'plain'; readonly bytes: number }
  | { readonly name: 'int64' | 'uint64'; readonly kind: 'wide'; readonly bytes: 8 }
  | { readonly name: 'rgb24' | 'rgba32'; readonly kind: 'colour'; readonly bytes: 3 | 4 }

/** By code (nifti1.h). */
const DATATYPES: ReadonlyMap<number, Datatype> = new Map<number, Datatype>([
  [2, { name: 'uint8', kind: 'plain', bytes: 1 }],
  [4, { name: 'int16', kind: 'plain', bytes: 2 }],
  [8, { name: 'int32', kind: 'plain', bytes: 4 }],
  [16, { name: 'float32', kind: 'plain', bytes: 4 }],
  [64, { name: 'float64', kind: 'plain', bytes: 8 }],
  [128, { name: 'rgb24', kind: 'colour', bytes: 3 }],
  [256, { name: 'int8', kind: 'plain', bytes: 1 }],
  [512, { name: 'uint16', kind: 'plain', bytes: 2 }],
  [768, { name: 'uint32', kind: 'plain', bytes: 4 }],
  [1024, { name: 'int64', kind: 'wide', bytes: 8 }],
  [1280, { name: 'uint64', kind: 'wide', bytes: 8 }],
  [2304, { name: 'rgba32', kind: 'colour', bytes: 4 }],
])

/** Types that the format knows and that are no grey values or colours. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [1, 'one-bit voxels'],
  [32, 'complex numbers'],
  [1536, '128-bit numbers'],
  [1792, 'complex numbers'],
  [2048, 'complex numbers'],
])

export function datatypeOf(code: number): Datatype | null {
  return DATATYPES.get(code) ?? null
}

/** What a refused type holds, in words; null for a code that the format does not know. */
export function refusedDatatype(code: number): string | null {
  return REFUSED.get(code) ?? null
}

/** The code of a voxel type. */
export function codeOf(type: VoxelType): { code: number; bytes: number } {
  for (const [code, datatype] of DATATYPES) if (datatype.name === type) return { code, bytes: datatype.bytes }
  throw new RangeError(`no NIfTI code for ${type}`)
}

/** Reverses the bytes of each element, in place. */
export function swapBytes(bytes: Uint8Array<ArrayBuffer>, elementBytes: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (elementBytes === 2) buffer.swap16()
  else if (elementBytes === 4) buffer.swap32()
  else if (elementBytes === 8) buffer.swap64()
}

/**
 * 64-bit integers as int32 where all fit, else as float64; `exact` is false where a value is beyond 2^53 and may have
 * been rounded. `buffer` holds them in the machine's byte order (little-endian).
 */
export function narrow64(
  buffer: ArrayBuffer,
  signed: boolean,
): { data: Int32Array<ArrayBuffer> | Float64Array<ArrayBuffer>; exact: boolean } {
  const words = new Int32Array(buffer)
  const count = words.length / 2
  let fits = true
  for (let i = 0; i < count && fits; i++) {
    const low = words[2 * i] ?? 0
    const high = words[2 * i + 1] ?? 0
    fits = high === low >> 31 && (signed || high === 0)
  }
  if (fits) {
    const data = new Int32Array(count)
    for (let i = 0; i < count; i++) data[i] = words[2 * i] ?? 0
    return { data, exact: true }
  }
  const data = new Float64Array(count)
  let exact = true
  for (let i = 0; i < count; i++) {
    const high = words[2 * i + 1] ?? 0
    const value = (signed ? high : high >>> 0) * 2 ** 32 + ((words[2 * i] ?? 0) >>> 0)
    if (Math.abs(value) > Number.MAX_SAFE_INTEGER) exact = false
    data[i] = value
  }
  return { data, exact }
}
