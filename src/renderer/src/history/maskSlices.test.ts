import { describe, it, expect } from 'vitest'
import type { Dims, LabelSlice, StrokeDelta } from '../../../core/contract/schemas.ts'
import type { SliceKey } from '../canvas/sliceCache.ts'
import { MaskSlices } from './maskSlices.ts'

const dims: Dims = [4, 3, 2]

/** One voxel of the volume gets another label. */
function voxelDelta(id: string, [x, y, z]: [number, number, number], before: number, after: number): StrokeDelta {
  return {
    id,
    baseRevision: 0,
    kind: 'brush',
    label: after,
    axis: 2,
    box: { min: [x, y, z], max: [x + 1, y + 1, z + 1] },
    runs: Uint32Array.of(0, 1, before, after),
  }
}

function harness() {
  const answers: ((revision: number, labels?: readonly number[]) => void)[] = []
  const changes: string[] = []
  const pending: StrokeDelta[] = []
  const masks = new MaskSlices({
    dims,
    revision: 5,
    load: ({ axis }) =>
      new Promise<LabelSlice>((resolve) => {
        const [width, height] = axis === 2 ? [4, 3] : axis === 1 ? [4, 2] : [3, 2]
        answers.push((revision, labels) => {
          const data = Uint8Array.from(labels ?? new Array<number>(width * height).fill(0))
          resolve({ width, height, data, revision, modelId: null })
        })
      }),
    pending: () => pending,
    onChanged: ({ axis, index }, rect) =>
      changes.push(`${axis}:${index} ${rect ? `${rect.x0},${rect.y0}-${rect.x1},${rect.y1}` : 'gone'}`),
    isShown: ({ axis }) => axis === 2,
    budgetBytes: 1e6,
  })
  const load = async (key: SliceKey, revision = 5, labels?: readonly number[]) => {
    const wanted = masks.want(key)
    answers.at(-1)?.(revision, labels)
    return wanted
  }
  return { masks, answers, changes, pending, load }
}

const axial: SliceKey = { axis: 2, index: 1 }
const coronal: SliceKey = { axis: 1, index: 2 }

describe('MaskSlices', () => {
  it('shows an own stroke on the slices of other planes at once', async () => {
    const { masks, changes, load } = harness()
    const painted = await load(axial)
    const crossing = await load(coronal)
    painted.labels[2 * 4 + 3] = 7
    masks.applyLocal(voxelDelta('s1', [3, 2, 1], 0, 7), painted.labels)
    expect([...crossing.labels]).toEqual([0, 0, 0, 0, 0, 0, 0, 7])
    expect(changes).toEqual(['1:2 3,1-4,2'])
  })

  it('patches cached slices with what others did, once, however often it is told', async () => {
    const { masks, changes, load } = harness()
    const slice = await load(axial)
    masks.applyRemote(voxelDelta('u1', [0, 0, 1], 0, 3), 6)
    slice.labels[0] = 9 // a later stroke of this page on the same voxel
    masks.applyRemote(voxelDelta('u1', [0, 0, 1], 0, 3), 6)
    expect(slice.labels[0]).toBe(9)
    expect(changes).toEqual(['2:1 0,0-1,1'])
    expect(masks.revision).toBe(6)
  })

  it('patches only what is looked at when a change is very large, and drops the rest', async () => {
    const { masks, changes, load } = harness()
    const shown = await load(axial)
    await load(coronal)
    // The same voxel again and again: 20,001 runs.
    const runs = Uint32Array.from({ length: 4 * 20_001 }, (_, at) => [0, 1, 0, 3][at % 4] ?? 0)
    masks.applyRemote({ ...voxelDelta('large', [0, 0, 1], 0, 3), runs }, 6)
    expect(shown.labels[0]).toBe(3)
    expect(masks.get(axial)).toBe(shown)
    expect(masks.get(coronal)).toBeUndefined()
    expect(changes).toEqual(['2:1 0,0-1,1'])
  })

  it('does not apply an acknowledged stroke of its own again', async () => {
    const { masks, changes, load } = harness()
    const slice = await load(axial)
    const delta = voxelDelta('s1', [1, 1, 1], 0, 2)
    slice.labels[5] = 2
    masks.acknowledge(delta, 6)
    slice.labels[5] = 4
    masks.applyRemote(delta, 6)
    expect(slice.labels[5]).toBe(4)
    expect(changes).toEqual([])
  })

  it('brings a slice up to date that was on its way while things changed', async () => {
    const { masks, answers, pending } = harness()
    const wanted = masks.want(axial)
    masks.applyRemote(voxelDelta('r6', [0, 0, 1], 0, 1), 6)
    masks.acknowledge(voxelDelta('r7', [1, 0, 1], 0, 2), 7)
    pending.push(voxelDelta('s8', [2, 0, 1], 0, 3), voxelDelta('other slice', [3, 0, 0], 0, 4))
    // The answer shows revision 6: the first change is in it, the second is not.
    answers[0]?.(6, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    const slice = await wanted
    expect([...slice.labels.slice(0, 4)]).toEqual([1, 2, 3, 0])
    expect(slice.revision).toBe(7)
  })

  it('gives strokes a buffer of their own', async () => {
    const { masks, load } = harness()
    const message = Uint8Array.from([9, 9, ...new Array<number>(12).fill(0)])
    const slice = await load(axial, 5, [...message.subarray(2)])
    expect(slice.labels.buffer.byteLength).toBe(12)
    expect(masks.get(axial)).toBe(slice)
  })

  it('forgets everything when it must be read again', async () => {
    const { masks, changes, load } = harness()
    await load(axial)
    masks.reload()
    expect(changes).toEqual(['2:1 gone'])
    expect(masks.get(axial)).toBeUndefined()
  })
})
