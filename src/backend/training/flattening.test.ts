import { describe, expect, it } from 'vitest'
import { Flattening } from './flattening.ts'

function after(losses: readonly number[], stepsEach = 10): boolean {
  const flattening = new Flattening()
  for (const loss of losses) flattening.add(stepsEach, loss)
  return flattening.flat
}

describe('Flattening', () => {
  it('goes on while the loss falls, however noisy it is', () => {
    expect(after(Array.from({ length: 100 }, (_, i) => 1 / (1 + i / 5) + (i % 2) * 0.001))).toBe(false)
  })

  it('ends where three times in a row the mean of sixty steps was no better', () => {
    const falling = [1, 1, 1, 1, 1, 1]
    // The first sixty set the mark.
    expect(after([...falling, ...Array<number>(17).fill(1)])).toBe(false)
    expect(after([...falling, ...Array<number>(18).fill(1)])).toBe(true)
    expect(after([...falling, ...Array<number>(12).fill(1), ...Array<number>(6).fill(0.5), 1, 1, 1, 1, 1, 1])).toBe(
      false,
    )
  })

  it('ends after two thousand steps in any case, and begins anew with something new', () => {
    const flattening = new Flattening()
    for (let i = 0; i < 200; i++) flattening.add(10, 0.97 ** i)
    expect(flattening.flat).toBe(true)
    flattening.restart()
    expect(flattening.flat).toBe(false)
  })

  it('counts no run without a step', () => {
    expect(after(Array<number>(1000).fill(1), 0)).toBe(false)
  })
})
