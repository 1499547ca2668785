import { describe, expect, it } from 'vitest'
import { indicesOf, labelsIn, mapMask, mergeObjects, objectsOf } from './index.ts'

const wbc = [
  { value: 1, name: 'Cytoplasm', from: 64, to: 191 },
  { value: 2, name: 'Nucleus', from: 192, to: 255 },
]

describe('mask values', () => {
  it('become labels by the ranges of the classes', () => {
    const { labels, unknown } = mapMask(Uint16Array.of(0, 63, 64, 128, 191, 192, 255, 256, 7), {
      classes: wbc,
      labels: null,
    })
    expect([...labels]).toEqual([0, 0, 1, 1, 1, 2, 2, 0, 0])
    expect(unknown).toEqual([7, 63, 256])
  })
  it('of overlapping ranges go to the first class', () => {
    const classes = [
      { value: 5, name: 'first', from: 10, to: 20 },
      { value: 6, name: 'second', from: 0, to: 15 },
    ]
    expect([...mapMask([0, 5, 12, 20], { classes, labels: null }).labels]).toEqual([6, 6, 5, 5])
  })
  it('beyond 16 bits belong to the class without an end', () => {
    const classes = [{ value: 3, name: 'Nucleus', from: 1, to: 65_535 }]
    expect([...mapMask([0, 1, 65_535, 70_000], { classes, labels: null }).labels]).toEqual([0, 3, 3, 3])
  })
  it('without classes are labels themselves, all or those that are wanted', () => {
    const raw = Uint32Array.of(0, 1, 5, 255, 256, 70_000)
    expect(mapMask(raw, { classes: [], labels: null })).toEqual({
      labels: Uint8Array.of(0, 1, 5, 255, 0, 0),
      unknown: [256, 70_000],
    })
    expect(mapMask(raw, { classes: [], labels: [5, 256] })).toEqual({
      labels: Uint8Array.of(0, 0, 5, 0, 0, 0),
      unknown: [256],
    })
    expect(labelsIn(Uint8Array.of(9, 0, 2, 9))).toEqual([2, 9])
  })
})

describe('objects', () => {
  it('are the values of a file with several, the parts of a black and white one', () => {
    const numbers = Uint16Array.of(0, 300, 300, 0, 7, 0)
    expect([...objectsOf(numbers, [3, 2])]).toEqual([...numbers])
    expect([...objectsOf(Uint8Array.of(255, 0, 255, 0, 0, 255), [3, 2])]).toEqual([1, 0, 2, 0, 0, 2])
    expect([...objectsOf(Uint8Array.of(255, 0, 255, 0, 255, 0), [3, 2])]).toEqual([1, 0, 1, 0, 1, 0])
    expect([...objectsOf(new Uint8Array(4), [2, 2])]).toEqual([0, 0, 0, 0])
  })
  it('that overlap go to the smallest, of equally large ones to the later', () => {
    const files = ['####......', '.###......', '...#######', '......##..', '......#...', '..........'].map((row) =>
      indicesOf(Uint8Array.from(Array.from(row), (sign) => (sign === '#' ? 1 : 0))),
    )
    const { ids, overlap, hidden } = mergeObjects(files, 10)
    expect([...ids]).toEqual([1, 2, 2, 2, 3, 3, 5, 4, 3, 3])
    expect(overlap).toBe(5)
    expect(hidden).toEqual([5])
  })
})
