import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nextTick, type Component } from 'vue'
import { CodedError } from '../../../../core/contract/index.ts'
import { t } from '../../i18n/frame.ts'
import { useExportsStore } from '../../stores/exports.ts'
import { useJobsStore } from '../../stores/jobs.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { aCase, aJob, aLabel, aModel, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { settled, withProject } from '../../testing/setUp.ts'
import NumberSlider from '../common/NumberSlider.vue'
import ConfirmDialog from '../dialogs/ConfirmDialog.vue'
import LabelsSection from './LabelsSection.vue'
import ModelSection from './ModelSection.vue'
import TrainingChart from './TrainingChart.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia

beforeEach(async () => {
  client = projectClient(aProject(), { 'case.thumbnail': () => ({ width: 1, height: 1, rgba: new Uint8Array(4) }) })
  pinia = await withProject(client)
})

function show(component: Component, props: Record<string, unknown> = {}): VueWrapper {
  return mount<unknown>(component, { props, global: { plugins: [pinia] }, attachTo: document.body })
}

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)
const all = (wrapper: VueWrapper, id: string) => wrapper.findAll(`[data-testid="${id}"]`)

describe('labels', () => {
  it('chooses the label to paint with', async () => {
    const wrapper = show(LabelsSection)
    await all(wrapper, 'label-row')[1]?.trigger('click')
    expect(useViewStore().activeLabel).toBe(2)
    expect(all(wrapper, 'label-row').map((row) => row.attributes('data-active'))).toEqual(['false', 'true'])
  })

  it('adds one label for Enter and the loss of focus together, and paints with it', async () => {
    client.answers['labels.add'] = ({ name }) => aLabel({ value: 3, name, color: '#009e73' })
    const wrapper = show(LabelsSection)
    await by(wrapper, 'label-add').trigger('click')
    await settled()
    const field = by(wrapper, 'label-name')
    await field.setValue('  Hippocampus ')
    void field.trigger('keydown', { key: 'Enter' })
    await field.trigger('blur')
    await settled()
    expect(client.asked('labels.add')).toEqual([{ name: 'Hippocampus', color: null }])
    expect(useViewStore().activeLabel).toBe(3)
    expect(by(wrapper, 'label-name').exists()).toBe(false)
  })

  it('adds nothing for an empty name, and keeps a name that was refused', async () => {
    const wrapper = show(LabelsSection)
    await by(wrapper, 'label-add').trigger('click')
    await settled()
    await by(wrapper, 'label-name').trigger('blur')
    expect(by(wrapper, 'label-name').exists()).toBe(false)
    client.answers['labels.add'] = () => {
      throw new CodedError('conflict', 'There is already a label "Liver"; choose another name.')
    }
    await by(wrapper, 'label-add').trigger('click')
    await settled()
    await by(wrapper, 'label-name').setValue('Liver')
    await by(wrapper, 'label-name').trigger('keydown', { key: 'Enter' })
    await settled()
    expect((by(wrapper, 'label-name').element as HTMLInputElement).value).toBe('Liver')
    expect(useUiStore().banners).toHaveLength(1)
  })

  it('renames in place and leaves with Escape', async () => {
    client.answers['labels.update'] = ({ value, change }) => ({ ...aLabel({ value }), ...change }) as never
    const wrapper = show(LabelsSection)
    await wrapper.find('.name').trigger('dblclick')
    await settled()
    await by(wrapper, 'label-name').setValue('Leber')
    await by(wrapper, 'label-name').trigger('keydown', { key: 'Escape' })
    expect(client.asked('labels.update')).toEqual([])
    await wrapper.find('.name').trigger('dblclick')
    await settled()
    await by(wrapper, 'label-name').setValue('Leber')
    await by(wrapper, 'label-name').trigger('keydown', { key: 'Enter' })
    expect(client.asked('labels.update')).toEqual([{ value: 1, change: { name: 'Leber' } }])
  })

  it('locks without choosing', async () => {
    client.answers['labels.update'] = ({ value }) => aLabel({ value, locked: true })
    const wrapper = show(LabelsSection)
    await all(wrapper, 'label-lock')[1]?.trigger('click')
    expect(client.asked('labels.update')).toEqual([{ value: 2, change: { locked: true } }])
    expect(useViewStore().activeLabel).toBe(1)
  })

  it('deletes only after saying where it is used', async () => {
    client.answers['labels.usage'] = () => ({ voxels: 1200, cases: 2 })
    client.answers['labels.remove'] = () => ({})
    const wrapper = show(LabelsSection)
    const dialog = show(ConfirmDialog)
    await all(wrapper, 'label-delete')[0]?.trigger('click')
    await flushPromises()
    await settled()
    expect(dialog.text()).toContain('1,200 voxels in 2 cases')
    expect(client.asked('labels.remove')).toEqual([])
    await by(dialog, 'confirm-yes').trigger('click')
    await flushPromises()
    expect(client.asked('labels.remove')).toEqual([{ value: 1 }])
    expect(useProjectStore().labels.map((label) => label.value)).toEqual([2])
    expect(useViewStore().activeLabel).toBe(2)
  })

  it('does not delete a locked label', async () => {
    useProjectStore().labels = [aLabel({ locked: true })]
    const wrapper = show(LabelsSection)
    await by(wrapper, 'label-delete').trigger('click')
    expect(by(wrapper, 'label-delete').attributes('aria-disabled')).toBe('true')
    expect(client.asked('labels.usage')).toEqual([])
  })
})

