import { CodedError } from '../contract/errors.ts'

/** Numbers per run: start, length, before, after. */
export const RUN_FIELDS = 4

/**
 * The change from `before` to `after` as runs [start, length, before, after], ascending.
 * Both arrays hold the same box of voxels, x fastest; equal voxels appear in no run.
 */
export function deltaRuns(before: Uint8Array, after: Uint8Array): Uint32Array<ArrayBuffer> {
  const count = before.length
  if (after.length !== count) throw new RangeError(`deltaRuns: ${count} voxels before, ${after.length} after`)
  let runs = new Uint32Array(256)
  let used = 0
  let i = 0
  while (i < count) {
    const from = before[i] ?? 0
    const to = after[i] ?? 0
    if (from === to) {
      i++
      continue
    }
    const start = i
    do i++
    while (i < count && before[i] === from && after[i] === to)
    if (used + RUN_FIELDS > runs.length) {
      const larger = new Uint32Array(runs.length * 2)
      larger.set(runs)
      runs = larger
    }
    runs[used++] = start
    runs[used++] = i - start
    runs[used++] = from
    runs[used++] = to
  }
  return runs.slice(0, used)
}

/** The runs that take the change back. */
export function invertRuns(runs: Uint32Array): Uint32Array<ArrayBuffer> {
  const inverse = runs.slice()
  for (let r = 0; r + 3 < runs.length; r += RUN_FIELDS) {
    inverse[r + 2] = runs[r + 3] ?? 0
    inverse[r + 3] = runs[r + 2] ?? 0
  }
  return inverse
}

/** Every label that the runs take away or bring, background included. */
export function labelsTouched(runs: Uint32Array): Set<number> {
  const seen = new Set<number>()
  for (let r = 0; r + 3 < runs.length; r += RUN_FIELDS) {
    seen.add(runs[r + 2] ?? 0)
    seen.add(runs[r + 3] ?? 0)
  }
  return seen
}

/** First byte of the encoded form, so that it can change without guessing. */
const ENCODING = 1

/**
 * Compact form for the journal: the byte 1, the number of runs, then for each run the gap since the end of the run
 * before, the length (both as LEB128 varints), and the labels before and after as one byte each.
 * Throws CodedError('bad-request') where the runs are not ascending or a label is over 255.
 */
export function encodeRuns(runs: Uint32Array): Uint8Array<ArrayBuffer> {
  if (runs.length % RUN_FIELDS !== 0) throw malformed('a run has four numbers')
  const count = runs.length / RUN_FIELDS
  const bytes = new Uint8Array(1 + 5 + count * 12)
  let at = 0
  bytes[at++] = ENCODING
  at = putVarint(bytes, at, count)
  let end = 0
  for (let r = 0; r < runs.length; r += RUN_FIELDS) {
    const start = runs[r] ?? 0
    const length = runs[r + 1] ?? 0
    const before = runs[r + 2] ?? 0
    const after = runs[r + 3] ?? 0
    if (start < end) throw malformed('runs are not ascending')
    if (before > 255 || after > 255) throw malformed('a label is over 255')
    at = putVarint(bytes, at, start - end)
    at = putVarint(bytes, at, length)
    bytes[at++] = before
    bytes[at++] = after
    end = start + length
  }
  return bytes.slice(0, at)
}

/** Reads what `encodeRuns` wrote. Throws CodedError('bad-request') on anything else, also on left-over bytes. */
export function decodeRuns(bytes: Uint8Array): Uint32Array<ArrayBuffer> {
  if (bytes[0] !== ENCODING) throw malformed('unknown encoding')
  let at = 1
  const varint = (): number => {
    let value = 0
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) throw malformed('it ends early')
      value += (byte & 127) * scale
      if (byte < 128) {
        if (value > 0xffffffff) throw malformed('a number is over 32 bits')
        return value
      }
    }
    throw malformed('a number is over 32 bits')
  }
  const count = varint()
  // A run takes four bytes at least: refuse a wrong count before it becomes an allocation.
  if (count * 4 > bytes.length - at) throw malformed('it ends early')
  const runs = new Uint32Array(count * RUN_FIELDS)
  let end = 0
  for (let r = 0; r < runs.length; r += RUN_FIELDS) {
    const start = end + varint()
    const length = varint()
    const before = bytes[at++]
    const after = bytes[at++]
    if (before === undefined || after === undefined) throw malformed('it ends early')
    end = start + length
    if (end > 0xffffffff) throw malformed('a number is over 32 bits')
    runs[r] = start
    runs[r + 1] = length
    runs[r + 2] = before
    runs[r + 3] = after
  }
  if (at !== bytes.length) throw malformed('bytes are left over')
  return runs
}

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value
  while (rest >= 128) {
    bytes[at++] = (rest % 128) + 128
    rest = Math.floor(rest / 128)
  }
  bytes[at++] = rest
  return at
}

function malformed(what: string): CodedError {
  return new CodedError('bad-request', `The record of a change is damaged: ${what}.`)
}
