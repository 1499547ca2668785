import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { computeMethods } from '../../core/contract/compute.ts'
import { planeViews } from '../../core/geometry/index.ts'
import { deltaRuns, wholeBox } from '../../core/labelmap/index.ts'
import { missingOnnxRuntime } from '../runtime/onnxRuntime.ts'
import { startCompute } from '../runtime/testing/computeChild.ts'
import { DISK_LABELS, diskSample } from '../training/testing/samples.ts'
import type { KeptSample, TrainingSample } from '../../core/contract/compute.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import type { ComputeChild } from '../runtime/testing/computeChild.ts'

/** As a host asks for it: over the pipe, of a process of its own. */

const MINUTES = 60_000
const SIZE = 40
const DIMS: Dims = [SIZE, SIZE, 2]
const CASE = 'case'
const SLICES = [diskSample(1), diskSample(2, 'replay')]

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-learning-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

/** The case with its disks drawn by one stroke over an empty mask, as an upright RAS file stores it. */
async function bring(compute: ComputeChild): Promise<KeptSample[]> {
  const affine = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [0, 0, 1, 0],
    [0, 0, 0, 1],
  ]
  const [layout] = planeViews(DIMS, affine, [1, 1, 1])
  const empty = new Uint8Array(SIZE * SIZE * 2)
  const labels = new Uint8Array(deflateRawSync(empty))
  await compute.call('openCase', { caseId: CASE, dims: DIMS, layout, revision: 4, labels })
  // Patient right is on the left and front on top: both axes run against those of the file.
  const disks = new Uint8Array(SLICES.flatMap((slice) => [...slice.labels.toReversed()]))
  const stroke = { caseId: CASE, revision: 5, box: wholeBox(DIMS), runs: deltaRuns(empty, disks) }
  expect(await compute.call('patchCase', stroke)).toEqual({ revision: 5 })
  const slices = SLICES.map((slice, index) => ({ ...slice, index }))
  await compute.call('keepSlices', { caseId: CASE, slices, geometry: null })
  return SLICES.map(({ role }, index) => ({ caseId: CASE, index, role }))
}

function train(compute: ComputeChild, name: string, lessons: { samples?: TrainingSample[]; kept?: KeptSample[] }) {
  return compute.call('train', {
    ...{ parentDir: null, outDir: path.join(dir, name), modelId: name, name, createdAt: 'now', labels: DISK_LABELS },
    ...{ steps: 12, seconds: 300, seed: 5, ...lessons },
  })
}

function equalShare(a: Uint8Array, b: Uint8Array): number {
  return b.reduce((sum, value, i) => sum + (value === a[i] ? 1 : 0), 0) / b.length
}

const ways = ['wasm', 'native-cpu'].filter((way) => way === 'wasm' || missingOnnxRuntime('cpu', null) === null)

describe.each(ways)('a compute process (%s)', (way) => {
  let compute: ComputeChild
  beforeAll(async () => {
    const env = { MASKWRIGHT_BACKEND: way, MASKWRIGHT_WITHOUT: 'native-webgpu', MASKWRIGHT_THREADS: '1' }
    compute = startCompute(env)
    await compute.call('status')
  }, 2 * MINUTES)
  afterAll(async () => {
    await compute.end()
  })

  it(
    'learns from the slices that it keeps just what it learns from the same ones sent whole',
    async () => {
      const [named, whole] = [`${way}-named`, `${way}-whole`]
      await train(compute, named, { kept: await bring(compute) })
      await train(compute, whole, { samples: SLICES })
      const weights = (name: string) => readFile(path.join(dir, name, 'weights.bin'))
      expect(await weights(named)).toEqual(await weights(whole))
      const card = async (name: string): Promise<unknown> => {
        const text = await readFile(path.join(dir, name, 'card.json'), 'utf8')
        return (JSON.parse(text) as { data: unknown }).data
      }
      // By the hash of what was learned too.
      expect(await card(named)).toEqual(await card(whole))
      expect(await card(named)).toMatchObject({ samples: 2, corrected: 1, replay: 1 })
    },
    3 * MINUTES,
  )

  it(
    'says which cases it does not keep, and writes nothing then',
    async () => {
      const kept = await bring(compute)
      await compute.call('closeCase', { caseId: CASE })
      const refused = { t: 'error', error: { code: 'not-resident', detail: CASE } }
      await expect(train(compute, 'nothing', { kept })).rejects.toMatchObject(refused)
      expect(existsSync(path.join(dir, 'nothing'))).toBe(false)
    },
    MINUTES,
  )

  it(
    'goes on learning between strokes, and stops at once for the next one',
    async () => {
      const kept = await bring(compute)
      const parentDir = path.join(dir, `${way}-named`)
      const modelId = 'live'
      await compute.call('liveOpen', { parentDir, modelId, labels: DISK_LABELS, seed: 1 })
      const show = diskSample(9)
      const run = async (milliseconds: number, lessons: object | null, id?: number) =>
        computeMethods.liveRun.result.parse(
          await compute.call('liveRun', { modelId, lessons, milliseconds, show: { ...show } }, id),
        )
      const share: number[] = []
      for (let runs = 0; runs < 40 && (share.at(-1) ?? 0) < 0.97; runs++) {
        const { steps, shown } = await run(300, runs === 0 ? { kept } : null)
        expect(steps).toBeGreaterThan(0)
        share.push(equalShare(show.labels, shown?.labels ?? new Uint8Array()))
      }
      expect(share.at(-1)).toBeGreaterThanOrEqual(0.97)

      const long = run(60_000, null, 7)
      await new Promise((resolve) => setTimeout(resolve, 500))
      const from = performance.now()
      compute.send({ t: 'cancel', id: 7 })
      const { steps, shown } = await long
      expect(performance.now() - from).toBeLessThan(5000)
      expect(steps).toBeGreaterThan(0)
      expect(shown).toBeNull()

      // What is shown is what the network knows by now, and what is saved predicts it.
      const last = await run(1, null)
      const outDir = path.join(dir, `${way}-live`)
      await compute.call('liveSave', { modelId, outDir, name: 'Live', createdAt: 'now', parentId: `${way}-named` })
      const predicted = computeMethods.predict.result.parse(
        await compute.call('predict', { modelDir: outDir, slices: [show], entropy: true }),
      )
      const saved = predicted.slices[0]?.labels ?? new Uint8Array()
      expect(equalShare(saved, last.shown?.labels ?? new Uint8Array())).toBeGreaterThan(0.999)
      await compute.call('liveClose', { modelId })
      const over = compute.call('liveRun', { modelId, lessons: null, milliseconds: 1, show: null })
      await expect(over).rejects.toMatchObject({ error: { code: 'not-resident' } })
    },
    3 * MINUTES,
  )
})
