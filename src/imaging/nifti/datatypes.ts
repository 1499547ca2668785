import type { VoxelType } from '../../core/contract/schemas.ts'

/** How the voxels of a NIfTI data type are stored. */
export type Datatype =
  | { readonly name: VoxelType; readonly kind: 'plain'; readonly bytes: number }
  | { readonly name: 'int64' | 'uint64'; readonly kind: 'wide'; readonly bytes: 8 }
  | { readonly name: 'complex64' | 'complex128'; readonly kind: 'complex'; readonly bytes: 8 | 16 }
  | { readonly name: 'rgb24' | 'rgba32'; readonly kind: 'colour'; readonly bytes: 3 | 4 }

/** By code (nifti1.h). */
const DATATYPES: ReadonlyMap<number, Datatype> = new Map<number, Datatype>([
  [2, { name: 'uint8', kind: 'plain', bytes: 1 }],
  [4, { name: 'int16', kind: 'plain', bytes: 2 }],
  [8, { name: 'int32', kind: 'plain', bytes: 4 }],
  [16, { name: 'float32', kind: 'plain', bytes: 4 }],
  [32, { name: 'complex64', kind: 'complex', bytes: 8 }],
  [64, { name: 'float64', kind: 'plain', bytes: 8 }],
  [128, { name: 'rgb24', kind: 'colour', bytes: 3 }],
  [256, { name: 'int8', kind: 'plain', bytes: 1 }],
  [512, { name: 'uint16', kind: 'plain', bytes: 2 }],
  [768, { name: 'uint32', kind: 'plain', bytes: 4 }],
  [1024, { name: 'int64', kind: 'wide', bytes: 8 }],
  [1280, { name: 'uint64', kind: 'wide', bytes: 8 }],
  [1792, { name: 'complex128', kind: 'complex', bytes: 16 }],
  [2304, { name: 'rgba32', kind: 'colour', bytes: 4 }],
])

/** Types that the format knows and that no computer language here has numbers for. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [1, 'one-bit voxels'],
  [1536, '128-bit numbers'],
  [2048, '256-bit complex numbers'],
])

export function datatypeOf(code: number): Datatype | null {
  return DATATYPES.get(code) ?? null
}

/** What a refused type holds, in words; null for a code that the format does not know. */
export function refusedDatatype(code: number): string | null {
  return REFUSED.get(code) ?? null
}

/** The code of a type that is written, and its bits per voxel. */
export function codeOf(type: VoxelType | 'rgb24'): { code: number; bits: number } {
  for (const [code, datatype] of DATATYPES) if (datatype.name === type) return { code, bits: datatype.bytes * 8 }
  throw new RangeError(`no NIfTI code for ${type}`)
}
