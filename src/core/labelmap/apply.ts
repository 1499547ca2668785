import { CodedError } from '../contract/errors.ts'
import type { Axis, Box, Dims } from '../contract/schemas.ts'
import { boxExtent, boxVolume, sliceAxes, sliceExtent, type Rect } from './box.ts'
import { RUN_FIELDS } from './runs.ts'

/** The part of a stroke delta that says what changes. */
export interface LabelDelta {
  readonly box: Box
  /** [start, length, before, after] …; see `strokeDeltaSchema`. */
  readonly runs: Uint32Array
}

/** Writes the labels of a box, x fastest. Throws RangeError where there are not as many as voxels. */
export function writeBox(labels: Uint8Array, dims: Dims, box: Box, values: Uint8Array): void {
  const [width, height, depth] = boxExtent(box)
  if (values.length !== boxVolume(box)) throw new RangeError(`writeBox: ${values.length} values for ${boxVolume(box)}`)
  let from = 0
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      labels.set(values.subarray(from, from + width), rowStart(dims, box, y, z))
      from += width
    }
  }
}

/** Throws CodedError('bad-request') unless the delta is well formed and lies inside `dims`. */
export function validateDelta(delta: LabelDelta, dims: Dims): void {
  const { box, runs } = delta
  for (const axis of [0, 1, 2] as const) {
    const low = box.min[axis]
    const high = box.max[axis]
    if (!Number.isInteger(low) || !Number.isInteger(high) || low < 0 || high <= low || high > dims[axis]) {
      throw new CodedError('bad-request', 'The change lies outside the image.')
    }
  }
  if (runs.length % RUN_FIELDS !== 0) throw new CodedError('bad-request', 'The change has incomplete runs.')
  const volume = boxVolume(box)
  let end = 0
  for (let r = 0; r < runs.length; r += RUN_FIELDS) {
    const start = runs[r] ?? 0
    const length = runs[r + 1] ?? 0
    const before = runs[r + 2] ?? 0
    const after = runs[r + 3] ?? 0
    if (start < end) throw new CodedError('bad-request', 'The runs of the change are not in ascending order.')
    if (length === 0 || start + length > volume) {
      throw new CodedError('bad-request', 'A run of the change lies outside its box.')
    }
    if (before > 255 || after > 255) throw new CodedError('bad-request', 'A label of the change is over 255.')
    if (before === after) throw new CodedError('bad-request', 'A run of the change changes nothing.')
    end = start + length
  }
}

/**
 * Applies a valid delta in place. Throws CodedError('conflict') and changes nothing where a voxel does not hold the
 * label that the delta found before.
 */
export function applyDelta(labels: Uint8Array, dims: Dims, delta: LabelDelta): void {
  eachSegment(delta, (x, y, z, length, before) => {
    const start = x + dims[0] * (y + dims[1] * z)
    for (let i = start; i < start + length; i++) {
      if (labels[i] !== before) {
        throw new CodedError('conflict', 'The mask was changed in the meantime, so this change does not fit it.')
      }
    }
  })
  eachSegment(delta, (x, y, z, length, _before, after) => {
    const start = x + dims[0] * (y + dims[1] * z)
    labels.fill(after, start, start + length)
  })
}

/** Sets each voxel of a box that a valid delta changes, wherever that lies; `marks` holds the voxels of `box`, x fastest. */
export function markDelta(marks: Uint8Array, box: Box, delta: LabelDelta, value: number): void {
  const [width, height] = boxExtent(box)
  eachSegment(delta, (x, y, z, length) => {
    if (y < box.min[1] || y >= box.max[1] || z < box.min[2] || z >= box.max[2]) return
    const row = width * (y - box.min[1] + height * (z - box.min[2]))
    const [from, to] = [Math.max(x, box.min[0]), Math.min(x + length, box.max[0])]
    if (from < to) marks.fill(value, row + from - box.min[0], row + to - box.min[0])
  })
}

/**
 * Applies a delta to one cached slice across `axis` (two ascending axes, the lower one fastest) without checking
 * what was there. Returns the rectangle of changed pixels, null where the delta does not touch this slice.
 */
