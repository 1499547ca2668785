import type { Holdout, Judgement, ModelDetail, TimelinePoint } from '../../../core/contract/index.ts'
import { aModel } from './fakeClient.ts'

/** Two cases, two labels: the second version against the first. */
export function aJudgement(change: Partial<Judgement> = {}): Judgement {
  const rows = (all: [number, number], liver: [number, number], spleen: [number, number] | null) => [
    { label: null, before: all[0], after: all[1] },
    { label: 1, before: liver[0], after: liver[1] },
    { label: 2, before: spleen?.[0] ?? null, after: spleen?.[1] ?? null },
  ]
  return {
    modelId: 'model-2',
    againstId: 'model-1',
    holdoutId: 'holdout-1',
    judgedAt: '2026-01-02T04:00:00Z',
    verdict: 'promoted',
    reason: 'Better by 0.050 on 2 cases.',
    override: null,
    test: { kind: 'sign-flip', unit: 'slice', pairs: 12, difference: 0.05, error: 0.01, p: 0.0005, level: 0.01 },
    cases: [
      { caseId: 'case-1', name: 'CT abdomen A', slices: 8, dice: rows([0.8, 0.84], [0.9, 0.92], [0.7, 0.76]) },
      { caseId: 'case-2', name: 'CT abdomen B', slices: 4, dice: rows([0.7, 0.76], [0.7, 0.76], null) },
    ],
    mean: rows([0.75, 0.8], [0.8, 0.84], [0.7, 0.66]),
    seconds: 4,
    ...change,
  }
}

export function aModelDetail(change: Partial<ModelDetail> = {}): ModelDetail {
  return {
    summary: aModel(),
    judgements: [],
    data: [],
    settings: {},
    versions: null,
    backend: null,
    device: null,
    seconds: null,
    bytes: 2_000_000,
    ...change,
  }
}

export function aTimelinePoint(change: Partial<TimelinePoint> = {}): TimelinePoint {
  return {
    modelId: 'model-1',
    version: 1,
    createdAt: '2026-01-02T03:00:00Z',
    verdict: null,
    used: true,
    correctedSlices: 0,
    trainingSeconds: 0,
    loss: null,
    holdoutDice: null,
    holdoutId: null,
    correctionDiceBefore: null,
    correctionDiceAfter: null,
    ...change,
  }
}

export function aHoldout(change: Partial<Holdout> = {}): Holdout {
  return {
    id: 'holdout-1',
    frozenAt: '2026-01-02T03:00:00Z',
    chosenBy: 'user',
    cases: [{ caseId: 'case-2', slices: 4, drawn: 4 }],
    ...change,
  }
}
