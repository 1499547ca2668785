import { describe, expect, it } from 'vitest'
import { pixelOf } from './evaluate.ts'
import { createMeasuring } from './lessons.ts'

interface Slice {
  readonly name: number
  readonly role: 'corrected' | 'replay'
  readonly width: number
  readonly height: number
  readonly wrong: boolean
}

const slice = (name: number, wrong = false, side = 2, role: Slice['role'] = 'corrected'): Slice => ({
  ...{ name, role, width: side, height: side, wrong },
})

/** Which slices are measured, by the numbers of those that each measurement was asked for. */
function measuringOf(images: readonly Slice[]) {
  const asked: number[][] = []
  const measuring = createMeasuring(images, (slices) => {
    asked.push(slices.map(({ name }) => name))
    const wrong = slices.map((one) => Uint8Array.of(0, Number(one.wrong)))
    return Promise.resolve({ loss: 0, dice: 1, classes: [], wrong })
  })
  const measured = () => measuring.measured.map((one) => (one as Slice).name)
  return { measuring, asked, measured }
}

describe('the slices that a training is measured on', () => {
  it('are up to eight of the corrected ones, evenly picked, else of the replayed ones', async () => {
    const replayed = Array.from({ length: 16 }, (_, n) => slice(100 + n, true, 2, 'replay'))
    const few = measuringOf([...replayed, slice(1), slice(2, true)])
    expect([await few.measuring.choose(undefined), few.measured(), few.asked]).toEqual([2, [1, 2], []])
    expect(measuringOf(replayed).measured()).toEqual([100, 102, 104, 106, 108, 110, 112, 114])
    expect(await measuringOf(replayed).measuring.choose(undefined)).toBe(0)
  })

  it('are those where something is wrong before others, where there are more', async () => {
    const one = measuringOf(Array.from({ length: 21 }, (_, n) => slice(n, n === 20)))
    expect(one.measured()).not.toContain(20)
    expect(await one.measuring.choose(undefined)).toBe(21)
    expect(one.measured()).toEqual([20, 0, 2, 5, 8, 11, 14, 17])
    await one.measuring.evaluate(undefined)
    expect(one.asked.at(-1)).toEqual(one.measured())
    // As without a choice where something is wrong everywhere.
    const all = measuringOf(Array.from({ length: 21 }, (_, n) => slice(n, true)))
    const before = all.measured()
    await all.measuring.choose(undefined)
    expect(all.measured()).toEqual(before)
  })

  it('are chosen among as many as take no long time to look at', async () => {
    const large = measuringOf(Array.from({ length: 40 }, (_, n) => slice(n, false, 400)))
    expect(await large.measuring.choose(undefined)).toBe(10)
    const huge = measuringOf(Array.from({ length: 40 }, (_, n) => slice(n, false, 4000)))
    expect(await huge.measuring.choose(undefined)).toBe(8)
  })
})

describe('a pixel of a tile', () => {
  it('is found in its slice', () => {
    const keep = { left: 3, top: 2, width: 4, height: 5 }
    expect([0, 3, 4, 19].map((i) => pixelOf({ keep }, i, 10))).toEqual([23, 26, 33, 66])
  })
})
