import { describe, expect, it } from 'vitest'
import { readRecipes, recipeNamed } from './recipes.ts'

describe('the recipes that come with the workstation', () => {
  it('are the five published workflows, each with its article’s settings', () => {
    const recipes = readRecipes()
    expect(recipes.map(({ name }) => name)).toEqual(['cells', 'liver', 'nerve', 'nuclei', 'wbc'])
    expect(recipeNamed('nerve').presets.article).toMatchObject({
      model: { kind: 'unet', levels: 4, base: 3 },
      loss: { kind: 'mean-squared-error', output: 'relu' },
      optimizer: { kind: 'adam' },
    })
    expect(recipeNamed('cells').presets.article).toMatchObject({
      model: { levels: 4, base: 64, convolutions: 'valid', upsampling: 'transposed' },
      loss: { weightMap: { w0: 10, sigma: 5 } },
      optimizer: { kind: 'sgd', momentum: 0.99 },
      training: { batch: 1, patch: 572 },
    })
    expect(recipeNamed('wbc').classes).toHaveLength(2)
  })

  it('are named where another is asked for', () => {
    expect(() => recipeNamed('heart')).toThrow('choose one of cells, liver, nerve, nuclei, wbc.')
  })
})
