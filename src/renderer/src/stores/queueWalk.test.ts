import { describe, expect, it } from 'vitest'
import { QueueWalk, type Place } from './queueWalk.ts'

const place = (name: string): Place => ({ caseId: name[0] ?? '', index: Number(name.slice(1)) })
const nameOf = (at: Place | null) => (at === null ? null : `${at.caseId}${String(at.index)}`)
const queue = ['a3', 'b1', 'a7'].map(place)

/** Goes where each step leads, from where the last one led. */
function walked(steps: string, walk = new QueueWalk(), from: Place | null = null, over = queue): (string | null)[] {
  let here = from
  return steps.split('').map((step) => {
    const next = step === 'n' ? walk.next(over, here) : walk.previous(here)
    here = next ?? here
    return nameOf(next)
  })
}

describe('the way through the queue', () => {
  it('goes from the best to the worst, then round again', () => {
    expect(walked('nnnnn')).toEqual(['a3', 'b1', 'a7', 'a3', 'b1'])
  })

  it('does not stay where it is', () => {
    expect(walked('nnpp', new QueueWalk(), place('a3'))).toEqual(['b1', 'a7', 'b1', 'a3'])
    expect(walked('n', new QueueWalk(), place('a3'), [place('a3')])).toEqual([null])
    expect(walked('n', new QueueWalk(), null, [])).toEqual([null])
  })

  it('leads back and on again', () => {
    expect(walked('nnnpppnnn')).toEqual(['a3', 'b1', 'a7', 'b1', 'a3', null, 'b1', 'a7', 'a3'])
    expect(walked('p')).toEqual([null])
  })

  it('goes on past slices that were dealt with, and back to them', () => {
    const walk = new QueueWalk()
    expect(walked('n', walk)).toEqual(['a3'])
    const left = queue.slice(1)
    expect(nameOf(walk.next(left, place('a3')))).toBe('b1')
    expect(nameOf(walk.previous(place('b1')))).toBe('a3')
    expect(nameOf(walk.next(left, place('a3')))).toBe('b1')
    // b1 was dealt with from another window while a3 was looked at again.
    expect(nameOf(walk.previous(place('b1')))).toBe('a3')
    expect(nameOf(walk.next(left.slice(1), place('a3')))).toBe('a7')
  })

  it('comes back to where it was left by hand', () => {
    const walk = new QueueWalk()
    walked('nn', walk)
    expect(nameOf(walk.previous(place('a9')))).toBe('b1')
    expect(nameOf(walk.previous(place('b1')))).toBe('a3')
  })

  it('begins anew with another ranking', () => {
    const walk = new QueueWalk()
    walked('nn', walk)
    walk.restart()
    expect(nameOf(walk.previous(place('b1')))).toBeNull()
    expect(nameOf(walk.next([place('b1'), place('a3')], null))).toBe('b1')
  })
})
