import type { Judgement } from '../../core/contract/learning.ts'
import { judge, type HeldCase } from '../../core/learning/judge.ts'
import type { Labels } from '../project/labels.ts'
import type { Models } from './models.ts'
import { scoreHoldout, type Overlaps, type Scored, type ScoringParts } from './scoring.ts'

export interface JudgingParts extends ScoringParts {
  readonly models: Models
  readonly labels: Labels
}

/** Whoever waits for a judgement. */
export interface Waiting {
  readonly signal: AbortSignal
  /** The share that is done, 0 to 1, and what is going on, in words. */
  readonly tell?: (share: number, words: string) => void
}

/** What every judgement has; the verdict is still to come. */
export function blankJudgement(modelId: string, againstId: string | null, holdoutId: string | null) {
  const nothing = { override: null, test: null, cases: [], mean: [], seconds: 0 }
  return { ...nothing, modelId, againstId, holdoutId, judgedAt: new Date().toISOString() } satisfies Partial<Judgement>
}

/**
 * Holds a version against another one on the hold-out, both on the very same masks; null: scores it alone. Nothing of it is recorded,
 * and until it has ended neither can be pruned.
 * Throws CodedError: `cancelled`, `file-missing` where the weights of one were deleted, and as compute does.
 */
export async function judgeVersion(
  parts: JudgingParts,
  modelId: string,
  againstId: string | null,
  { signal, tell = () => undefined }: Waiting,
): Promise<Judgement> {
  const { models, labels, holdout } = parts
  const startedAt = performance.now()
  const { id } = holdout.get()
  const compared = (againstId === null ? [modelId] : [modelId, againstId]).map((each) => models.record(each))
  const ids = compared.map((each) => each.id)
  const scored = await models.hold(ids, () => scoreHoldout(parts, compared, signal, tell))
  const seconds = (performance.now() - startedAt) / 1000
  const blank = { ...blankJudgement(modelId, againstId, id), seconds }
  if (scored.cases.length === 0 && scored.leftOut.length > 0) {
    const reason = 'None of the images of the hold-out can be read; find the files, then compare the versions again.'
    return { ...blank, verdict: 'waiting', reason }
  }
  const current = labels.list()
  const values = new Set(current.map(({ value }) => value))
  // What a version says of a label that is no longer used becomes background, as when it predicts. So does what it says of one that
  // came after the slice was annotated: that there is none of it in the mask says nothing of what is there.
  const known = (overlaps: Overlaps | undefined, changedSeq: number): Overlaps =>
    (overlaps ?? []).filter(
      ({ label, truth }) => values.has(label) && (truth > 0 || !labels.isLaterThan(label, changedSeq)),
    )
  const held = scored.cases.map(({ caseId, name, slices }): HeldCase => ({
    ...{ caseId, name },
    slices: slices.map(({ changedSeq, overlaps: [after, before] }) => ({
      before: againstId === null ? null : known(before, changedSeq),
      after: known(after, changedSeq),
    })),
  }))
  const judged = judge(held, current)
  return { ...blank, ...judged, reason: judged.reason + leftOutWords(scored) }
}

function leftOutWords({ leftOut }: Scored): string {
  return leftOut.length === 0 ? '' : ` Not compared on ${leftOut.join(', ')}, whose images cannot be read.`
}
