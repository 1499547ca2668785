import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { planeViews, screenToVoxel } from '../../core/geometry/index.ts'
import { boxExtent, deltaRuns } from '../../core/labelmap/index.ts'
import { createRandom, randomInt } from '../data/random.ts'
import { createResident } from './resident.ts'
import type { ComputeSlice } from '../../core/contract/compute.ts'
import type { Affine, Box, Dims } from '../../core/contract/schemas.ts'
import type { PlaneView } from '../../core/geometry/index.ts'
import type { Random } from '../data/random.ts'
import type { Resident } from './resident.ts'

const DIMS: Dims = [5, 4, 3]
const VOXELS = 5 * 4 * 3
const NO_LABELS = new Uint8Array(VOXELS)

/** Rows: which way right, front and up run along the voxel axes. */
const affines: Record<string, Affine> = {
  RAS: rows([1, 0, 0], [0, 1, 0], [0, 0, 1]),
  LPS: rows([-1, 0, 0], [0, -1, 0], [0, 0, 1]),
  PSL: rows([0, 0, -1], [-1, 0, 0], [0, 1, 0]),
  SAR: rows([0, 0, 1], [0, 1, 0], [1, 0, 0]),
  ARI: rows([0, 1, 0], [1, 0, 0], [0, 0, -1]),
  IRP: rows([0, 1, 0], [0, 0, -1], [-1, 0, 0]),
}
const orientations = Object.entries({ ...affines, picture: null })

function rows(...linear: [number, number, number][]): Affine {
  return [...linear.map((row) => [...row, 0]), [0, 0, 0, 1]]
}

function layoutOf(affine: Affine | null, dims: Dims = DIMS): PlaneView {
  const [view] = planeViews(dims, affine, [1, 1, 1])
  if (view === undefined) throw new Error('no view')
  return view
}

const packed = (labels: Uint8Array) => new Uint8Array(deflateRawSync(labels))

function picture(view: PlaneView, index: number, value = index): ComputeSlice {
  return {
    ...{ index, width: view.width, height: view.height, channels: 1, voxelType: 'uint8' },
    ...{ data: new Uint8Array(view.width * view.height).fill(value), slope: 1, inter: 0, low: 0, high: 255 },
  }
}

async function opened(
  resident: Resident,
  { caseId = 'a', labels = NO_LABELS, revision = 1, affine = affines.RAS ?? null, pictures = [0] } = {},
): Promise<PlaneView> {
  const view = layoutOf(affine)
  await resident.open({ caseId, dims: DIMS, layout: view, revision, labels: packed(labels) })
  if (pictures.length > 0) {
    resident.keep({ caseId, slices: pictures.map((index) => picture(view, index)), geometry: null })
  }
  return view
}

async function keptLabels(resident: Resident, caseId: string, index: number): Promise<number[]> {
  const [sample] = await resident.resolve({ samples: [], kept: [{ caseId, index, role: 'corrected' }] })
  return [...(sample?.labels ?? [])]
}

/** A change inside a random box, one label over some of its voxels, and the labels after it. */
function randomStroke(
  labels: Uint8Array<ArrayBuffer>,
  random: Random,
): { box: Box; runs: Uint32Array; after: Uint8Array<ArrayBuffer> } {
  const box: Box = { min: [0, 0, 0], max: [0, 0, 0] }
  for (const axis of [0, 1, 2] as const) {
    const low = randomInt(random, DIMS[axis])
    box.min[axis] = low
    box.max[axis] = low + 1 + randomInt(random, DIMS[axis] - low)
  }
  const after = labels.slice()
  const label = randomInt(random, 4)
  const [before, changed]: [number[], number[]] = [[], []]
  const [width, height, depth] = boxExtent(box)
  for (let z = 0; z < depth; z++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const at = box.min[0] + x + DIMS[0] * (box.min[1] + y + DIMS[1] * (box.min[2] + z))
        if (random() < 0.6) after[at] = label
        before.push(labels[at] ?? 0)
        changed.push(after[at] ?? 0)
      }
  return { box, after, runs: deltaRuns(Uint8Array.from(before), Uint8Array.from(changed)) }
}

