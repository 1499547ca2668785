import { describe, expect, it } from 'vitest'
import { createFrameReader, encodeFrame } from '../rpc/frames.ts'
import { learningComputeMethods } from './computeLearning.ts'

/** What the other end of the pipe gets. */
function sent(message: unknown): unknown {
  const received: unknown[] = []
  createFrameReader((each) => received.push(each))(encodeFrame(message))
  return received[0]
}

describe('messages to and from compute', () => {
  it('carry the runs of a stroke', () => {
    const runs = Uint32Array.of(7, 3, 0, 1, 4_000_000_000, 1, 2, 255)
    const box = { min: [0, 0, 0], max: [10, 10, 1] }
    const parsed = learningComputeMethods.patchCase.params.parse(sent({ caseId: 'c', revision: 1, box, runs }))
    expect(parsed.runs).toEqual(runs)
  })

  it('carry features, also behind a text of odd length', () => {
    const features = Float32Array.of(0.25, -1.5, 3e-20)
    const slice = { index: 3, labels: Uint8Array.of(1), entropy: Uint8Array.of(2), score: 0.5, disagreement: null }
    const parsed = learningComputeMethods.examine.result.parse(sent({ odd: 'abc', slices: [{ ...slice, features }] }))
    expect(parsed.slices[0]?.features).toEqual(features)
  })

  it('refuse bytes that are no such numbers', () => {
    const box = { min: [0, 0, 0], max: [10, 10, 1] }
    const patch = { caseId: 'c', revision: 1, box, runs: Uint8Array.of(1, 2, 3) }
    expect(learningComputeMethods.patchCase.params.safeParse(patch).success).toBe(false)
  })
})
