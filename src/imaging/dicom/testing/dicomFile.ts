/** An element: its tag as a number, its VR, and what is in it. */
export type TestElement = readonly [tag: number, vr: string, value: TestValue]
type TestValue = string | readonly number[] | Uint8Array | readonly (readonly TestElement[])[]

export interface TestFileOptions {
  readonly transferSyntax?: string
  readonly bigEndian?: boolean
  readonly implicit?: boolean
  /** Without the preamble, the mark and the file meta information, as old programs wrote it. */
  readonly bare?: boolean
}

const EXPLICIT = '1.2.840.10008.1.2.1'
const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])

/** A DICOM file of the given elements, in the order of their tags. */
export function dicomBytes(elements: readonly TestElement[], options: TestFileOptions = {}): Buffer {
  const { transferSyntax = EXPLICIT, bigEndian = false, implicit = false, bare = false } = options
  const body = dataSet(elements, { bigEndian, implicit })
  if (bare) return body
  return Buffer.concat([metaBytes(transferSyntax), body])
}

/** Preamble, mark and file meta information. */
export function metaBytes(transferSyntax: string): Buffer {
  const meta = dataSet([[0x00020010, 'UI', transferSyntax]], { bigEndian: false, implicit: false })
  const length = dataSet([[0x00020000, 'UL', [meta.length]]], { bigEndian: false, implicit: false })
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), length, meta])
}

interface Form {
  readonly bigEndian: boolean
  readonly implicit: boolean
}

export function dataSet(elements: readonly TestElement[], form: Form): Buffer {
  const sorted = elements.toSorted((a, b) => a[0] - b[0])
  return Buffer.concat(sorted.map((element) => elementBytes(element, form)))
}

function elementBytes([tag, vr, value]: TestElement, form: Form): Buffer {
  const bytes = valueBytes(vr, value, form)
  const number = (count: 2 | 4, of: number): Buffer => numberBytes(of >>> 0, count, form.bigEndian)
  const head = [number(2, tag / 0x10000), number(2, tag & 0xffff)]
  if (form.implicit) return Buffer.concat([...head, number(4, bytes.length), bytes])
  if (LONG.has(vr)) return Buffer.concat([...head, Buffer.from(vr), Buffer.alloc(2), number(4, bytes.length), bytes])
  return Buffer.concat([...head, Buffer.from(vr), number(2, bytes.length), bytes])
}

function numberBytes(value: number, count: 2 | 4, bigEndian: boolean): Buffer {
  const bytes = Buffer.alloc(count)
  if (bigEndian) bytes.writeUIntBE(Math.floor(value), 0, count)
  else bytes.writeUIntLE(Math.floor(value), 0, count)
  return bytes
}

function valueBytes(vr: string, value: TestValue, form: Form): Buffer {
  if (typeof value === 'string') return even(Buffer.from(value, 'latin1'), vr === 'UI' ? 0 : 0x20)
  if (value instanceof Uint8Array) return even(Buffer.from(value), 0)
  if (vr === 'SQ') {
    const items = (value as readonly (readonly TestElement[])[]).map((item) => {
      const bytes = dataSet(item, form)
      const head = [numberBytes(0xfffe, 2, form.bigEndian), numberBytes(0xe000, 2, form.bigEndian)]
      return Buffer.concat([...head, numberBytes(bytes.length, 4, form.bigEndian), bytes])
    })
    return Buffer.concat(items)
  }
  const size = vr === 'UL' ? 4 : 2
  return Buffer.concat((value as readonly number[]).map((of) => numberBytes(of, size, form.bigEndian)))
}

function even(bytes: Buffer, fill: number): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([fill])])
}

/** Encapsulated pixels: an offset table, then the fragments, as the elements after `dataSet` of the rest. */
export function encapsulated(fragments: readonly Uint8Array[], table: readonly number[] = []): Buffer {
  const item = (bytes: Uint8Array): Buffer => {
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0])
    const whole = even(Buffer.from(bytes), 0)
    head.writeUInt32LE(whole.length, 4)
    return Buffer.concat([head, whole])
  }
  const offsets = Buffer.alloc(4 * table.length)
  table.forEach((offset, i) => offsets.writeUInt32LE(offset, 4 * i))
  const head = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff])
  const end = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0])
  return Buffer.concat([head, item(offsets), ...fragments.map(item), end])
}

/** What a slice of a test series is; the rest is the same in all of them. */
export interface TestSlice {
  readonly columns?: number
  readonly rows?: number
  readonly position?: readonly number[] | null
  readonly orientation?: readonly number[] | null
  /** From row to row, then from column to column, as in the file. */
  readonly spacing?: readonly number[]
  readonly series?: string
  readonly number?: number
  readonly values?: readonly number[]
  readonly signed?: boolean
  readonly bitsStored?: number
  readonly highBit?: number
  readonly slope?: number
  readonly inter?: number
  readonly more?: readonly TestElement[]
}

let instances = 0

/** The elements of an image of 16-bit samples, 3 columns by 2 rows where it does not say otherwise. */
export function sliceElements(slice: TestSlice): TestElement[] {
  const { columns = 3, rows = 2, position = [0, 0, 0], orientation = [1, 0, 0, 0, 1, 0], spacing = [2, 1] } = slice
  const { values = Array.from({ length: columns * rows }, (_, i) => i), bitsStored = 16 } = slice
  const samples = Uint16Array.from(values, (value) => value & 0xffff)
  const own: TestElement[] = [
    [0x00080060, 'CS', 'CT'],
    [0x00080018, 'UI', `1.2.3.${++instances}`],
    [0x0008103e, 'LO', 'A series'],
    [0x00100010, 'PN', 'Secret^Name'],
    [0x0020000e, 'UI', slice.series ?? '1.2.3'],
    [0x00200013, 'IS', String(slice.number ?? 1)],
    [0x00280002, 'US', [1]],
    [0x00280004, 'CS', 'MONOCHROME2'],
    [0x00280010, 'US', [rows]],
    [0x00280011, 'US', [columns]],
    [0x00280030, 'DS', spacing.join('\\')],
    [0x00280100, 'US', [16]],
    [0x00280101, 'US', [bitsStored]],
    [0x00280102, 'US', [slice.highBit ?? bitsStored - 1]],
    [0x00280103, 'US', [slice.signed === true ? 1 : 0]],
    [0x7fe00010, 'OW', new Uint8Array(samples.buffer)],
  ]
  if (position !== null) own.push([0x00200032, 'DS', position.join('\\')])
  if (orientation !== null) own.push([0x00200037, 'DS', orientation.join('\\')])
  if (slice.slope !== undefined) own.push([0x00281053, 'DS', String(slice.slope)])
  if (slice.inter !== undefined) own.push([0x00281052, 'DS', String(slice.inter)])
  // Of two with the same tag the later one counts.
  return [...new Map([...own, ...(slice.more ?? [])].map((element) => [element[0], element])).values()]
}
