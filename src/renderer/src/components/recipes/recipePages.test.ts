import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Component } from 'vue'
import { CodedError, type RecipeTraining } from '../../../../core/contract/index.ts'
import { useActions } from '../../actions/index.ts'
import { listenToKeys } from '../../actions/keyboard.ts'
import { showReport } from '../../actions/recipes.ts'
import { recipeWords } from '../../i18n/recipes.ts'
import { useJobsStore } from '../../stores/jobs.ts'
import { useNextStepStore } from '../../stores/nextStep.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useRecipesStore } from '../../stores/recipes.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { aJob, aModel, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { aRecipe, aReport, aTraining, anEpoch } from '../../testing/recipes.ts'
import { withProject } from '../../testing/setUp.ts'
import VersionList from '../inspector/VersionList.vue'
import ReportPage from './ReportPage.vue'
import TrainingPage from './TrainingPage.vue'

enableAutoUnmount(afterEach)

const choice = aTraining().choice
const madeFrom = { ...choice, dataPath: '/data/wbc', missing: false }
let client: FakeClient
let pinia: Pinia
let training: RecipeTraining | null

beforeEach(async () => {
  training = null
  const trained = aModel({ id: 'model-2', version: 2, recipe: 'wbc', report: true })
  client = projectClient(aProject({ models: [trained, aModel({ active: false })], isDemo: false }), {
    'recipes.list': () => [aRecipe()],
    'recipes.state': () => ({ project: madeFrom, training }),
    'recipes.train': () => aJob({ kind: 'recipe', state: 'queued', caseId: null }),
    'recipes.resume': () => aJob({ kind: 'recipe', state: 'queued', caseId: null }),
    'recipes.discard': () => ({}),
    'recipes.sheet': () => ({ png: new Uint8Array(4) }),
    'models.report': () => aReport(),
    'models.figure': () => ({ type: 'image/png', bytes: new Uint8Array(8) }),
    'models.saveReport': () => ({ path: '/p/exports/report-2.html', bytes: 1200 }),
  })
  pinia = await withProject(client)
  await useRecipesStore().load()
  useRecipesStore().follow(() => undefined)
})

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)

async function show(component: Component): Promise<VueWrapper> {
  const wrapper = mount<unknown>(component, { global: { plugins: [pinia] }, attachTo: document.body })
  await flushPromises()
  return wrapper
}

async function known(now: RecipeTraining | null): Promise<void> {
  training = now
  await useRecipesStore().load()
}

