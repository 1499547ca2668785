import { describe, expect, it } from 'vitest'
import { architectureFor } from './architecture.ts'

const sized = (width: number, height: number) => ({ width, height })

describe('the architecture of a network from nothing', () => {
  it('leaves at least eight pixels across at the deepest level', () => {
    expect(architectureFor([sized(33, 54)])).toEqual({ levels: 2, base: 16 })
    expect(architectureFor([sized(64, 64)])).toEqual({ levels: 3, base: 16 })
    expect(architectureFor([sized(127, 200)])).toEqual({ levels: 3, base: 8 })
    expect(architectureFor([sized(128, 128)])).toEqual({ levels: 4, base: 8 })
    expect(architectureFor([sized(2048, 512)])).toEqual({ levels: 4, base: 8 })
  })

  it('goes by most slices, has a level at least, and is the usual one where nothing is known', () => {
    expect(architectureFor([sized(33, 54), sized(33, 54), sized(512, 512)])).toEqual({ levels: 2, base: 8 })
    expect(architectureFor([sized(5, 9)])).toEqual({ levels: 1, base: 16 })
    expect(architectureFor([])).toEqual({ levels: 4, base: 8 })
  })
})
