import type { Axis, Box, Dims } from '../../core/contract/schemas.ts'
import { RUN_FIELDS } from '../../core/labelmap/index.ts'

/** Collects runs [start, length, before, after]; neighbours of the same change become one. */
class RunList {
  #runs = new Uint32Array(1024)
  #used = 0

  add(at: number, before: number, after: number): void {
    const last = this.#used - RUN_FIELDS
    if (
      last >= 0 &&
      (this.#runs[last] ?? 0) + (this.#runs[last + 1] ?? 0) === at &&
      this.#runs[last + 2] === before &&
      this.#runs[last + 3] === after
    ) {
      this.#runs[last + 1] = (this.#runs[last + 1] ?? 0) + 1
      return
    }
    if (this.#used + RUN_FIELDS > this.#runs.length) {
      const larger = new Uint32Array(this.#runs.length * 2)
      larger.set(this.#runs)
      this.#runs = larger
    }
    this.#runs.set([at, 1, before, after], this.#used)
    this.#used += RUN_FIELDS
  }

  take(): Uint32Array<ArrayBuffer> {
    return this.#runs.slice(0, this.#used)
  }
}

/** The runs that turn every voxel of `value` into background, over the whole volume. */
export function eraseRuns(labels: Uint8Array, value: number): Uint32Array<ArrayBuffer> {
  const runs = new RunList()
  for (let at = labels.indexOf(value); at >= 0; at = labels.indexOf(value, at + 1)) runs.add(at, value, 0)
  return runs.take()
}

export interface AcceptPlan {
  /** Runs in the box, x fastest. */
  readonly runs: Uint32Array<ArrayBuffer>
  readonly changedVoxels: number
  /** Voxels where the prediction differs and a locked label stands in the way. */
  readonly keptLockedVoxels: number
}

/**
 * What accepting a prediction changes inside `box`. `mask` is a label volume of extent `dims`, `prediction` holds the labels of the
 * box alone, x fastest. `open[i]` is 1 where slice i across `trainingAxis` was predicted and may change; `takes[p]` is 1 where the predicted
 * label p is one that the user asked for; `locked[v]` is 1 for locked labels, which neither give nor gain a voxel. Where `kept`, one byte
 * a voxel of the box, is 1, the mask stays; null: it does nowhere.
 */
export function planAccept(options: {
  mask: Uint8Array
  prediction: Uint8Array
  dims: Dims
  box: Box
  trainingAxis: Axis
  open: Uint8Array
  takes: Uint8Array
  locked: Uint8Array
  kept: Uint8Array | null
}): AcceptPlan {
  const { mask, prediction, dims, box, trainingAxis, open, takes, locked, kept } = options
  const runs = new RunList()
  let inBox = 0
  let changedVoxels = 0
  let keptLockedVoxels = 0
  const voxel: [number, number, number] = [0, 0, 0]
  for (voxel[2] = box.min[2]; voxel[2] < box.max[2]; voxel[2]++) {
    for (voxel[1] = box.min[1]; voxel[1] < box.max[1]; voxel[1]++) {
      const width = box.max[0] - box.min[0]
      if (trainingAxis !== 0 && open[voxel[trainingAxis]] !== 1) {
        inBox += width
        continue
      }
      const row = dims[0] * (voxel[1] + dims[1] * voxel[2])
      for (let x = box.min[0]; x < box.max[0]; x++, inBox++) {
        const before = mask[row + x] ?? 0
        const after = prediction[inBox] ?? 0
        if (before === after || takes[after] !== 1) continue
        if (trainingAxis === 0 && open[x] !== 1) continue
        if (locked[before] === 1 || locked[after] === 1) {
          keptLockedVoxels++
          continue
        }
        if (kept?.[inBox] === 1) continue
        runs.add(inBox, before, after)
        changedVoxels++
      }
    }
  }
  return { runs: runs.take(), changedVoxels, keptLockedVoxels }
}
