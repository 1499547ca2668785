import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { scattered } from '../voxels/testing/scattered.ts'
import { objectScores, randError, scoreCase, surfaceDistances, warpingError } from './index.ts'
import * as given from './testing/blobs.ts'

/** What scores must be, by scipy and scikit-image: kept here, so that it holds without them too. */
interface Reference {
  readonly volume: Scores
  readonly picture: Scores
  readonly objects: { readonly ap: number; readonly ap50: number; readonly counts: readonly number[] }
  readonly membranes: readonly { readonly all: number; readonly splitsAndMergers: number; readonly rand: number }[]
}
interface Scores {
  readonly accuracy: number
  readonly meanIou: number
  readonly byLabel: Readonly<Record<string, Readonly<Record<string, number>>>>
}

const kept = JSON.parse(readFileSync(new URL('testing/reference.json', import.meta.url), 'utf8')) as Reference
const [width, height] = given.pictureDims

/** Cells of noise, so that every kind of neighbourhood occurs. */
const noise = [0.25, 0.5, 0.75].map((share, at) => ({
  cells: scattered([width, height], at + 1, share),
  found: scattered([width, height], at + 11, share),
}))

function agrees(reference: Reference): void {
  const volume = scoreCase({
    truth: given.trueVolume,
    predicted: given.predictedVolume,
    dims: given.volumeDims,
    spacing: [...given.volumeSpacing],
    labels: [1, 2, 3],
  })
  expect(volume.pixelAccuracy).toBeCloseTo(reference.volume.accuracy, 12)
  expect(volume.meanIou).toBeCloseTo(reference.volume.meanIou, 12)
  for (const [label, wanted] of Object.entries(reference.volume.byLabel)) {
    for (const measure of ['dice', 'iou', 'sensitivity', 'specificity'] as const) {
      expect(volume[measure][label], `${measure}:${label}`).toBeCloseTo(wanted[measure] ?? NaN, 12)
    }
    expect(volume.volumeDifference[label]).toBeCloseTo((wanted.volume ?? NaN) / 1000, 12)
    for (const measure of ['hd', 'hd95', 'assd'] as const) {
      if (wanted[measure] === undefined) expect(volume[measure][label]).toBeNull()
      else expect(volume[measure][label], `${measure}:${label}`).toBeCloseTo(wanted[measure], 9)
    }
  }
  const [truth, predicted] = [given.trueObjects, given.predictedObjects]
  const distances = surfaceDistances(truth.map(cell), predicted.map(cell), 1, [width, height])
  for (const measure of ['hd', 'hd95', 'assd'] as const) {
    expect(distances[measure]).toBeCloseTo(reference.picture.byLabel['1']?.[measure] ?? NaN, 9)
  }
  const { ap, ap50, tp, fp, fn } = objectScores(Uint32Array.from(truth), Uint32Array.from(predicted))
  expect(ap).toBeCloseTo(reference.objects.ap, 12)
  expect(ap50).toBeCloseTo(reference.objects.ap50, 12)
  expect([tp, fp, fn]).toEqual(reference.objects.counts)
  const pairs = [{ cells: truth, found: predicted }, ...noise]
  for (const [at, { cells, found }] of pairs.entries()) {
    const wanted = reference.membranes[at]
    expect(randError(cells, found, width, height)).toBeCloseTo(wanted?.rand ?? NaN, 12)
    const { all, splitsAndMergers } = warpingError(cells, found, width, height)
    expect({ all, splitsAndMergers }).toEqual({ all: wanted?.all, splitsAndMergers: wanted?.splitsAndMergers })
  }
}

function cell(value: number): number {
  return value === 0 ? 0 : 1
}

describe('scores', () => {
  it('are those that scipy and scikit-image gave', () => {
    agrees(kept)
  })

  const peer = findPython(['numpy', 'scipy.ndimage', 'skimage.metrics'])
  describe.skipIf(!peer.available)(`beside scipy and scikit-image (${peer.reason || 'here'})`, () => {
    let fresh: Reference
    beforeAll(() => {
      const script = readFileSync(new URL('testing/peer.py', import.meta.url), 'utf8')
      const order = {
        dims: given.volumeDims,
        spacing: given.volumeSpacing,
        labels: [1, 2, 3],
        truth: [...given.trueVolume],
        predicted: [...given.predictedVolume],
        pictureDims: [width, height],
        trueObjects: [...given.trueObjects],
        predictedObjects: [...given.predictedObjects],
        pairs: noise.length,
        ...Object.fromEntries(
          noise.flatMap(({ cells, found }, at) => [
            [`cells${at}`, [...cells]],
            [`found${at}`, [...found]],
          ]),
        ),
      }
      fresh = runPython(peer, script, [JSON.stringify(order)]) as Reference
    }, 240_000)
    it('are the same now', () => {
      agrees(fresh)
    })
    it('are what is kept', () => {
      const digits = (value: unknown): unknown =>
        JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === 'number' ? each.toFixed(9) : each)))
      expect(digits(fresh)).toEqual(digits(kept))
    })
  })
})