const onePixel = (after: number, before = 0) => ({
  box: { min: [0, 0, 0], max: [1, 1, 1] } satisfies Box,
  runs: Uint32Array.of(0, 1, before, after),
})

describe('what is given out again', () => {
  it('is the same array until a change reaches its slice or what of it is trusted', async () => {
    const resident = createResident()
    await opened(resident, { pictures: [0, 1] })
    const trusted = new Uint8Array(20).fill(1)
    const both = async (marks: Uint8Array<ArrayBuffer> = trusted.slice()) => {
      const kept = [0, 1].map((index) => ({ caseId: 'a', index, role: 'corrected' as const, trusted: marks }))
      const [first, second] = await resident.resolve({ samples: [], kept })
      if (first === undefined || second === undefined) throw new Error('two')
      return [first, second] as const
    }
    const before = await both()
    const bytes = resident.bytes()
    const again = await both()
    for (const at of [0, 1] as const) {
      expect(again[at].labels).toBe(before[at].labels)
      expect(again[at].trusted).toBe(before[at].trusted)
      expect(again[at].data).toBe(before[at].data)
    }
    expect(resident.bytes()).toBe(bytes)
    // The whole of slice 1 becomes label 2.
    const box: Box = { min: [0, 0, 1], max: [5, 4, 2] }
    await resident.patch({ caseId: 'a', revision: 2, box, runs: Uint32Array.of(0, 20, 0, 2) })
    const after = await both(new Uint8Array(20).fill(1, 0, 10))
    expect(after[0].labels).toBe(before[0].labels)
    expect(after[1].labels).toEqual(new Uint8Array(20).fill(2))
    expect(before[1].labels).toEqual(new Uint8Array(20))
    expect(after[0].trusted).toEqual(new Uint8Array(20).fill(1, 0, 10))
  })
})

describe('patched labels', () => {
  it.each(orientations)('are those of a replay, as the network sees them (%s)', async (name, affine) => {
    const random = createRandom(name.length + name.charCodeAt(0))
    const resident = createResident()
    let labels = Uint8Array.from({ length: VOXELS }, () => randomInt(random, 4))
    const view = await opened(resident, { labels, affine, revision: 7, pictures: [...Array(3).keys()] })
    const slices = [...Array(view.slices).keys()]
    resident.keep({ caseId: 'a', slices: slices.map((index) => picture(view, index)), geometry: null })
    for (let revision = 8; revision < 48; revision++) {
      const { box, runs, after } = randomStroke(labels, random)
      await expect(resident.patch({ caseId: 'a', revision, box, runs })).resolves.toBe(revision)
      labels = after
      for (const slice of slices) {
        const expected = Array.from({ length: view.width * view.height }, (_, pixel) => {
          const [x, y, z] = screenToVoxel(view, pixel % view.width, Math.floor(pixel / view.width), slice)
          return labels[x + DIMS[0] * (y + DIMS[1] * z)]
        })
        expect(await keptLabels(resident, 'a', slice)).toEqual(expected)
      }
    }
  })

  it('wait for the labels of a case that is still being unpacked, in their order', async () => {
    const resident = createResident()
    const layout = layoutOf(null)
    const opening = resident.open({ caseId: 'a', dims: DIMS, layout, revision: 1, labels: packed(NO_LABELS) })
    const patches = [
      resident.patch({ caseId: 'a', revision: 2, ...onePixel(3) }),
      resident.patch({ caseId: 'a', revision: 3, ...onePixel(2, 3) }),
    ]
    resident.keep({ caseId: 'a', slices: [picture(layout, 0)], geometry: null })
    await expect(Promise.all(patches)).resolves.toEqual([2, 3])
    await opening
    expect((await keptLabels(resident, 'a', 0))[0]).toBe(2)
  })

  it('change once: what is known already is not applied again', async () => {
    const resident = createResident()
    const view = await opened(resident, { revision: 4 })
    const stroke = { caseId: 'a', revision: 5, ...onePixel(3) }
    expect(await resident.patch(stroke)).toBe(5)
    expect(await resident.patch(stroke)).toBe(5)
    expect(await resident.patch({ ...stroke, revision: 2 })).toBe(5)
    const seen = await keptLabels(resident, 'a', 0)
    // Voxel 0 of an RAS file is patient left and posterior: on the screen the last pixel of all.
    expect(seen).toEqual([...new Uint8Array(view.width * view.height - 1), 3])
  })
})

