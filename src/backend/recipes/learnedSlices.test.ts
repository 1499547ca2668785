import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, temporaryFolder } from '../testing/fixtures.ts'
import { learnedOf, type SeenCase } from './learnedSlices.ts'

afterEach(cleanUp)

const seen = ['a', 'b', 'c'].map((name): SeenCase => ({
  ...{ caseId: `case-${name}`, name, imageHash: name, revision: 1, slices: 1, learned: [] },
}))

function folderWith(report: string | null): string {
  const dir = temporaryFolder()
  if (report === null) return dir
  mkdirSync(join(dir, 'report'))
  writeFileSync(join(dir, 'report', 'report.json'), report)
  return dir
}

const learned = (report: string | null, heldOut: readonly string[]): string[] =>
  learnedOf(seen, folderWith(report), new Set(heldOut)).map(({ name }) => name)

describe('what a training by a recipe learned', () => {
  it('is what its own report says, however the cases were parted when the project was made', () => {
    const parts = { a: 'holdout', b: 'train', c: 'validation' } as const
    const split = Object.entries(parts).map(([id, part]) => ({ id, patient: id, part }))
    expect(learned(JSON.stringify({ split }), ['case-b'])).toEqual(['b', 'c'])
  })

  it.each([null, '{}', 'no JSON'])(
    'is all but what the project set aside where the report says nothing: %s',
    (report) => {
      expect(learned(report, ['case-b'])).toEqual(['a', 'c'])
    },
  )
})
