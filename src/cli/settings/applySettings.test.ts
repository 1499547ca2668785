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
    ['training=3', 'training is a group of settings'],
    ['preset=mine', 'There is no preset "mine"; choose best or article.'],
    ['__proto__.x=1', 'There is no setting "__proto__.x"'],
  ])('refuses %s', (given, words) => {
    expect(() => apply(given)).toThrow(UsageError)
    expect(() => apply(given)).toThrow(words)
  })

  it.each([
    ['training.steps=abc', 'training.steps must be a number, not "abc".'],
    ['training.epochs=null', 'training.epochs must be a number, not null.'],
    ['training.epochs=1.5', 'training.epochs must be a whole number, not 1.5.'],
    ['training.epochs=0', 'training.epochs must be at least 1, not 0.'],
    ['training.epochs=99999', 'training.epochs must be at most 10000, not 99999.'],
    ['optimizer.rate=0', 'optimizer.rate must be above 0, not 0.'],
    ['augmentation.quarterTurns=yes', 'augmentation.quarterTurns must be true or false, not "yes".'],
    ['inference.flips=x', 'inference.flips must be none, horizontal, vertical or both, not "x".'],
    ['input.resize.kind=half', 'input.resize.kind must be none, factor or fit, not "half".'],
    [
      'inference.planes=axial,x',
      'Each value of inference.planes must be training, axial, coronal, sagittal or oblique, not "x".',
    ],
    ['inference.planes=[]', 'inference.planes must have at least 1 value, not [].'],
    ['augmentation.zoom=a,1', 'Each value of augmentation.zoom must be a number, not "a".'],
    ['augmentation.zoom=1', 'augmentation.zoom must have at least 2 values, separated by commas, not [1].'],
    ['augmentation.zoom=2,1', 'augmentation.zoom cannot be [2,1]: the first must not exceed the second.'],
    ['labels=0,1', 'Each value of labels must be at least 1, not 0.'],
    [
      'input.normalization.kind=window',
      'input.normalization.from is needed with input.normalization.kind=window; give it as well: --set input.normalization.from=VALUE.',
    ],
  ])('says of %s what the value must be', (given, sentence) => {
    expect(() => apply(given)).toThrow(new UsageError(sentence))
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
