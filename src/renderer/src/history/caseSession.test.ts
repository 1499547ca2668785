import { describe, it, expect } from 'vitest'
import type { CaseDetail } from '../../../core/contract/caseSchemas.ts'
import type { LabelSlice } from '../../../core/contract/schemas.ts'
import { CaseSession } from './caseSession.ts'

const detail: CaseDetail = {
  id: 'c1',
  name: 'case',
  kind: 'volume',
  dims: [2, 2, 3],
  channels: 1,
  status: 'predicted',
  correctedSlices: 0,
  newCorrectedSlices: 0,
  missing: false,
  approvedSlices: 0,
  heldOut: false,
  sourcePath: '/x',
  spacing: [1, 1, 1],
  spacingKnown: true,
  affine: null,
  orientation: null,
  voxelType: 'uint8',
  window: { center: 0, width: 1 },
  range: { min: 0, max: 1 },
  trainingAxis: 2,
  revision: 0,
  warnings: [],
  cautions: [],
  cautionsSeen: true,
  selection: {},
  tiles: null,
  corrected: [],
  predicted: [1],
  approved: [],
  painted: [],
}

function harness() {
  const asked: string[] = []
  const slice = (fill: number, modelId: string | null): LabelSlice => ({
    width: 2,
    height: 2,
    data: new Uint8Array(4).fill(fill),
    revision: 0,
    modelId,
  })
  const session = new CaseSession({
    detail,
    reader: {
      readImage: ({ axis, index }) => {
        asked.push(`image ${axis}:${index}`)
        const data = new Uint8Array(4)
        return Promise.resolve({ width: 2, height: 2, channels: 1, voxelType: 'uint8', data, slope: 1, inter: 0 })
      },
      readLabels: ({ axis, index }, layer) => {
        asked.push(`${layer} ${axis}:${index}`)
        const known = layer !== 'mask' && !(layer === 'uncertainty' && axis === 1)
        return Promise.resolve(slice({ mask: 0, prediction: 5, uncertainty: 90 }[layer], known ? 'm1' : null))
      },
    },
    pending: () => [],
    onMask: () => undefined,
    isShown: () => true,
  })
  return { session, asked }
}

describe('CaseSession', () => {
  it('asks for predictions only where there are some', async () => {
    const { session, asked } = harness()
    const plain = await session.load({ axis: 2, index: 0 })
    expect(plain.prediction).toBeNull()
    const predicted = await session.load({ axis: 2, index: 1 })
    expect([...(predicted.prediction ?? [])]).toEqual([5, 5, 5, 5])
    expect(asked).toEqual(['image 2:0', 'mask 2:0', 'image 2:1', 'mask 2:1', 'prediction 2:1'])
    expect(session.peek({ axis: 2, index: 1 })?.prediction).toBe(predicted.prediction)
    expect(session.peek({ axis: 2, index: 2 })).toBeNull()
  })

  it('takes predicted slices as they come and asks again for planes that cut through them', async () => {
    const { session, asked } = harness()
    await session.load({ axis: 0, index: 0 })
    await session.load({ axis: 2, index: 0 })
    const data = new Uint8Array(4).fill(8)
    session.putPredictions(2, [{ index: 0, data }])
    expect(session.peek({ axis: 2, index: 0 })?.prediction).toBe(data)
    expect(session.peek({ axis: 0, index: 0 })).toBeNull()
    asked.length = 0
    await session.load({ axis: 0, index: 0 })
    expect(asked).toEqual(['prediction 0:0'])
  })

  it('forgets predictions that were given up, also in the planes that cut through them', async () => {
    const { session, asked } = harness()
    session.putPredictions(
      2,
      [0, 1].map((index) => ({ index, data: new Uint8Array(4).fill(8) })),
    )
    await session.load({ axis: 2, index: 0 })
    await session.load({ axis: 2, index: 1 })
    await session.load({ axis: 0, index: 0 })
    session.setPredicted([1])
    expect(session.peek({ axis: 2, index: 0 })?.prediction).toBeNull()
    expect(session.peek({ axis: 2, index: 1 })?.prediction?.[0]).toBe(8)
    expect(session.peek({ axis: 0, index: 0 })).toBeNull()
    // Predicted again, by another model.
    session.setPredicted([0, 1])
    expect(session.peek({ axis: 2, index: 0 })).toBeNull()
    asked.length = 0
    await session.load({ axis: 2, index: 0 })
    expect(asked).toContain('prediction 2:0')
  })

  it('reads how unsure the model is when that is asked for, and only where something is predicted', async () => {
    const { session, asked } = harness()
    await session.load({ axis: 2, index: 1 })
    expect(asked).not.toContain('uncertainty 2:1')
    expect(session.peekUncertainty({ axis: 2, index: 1 })).toBeUndefined()
    expect([...((await session.loadUncertainty({ axis: 2, index: 1 })) ?? [])]).toEqual([90, 90, 90, 90])
    expect(session.peekUncertainty({ axis: 2, index: 1 })?.[0]).toBe(90)
    expect(session.peekUncertainty({ axis: 2, index: 0 })).toBeNull()
    expect(await session.loadUncertainty({ axis: 2, index: 0 })).toBeNull()
    // The backend knows of none here.
    expect(await session.loadUncertainty({ axis: 1, index: 0 })).toBeNull()
  })

  it('takes uncertainty with new predictions, and forgets that of a prediction that came without', async () => {
    const { session, asked } = harness()
    await session.loadUncertainty({ axis: 2, index: 1 })
    await session.loadUncertainty({ axis: 0, index: 0 })
    const uncertainty = new Uint8Array(4).fill(200)
    session.putPredictions(2, [{ index: 0, data: new Uint8Array(4), uncertainty }])
    expect(session.peekUncertainty({ axis: 2, index: 0 })).toBe(uncertainty)
    expect(session.peekUncertainty({ axis: 0, index: 0 })).toBeUndefined()
    session.putPredictions(2, [{ index: 1, data: new Uint8Array(4) }])
    expect(session.peekUncertainty({ axis: 2, index: 1 })).toBeUndefined()
    asked.length = 0
    await session.loadUncertainty({ axis: 2, index: 1 })
    expect(asked).toEqual(['uncertainty 2:1'])
  })
})
