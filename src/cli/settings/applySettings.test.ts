import { describe, expect, it } from 'vitest'
import { readRecipes, recipeNamed } from '../../backend/host/recipes.ts'
import { UsageError } from '../output.ts'
import { applySettings } from './applySettings.ts'
import { recipeSettingNames } from './settingNames.ts'

const recipe = recipeNamed('nuclei')
const apply = (...given: string[]) => applySettings(recipe, given)

describe('--set', () => {
  it('leaves a preset as it is where nothing is given', () => {
    for (const each of readRecipes()) {
      expect(applySettings(each, [])).toEqual({ preset: 'best', settings: each.presets.best })
      expect(applySettings(each, ['preset=article'])).toEqual({ preset: 'article', settings: each.presets.article })
    }
  })

  it('sets numbers, words, lists, ranges, null and whole groups by dotted names', () => {
    const { settings } = apply(
      'training.epochs=3',
      'model.kind=unet-inception',
      'inference.planes=axial,oblique',
      'planes=["coronal"]',
      'augmentation.zoom=0.5,2',
      'augmentation.quarterTurns=false',
      'training.steps=null',
      'augmentation.elastic={"grid":3,"sigma":10,"share":1}',
      'augmentation.elastic.sigma=7',
      'labels=5',
      'split.by=slice',
    )
    expect(settings.training).toMatchObject({ epochs: 3, steps: null })
    expect(settings.model.kind).toBe('unet-inception')
    expect(settings.inference.planes).toEqual(['axial', 'oblique'])
    expect(settings.planes).toEqual(['coronal'])
    expect(settings.augmentation.zoom).toEqual([0.5, 2])
    expect(settings.augmentation.quarterTurns).toBe(false)
    expect(settings.augmentation.elastic).toEqual({ grid: 3, sigma: 7, share: 1 })
    expect(settings.labels).toEqual([5])
    expect(settings.split.by).toBe('slice')
    expect(recipe.presets.best.augmentation.zoom).not.toEqual([0.5, 2])
  })

  it('changes what kind of a setting there is, with what that kind needs', () => {
    expect(apply('input.resize.kind=factor', 'input.resize.factor=0.5').settings.input.resize).toEqual({
      kind: 'factor',
      factor: 0.5,
    })
    expect(apply('instances=null').settings.instances).toBeNull()
    expect(apply('preset=article', 'input.resize.kind=none').settings.input.resize).toEqual({ kind: 'none' })
  })

  it('takes the last of several, wherever the preset stands', () => {
    const chosen = apply('training.epochs=3', 'preset=article', 'training.epochs=4')
    expect(chosen).toMatchObject({ preset: 'article', settings: { training: { epochs: 4 } } })
  })

  it.each([
    ['training.epoch=3', 'There is no setting "training.epoch"; of training there are training.epochs, training.steps'],
    ['trainings.epochs=3', 'they begin with model, input, loss'],
    ['training.epochs', 'is not KEY=VALUE'],
    ['training.epochs=many', 'The setting training.epochs=many cannot be used'],
    ['training.epochs=0', 'The setting training.epochs=0 cannot be used'],
    ['training=3', 'training is a group of settings'],
    ['preset=mine', 'There is no preset "mine"; choose best or article.'],
    ['input.normalization.kind=window', 'input.normalization'],
    ['__proto__.x=1', 'There is no setting "__proto__.x"'],
  ])('refuses %s', (given, words) => {
    expect(() => apply(given)).toThrow(UsageError)
    expect(() => apply(given)).toThrow(words)
  })

  it('knows every setting by its name', () => {
    const names = recipeSettingNames().map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(
      expect.arrayContaining([
        'model.base',
        'input.normalization.from',
        'input.resize.width',
        'loss.weightMap.w0',
        'optimizer.rate',
        'augmentation.elastic.grid',
        'training.seconds',
        'inference.planes',
        'instances.smallestSeed',
        'split.by',
        'labels',
        'planes',
      ]),
    )
  })
})
