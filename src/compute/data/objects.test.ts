import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../imaging/testing/folders.ts'
import { openTrainingData } from './index.ts'
import { borders, orderFor, picture } from './testing/folders.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
const at = (...names: string[]): string => path.join(folder.path, ...names)
beforeAll(async () => {
  folder = await temporaryFolder()
})
afterAll(() => folder.remove())

describe('objects', () => {
  it('in files of their own are merged, overlaps go to the smaller and are told of', async () => {
    const dir = at('nuclei')
    for (const name of ['p', 'q']) {
      await picture(path.join(dir, name, 'images', `${name}.png`), 12, 8, (x, y) => 10 * x + y)
      await picture(path.join(dir, name, 'masks', 'large.png'), 12, 8, (x) => (x < 7 ? 255 : 0))
      await picture(path.join(dir, name, 'masks', 'small.png'), 12, 8, (x, y) => (x > 4 && x < 9 && y < 4 ? 255 : 0))
    }
    const order = orderFor(dir, { recipe: { layouts: ['stage1'] } })
    order.settings.instances = borders
    order.settings.split = { ...order.settings.split, holdout: 0 }
    const data = await openTrainingData(order)
    expect(data.outputChannels).toBe(3)
    expect(data.report.remarks.join()).toMatch(/overlap in 2 of 2 cases, in 16 pixels/)
    const { labels, objects } = await data.truth('p')
    expect([...labels.subarray(0, 12)]).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0])
    expect([...(objects?.subarray(0, 12) ?? [])]).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0])
    const [ref] = data.slices('train')
    if (ref === undefined) throw new Error('no slice')
    // Two pixels wide on both sides of where they meet, and where the small one ends.
    expect([...(await data.slice(ref)).classes.subarray(0, 12)]).toEqual([1, 1, 1, 2, 2, 2, 2, 2, 2, 0, 0, 0])
    await data.close()
  })

  it('in one file are its numbers', async () => {
    const dir = at('numbered')
    await picture(path.join(dir, 'images', 'a.png'), 6, 2, 9)
    await picture(path.join(dir, 'masks', 'a.png'), 6, 2, (x) => (x < 2 ? 7 : x < 4 ? 8 : 0))
    const order = orderFor(dir)
    order.settings.instances = { ...borders, kind: 'distance' }
    const data = await openTrainingData(order)
    const { labels, objects } = await data.truth('a')
    expect([...labels.subarray(0, 6)]).toEqual([1, 1, 1, 1, 0, 0])
    expect([...(objects?.subarray(0, 6) ?? [])]).toEqual([7, 7, 8, 8, 0, 0])
    expect(data.report.remarks.join()).toMatch(/only one case/)
    await data.close()
  })

  it('are where their label is, whatever other values a mask holds', async () => {
    const dir = at('grey')
    for (const name of ['a.png', 'b.png']) {
      await picture(path.join(dir, 'images', name), 20, 20, (x) => 10 * x)
      // Two bars, their edges grey: below 128 nothing is meant.
      const bar = (x: number): number => (x === 3 || x === 12 ? 90 : (x > 3 && x < 8) || x > 12 ? 255 : 0)
      await picture(path.join(dir, 'masks', name), 20, 20, bar)
    }
    const order = orderFor(dir, { recipe: { classes: [{ value: 1, name: 'Bar', from: 128, to: 255 }] } })
    order.settings.instances = { ...borders, kind: 'distance' }
    const data = await openTrainingData(order, { workers: 0 })
    const { labels, objects } = await data.truth('a')
    const row = Array.from({ length: 20 }, (_, x) => (x > 3 && x < 8 ? 1 : x > 12 ? 2 : 0))
    expect([...(objects ?? [])]).toEqual(Array.from({ length: 20 }, () => row).flat())
    expect([...labels].every((value, i) => (value === 1) === (objects?.[i] !== 0))).toBe(true)
    expect(data.report.remarks.join(' ')).toContain('90')
    await data.close()
  })
})