describe('a case', () => {
  it('has to be brought again where it is not kept, or changes are missing between', async () => {
    const resident = createResident()
    await expect(resident.patch({ caseId: 'a', revision: 2, ...onePixel(1) })).rejects.toMatchObject({
      code: 'not-resident',
    })
    await opened(resident, { revision: 4 })
    await expect(resident.patch({ caseId: 'a', revision: 6, ...onePixel(1) })).rejects.toMatchObject({
      code: 'not-resident',
    })
    // It is as it was, and takes the change that was missing.
    expect(await keptLabels(resident, 'a', 0)).toEqual([...new Uint8Array(20)])
    await expect(resident.patch({ caseId: 'a', revision: 5, ...onePixel(1) })).resolves.toBe(5)
    resident.close('a')
    await expect(keptLabels(resident, 'a', 0)).rejects.toMatchObject({ code: 'not-resident', detail: 'a' })
    expect(resident.bytes()).toBe(0)
  })

  it('is dropped where it does not hold what a change found before', async () => {
    const resident = createResident()
    await opened(resident, { revision: 4 })
    const patch = resident.patch({ caseId: 'a', revision: 5, ...onePixel(1, 2) })
    await expect(patch).rejects.toMatchObject({ code: 'not-resident' })
    expect(resident.bytes()).toBe(0)
  })

  it('is not touched by a change that is malformed', async () => {
    const resident = createResident()
    await opened(resident, { revision: 4 })
    const outside: Box = { min: [0, 0, 0], max: [6, 1, 1] }
    const patch = resident.patch({ caseId: 'a', revision: 5, box: outside, runs: Uint32Array.of(0, 6, 0, 1) })
    await expect(patch).rejects.toMatchObject({ code: 'bad-request' })
    await expect(resident.patch({ caseId: 'a', revision: 5, ...onePixel(1) })).resolves.toBe(5)
  })

  it('that is brought again has the labels and revision of then, and keeps its pictures', async () => {
    const resident = createResident()
    await opened(resident, { revision: 4, pictures: [0, 2] })
    await opened(resident, { revision: 9, pictures: [], labels: NO_LABELS.slice().fill(2) })
    expect(await keptLabels(resident, 'a', 2)).toEqual(Array(20).fill(2))
    // In another grid the pictures are none of it.
    const layout = layoutOf(affines.PSL ?? null)
    await resident.open({ caseId: 'a', dims: DIMS, layout, revision: 10, labels: packed(NO_LABELS) })
    await expect(keptLabels(resident, 'a', 2)).rejects.toMatchObject({ code: 'not-resident' })
  })

  it('is refused where labels or layout do not fit its extents', async () => {
    const resident = createResident()
    const layout = layoutOf(null)
    const open = (labels: Uint8Array, given = layout) =>
      resident.open({ caseId: 'a', dims: DIMS, layout: given, revision: 1, labels })
    const refused = { code: 'bad-request' }
    await expect(open(packed(new Uint8Array(VOXELS - 1)))).rejects.toMatchObject(refused)
    await expect(open(packed(new Uint8Array(VOXELS + 1)))).rejects.toMatchObject(refused)
    await expect(open(Uint8Array.of(1, 2, 3))).rejects.toMatchObject(refused)
    await expect(open(packed(NO_LABELS), { ...layout, width: 4 })).rejects.toMatchObject(refused)
    await expect(open(packed(NO_LABELS), { ...layout, rowAxis: 0 })).rejects.toMatchObject(refused)
    expect(resident.bytes()).toBe(0)
    expect(() => {
      resident.keep({ caseId: 'a', slices: [picture(layout, 0)], geometry: null })
    }).toThrow(/read again/)
  })

  it('takes no picture that is none of its slices', async () => {
    const resident = createResident()
    const view = await opened(resident)
    const keep = (slice: ComputeSlice) => () => {
      resident.keep({ caseId: 'a', slices: [slice], geometry: null })
    }
    expect(keep({ ...picture(view, 0), width: view.width + 1 })).toThrow(/not one of its case/)
    expect(keep(picture(view, 3))).toThrow(/not one of its case/)
  })
})