describe('the model section', () => {
  const primaries = (wrapper: VueWrapper) => wrapper.findAll('.primary').map((one) => one.attributes('data-testid'))

  it('has one primary action at a time', async () => {
    const view = useViewStore()
    const wrapper = show(ModelSection)
    expect(primaries(wrapper)).toEqual([])
    await view.openCase('case-1')
    await nextTick()
    expect(primaries(wrapper)).toEqual(['predict'])
    client.tell('case.slices', { caseId: 'case-1', corrected: [], predicted: [5], approved: [], painted: [] })
    await nextTick()
    expect(primaries(wrapper)).toEqual(['accept-slice'])
    client.tell('case.slices', { caseId: 'case-1', corrected: [5], predicted: [5], approved: [], painted: [] })
    useProjectStore().cases = [aCase({ status: 'corrected', correctedSlices: 1, newCorrectedSlices: 1 })]
    await nextTick()
    expect(primaries(wrapper)).toEqual(['retrain'])
    expect(by(wrapper, 'retrain').text()).toBe('Retrain (1 slice)')
    useProjectStore().cases = [aCase({ status: 'corrected', correctedSlices: 1 })]
    await nextTick()
    expect(primaries(wrapper)).toEqual(['save-mask'])
  })

  it('says "saved" only with the file that was read back', async () => {
    await useViewStore().openCase('case-1')
    let answer: () => void = () => undefined
    client.answers['export.mask'] = () =>
      new Promise((resolve) => {
        answer = () =>
          resolve({ path: '/p/exports/a.nii.gz', bytes: 2048, voxels: 10, labels: [1], verified: true as const })
      })
    const wrapper = show(ModelSection)
    await by(wrapper, 'save-mask').trigger('click')
    await flushPromises()
    expect(by(wrapper, 'save-result').exists()).toBe(false)
    expect(by(wrapper, 'save-mask').text()).toBe(t.saveMask.saving)
    expect(useExportsStore().running).toBe('case-1')
    answer()
    await flushPromises()
    await settled()
    expect(by(wrapper, 'save-result').attributes('data-path')).toBe('/p/exports/a.nii.gz')
    expect(by(wrapper, 'save-result').text()).toContain('Saved and verified')
  })

  it('calls a file outdated only when the mask changed after it', async () => {
    await useViewStore().openCase('case-1')
    const changed = () =>
      client.tell('project.changed', { cases: [aCase({ status: 'corrected', correctedSlices: 1 })] })
    const saved = () => client.tell('project.changed', { cases: [aCase({ status: 'saved', correctedSlices: 1 })] })
    const stop = useProjectStore().follow()
    client.answers['export.mask'] = () => ({ path: '/p/a.nii.gz', bytes: 9, voxels: 1, labels: [1], verified: true })
    changed()
    const wrapper = show(ModelSection)
    await by(wrapper, 'save-mask').trigger('click')
    await flushPromises()
    await settled()
    // The news that the mask is saved have not come yet.
    expect(by(wrapper, 'save-result').text()).not.toContain(t.saveMask.changedSince)
    saved()
    await nextTick()
    expect(by(wrapper, 'save-result').text()).not.toContain(t.saveMask.changedSince)
    changed()
    await nextTick()
    expect(by(wrapper, 'save-result').text()).toContain(t.saveMask.changedSince)
    stop()
  })

  it('trains a first model where there is none, and says what it is', async () => {
    const project = useProjectStore()
    project.models = []
    if (project.project !== null) project.project = { ...project.project, isDemo: false }
    client.answers['train.start'] = () => aJob({ kind: 'train' })
    await useViewStore().openCase('case-1')
    const wrapper = show(ModelSection)
    expect(by(wrapper, 'next-step').text()).toBe(t.next.paint)
    project.cases = [aCase({ status: 'corrected', correctedSlices: 2, newCorrectedSlices: 2 })]
    await nextTick()
    expect(by(wrapper, 'retrain').text()).toBe('Train (2 slices)')
    expect(primaries(wrapper)).toEqual(['retrain'])
    await by(wrapper, 'retrain').trigger('click')
    await flushPromises()
    expect(client.asked('train.start')).toHaveLength(1)
    expect(by(wrapper, 'retrain').text()).toBe(t.model.training)
    const curve = [{ step: 1, loss: 0.5, dice: 0.8 }]
    const numbers = { lossBefore: 1, lossAfter: 0.5, diceBefore: 0.1, diceAfter: 0.8, backend: 'wasm' }
    project.models = [aModel({ training: { slices: 2, steps: 1, seconds: 10, curve, ...numbers } })]
    useJobsStore().replaceAll([])
    useJobsStore().lastTraining = aJob({ kind: 'train', state: 'done', modelId: 'model-1', curve })
    await nextTick()
    expect(by(wrapper, 'training-result').text()).toContain(t.model.result.first)
    expect(by(wrapper, 'training-result').text()).not.toContain('→')
    expect(by(wrapper, 'model-version').text()).toContain('2 slices')
  })

  it('says where nothing better was found, which is no failure of the program', async () => {
    useProjectStore().models = [aModel()]
    const wrapper = show(ModelSection)
    const error = { code: 'nothing-learned', message: 'In 8 s (20 steps) nothing better was found.' }
    useJobsStore().lastTraining = aJob({ kind: 'train', state: 'failed', error })
    await nextTick()
    expect(wrapper.text()).toContain(`${error.message} The model in use is unchanged.`)
    expect(wrapper.text()).not.toContain(t.model.failed)
  })

  it('does not hold what Live learned against slices as they were before they were drawn', async () => {
    const numbers = { lossBefore: 1, lossAfter: 0.5, diceBefore: 0.97, diceAfter: 0.96, backend: 'wasm' }
    const training = { slices: 1, steps: 20, seconds: 30, curve: [], ...numbers }
    useProjectStore().models = [aModel({ id: 'model-2', version: 2, parentId: 'model-1', mode: 'live', training })]
    useJobsStore().lastTraining = aJob({ kind: 'train', state: 'done', modelId: 'model-2' })
    const wrapper = show(ModelSection)
    expect(by(wrapper, 'training-result').text()).toContain(t.model.result.live)
    expect(by(wrapper, 'training-result').text()).not.toContain('→')
  })

  it('says how much of what was corrected it learned, where what was taken over agrees a little less', async () => {
    const mistakes = { count: 36, mended: 35, broken: 40 }
    const numbers = { lossBefore: 0.4, lossAfter: 0.3, diceBefore: 0.995, diceAfter: 0.96, mistakes, backend: 'wasm' }
    const training = { slices: 1, steps: 60, seconds: 8, curve: [], ...numbers }
    useProjectStore().models = [aModel({ id: 'model-2', version: 2, parentId: 'model-1', training })]
    useJobsStore().lastTraining = aJob({ kind: 'train', state: 'done', modelId: 'model-2' })
    const result = by(show(ModelSection), 'training-result')
    expect(result.text()).toContain(t.model.result.learned)
    expect(result.text()).toContain('35 of 36 pixels')
    useProjectStore().models = [
      aModel({
        id: 'model-2',
        version: 2,
        parentId: 'model-1',
        training: { ...training, mistakes: { count: 36, mended: 17, broken: 1 }, diceAfter: 0.999 },
      }),
    ]
    await nextTick()
    expect(result.text()).toContain(t.model.result.same)
    useProjectStore().models = [
      aModel({ id: 'model-2', version: 2, parentId: 'model-1', training: { ...training, diceBefore: 0.9 } }),
    ]
    await nextTick()
    expect(result.text()).toContain(t.model.result.better)
  })

  it('shows the versions, newest first, and goes back to one', async () => {
    useProjectStore().models = [aModel({ active: false }), aModel({ id: 'model-2', version: 2, parentId: 'model-1' })]
    client.answers['models.activate'] = () => aModel({ active: true })
    const wrapper = show(ModelSection)
    expect(all(wrapper, 'model-version').map((row) => row.attributes('data-version'))).toEqual(['2', '1'])
    await by(wrapper, 'model-use').trigger('click')
    await flushPromises()
    expect(client.asked('models.activate')).toEqual([{ modelId: 'model-1' }])
    expect(useProjectStore().activeModel?.version).toBe(1)
  })

  it('no longer says that a version could not be taken once one was', async () => {
    useProjectStore().models = [aModel({ active: false }), aModel({ id: 'model-2', version: 2, parentId: 'model-1' })]
    const ui = useUiStore()
    client.answers['models.activate'] = () => {
      throw new CodedError('bad-file', 'The model folder lacks "model.onnx"; train or import again.')
    }
    const wrapper = show(ModelSection)
    await by(wrapper, 'model-use').trigger('click')
    await flushPromises()
    expect(ui.banners).toMatchObject([{ doing: t.errors.doing.model }])
    ui.reportWire({ code: 'disk-full', message: 'The disk is full.' }, t.errors.doing.save)
    client.answers['models.activate'] = () => aModel({ active: true })
    await by(wrapper, 'model-use').trigger('click')
    await flushPromises()
    expect(ui.banners).toMatchObject([{ doing: t.errors.doing.save }])
  })

  it('says of a model that began anew beside an imported one what it learned from', async () => {
    const numbers = { lossBefore: 1, lossAfter: 0.5, diceBefore: 0.1, diceAfter: 0.8, backend: 'wasm' }
    const training = { slices: 2, steps: 1, seconds: 10, curve: [], ...numbers }
    useProjectStore().models = [
      aModel({ active: false, training: { ...training, slices: 264 } }),
      aModel({ id: 'model-2', version: 2, active: false, imported: true, name: 'Liver' }),
      aModel({ id: 'model-3', version: 3, training }),
    ]
    useJobsStore().lastTraining = aJob({ kind: 'train', state: 'done', modelId: 'model-3' })
    const wrapper = show(ModelSection)
    await nextTick()
    const [third, second, first] = all(wrapper, 'model-version').map((row) => row.text())
    expect(third).toContain('2 slices')
    expect(second).toContain('imported: Liver')
    expect(first).toContain(t.model.shipped)
    expect(by(wrapper, 'training-result').text()).toContain(t.model.result.first)
  })
})

