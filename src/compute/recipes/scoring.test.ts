import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import { temporaryFolder } from '../../imaging/testing/folders.ts'
import { orderFor, picture } from '../data/testing/folders.ts'
import { threshold } from '../inference/testing/pointwise.ts'
import { startRuntime } from '../runtime/start.ts'
import { scoreCases } from './scoring.ts'
import type { TrainingCase, TrainingData } from './types.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => {
  folder = await temporaryFolder()
  await startRuntime({ backend: 'wasm', threads: 1 })
}, 60_000)
afterAll(() => folder.remove())

/** Pictures whose left half is bright; `there`: those that still are. */
async function score(ids: readonly string[], there: readonly string[], addCase = async () => undefined) {
  const file = (id: string): string => path.join(folder.path, `${id}.png`)
  for (const id of there) await picture(file(id), 8, 4, (x) => (x < 4 ? 255 : 0))
  const cases = ids.map((id): TrainingCase => ({ id, patient: id, image: file(id), masks: [], part: 'holdout' }))
  const truth = Uint8Array.from({ length: 32 }, (_, i) => (i % 8 < 4 ? 7 : 0))
  const data = {
    ...{ cases, labels: [{ value: 7, name: 'Left' }] },
    truth: async () => ({ labels: truth, objects: null }),
  } as unknown as TrainingData
  const { recipe, settings } = orderFor(folder.path)
  const warnings: string[] = []
  const shares: number[] = []
  const model = threshold()
  try {
    const scored = await scoreCases(model, {
      ...{ data, dataDir: folder.path, recipe, settings, signal: new AbortController().signal },
      report: { addEpoch: async () => [], addCase, finish: () => Promise.reject(new Error('no')) },
      warn: (message) => warnings.push(message),
      onProgress: (done) => shares.push(done),
    })
    return { ...scored, warnings, shares }
  } finally {
    model.network.dispose()
  }
}

describe('scoring', () => {
  it('goes on without cases that cannot be read any more, and says which', async () => {
    const { cases, left, metrics, warnings, shares } = await score(['a', 'gone', 'b'], ['a', 'b'])
    expect(cases.map(({ id, dice }) => [id, dice['7']])).toEqual([
      ['a', 1],
      ['b', 1],
    ])
    expect(metrics.dice).toBe(1)
    expect(left).toEqual([
      { file: 'gone.png', reason: expect.stringMatching(/^Not scored: .*gone\.png.*\.$/) as string },
    ])
    expect(warnings).toEqual([expect.stringMatching(/^gone was not scored: .*gone\.png/)])
    expect(shares.at(-1)).toBe(3)
  })

  it('ends where no report can be written', async () => {
    const full = () => Promise.reject(new CodedError('disk-full', 'The disk is full.'))
    await expect(score(['a'], ['a'], full)).rejects.toMatchObject({ code: 'disk-full' })
  })
})