describe('what is kept', () => {
  it('stays within its bound: the case that was used longest ago goes first', async () => {
    // Labels of 60 bytes and a picture of 20: three cases fit.
    const resident = createResident({ budget: 250 })
    for (const caseId of ['a', 'b', 'c']) await opened(resident, { caseId })
    expect(resident.bytes()).toBe(240)
    await keptLabels(resident, 'a', 0)
    await opened(resident, { caseId: 'd' })
    expect(resident.bytes()).toBe(240)
    await expect(keptLabels(resident, 'b', 0)).rejects.toMatchObject({ code: 'not-resident', detail: 'b' })
    for (const caseId of ['a', 'c', 'd']) expect(await keptLabels(resident, caseId, 0)).toHaveLength(20)
  })

  it('stays within its bound where slices are given out: those copies go first, and what was given is whole', async () => {
    // Three cases of 80 bytes, and room for one copy of labels.
    const resident = createResident({ budget: 265 })
    for (const caseId of ['a', 'b', 'c']) await opened(resident, { caseId })
    const trusted = new Uint8Array(20).fill(1)
    const kept = ['a', 'b', 'c'].map((caseId) => ({ caseId, index: 0, role: 'corrected' as const, trusted }))
    const samples = await resident.resolve({ samples: [], kept })
    expect(resident.bytes()).toBeLessThanOrEqual(265)
    for (const sample of samples) expect(sample).toMatchObject({ labels: new Uint8Array(20), trusted })
    for (const caseId of ['a', 'b', 'c']) expect(await keptLabels(resident, caseId, 0)).toHaveLength(20)
  })

  it('holds the case that was used last, however large', async () => {
    const resident = createResident({ budget: 10 })
    await opened(resident, { caseId: 'a' })
    await opened(resident, { caseId: 'b' })
    expect(await keptLabels(resident, 'b', 0)).toHaveLength(20)
    await expect(keptLabels(resident, 'a', 0)).rejects.toMatchObject({ code: 'not-resident' })
  })
})

describe('resolve', () => {
  it('gives samples, then kept slices with picture, geometry and how they count', async () => {
    const resident = createResident()
    const view = await opened(resident, { labels: NO_LABELS.slice().fill(3), pictures: [1] })
    const geometry = { plane: 'axial', columns: 1, rows: 2, slices: 3 } as const
    resident.keep({ caseId: 'a', slices: [picture(view, 2, 77)], geometry })
    const whole = { ...picture(view, 9), labels: new Uint8Array(20), role: 'replay' } as const
    const trusted = new Uint8Array(20).fill(1)
    const samples = await resident.resolve({
      samples: [whole],
      kept: [
        { caseId: 'a', index: 2, role: 'corrected', trusted, weight: 2 },
        { caseId: 'a', index: 1, role: 'replay' },
      ],
    })
    const labels = new Uint8Array(20).fill(3)
    expect(samples).toEqual([
      whole,
      { ...picture(view, 2, 77), labels, geometry, role: 'corrected', trusted, weight: 2 },
      { ...picture(view, 1), labels, geometry, role: 'replay' },
    ])
  })

  it('gives copies: later changes do not reach them', async () => {
    const resident = createResident()
    await opened(resident, { revision: 1, affine: affines.LPS ?? null })
    const [sample] = await resident.resolve({ samples: [], kept: [{ caseId: 'a', index: 0, role: 'corrected' }] })
    await resident.patch({ caseId: 'a', revision: 2, ...onePixel(3) })
    expect(sample?.labels[0]).toBe(0)
    expect((await keptLabels(resident, 'a', 0))[0]).toBe(3)
  })

  it('names every case of which something is missing', async () => {
    const resident = createResident()
    for (const caseId of ['a', 'b']) await opened(resident, { caseId })
    const kept = ['a', 'b', 'c'].flatMap((caseId) =>
      [0, 1].map((index) => ({ caseId, index: caseId === 'a' ? 0 : index, role: 'corrected' as const })),
    )
    await expect(resident.resolve({ samples: [], kept })).rejects.toMatchObject({
      code: 'not-resident',
      detail: 'b\nc',
    })
  })
})
