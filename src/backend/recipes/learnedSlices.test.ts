import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, temporaryFolder } from '../testing/fixtures.ts'
import { learnedOfFiles, learnedOfReport, type SeenCase } from './learnedSlices.ts'

afterEach(cleanUp)

const seen = ['a', 'b', 'c'].map((name): SeenCase => ({
  ...{ caseId: `case-${name}`, name, imageHash: `hash-${name}`, revision: 1, slices: 1 },
  learned: [{ caseId: `case-${name}`, slice: 0, changedSeq: 1 }],
}))

function folderWith(report: string | null): string {
  const dir = temporaryFolder()
  if (report === null) return dir
  mkdirSync(join(dir, 'report'))
  writeFileSync(join(dir, 'report', 'report.json'), report)
  return dir
}

const learned = (report: string | null, heldOut: readonly string[]): string[] =>
  learnedOfReport(seen, folderWith(report), new Set(heldOut)).map(({ name }) => name)

describe('what a training by a recipe learned whose files are gone', () => {
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

describe('what a training by a recipe learned', () => {
  const file = (id: string, contentHash: string | null, learned = true) => ({ id, contentHash, learned })

  it('are the cases of the bytes of its files, whatever they are called and whoever drew their masks', () => {
    const drawn: SeenCase = { caseId: 'case-d', name: 'mine', imageHash: 'hash-d', revision: 3, slices: 0, learned: [] }
    const files = [file('a', 'hash-b'), file('x', 'hash-d'), file('c', 'hash-c', false)]
    const found = learnedOfFiles([...seen, drawn], files)
    expect(found.map(({ caseId, learned }) => [caseId, learned.length])).toEqual([
      ['case-b', 1],
      ['case-d', 0],
    ])
  })

  it('is noted of what the project does not have, once for the same bytes, and by name where a file cannot be read', () => {
    const found = learnedOfFiles(seen, [
      file('x', 'hash-x'),
      file('y', 'hash-x'),
      file('a', null),
      file('b', null, false),
    ])
    expect(found).toMatchObject([
      { caseId: 'case-a' },
      { name: 'x', imageHash: 'hash-x', revision: 0, slices: 0, learned: [] },
    ])
  })
})
