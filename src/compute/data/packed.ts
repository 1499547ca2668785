import type { Truth } from '../../imaging/index.ts'

/** Labels and object numbers as runs: [length, value] one after the other. */
export interface PackedTruth {
  readonly voxels: number
  readonly labels: Uint32Array
  readonly objects: Uint32Array | null
}

/** Small beside the pictures: of a hundred objects in a picture some ten thousand runs. */
export function packTruth({ labels, objects }: Pick<Truth, 'labels' | 'objects'>): PackedTruth {
  return { voxels: labels.length, labels: runsOf(labels), objects: objects === null ? null : runsOf(objects) }
}

export function packedBytes({ labels, objects }: PackedTruth): number {
  return labels.byteLength + (objects?.byteLength ?? 0)
}

export function unpackTruth({ voxels, labels, objects }: PackedTruth): Pick<Truth, 'labels' | 'objects'> {
  return {
    labels: filled(labels, new Uint8Array(voxels)),
    objects: objects === null ? null : filled(objects, new Uint32Array(voxels)),
  }
}

function runsOf(values: Uint8Array | Uint32Array): Uint32Array {
  const runs: number[] = []
  for (let i = 0; i < values.length;) {
    const value = values[i] ?? 0
    let end = i + 1
    while (end < values.length && values[end] === value) end++
    runs.push(end - i, value)
    i = end
  }
  return Uint32Array.from(runs)
}

function filled<T extends Uint8Array | Uint32Array>(runs: Uint32Array, out: T): T {
  for (let r = 0, at = 0; r < runs.length; r += 2) {
    const end = at + (runs[r] ?? 0)
    out.fill(runs[r + 1] ?? 0, at, end)
    at = end
  }
  return out
}