export function applyDeltaToSlice(
  slice: Uint8Array,
  dims: Dims,
  axis: Axis,
  index: number,
  delta: LabelDelta,
): Rect | null {
  if (index < delta.box.min[axis] || index >= delta.box.max[axis]) return null
  const [width] = sliceExtent(dims, axis)
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  const put = (x: number, y: number, length: number, value: number): void => {
    slice.fill(value, y * width + x, y * width + x + length)
    left = Math.min(left, x)
    right = Math.max(right, x + length)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y + 1)
  }
  eachSegment(delta, (x, y, z, length, _before, after) => {
    if (axis === 2) {
      if (z === index) put(x, y, length, after)
    } else if (axis === 1) {
      if (y === index) put(x, z, length, after)
    } else if (x <= index && index < x + length) {
      put(y, z, 1, after)
    }
  })
  return right > left ? { x: left, y: top, width: right - left, height: bottom - top } : null
}

type VoxelArray =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array

/**
 * Copies one slice across `axis`: the two remaining axes in ascending order, the lower one fastest.
 * `channels` samples belong to each voxel, interleaved.
 */
export function extractSlice<T extends VoxelArray>(voxels: T, dims: Dims, axis: Axis, index: number, channels = 1): T {
  const [nx, ny, nz] = dims
  const row = nx * channels
  // `slice` keeps the array's own type; TypeScript widens it to the union.
  if (axis === 2) return voxels.slice(index * row * ny, (index + 1) * row * ny) as T
  const [width, height] = sliceExtent(dims, axis)
  const out = voxels.slice(0, width * height * channels) as T
  let to = 0
  if (axis === 1) {
    for (let z = 0; z < nz; z++, to += row) {
      const from = row * (index + ny * z)
      out.set(voxels.subarray(from, from + row), to)
    }
    return out
  }
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const from = row * (y + ny * z) + index * channels
      for (let c = 0; c < channels; c++) out[to++] = voxels[from + c] ?? 0
    }
  }
  return out
}

/** Copies a rectangle out of a slice of the given width, row by row. */
export function readRect(slice: Uint8Array, width: number, rect: Rect): Uint8Array<ArrayBuffer> {
  const values = new Uint8Array(rect.width * rect.height)
  for (let j = 0; j < rect.height; j++) {
    const from = (rect.y + j) * width + rect.x
    values.set(slice.subarray(from, from + rect.width), j * rect.width)
  }
  return values
}

/** Writes one slice across `axis` into the volume, the inverse of `extractSlice` for labels. */
export function writeSlice(labels: Uint8Array, dims: Dims, axis: Axis, index: number, slice: Uint8Array): void {
  const box: Box = { min: [0, 0, 0], max: [...dims] }
  box.min[axis] = index
  box.max[axis] = index + 1
  const [fast, slow] = sliceAxes(axis)
  if (slice.length !== dims[fast] * dims[slow]) throw new RangeError('writeSlice: the slice has another size')
  writeBox(labels, dims, box, slice)
}

function rowStart(dims: Dims, box: Box, y: number, z: number): number {
  return box.min[0] + dims[0] * (box.min[1] + y + dims[1] * (box.min[2] + z))
}

/** Cuts runs at the rows of the box: each piece is `length` voxels along x, starting at voxel (x, y, z). */
function eachSegment(
  delta: LabelDelta,
  visit: (x: number, y: number, z: number, length: number, before: number, after: number) => void,
): void {
  const { box, runs } = delta
  const [width, height] = boxExtent(box)
  for (let r = 0; r + 3 < runs.length; r += RUN_FIELDS) {
    const before = runs[r + 2] ?? 0
    const after = runs[r + 3] ?? 0
    let rest = runs[r + 1] ?? 0
    const start = runs[r] ?? 0
    let row = Math.floor(start / width)
    let x = start - row * width
    while (rest > 0) {
      const length = Math.min(rest, width - x)
      const z = Math.floor(row / height)
      visit(box.min[0] + x, box.min[1] + row - z * height, box.min[2] + z, length, before, after)
      rest -= length
      row++
      x = 0
    }
  }
}
