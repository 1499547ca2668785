import type { Component } from 'vue'
import type { Verdict } from '../../../../core/contract/index.ts'
import { IconCircleCheck, IconCircleMinus, IconClock, IconInfoCircle, IconUserCheck } from '../icons.ts'

/** A shape for each verdict, so that colour is not all that tells them apart. */
export const verdictIcons: Readonly<Record<Verdict, Component>> = {
  promoted: IconCircleCheck,
  aside: IconCircleMinus,
  unproven: IconInfoCircle,
  overridden: IconUserCheck,
  waiting: IconClock,
}
