import { describe, expect, it } from 'vitest'
import { lanesOf, lineageRows } from './lineage.ts'

const version = (id: string, parentId: string | null = null) => ({ id, parentId })
const drawn = (rows: ReturnType<typeof lineageRows>) =>
  rows.map(({ id, lane, passing, joining, down }) => [id, lane, passing.join(), joining.join(), down])

describe('the drawing of descent', () => {
  it('is one line where each version goes on from the one before', () => {
    const rows = lineageRows([version('c', 'b'), version('b', 'a'), version('a')], 'c')
    expect(drawn(rows)).toEqual([
      ['c', 0, '', '', true],
      ['b', 0, '', '0', true],
      ['a', 0, '', '0', false],
    ])
    expect(lanesOf(rows)).toBe(1)
  })

  it('keeps the leftmost lane for the version in use, and puts beside it what was kept aside', () => {
    // d was made from b, which is in use again; c was made from b and kept aside.
    const rows = lineageRows([version('d', 'b'), version('c', 'b'), version('b', 'a'), version('a')], 'b')
    expect(drawn(rows)).toEqual([
      ['d', 1, '', '', true],
      ['c', 2, '1', '', true],
      ['b', 0, '', '1,2', true],
      ['a', 0, '', '0', false],
    ])
    expect(lanesOf(rows)).toBe(3)
  })

  it('lets a branch pass the versions that it has nothing to do with', () => {
    const rows = lineageRows([version('d', 'c'), version('c', 'a'), version('b', 'a'), version('a')], 'd')
    expect(drawn(rows)).toEqual([
      ['d', 0, '', '', true],
      ['c', 0, '', '0', true],
      ['b', 1, '0', '', true],
      ['a', 0, '', '0,1', false],
    ])
  })

  it('uses a lane again that has ended, and ends a line whose parent is not known', () => {
    const rows = lineageRows([version('d', 'gone'), version('c', 'a'), version('b'), version('a')], 'c')
    expect(drawn(rows)).toEqual([
      ['d', 1, '', '', false],
      ['c', 0, '', '', true],
      ['b', 1, '0', '', false],
      ['a', 0, '', '0', false],
    ])
  })

  it('needs no version in use', () => {
    expect(drawn(lineageRows([version('a')], null))).toEqual([['a', 0, '', '', false]])
    expect(lanesOf([])).toBe(1)
  })
})
