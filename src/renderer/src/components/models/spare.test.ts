import { describe, expect, it } from 'vitest'
import type { ModelSummary, Verdict } from '../../../../core/contract/index.ts'
import { aModel } from '../../testing/fakeClient.ts'
import { spareVersions } from './spare.ts'

const judged = (verdict: Verdict) => ({ verdict, reason: 'Found.', diceBefore: 0.8, diceAfter: 0.79 })
const version = (number: number, change: Partial<ModelSummary> = {}): ModelSummary =>
  aModel({
    ...{ id: `v${number}`, version: number, parentId: 'v2', mode: 'retrain', active: false, name: 'Demo' },
    judged: judged('aside'),
    ...change,
  })
/** 1 came with the project, 2 is in use and goes on from it. */
const line = [
  version(1, { parentId: null, mode: 'shipped', judged: null }),
  version(2, { parentId: 'v1', active: true, judged: judged('promoted') }),
]
const spare = (versions: readonly ModelSummary[], previousId: string | null = 'v1') =>
  spareVersions({ models: [...line, ...versions], previousId, projectName: 'Project' }).map(({ id }) => id)

describe('versions that nobody would miss', () => {
  it('are those that their judgement kept aside, whether by Retrain, Live or a recipe', () => {
    const modes = (['retrain', 'live', 'recipe'] as const).map((mode, at) => version(3 + at, { mode }))
    expect(spare(modes)).toEqual(['v3', 'v4', 'v5'])
    const others = (['promoted', 'unproven', 'overridden', 'waiting'] as const).map((verdict, at) =>
      version(3 + at, { judged: judged(verdict) }),
    )
    expect(spare([...others, version(7, { judged: null })])).toEqual([])
  })

  it('are not what is in use, what that goes on from, where Roll back leads, or what is gone already', () => {
    const doubted = line.map((one) => ({ ...one, mode: 'retrain' as const, judged: judged('aside') }))
    const models = [...doubted, version(3), version(4), version(5, { pruned: true })]
    const known = { models, previousId: 'v3', projectName: 'Project' }
    expect(spareVersions(known).map(({ id }) => id)).toEqual(['v4'])
  })

  it('are none of those that came with the project or from elsewhere', () => {
    expect(spare([version(3, { mode: 'imported' }), version(4, { mode: 'shipped' })])).toEqual([])
    expect(spare([version(3, { imported: true })])).toEqual([])
  })

  it('bear no tag, note or name of their own', () => {
    expect(spare([version(3, { tags: ['lesions'] }), version(4, { notes: 'Good on lesions.' })])).toEqual([])
    expect(spare([version(3, { name: 'After the lesions' }), version(4, { notes: ' ' })])).toEqual(['v4'])
    // One from scratch is named after the project.
    const scratch = version(3, { parentId: null, name: 'Project' })
    expect(spare([scratch, version(4, { parentId: null, name: 'Mine' })])).toEqual(['v3'])
  })
})