describe('the page of a training', () => {
  it('trains with what was changed of the settings', async () => {
    useProjectStore().models = []
    const wrapper = await show(TrainingPage)
    expect(by(wrapper, 'training-state').text()).toBe(recipeWords.train.state.none)
    await wrapper.find('[data-path="training.epochs"] input').setValue('2')
    await by(wrapper, 'training-start').trigger('click')
    await flushPromises()
    expect(client.asked('recipes.train')).toMatchObject([
      { recipe: 'wbc', preset: 'best', settings: { training: { epochs: 2 } }, folderId: null, replace: false },
    ])
  })

  it('leads to the report of a version that was trained before this start', async () => {
    const wrapper = await show(TrainingPage)
    expect(by(wrapper, 'training-state').text()).toBe(recipeWords.train.state.before(2))
    expect(by(wrapper, 'training-start').text()).toBe(recipeWords.train.again)
    expect(client.asked('recipes.sheet'), 'samples are drawn where they are asked for').toEqual([])
    await by(wrapper, 'training-report').trigger('click')
    expect(client.asked('models.report')).toEqual([{ modelId: 'model-2' }])
  })

  it('follows epochs, with curves, numbers and pictures of each', async () => {
    await known(aTraining())
    const wrapper = await show(TrainingPage)
    expect(by(wrapper, 'training-state').text()).toBe(recipeWords.train.state.running(2, 3))
    const tell = (epoch: number) =>
      client.tell('recipe.event', {
        trainingId: 't1',
        jobId: 'job-1',
        event: { event: 'epoch', ...anEpoch(epoch), pictures: [{ id: `e${epoch}`, png: new Uint8Array(3) }] },
      })
    tell(2)
    tell(3)
    await flushPromises()
    expect(by(wrapper, 'training-numbers').attributes('data-epochs')).toBe('3')
    expect(wrapper.find('[data-testid="epoch-chart"]').attributes('data-epochs')).toBe('3')
    expect(by(wrapper, 'sample-pictures').attributes('data-epoch')).toBe('3')
    const slider = by(wrapper, 'sample-epoch')
    await slider.setValue('0')
    expect(by(wrapper, 'sample-pictures').attributes('data-epoch'), 'earlier ones can be gone back to').toBe('2')
    // The same epoch again after it was resumed from the one before.
    tell(2)
    await flushPromises()
    expect(by(wrapper, 'training-numbers').attributes('data-epochs')).toBe('2')
    client.tell('recipe.event', { trainingId: 't1', jobId: 'job-1', event: { event: 'scoring', done: 1, of: 4 } })
    await flushPromises()
    expect(by(wrapper, 'training-state').text()).toBe(recipeWords.train.state.scoring(1, 4))
    // Cut off there and resumed: epochs come before scoring again.
    const start = aTraining().start
    if (start === null) throw new Error('not started')
    const event = { event: 'start' as const, ...start, from: 2 }
    client.tell('recipe.event', { trainingId: 't1', jobId: 'job-1', event })
    await flushPromises()
    expect(by(wrapper, 'training-state').text()).toBe(recipeWords.train.state.running(2, 3))
  })

  it.each([
    ['the best epoch only where early stopping keeps it', 3, recipeWords.train.numbers.bestKept('0.900', 1)],
    ['no epoch the best where the last is kept', null, recipeWords.train.numbers.peak(1)],
  ])('calls %s', async (_what, earlyStopping, said) => {
    const { choice: before } = aTraining()
    const { settings } = before
    const changed = { ...settings, training: { ...settings.training, earlyStopping } }
    const epochs = [anEpoch(1, { val: { dice: 0.9 } }), anEpoch(2, { val: { dice: 0.8 } })]
    await known(aTraining({ choice: { ...before, settings: changed }, epochs }))
    const wrapper = await show(TrainingPage)
    expect(wrapper.find('[data-cell="best"] .value').text()).toBe('0.800')
    expect(wrapper.find('[data-cell="best"] .small').text()).toBe(said)
  })

  it('does not take events of another training for its own', async () => {
    await known(aTraining())
    client.tell('recipe.event', { trainingId: 't0', jobId: 'j', event: { event: 'epoch', ...anEpoch(2) } })
    expect(useRecipesStore().training?.epochs).toHaveLength(1)
  })

  it('goes on with an interrupted one, and asks before that is given up', async () => {
    await known(aTraining({ state: 'interrupted', error: { code: 'cancelled', message: 'It was stopped.' } }))
    const wrapper = await show(TrainingPage)
    expect(by(wrapper, 'training-error').text()).toBe('It was stopped.')
    expect(by(wrapper, 'training-resume').text()).toBe(recipeWords.train.resume(2))
    await by(wrapper, 'training-start').trigger('click')
    await flushPromises()
    expect(client.asked('recipes.train'), 'not without being asked').toEqual([])
    const ui = useUiStore()
    expect(ui.confirmation?.message).toBe(recipeWords.train.replaceMessage(1))
    await ui.confirmation?.run()
    expect(client.asked('recipes.train')).toMatchObject([{ replace: true }])
    await by(wrapper, 'training-discard').trigger('click')
    await ui.confirmation?.run()
    expect(client.asked('recipes.discard')).toHaveLength(1)
    useJobsStore().replaceAll([])
    await known(aTraining({ state: 'interrupted' }))
    await by(wrapper, 'training-resume').trigger('click')
    await flushPromises()
    expect(client.asked('recipes.resume')).toHaveLength(1)
  })

  it('shows what came of it, and leads to the report', async () => {
    const metrics = { accuracy: 0.98, iou: 0.9, dice: 0.95, hd95: 2.5 }
    await known(aTraining({ state: 'done', metrics, modelId: 'model-2' }))
    const wrapper = await show(TrainingPage)
    expect(wrapper.find('[data-metric="accuracy"]').text()).toContain('0.980')
    expect(wrapper.find('[data-metric="hd95"]').text(), 'with the unit of the report').toContain('2.50 px')
    await by(wrapper, 'training-report').trigger('click')
    expect(useUiStore().page).toBe('report')
    expect(client.asked('models.report')).toEqual([{ modelId: 'model-2' }])
  })

  it('says where the data is gone, and trains where it is now', async () => {
    client.answers['recipes.state'] = () => ({ project: { ...madeFrom, missing: true }, training: null })
    client.answers['files.complete'] = () => [{ id: 'f', name: 'wbc', text: '/new/wbc/', kind: 'folder' }]
    await useRecipesStore().load()
    const wrapper = await show(TrainingPage)
    expect(by(wrapper, 'training-start').attributes('aria-disabled')).toBe('true')
    await by(wrapper, 'path-field').setValue('/new/wbc/')
    await flushPromises()
    await by(wrapper, 'path-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    await by(wrapper, 'training-start').trigger('click')
    await flushPromises()
    expect(client.asked('recipes.train')).toMatchObject([{ folderId: 'f' }])
  })

  it('says so in a project that was made otherwise', async () => {
    client.answers['recipes.state'] = () => ({ project: null, training: null })
    await useRecipesStore().load()
    const wrapper = await show(TrainingPage)
    expect(wrapper.text()).toContain(recipeWords.train.none.title)
    expect(useActions().get('recipe-training').when()).toBe(recipeWords.reasons.noRecipe)
  })
})

describe('the report of a version', () => {
  it('opens from the list of versions and shows the worst case with its figures', async () => {
    const list = await show(VersionList)
    expect(list.findAll('[data-testid="model-report"]'), 'the other version has none').toHaveLength(1)
    await by(list, 'model-report').trigger('click')
    const wrapper = await show(ReportPage)
    const rows = wrapper.findAll('[data-testid="report-case"]')
    expect(rows.map((row) => row.attributes('data-case'))).toEqual(['a', 'b', 'c'])
    expect(rows[0]?.attributes('aria-selected')).toBe('true')
    expect(client.asked('models.figure')).toEqual([{ modelId: 'model-2', file: 'a-panels.png' }])
    expect(by(wrapper, 'figure').attributes('data-state')).toBe('shown')
  })

  it('sorts by a measure: the worst first, the best first, as it was', async () => {
    showReport('model-2')
    const wrapper = await show(ReportPage)
    const order = () => wrapper.findAll('[data-testid="report-case"]').map((row) => row.attributes('data-case'))
    const head = wrapper.findAll('thead th button')[0]
    await head?.trigger('click')
    expect(order()).toEqual(['a', 'b', 'c'])
    await head?.trigger('click')
    expect(order()).toEqual(['c', 'b', 'a'])
    expect(wrapper.findAll('thead th')[1]?.attributes('aria-sort')).toBe('descending')
    await head?.trigger('click')
    expect(order()).toEqual(['a', 'b', 'c'])
  })

  it('goes through the cases with the arrow keys, and says where one has no figures', async () => {
    showReport('model-2')
    const wrapper = await show(ReportPage)
    await wrapper.find('[data-testid="report-case"]').trigger('keydown', { key: 'ArrowDown' })
    await flushPromises()
    expect(wrapper.find('[aria-selected="true"]').attributes('data-case')).toBe('b')
    expect(wrapper.text()).toContain(recipeWords.report.cases.none)
  })

  it('shows the other parts, and is written as one file', async () => {
    showReport('model-2')
    const wrapper = await show(ReportPage)
    for (const [label, shown] of [
      ['Curves', recipeWords.report.curves.best(2, true)],
      ['Data', '2 cases'],
      ['Settings', 'AdamW'],
      ['Progress', recipeWords.report.progress.hint],
    ] as const) {
      const tab = wrapper.findAll('[data-testid="report-tabs"] label').find((one) => one.text() === label)
      await tab?.find('input').trigger('change')
      await flushPromises()
      expect(wrapper.text(), label).toContain(shown)
    }
    await by(wrapper, 'report-save').trigger('click')
    await flushPromises()
    expect(client.asked('models.saveReport')).toEqual([{ modelId: 'model-2', fileId: null }])
    expect(by(wrapper, 'report-saved').attributes('data-path')).toBe('/p/exports/report-2.html')
  })

  it.each([
    ['the last epoch', { bestEpoch: null }, recipeWords.report.curves.last(3), 2],
    ['the best epoch', { bestEpoch: 2 }, 'Kept: the weights of epoch 2, the best in validation.', 2],
    ['none of the epochs', { bestEpoch: 0 }, recipeWords.report.curves.none, 0],
    ['an epoch of a training that failed before its first', { bestEpoch: null, history: [] }, null, 0],
  ] as const)('says that %s was kept, with a line at it', async (_what, change, sentence, lines) => {
    const { history, ...rest } = { history: null, ...change }
    client.answers['models.report'] = () => aReport(history === null ? rest : { ...rest, history: [...history] })
    showReport('model-2')
    const wrapper = await show(ReportPage)
    const tab = wrapper.findAll('[data-testid="report-tabs"] label').find((one) => one.text() === 'Curves')
    await tab?.find('input').trigger('change')
    await flushPromises()
    const said = by(wrapper, 'kept-epoch')
    expect(said.exists() ? said.text() : null).toBe(sentence)
    expect(wrapper.findAll('line.marked')).toHaveLength(lines)
  })

  it('says what this model has on the cases that another was measured on too', async () => {
    const other = {
      name: 'Article settings',
      preset: 'article',
      epochs: 3,
      parameters: 9,
      seconds: 1,
      common: 2,
    } as const
    const means = { metrics: { accuracy: 0.7, iou: 0.7 }, ours: { accuracy: 0.79, iou: 0.7 } }
    client.answers['models.report'] = () =>
      aReport({ comparisons: [{ ...other, ...means, ranks: {}, figures: {}, differences: [] }] })
    showReport('model-2')
    const wrapper = await show(ReportPage)
    const beside = (key: string) => wrapper.find(`[data-metric="${key}"] .small`)
    expect(beside('accuracy').text()).toBe('0.700 Article settings')
    expect(beside('accuracy').attributes('data-tip')).toContain('on 2 common cases; this model has 0.790 on them')
    expect(beside('iou').attributes('data-tip')).toBe('Article settings, on 2 common cases')
  })

  it('says why it cannot be shown, and tries again', async () => {
    client.answers['models.report'] = () => {
      throw new CodedError('bad-file', 'The report of version 2 is damaged.')
    }
    showReport('model-2')
    const wrapper = await show(ReportPage)
    expect(by(wrapper, 'report-failed').text()).toContain('damaged')
    client.answers['models.report'] = () => aReport()
    await wrapper.find('.content .button').trigger('click')
    await flushPromises()
    expect(by(wrapper, 'report-cases').exists()).toBe(true)
  })
})

describe('pages in place of the images', () => {
  it('let no key reach an image that is not seen, and are left with Escape', async () => {
    const stop = listenToKeys()
    const view = useViewStore()
    const ui = useUiStore()
    await view.openCase('case-1')
    const { index } = view
    ui.showPage('training')
    const press = (key: string) =>
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
    press('ArrowDown')
    press('e')
    expect(view.index).toBe(index)
    expect(view.tool).toBe('brush')
    press('?')
    expect(ui.panel, 'what belongs to no image works').toBe('help')
    press('Escape')
    expect(ui.page, 'first what lies over it').toBe('training')
    press('Escape')
    expect(ui.page).toBeNull()
    press('ArrowDown')
    expect(view.index).toBe(index + 1)
    stop()
  })

  it('are left by what is done to an image', async () => {
    const ui = useUiStore()
    await useViewStore().openCase('case-1')
    ui.showPage('report')
    await useActions().run('next-slice')
    expect(ui.page).toBeNull()
  })

  it('make training the next thing to do in a project without a model', async () => {
    useProjectStore().models = []
    await useViewStore().openCase('case-1')
    const step = useNextStepStore()
    expect(step.next).toBe('recipe')
    await known(aTraining())
    expect(step.next).toBe('recipe-running')
    useJobsStore().replaceAll([])
  })
})
