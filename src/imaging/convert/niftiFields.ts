import type { Affine, Vec3 } from '../../core/contract/schemas.ts'
import type { Qform } from '../../core/geometry/index.ts'

/** Byte positions of the fields that are read or written here (nifti1.h, nifti2.h). */
const PLACES = {
  1: {
    ...{
      dimInfo: 39,
      dim: 40,
      datatype: 70,
      bitpix: 72,
      sliceStart: 74,
      pixdim: 76,
      offset: 108,
      slope: 112,
      inter: 116,
    },
    ...{ sliceEnd: 120, sliceCode: 122, units: 123, description: 148, qformCode: 252, sformCode: 254, quaternion: 256 },
    ...{ srow: 280, magic: 344 },
  },
  2: {
    ...{
      dimInfo: 524,
      dim: 16,
      datatype: 12,
      bitpix: 14,
      sliceStart: 224,
      pixdim: 104,
      offset: 168,
      slope: 176,
      inter: 184,
    },
    ...{ sliceEnd: 232, sliceCode: 496, units: 500, description: 240, qformCode: 344, sformCode: 348, quaternion: 352 },
    ...{ srow: 400, magic: 4 },
  },
} as const

const HEADER_BYTES = { 1: 348, 2: 540 } as const
const MAGIC = {
  1: [0x6e, 0x2b, 0x31, 0],
  2: [0x6e, 0x2b, 0x32, 0, 0x0d, 0x0a, 0x1a, 0x0a],
} as const

/** The header of a NIfTI file that is written, with what stands between it and the voxels; fields by name, in either version. */
export class NiftiFields {
  readonly version: 1 | 2
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly headerBytes: number
  readonly #view: DataView
  readonly #le: boolean
  readonly #at: Readonly<Record<keyof (typeof PLACES)[1], number>>

  constructor(version: 1 | 2, littleEndian: boolean, extensionBytes: number) {
    this.version = version
    this.headerBytes = HEADER_BYTES[version]
    // Voxels begin at a multiple of 16 bytes.
    this.bytes = new Uint8Array(Math.ceil((this.headerBytes + 4 + extensionBytes) / 16) * 16)
    this.#view = new DataView(this.bytes.buffer)
    this.#le = littleEndian
    this.#at = PLACES[version]
  }

