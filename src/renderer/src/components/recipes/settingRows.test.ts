import { describe, expect, it } from 'vitest'
import { sectionWords, settingFormWords as words, settingWords, valueName } from '../../i18n/recipeSettings.ts'
import { aRecipe } from '../../testing/recipes.ts'
import {
  changedSettings,
  settingAt,
  settingRows,
  settingSections,
  withSetting,
  type SettingRow,
} from './settingRows.ts'
import { readRange, readTyped, textOf } from './settingText.ts'

const { best, article } = aRecipe().presets

function row(path: string, settings = best): SettingRow {
  const found = settingRows(settings).find((one) => one.path === path)
  if (found === undefined) throw new Error(`there is no row ${path}`)
  return found
}

/** Everything that can be on, so that every row is there once. */
const everything = [
  best,
  {
    ...best,
    model: { ...best.model, kind: 'unet-inception' as const },
    loss: { ...best.loss, kind: 'focal-tversky' as const, output: 'sigmoid' as const, weightMap: { w0: 10, sigma: 5 } },
    optimizer: { ...best.optimizer, kind: 'sgd' as const, schedule: 'plateau' as const },
    augmentation: { ...best.augmentation, elastic: { grid: 3, sigma: 10, share: 1 } },
    input: {
      ...best.input,
      normalization: { kind: 'window' as const, from: 0, to: 255 },
      resize: { kind: 'fit' as const, width: 128, height: 128 },
    },
    instances: {
      ...{ kind: 'border' as const, label: 1, threshold: 0.5, seed: 0.7, smooth: 1, smallest: 0, smallestSeed: 0 },
      border: 2,
    },
  },
]

describe('the rows of settings', () => {
  it('have words for everything, and stand in a section that has a name', () => {
    for (const settings of everything) {
      for (const { path, control } of settingRows(settings)) {
        expect(settingWords[path]?.name, path).toBeTruthy()
        if (control.kind === 'choice' || control.kind === 'choices') {
          for (const option of control.options) expect(valueName(path, option), `${path} ${option}`).toBeTruthy()
        }
      }
      for (const { section } of settingSections(settings)) expect(sectionWords[section], section).toBeTruthy()
    }
  })

  it('are those that do something with the other settings', () => {
    const paths = settingRows(best).map(({ path }) => path)
    expect(paths).toContain('optimizer.decay')
    expect(paths, 'SGD alone has one').not.toContain('optimizer.momentum')
    expect(paths).not.toContain('loss.weightMap.w0')
    expect(paths).not.toContain('input.resize.factor')
    const sgd = withSetting(best, row('optimizer.kind'), 'sgd')
    expect(settingRows(sgd ?? best).map(({ path }) => path)).toContain('optimizer.momentum')
  })

  it('know their bounds from the schema', () => {
    expect(row('model.levels').control).toMatchObject({ kind: 'number', integer: true, min: 1, max: 6, empty: false })
    expect(row('optimizer.rate').control).toMatchObject({ min: 0, aboveMin: true, max: null })
    expect(row('training.steps').control).toMatchObject({ min: 1, max: null, empty: true })
    expect(row('augmentation.zoom').control.kind).toBe('range')
    expect(row('inference.planes').control).toMatchObject({ kind: 'choices' })
    expect(row('labels').control.kind).toBe('numbers')
  })

  it('turn groups on with what is usual, and off again', () => {
    const on = withSetting(best, row('loss.weightMap'), true)
    expect(on?.loss.weightMap).toEqual({ w0: 10, sigma: 5 })
    expect(withSetting(on ?? best, row('loss.weightMap', on ?? best), false)?.loss.weightMap).toBeNull()
    expect(withSetting(best, row('instances'), true)?.instances).toMatchObject({ kind: 'distance', label: 1 })
  })

  it('give another kind the members that it needs', () => {
    const fit = withSetting(best, row('input.resize.kind'), 'fit')
    expect(fit?.input.resize).toEqual({ kind: 'fit', width: 256, height: 256 })
    const back = withSetting(fit ?? best, row('input.resize.kind', fit ?? best), 'none')
    expect(back?.input.resize).toEqual({ kind: 'none' })
    expect(withSetting(best, row('input.normalization.kind'), 'zscore')?.input.normalization).toEqual({
      kind: 'zscore',
    })
  })

  it('do not take what the whole would not be valid with, and change nothing else', () => {
    expect(withSetting(best, row('training.epochs'), 0)).toBeNull()
    const changed = withSetting(best, row('training.epochs'), 7) ?? best
    expect(changed.training.epochs).toBe(7)
    expect(best.training.epochs, 'the preset stays').toBe(3)
    expect(changedSettings(changed, best)).toEqual(['training.epochs'])
    expect(settingAt(changed, 'training.epochs')).toBe(7)
    expect(changedSettings(article, best)).toEqual(['training.epochs', 'training.batch', 'training.patch'])
  })
})

describe('what is typed', () => {
  it('is read as the setting needs it', () => {
    expect(readTyped('0,002', row('optimizer.rate').control, 'Rate')).toEqual({ value: 0.002 })
    expect(readTyped('', row('training.steps').control, 'Steps')).toEqual({ value: null })
    expect(readTyped('1, 2 5', row('labels').control, 'Labels')).toEqual({ value: [1, 2, 5] })
    expect(readTyped('', row('labels').control, 'Labels')).toEqual({ value: null })
    expect(readRange('0.8', '1.2', 'Zoom')).toEqual({ value: [0.8, 1.2] })
    expect(readTyped(' /models/vgg ', { kind: 'text' }, 'Encoder')).toEqual({ value: '/models/vgg' })
  })

  it('is refused with a reason', () => {
    const levels = row('model.levels').control
    expect(readTyped('3.5', levels, 'Levels')).toEqual({ problem: words.whole('Levels') })
    expect(readTyped('7', levels, 'Levels')).toEqual({ problem: words.atMost('Levels', 6) })
    expect(readTyped('0', levels, 'Levels')).toEqual({ problem: words.atLeast('Levels', 1) })
    expect(readTyped('', levels, 'Levels')).toEqual({ problem: words.needed('Levels') })
    expect(readTyped('many', levels, 'Levels')).toEqual({ problem: words.number('Levels') })
    expect(readTyped('0', row('optimizer.rate').control, 'Rate')).toEqual({ problem: words.above('Rate', 0) })
    expect(readTyped('1, x', row('labels').control, 'Labels')).toEqual({ problem: words.wholes('Labels') })
    expect(readRange('2', '1', 'Zoom')).toEqual({ problem: words.order('Zoom') })
  })

  it('is shown as it is written', () => {
    expect(textOf(null)).toBe('')
    expect(textOf([1, 2])).toBe('1, 2')
    expect(words.shown('augmentation.zoom', [0.8, 1.2])).toBe('0.8 to 1.2')
    expect(words.shown('training.patch', null)).toBe('whole pictures')
    expect(words.shown('augmentation.rotate', 20)).toBe('20 °')
    expect(words.shown('input.resize.kind', 'none')).toBe('as it is')
    expect(words.shown('labels', [1, 2])).toBe('1, 2')
  })
})
