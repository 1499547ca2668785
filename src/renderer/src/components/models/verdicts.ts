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

/** What the hold-out is by now. */
interface HoldoutNow {
  readonly chosen: boolean
  /** It has slices to score on. */
  readonly scorable: boolean
}

/** What a hold-out lacked when a version was judged, which by now it may not lack any more. */
const lacks: readonly { is: RegExp; was: string; over: (now: HoldoutNow) => boolean }[] = [
  {
    is: /\bno cases are set aside to compare versions on/i,
    was: 'no cases were set aside then to compare versions on',
    over: ({ chosen }) => chosen,
  },
  {
    is: /\bnothing is corrected or approved yet in the cases that are set aside/i,
    was: 'nothing was corrected or approved then in the cases that were set aside',
    over: ({ scorable }) => scorable,
  },
  {
    is: /\bno slice of the hold-out is corrected or approved as a whole/i,
    was: 'no slice of the hold-out was corrected or approved as a whole then',
    over: ({ scorable }) => scorable,
  },
]

/** The sentence of a judgement, in the past tense where it does not hold any more; with a capital. */
export function saidThen(reason: string, now: HoldoutNow): string {
  const said = lacks.reduce((text, { is, was, over }) => (over(now) ? text.replace(is, was) : text), reason)
  return said.charAt(0).toUpperCase() + said.slice(1)
}