  /** Fields that every new header has. */
  start(): void {
    this.#view.setInt32(0, this.headerBytes, this.#le)
    this.bytes.set(new TextEncoder().encode('Maskwright'), this.#at.description)
    for (let i = 0; i < 8; i++) this.#setReal(this.#at.pixdim, 1, i)
  }

  dim(index: number): number {
    return this.version === 1
      ? this.#view.getInt16(this.#at.dim + 2 * index, this.#le)
      : Number(this.#view.getBigInt64(this.#at.dim + 8 * index, this.#le))
  }

  setDims(dims: readonly number[]): void {
    dims.forEach((extent, i) => {
      if (this.version === 1) this.#view.setInt16(this.#at.dim + 2 * i, extent, this.#le)
      else this.#view.setBigInt64(this.#at.dim + 8 * i, BigInt(extent), this.#le)
    })
  }

  setDatatype(code: number, bits: number): void {
    this.#view.setInt16(this.#at.datatype, code, this.#le)
    this.#view.setInt16(this.#at.bitpix, bits, this.#le)
  }

  setScaling(slope: number, inter: number): void {
    this.#setReal(this.#at.slope, slope)
    this.#setReal(this.#at.inter, inter)
  }

  /** Voxels follow in the same file. */
  setSingleFile(): void {
    if (this.version === 1) this.#view.setFloat32(this.#at.offset, this.bytes.length, this.#le)
    else this.#view.setBigInt64(this.#at.offset, BigInt(this.bytes.length), this.#le)
    this.bytes.set(MAGIC[this.version], this.#at.magic)
  }

  pixdim(): number[] {
    return Array.from({ length: 8 }, (_, i) => this.#real(this.#at.pixdim, i))
  }

  setPixdim(qfac: number, spacing: Vec3): void {
    ;[qfac, ...spacing].forEach((value, i) => this.#setReal(this.#at.pixdim, value, i))
  }

  setUnit(code: number): void {
    this.bytes[this.#at.units + (this.version === 2 && !this.#le ? 3 : 0)] = code
  }

  get qformCode(): number {
    return this.#code(this.#at.qformCode)
  }

  get sformCode(): number {
    return this.#code(this.#at.sformCode)
  }

  setCodes(qform: number, sform: number): void {
    for (const [at, code] of [
      [this.#at.qformCode, qform],
      [this.#at.sformCode, sform],
    ] as const) {
      if (this.version === 1) this.#view.setInt16(at, code, this.#le)
      else this.#view.setInt32(at, code, this.#le)
    }
  }

  quaternion(): Pick<Qform, 'b' | 'c' | 'd' | 'offset'> {
    const value = (i: number): number => this.#real(this.#at.quaternion, i)
    return { b: value(0), c: value(1), d: value(2), offset: [value(3), value(4), value(5)] }
  }

  /** The voxel sizes of the header are part of its qform. */
  setQform({ b, c, d, offset, qfac }: Qform, spacing: Vec3): void {
    // Of half a turn, rounding must not leave a rest: readers take what is missing to length 1 for the fourth number of the quaternion.
    const longer = this.version === 1 && b * b + c * c + d * d > 1 - 1e-12 ? 1 + 2 ** -24 : 1
    ;[b * longer, c * longer, d * longer, ...offset].forEach((value, i) => this.#setReal(this.#at.quaternion, value, i))
    this.setPixdim(qfac, spacing)
  }

  sform(): Affine {
    const row = (r: number): number[] => [0, 1, 2, 3].map((c) => this.#real(this.#at.srow, 4 * r + c))
    return [row(0), row(1), row(2), [0, 0, 0, 1]]
  }

  setSform(affine: Affine): void {
    affine
      .slice(0, 3)
      .flat()
      .forEach((value, i) => this.#setReal(this.#at.srow, value, i))
  }

  /** Axes from 1, 0 where they are not stated. */
  dimInfo(): { frequency: number; phase: number; slice: number } {
    const packed = this.bytes[this.#at.dimInfo] ?? 0
    return { frequency: packed & 3, phase: (packed >> 2) & 3, slice: (packed >> 4) & 3 }
  }

  setDimInfo({ frequency, phase, slice }: { frequency: number; phase: number; slice: number }): void {
    this.bytes[this.#at.dimInfo] = frequency | (phase << 2) | (slice << 4)
  }

  slices(): { start: number; end: number; code: number } {
    const { sliceStart, sliceEnd, sliceCode } = this.#at
    return this.version === 1
      ? {
          start: this.#view.getInt16(sliceStart, this.#le),
          end: this.#view.getInt16(sliceEnd, this.#le),
          code: this.bytes[sliceCode] ?? 0,
        }
      : {
          start: Number(this.#view.getBigInt64(sliceStart, this.#le)),
          end: Number(this.#view.getBigInt64(sliceEnd, this.#le)),
          code: this.#view.getInt32(sliceCode, this.#le),
        }
  }

  setSlices({ start, end, code }: { start: number; end: number; code: number }): void {
    const { sliceStart, sliceEnd, sliceCode } = this.#at
    if (this.version === 1) {
      this.#view.setInt16(sliceStart, start, this.#le)
      this.#view.setInt16(sliceEnd, end, this.#le)
      this.bytes[sliceCode] = code
    } else {
      this.#view.setBigInt64(sliceStart, BigInt(start), this.#le)
      this.#view.setBigInt64(sliceEnd, BigInt(end), this.#le)
      this.#view.setInt32(sliceCode, code, this.#le)
    }
  }

  #code(at: number): number {
    return this.version === 1 ? this.#view.getInt16(at, this.#le) : this.#view.getInt32(at, this.#le)
  }

  #real(at: number, index = 0): number {
    return this.version === 1
      ? this.#view.getFloat32(at + 4 * index, this.#le)
      : this.#view.getFloat64(at + 8 * index, this.#le)
  }

  #setReal(at: number, value: number, index = 0): void {
    if (this.version === 1) this.#view.setFloat32(at + 4 * index, value, this.#le)
    else this.#view.setFloat64(at + 8 * index, value, this.#le)
  }
}
