import type { Judgement } from '../../../../core/contract/index.ts'
import { modelWords } from '../../i18n/models.ts'

type Dice = Pick<Judgement['mean'][number], 'before' | 'after'>

export function diceText(value: number | null | undefined): string {
  return value === null || value === undefined ? modelWords.judged.none : value.toFixed(3)
}

/** Null where there is nothing to compare. */
function changeOf(row: Dice | null): number | null {
  const [before, after] = [row?.before ?? null, row?.after ?? null]
  return before === null || after === null ? null : after - before
}

/** As it is shown: what rounds to nothing is no change. */
export function changeDirection(row: Dice | null): 'up' | 'down' | 'same' {
  const by = changeOf(row)
  if (by === null || Math.abs(by) < 0.0005) return 'same'
  return by > 0 ? 'up' : 'down'
}

export function changeText(row: Dice | null): string {
  const by = changeOf(row)
  return by === null ? modelWords.judged.none : modelWords.judged.signed(by)
}
