import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { computeMethods, PERCENTILE_INPUT } from '../../core/contract/compute.ts'
import { planeViews } from '../../core/geometry/index.ts'
import { tinyNetwork } from '../foreign/testing/networks.ts'
import { missingOnnxRuntime } from '../runtime/onnxRuntime.ts'
import { startCompute } from '../runtime/testing/computeChild.ts'
import { DISK_LABELS, diskSample } from '../training/testing/samples.ts'
import type { ComputeSlice, TrainingSample } from '../../core/contract/compute.ts'
import type { ComputeChild } from '../runtime/testing/computeChild.ts'

/** As a host asks for it: over the pipe, of a process of its own. */

const MINUTES = 60_000
const SIZE = 40

function pictureOf({ labels: _labels, role: _role, ...slice }: TrainingSample): ComputeSlice {
  return slice
}

let dir = ''
let compute: ComputeChild
beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'maskwright-examination-'))
  compute = startCompute({ MASKWRIGHT_BACKEND: 'wasm', MASKWRIGHT_WITHOUT: 'native-webgpu', MASKWRIGHT_THREADS: '1' })
  await compute.call('status')
}, 2 * MINUTES)
afterAll(async () => {
  await compute.end()
  await rm(dir, { recursive: true, force: true })
})

/** The folder of a model that learned three disks for so many steps. */
async function trained(steps: number): Promise<string> {
  const outDir = path.join(dir, `after-${steps}`)
  await compute.call('train', {
    ...{ parentDir: null, outDir, modelId: `m${steps}`, name: 'Disks', createdAt: 'now', labels: DISK_LABELS },
    ...{ steps, seconds: 300, seed: 5, samples: [diskSample(1), diskSample(2), diskSample(3)] },
  })
  return outDir
}

const examine = async (modelDir: string, slices: readonly ComputeSlice[], disagreement = false) =>
  computeMethods.examine.result.parse(await compute.call('examine', { modelDir, slices, disagreement })).slices

describe('a compute process', () => {
  it(
    'is surer of slices the better it has learned, and scores them by what it predicts',
    async () => {
      const asked = [11, 12, 13].map((seed) => diskSample(seed))
      const [early, late] = [await trained(6), await trained(60)]
      const found = await examine(late, asked.map(pictureOf), true)
      expect(found.map(({ index }) => index)).toEqual([11, 12, 13])
      const before = await examine(early, asked.map(pictureOf), true)
      const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length
      expect(mean(found.map(({ score }) => score))).toBeLessThan(0.7 * mean(before.map(({ score }) => score)))
      for (const { features, entropy, disagreement } of found) {
        expect(Math.hypot(...features)).toBeCloseTo(1, 5)
        expect(entropy).toHaveLength(SIZE * SIZE)
        expect(disagreement).toBeLessThan(0.2)
      }

      const scored = computeMethods.score.result.parse(await compute.call('score', { modelDir: late, samples: asked }))
      scored.slices.forEach(({ overlaps, changed }, i) => {
        const [labels, truth] = [found[i]?.labels ?? new Uint8Array(), asked[i]?.labels ?? new Uint8Array()]
        const wrong = labels.filter((label, at) => label !== truth[at]).length
        expect(changed).toBe(wrong)
        const disk = overlaps.find(({ label }) => label === 2)
        expect(disk?.predicted).toBe(labels.filter((label) => label === 2).length)
        expect(disk?.truth).toBe(truth.filter((label) => label === 2).length)
      })
      const progress = compute.replies.filter(({ t }) => t === 'progress')
      expect(progress.length).toBeGreaterThan(0)
    },
    5 * MINUTES,
  )

  it(
    'scores slices that it keeps after those that are sent',
    async () => {
      const modelDir = await trained(20)
      const [sent, kept] = [diskSample(21), diskSample(22)]
      const [layout] = planeViews([SIZE, SIZE, 1], null, [1, 1, 1])
      const labels = new Uint8Array(deflateRawSync(kept.labels))
      await compute.call('openCase', { caseId: 'c', dims: [SIZE, SIZE, 1], layout, revision: 1, labels })
      await compute.call('keepSlices', { caseId: 'c', slices: [{ ...pictureOf(kept), index: 0 }], geometry: null })
      const named = [{ caseId: 'c', index: 0, role: 'replay' }]
      const both = await compute.call('score', { modelDir, samples: [sent], kept: named })
      const whole = await compute.call('score', { modelDir, samples: [sent, kept] })
      const slices = (answer: unknown) => computeMethods.score.result.parse(answer).slices
      expect(slices(both)).toEqual(slices(whole))
      const unknown = compute.call('score', { modelDir, kept: [{ ...named[0], caseId: 'other' }] })
      await expect(unknown).rejects.toMatchObject({ error: { code: 'not-resident' } })
    },
    3 * MINUTES,
  )

  it(
    'draws what versions predicted, and their curves',
    async () => {
      const [slice, { labels }] = [pictureOf(diskSample(31)), diskSample(31)]
      const { gif } = computeMethods.animate.result.parse(
        await compute.call('animate', {
          ...{ slice, colors: [{ label: 2, color: '#ffd60a' }] },
          frames: [{ labels, words: 'version 1' }],
        }),
      )
      expect(Buffer.from(gif.subarray(0, 4)).toString('latin1')).toBe('GIF8')
      const { svg } = computeMethods.chart.result.parse(
        await compute.call('chart', {
          ...{ title: 'Dice', x: 'slices', y: 'Dice', series: [{ name: 'hold-out', points: [{ x: 1, y: 0.5 }] }] },
        }),
      )
      expect(svg).toMatch(/^<svg .*<\/svg>$/s)
    },
    MINUTES,
  )

  it.skipIf(missingOnnxRuntime('cpu', null) !== null)(
    'examines a network from elsewhere, by what its classes say',
    async () => {
      const file = path.join(dir, 'tiny.onnx')
      await writeFile(file, tinyNetwork())
      const facts = await compute.call('inspectNetwork', { file })
      const outDir = path.join(dir, 'tiny')
      const meaning = { name: 'Tiny', classes: ['Bright'], input: PERCENTILE_INPUT, spacing: null }
      const identity = { modelId: 'tiny', createdAt: '2026-01-01', values: [7] }
      await compute.call('importNetwork', { file, facts, outDir, meaning, ...identity })
      // Logits of 4 - 8 x and 8 x - 4, x being the share of the way from `low` to `high`: left half dark, right half bright.
      const data = Uint8Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 0 : 255))
      const slice = { index: 5, width: 8, height: 8, channels: 1, voxelType: 'uint8', data } as const
      const [found] = await examine(outDir, [{ ...slice, slope: 1, inter: 0, low: 0, high: 255 }], true)
      const p = 1 / (1 + Math.exp(-8))
      const bits = -(p * Math.log2(p) + (1 - p) * Math.log2(1 - p))
      expect(found?.score).toBeCloseTo(Math.round(255 * bits) / 255, 6)
      expect([...(found?.labels ?? [])]).toEqual([...data].map((value) => (value > 0 ? 7 : 0)))
      expect(found?.disagreement).toBe(0)
      // A grid of 4 x 4 for each class: p where the class is, 1 - p where it is not, all of length 1.
      const length = Math.sqrt(16 * (p * p + (1 - p) * (1 - p)))
      expect(found?.features).toHaveLength(32)
      expect(found?.features[0]).toBeCloseTo(p / length, 4)
      expect(found?.features[3]).toBeCloseTo((1 - p) / length, 4)
      expect(found?.features[16 + 3]).toBeCloseTo(p / length, 4)
    },
    MINUTES,
  )
})
