import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { createComputeProcess } from '../../src/backend/compute/process.ts'
import { findPlaces } from '../../src/backend/host/places.ts'
import type { ComputePort, ComputeParams } from '../../src/backend/index.ts'
import type { TrainingSample } from '../../src/core/contract/compute.ts'
import { diceOf } from '../../src/core/metrics/index.ts'
import { temporaryFolder } from '../support/demo.ts'
import type { TrueSlice, TrueVolume } from './hippocampi.ts'

export type Lesson = TrueSlice & Pick<TrainingSample, 'role' | 'weight'>
type Order = ComputeParams<'train'>

export interface Scored {
  /** Mean over the labels and then over the volumes. */
  readonly dice: number
  readonly byVolume: readonly number[]
  /** Voxels of a volume that have another label than is true: what would have to be corrected. Mean. */
  readonly changed: number
}

/** A compute process and a folder for the models that a measurement makes. */
export interface Workshop {
  readonly compute: ComputePort
  readonly labels: Order['labels']
  /** Trains from the parent, or from nothing, and returns the folder of the model. */
  train(parentDir: string | null, samples: readonly Lesson[], bounds: Bounds): Promise<string>
  /** By volumes, with the labels of the workshop. */
  score(modelDir: string, volumes: readonly TrueVolume[]): Promise<Scored>
  close(): Promise<void>
}

export interface Bounds {
  readonly seconds: number
  readonly steps?: number
  readonly seed?: number
  readonly continuing?: Order['continuing']
}

export async function openWorkshop(labels: Order['labels']): Promise<Workshop> {
  const folder = temporaryFolder()
  const places = findPlaces()
  const compute = createComputeProcess({ nodePath: places.nodePath, entry: places.computeEntry })
  await compute.call('status', {})
  let made = 0
  return {
    compute,
    labels,
    async train(parentDir, samples, { seconds, steps = 10_000, seed = 1, continuing = {} }) {
      const outDir = path.join(folder, String(++made))
      const identity = { modelId: randomUUID(), name: `model ${made}`, createdAt: new Date().toISOString() }
      const order = { parentDir, outDir, ...identity, labels, samples: [...samples], steps, seconds, seed, continuing }
      await compute.call('train', order)
      return outDir
    },
    async score(modelDir, volumes) {
      const scores: { dice: number; changed: number }[] = []
      for (const { slices } of volumes) {
        const samples = slices.map((slice) => ({ ...slice, role: 'corrected' as const }))
        const answer = await compute.call('score', { modelDir, samples })
        const dice = labels.map(({ value }) => {
          const sum = { both: 0, first: 0, second: 0 }
          for (const { overlaps } of answer.slices) {
            const found = overlaps.find(({ label }) => label === value)
            sum.both += found?.both ?? 0
            sum.first += found?.predicted ?? 0
            sum.second += found?.truth ?? 0
          }
          return diceOf(sum)
        })
        const changed = answer.slices.reduce((sum, slice) => sum + slice.changed, 0)
        scores.push({ dice: dice.reduce((sum, value) => sum + value, 0) / dice.length, changed })
      }
      const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
      const byVolume = scores.map((score) => score.dice)
      return { dice: mean(byVolume), byVolume, changed: mean(scores.map((score) => score.changed)) }
    },
    async close() {
      await compute.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
