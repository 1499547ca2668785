import type { Component } from 'vue'
import type { SliceState } from '../../../core/contract/index.ts'
import { IconBrush, IconCheck, IconCircleDashed, IconSparkles } from './icons.ts'

/** The icon of each state, the same wherever slices and cases are listed: the shape tells, the colour only helps. */
export const stateIcons: Record<SliceState, Component> = {
  untouched: IconCircleDashed,
  predicted: IconSparkles,
  corrected: IconBrush,
  approved: IconCheck,
}
