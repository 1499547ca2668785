import { describe, it, expect } from 'vitest'
import type { StrokeDelta } from '../../../core/contract/schemas.ts'
import { sliceLayout } from '../canvas/layout.ts'
import { planeView } from '../canvas/testing/views.ts'
import { StrokeDriver, type StrokeTarget } from './strokeDriver.ts'

type Stroke = Omit<StrokeDelta, 'id' | 'baseRevision'>

function harness(prepare: (target: StrokeTarget) => Promise<void> | null = () => null) {
  const labels = new Uint8Array(25)
  const committed: Stroke[] = []
  const log: string[] = []
  let refused = false
  const driver = new StrokeDriver({
    target: () =>
      refused
        ? null
        : {
            axis: 2,
            index: 3,
            labels,
            layout: sliceLayout(planeView({ width: 5, height: 5 })),
            radiusX: 0.5,
            radiusY: 0.5,
            label: 7,
            locked: new Uint8Array(256),
          },
    prepare,
    painted: ({ x, y }) => void log.push(`painted ${x},${y}`),
    commit: (stroke) => {
      committed.push(stroke)
      log.push('commit')
    },
    active: (active) => void log.push(active ? 'begin' : 'end'),
  })
  return { driver, labels, committed, log, refuse: () => (refused = true) }
}

describe('StrokeDriver', () => {
  it('paints from the first position on and commits once, before others may touch the slice', () => {
    const { driver, labels, committed, log } = harness()
    expect(driver.begin(false, { x: 1.5, y: 1.5 }, 0)).toBe(true)
    driver.extend([{ x: 2.5, y: 1.5 }], 0)
    driver.finish()
    driver.finish()
    expect(log).toEqual(['begin', 'painted 1,1', 'painted 2,1', 'commit', 'end'])
    expect([labels[6], labels[7]]).toEqual([7, 7])
    expect(committed[0]).toMatchObject({ kind: 'brush', label: 7, box: { min: [1, 1, 3], max: [3, 2, 4] } })
    expect([...(committed[0]?.runs ?? [])]).toEqual([0, 2, 0, 7])
  })

  it('erases with label 0', () => {
    const { driver, labels, committed } = harness()
    labels.fill(4)
    driver.begin(true, { x: 0.5, y: 0.5 }, 0)
    driver.finish()
    expect(committed[0]).toMatchObject({ kind: 'erase', label: 0 })
    expect(labels[0]).toBe(0)
  })

  it('does nothing where drawing is refused', () => {
    const { driver, refuse, log } = harness()
    refuse()
    expect(driver.begin(false, { x: 1, y: 1 }, 0)).toBe(false)
    driver.extend([{ x: 2, y: 2 }], 0)
    driver.finish()
    expect(log).toEqual([])
  })

  it('keeps what is drawn while the slice is prepared, and paints over what that brought', async () => {
    let ready = (): void => undefined
    const { driver, labels, committed, log } = harness(
      () =>
        new Promise((resolve) => {
          ready = resolve
        }),
    )
    driver.begin(false, { x: 1.5, y: 1.5 }, 0)
    driver.extend([{ x: 3.5, y: 1.5 }], 0)
    driver.finish()
    expect(labels.every((label) => label === 0)).toBe(true)
    expect(driver.begin(false, { x: 0, y: 0 }, 0)).toBe(false)
    labels.fill(1) // what accepting the prediction wrote
    ready()
    await Promise.resolve()
    await Promise.resolve()
    expect(log.slice(-2)).toEqual(['commit', 'end'])
    // All three voxels were label 1 before the stroke.
    expect([...(committed[0]?.runs ?? [])]).toEqual([0, 3, 1, 7])
  })

  it('takes back a stroke, also one that still waits', async () => {
    const { driver, labels, committed } = harness(() => Promise.resolve())
    driver.begin(false, { x: 1.5, y: 1.5 }, 0)
    driver.revert()
    await Promise.resolve()
    await Promise.resolve()
    expect(labels.every((label) => label === 0)).toBe(true)
    driver.begin(false, { x: 1.5, y: 1.5 }, 0)
    await Promise.resolve()
    await Promise.resolve()
    expect(labels[6]).toBe(7)
    driver.revert()
    expect(labels.every((label) => label === 0)).toBe(true)
    expect(committed).toEqual([])
  })
})