describe('the training chart', () => {
  it('shows the numbers of the last step, and breaks where a number is missing', () => {
    const curve = [
      { step: 0, loss: 0.9, dice: 0.61 },
      { step: 1, loss: Number.NaN, dice: 0.7 },
      { step: 2, loss: 0.25, dice: 0.834 },
    ]
    const wrapper = show(TrainingChart, { curve })
    expect(wrapper.text()).toContain('Dice 0.834')
    expect(wrapper.text()).toContain('Loss 0.250')
    expect(wrapper.text()).toContain('step 2')
    expect(wrapper.find('path.loss').attributes('d')?.match(/M/g)).toHaveLength(2)
    expect(wrapper.html()).not.toContain('NaN')
  })

  it('says beside the last step what was kept, where that is known', () => {
    const curve = [
      { step: 0, loss: 0.9, dice: 0.61 },
      { step: 1, loss: 0.5, dice: 0.7 },
    ]
    expect(show(TrainingChart, { curve, kept: 0.81 }).text()).toContain('step 1 · kept: Dice 0.810')
    // Less than 1 is not shown as 1.
    expect(show(TrainingChart, { curve, kept: 0.998 }).text()).toContain('kept: Dice 0.998')
    expect(show(TrainingChart, { curve, kept: 0.9997 }).text()).toContain('kept: Dice 0.999')
    expect(show(TrainingChart, { curve, kept: 1 }).text()).toContain('kept: Dice 1.000')
    expect(show(TrainingChart, { curve }).text()).not.toContain('kept')
  })

  it('stands without points', () => {
    const wrapper = show(TrainingChart, { curve: [] })
    expect(wrapper.text()).toContain(t.chart.waiting)
    expect(wrapper.findAll('text')).toHaveLength(1)
    expect(wrapper.html()).not.toContain('NaN')
  })
})

describe('a value to slide or type', () => {
  const props = { value: 0.5, min: 0, max: 1, step: 0.05, scale: 100, label: 'Opacity', unit: '%' }

  it('takes a typed number on Enter, inside its range', async () => {
    const wrapper = show(NumberSlider, props)
    const field = wrapper.find('input[type="text"]')
    await field.setValue('70')
    await field.trigger('keydown', { key: 'Enter' })
    await field.setValue('900')
    await field.trigger('keydown', { key: 'Enter' })
    expect(wrapper.emitted('change')).toEqual([[0.7], [1]])
  })

  it('puts the old number back on Escape and for words', async () => {
    const wrapper = show(NumberSlider, props)
    const field = wrapper.find<HTMLInputElement>('input[type="text"]')
    field.element.value = '80'
    await field.trigger('input')
    await field.trigger('keydown', { key: 'Escape' })
    field.element.value = 'much'
    await field.trigger('input')
    await field.trigger('keydown', { key: 'Enter' })
    expect(wrapper.emitted('change')).toBeUndefined()
    expect(field.element.value).toBe('50')
  })
})
