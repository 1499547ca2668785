import { describe, expect, it } from 'vitest'
import { blended } from './blending.ts'
import type { Evaluation } from './evaluate.ts'
import type { Optimizer } from './optimizer.ts'

const PARENT = { dice: 0.6, loss: 1, weights: [Float32Array.of(0, 8), Float32Array.of(4)] }
const TRAINED = { dice: 0.8, loss: 0.5, weights: [Float32Array.of(4, 0), Float32Array.of(8)] }

/** The last weights that were put back, and what each of them is measured as, in turn. */
function measuring(...answers: readonly Evaluation[]) {
  const put: number[][] = []
  let measured = 0
  const optimizer = {
    restore: (weights: readonly Float32Array[]) => put.push(weights.flatMap((values) => [...values])),
  } as unknown as Optimizer
  const measure = () => Promise.resolve(answers[measured++] ?? { dice: NaN, loss: NaN })
  return { optimizer, measure, put, count: () => measured }
}

describe('weights between a parent and what was learned', () => {
  it('are half of each where that loses hardly anything of what was gained', async () => {
    const { optimizer, measure, put } = measuring({ dice: 0.76, loss: 0.7 })
    const result = await blended(optimizer, PARENT, TRAINED, measure)
    expect(result).toEqual({ dice: 0.76, loss: 0.7, weights: [Float32Array.of(2, 4), Float32Array.of(6)] })
    expect(put).toEqual([[2, 4, 6]])
  })

  it('are a quarter of the parent where a half loses more', async () => {
    const { optimizer, measure, put } = measuring({ dice: 0.74, loss: 0.7 }, { dice: 0.75, loss: 0.6 })
    const result = await blended(optimizer, PARENT, TRAINED, measure)
    expect(result).toEqual({ dice: 0.75, loss: 0.6, weights: [Float32Array.of(3, 2), Float32Array.of(7)] })
    expect(put.at(-1)).toEqual([3, 2, 7])
  })

  it('are those that were learned where neither does, or where it gives no numbers', async () => {
    const few = measuring({ dice: 0.1, loss: 3 }, { dice: 0.74, loss: 0.7 })
    expect(await blended(few.optimizer, PARENT, TRAINED, few.measure)).toBe(TRAINED)
    expect(few.put.at(-1)).toEqual([4, 0, 8])
    const none = measuring({ dice: 0.9, loss: NaN }, { dice: 0.9, loss: Infinity })
    expect(await blended(none.optimizer, PARENT, TRAINED, none.measure)).toBe(TRAINED)
    expect(none.count()).toBe(2)
  })

  it('are never worse than the parent, however little was gained', async () => {
    const trained = { ...TRAINED, dice: 0.62 }
    const { optimizer, measure } = measuring({ dice: 0.59, loss: 1 }, { dice: 0.6, loss: 0.9 })
    expect(await blended(optimizer, PARENT, trained, measure)).toMatchObject({ dice: 0.6, loss: 0.9 })
  })

  it('are the parent’s, and nothing is measured, where nothing better was learned', async () => {
    const { optimizer, measure, put, count } = measuring()
    expect(await blended(optimizer, PARENT, PARENT, measure)).toBe(PARENT)
    expect(put).toEqual([[0, 8, 4]])
    expect(count()).toBe(0)
  })
})
