import { describe, expect, it } from 'vitest'
import { meanScores } from '../core/metrics/index.ts'
import { meansTable, scoreTable } from './scoreTable.ts'
import type { CaseScores } from '../core/contract/recipes.ts'

const each = (value: number) => ({ 1: value, 2: value })
const scored = (id: string, dice: number): CaseScores => ({
  ...{ id, pixelAccuracy: dice, meanIou: dice, dice: each(dice), iou: each(dice), sensitivity: each(dice) },
  ...{ specificity: each(dice), hd: each(1), hd95: each(1), assd: each(1), volumeDifference: each(0) },
})
const cases = [scored('b', 0.75), scored('a', 0.5)]
const names = [
  { value: 1, name: 'Cytoplasm' },
  { value: 2, name: 'Nucleus' },
]

describe('the table of scores', () => {
  it('has the labels by their names, the columns aligned', () => {
    const table = scoreTable(cases, { names })
    expect(table[0]).toBe(
      'case  accuracy  Dice Cytoplasm  IoU Cytoplasm  HD95 Cytoplasm  Dice Nucleus  IoU Nucleus  HD95 Nucleus',
    )
    expect(table[1]).toMatch(/^a {7}0\.5000 {10}0\.5000 /)
    expect(new Set(table.map(({ length }) => length)).size).toBe(1)
    const means = meansTable(meanScores(cases, [1, 2]), names)
    expect(means.slice(1).map((line) => line.slice(0, 13))).toEqual([
      ...['label        ', '1 Cytoplasm  ', '2 Nucleus    ', 'mean         '],
    ])
  })

  it('names them above where the lines would be too long', () => {
    const [above, head] = scoreTable(cases, { names, width: 80 })
    expect(above).toBe('1 Cytoplasm, 2 Nucleus')
    expect(head).toBe('case  accuracy  Dice 1   IoU 1  HD95 1  Dice 2   IoU 2  HD95 2')
  })

  it('goes by numbers where labels have no names', () => {
    expect(scoreTable(cases, { width: 10 })[0]).toMatch(/^case {2}accuracy {2}Dice 1 /)
    expect(scoreTable(cases, { names: names.slice(1) })[0]).toMatch(/ Dice 1 .* Dice Nucleus /)
    expect(meansTable(meanScores(cases, [1, 2]))[2]).toMatch(/^1 /)
  })
})
