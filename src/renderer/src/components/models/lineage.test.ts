import { describe, expect, it } from 'vitest'
import { laneX, lanesOf, lineageRows, lineageWidth } from './lineage.ts'

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

  it('keeps every lane inside its width, however many there are', () => {
    expect([1, 2, 8].map((lanes) => lineageWidth(lanes))).toEqual([16, 28, 100])
    expect(laneX(7, 8)).toBe(92)
    // Twenty versions that all go on from one.
    const children = Array.from({ length: 20 }, (_, at) => version(`v${at}`, 'root'))
    const lanes = lanesOf(lineageRows([...children, version('root')], 'root'))
    expect(lanes).toBe(21)
    expect(lineageWidth(lanes)).toBe(100)
    const places = Array.from({ length: lanes }, (_, lane) => laneX(lane, lanes))
    expect(Math.max(...places)).toBe(92)
    expect(new Set(places).size).toBe(21)
  })

  it('needs no version in use', () => {
    expect(drawn(lineageRows([version('a')], null))).toEqual([['a', 0, '', '', false]])
    expect(lanesOf([])).toBe(1)
  })
})
