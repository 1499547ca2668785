import { promisify } from 'node:util'
import { deflateRaw } from 'node:zlib'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import { writeSlice } from '../../core/labelmap/index.ts'
import type { ComputePort } from '../compute/port.ts'
import type { CasePictures, SliceTruth } from './lessons.ts'

const deflate = promisify(deflateRaw)

/**
 * Slices of cases that are not open, kept by compute under a name of their own: a case of these slices alone, one behind the
 * other, so that a replay over many large cases needs no more room than its slices.
 */
export class Excerpts {
  readonly #compute: ComputePort
  /** By case, which slices in which state compute has. */
  readonly #kept = new Map<string, string>()

  constructor(compute: ComputePort) {
    this.#compute = compute
  }

  /** By what compute knows the excerpt of a case. */
  static nameOf(caseId: string): string {
    return `${caseId}/part`
  }

  /** Compute has these slices as `state` says. */
  has(caseId: string, state: string): boolean {
    return this.#kept.get(caseId) === state
  }

  /** Sends slices of a case, which have the numbers 0, 1, 2 … then. Throws what compute says. */
  async bring(
    caseId: string,
    state: string,
    truths: readonly SliceTruth[],
    { images, layout, geometry }: CasePictures,
  ): Promise<void> {
    const name = Excerpts.nameOf(caseId)
    const axis = layout.sliceAxis
    const dims: Dims = [layout.width, layout.width, layout.width]
    dims[layout.columnAxis] = layout.width
    dims[layout.rowAxis] = layout.height
    dims[axis] = truths.length
    const labels = new Uint8Array(dims[0] * dims[1] * dims[2])
    truths.forEach((truth, at) => writeSlice(labels, dims, axis, at, truth.labels))
    const slices = truths.flatMap(({ slice }, index): ComputeSlice[] => {
      const image = images.get(slice)
      return image === undefined ? [] : [{ ...image, index }]
    })
    this.#kept.delete(caseId)
    const packed = await deflate(labels, { level: 1 })
    await this.#compute.call('openCase', { caseId: name, dims, layout, revision: 0, labels: packed })
    await this.#compute.call('keepSlices', { caseId: name, slices, geometry })
    this.#kept.set(caseId, state)
  }

  /** Compute does not keep them any more: those of these names; without any: none. */
  lost(names?: readonly string[]): void {
    for (const caseId of [...this.#kept.keys()]) {
      if (names === undefined || names.includes(Excerpts.nameOf(caseId))) this.#kept.delete(caseId)
    }
  }

  /** Compute need not keep what is of other cases than these. */
  keepOnly(caseIds: ReadonlySet<string>): void {
    for (const caseId of [...this.#kept.keys()]) {
      if (caseIds.has(caseId)) continue
      this.#kept.delete(caseId)
      this.#compute.call('closeCase', { caseId: Excerpts.nameOf(caseId) }).catch(() => undefined)
    }
  }
}
