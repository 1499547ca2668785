import type { Component } from 'vue'
import type { Verdict } from '../../../../core/contract/index.ts'
import { modelWords } from '../../i18n/models.ts'
import { IconCircleCheck, IconCircleMinus, IconClock, IconInfoCircle, IconUserCheck } from '../icons.ts'

/** A shape for each verdict, so that colour is not all that tells them apart. */
export const verdictIcons: Readonly<Record<Verdict, Component>> = {
  promoted: IconCircleCheck,
  aside: IconCircleMinus,
  unproven: IconInfoCircle,
  overridden: IconUserCheck,
  waiting: IconClock,
}

/** Whether a version is in use without a proof, or by the user's decision, is not in what it was judged to be. */
export function verdictWords(verdict: Verdict, active: boolean): string {
  const { notInUse } = modelWords
  return !active && (verdict === 'overridden' || verdict === 'unproven')
    ? notInUse[verdict]
    : modelWords.verdict[verdict]
}
