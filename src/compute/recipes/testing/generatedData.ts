import { createRandom, randomInt } from '../../data/random.ts'
import type {
  BatchOptions,
  BatchStream,
  CaseTruth,
  NetworkSlice,
  SliceRef,
  TrainingCase,
  TrainingData,
} from '../types.ts'

export const SIZE = 32

interface Options {
  /** Cases of each part. */
  readonly train?: number
  readonly validation?: number
  readonly holdout?: number
  /** Called before a batch is given. */
  readonly onBatch?: (epoch: number, step: number) => void | Promise<void>
}

/** Bright disks on uneven ground, made in memory: label 1. What a training sees hangs on seed, epoch and step alone. */
export function generatedData({ train = 6, validation = 2, holdout = 2, onBatch }: Options = {}): TrainingData {
  const parts = [
    ...new Array<'train'>(train).fill('train'),
    ...new Array<'validation'>(validation).fill('validation'),
    ...new Array<'holdout'>(holdout).fill('holdout'),
  ]
  const cases = parts.map((part, i): TrainingCase => {
    const id = `disk${i}`
    return { id, patient: id, part, image: `${id}.png`, masks: [`${id}.png`] }
  })
  const refs = cases.map(({ id, part }): SliceRef => ({
    ...{ caseId: id, part, index: 0, plane: 'training', width: SIZE, height: SIZE },
  }))
  const slice = (caseId: string): NetworkSlice => ({
    ...{ width: SIZE, height: SIZE, channels: 1, weights: null },
    ...disk(Number(caseId.replace('disk', ''))),
  })
  return {
    report: { cases: [], labels: [{ value: 1, name: 'Disk' }], left: [], remarks: [], thumbnails: [] },
    cases,
    labels: [{ value: 1, name: 'Disk' }],
    outputChannels: 2,
    channels: 1,
    input: {
      colour: { kind: 'luminance', weights: [0.299, 0.587, 0.114] },
      normalization: { kind: 'none' },
    },
    spacing: null,
    data: { sha256: '0'.repeat(64), samples: train, corrected: train, replay: 0 },
    slices: (part) => refs.filter((ref) => ref.part === part),
    slice: async ({ caseId }) => slice(caseId),
    truth: async (caseId): Promise<CaseTruth> => ({ labels: slice(caseId).classes, objects: null }),
    batches: (options) => stream(options, train, slice, onBatch),
    batchesPerEpoch: ({ batch }) => Math.max(1, Math.floor(train / batch)),
    close: async () => undefined,
  }
}

function stream(
  { seed, epoch, steps, batch }: BatchOptions,
  train: number,
  slice: (caseId: string) => NetworkSlice,
  onBatch: Options['onBatch'],
): BatchStream {
  let step = 0
  return {
    async next() {
      if (step >= steps) return null
      await onBatch?.(epoch, step)
      const random = createRandom(seed * 7919 + epoch * 101 + step++)
      const slices = Array.from({ length: batch }, () => slice(`disk${randomInt(random, train)}`))
      const sizes = { width: SIZE, height: SIZE, outWidth: SIZE, outHeight: SIZE }
      return {
        ...{ count: batch, channels: 1, ...sizes, weights: null },
        images: Float32Array.from(slices.flatMap(({ image }) => [...image])),
        classes: Uint8Array.from(slices.flatMap(({ classes }) => [...classes])),
      }
    },
    close: async () => undefined,
  }
}

function disk(seed: number): Pick<NetworkSlice, 'image' | 'classes'> {
  const image = new Float32Array(SIZE * SIZE)
  const classes = new Uint8Array(SIZE * SIZE)
  const [cx, cy, radius] = [10 + ((seed * 7) % 12), 10 + ((seed * 5) % 12), 5 + (seed % 4)]
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const inside = Math.hypot(x - cx, y - cy) <= radius
      const uneven = ((x * 13 + y * 29 + seed * 17) % 31) / 100
      image[x + SIZE * y] = (inside ? 0.7 : 0.2) + uneven
      classes[x + SIZE * y] = inside ? 1 : 0
    }
  }
  return { image, classes }
}
