import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nextTick, type Component } from 'vue'
import type { SliceMarks } from '../../../../core/contract/index.ts'
import { CodedError } from '../../../../core/contract/index.ts'
import { reviewText as text } from '../../i18n/review.ts'
import { useAnnotationStore } from '../../stores/annotation.ts'
import { useJobsStore } from '../../stores/jobs.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useQueueStore } from '../../stores/queue.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import {
  aCase,
  aJob,
  aModel,
  aProject,
  aQueue,
  aQueuedSlice,
  projectClient,
  type FakeClient,
} from '../../testing/fakeClient.ts'
import { withProject } from '../../testing/setUp.ts'
import DetailsSection from '../inspector/DetailsSection.vue'
import LayersSection from '../inspector/LayersSection.vue'
import SliceBadges from '../topbar/SliceBadges.vue'
import CaseItem from '../worklist/CaseItem.vue'
import ApproveBar from './ApproveBar.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia

beforeEach(async () => {
  const cases = [aCase(), aCase({ id: 'case-2', name: 'CT abdomen B', heldOut: true })]
  client = projectClient(aProject({ cases }), {
    'case.thumbnail': () => ({ width: 1, height: 1, rgba: new Uint8Array(4) }),
    'slice.coverage': ({ coverage }) => ({ coverage }),
  })
  pinia = await withProject(client)
  useAnnotationStore()
  await useViewStore().openCase('case-1')
  useViewStore().setIndex(3)
})

function show(component: Component, props: Record<string, unknown> = {}): VueWrapper {
  return mount<unknown>(component, { props, global: { plugins: [pinia] }, attachTo: document.body })
}

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)
const marks = async (change: Partial<SliceMarks>) => {
  client.tell('case.slices', { caseId: 'case-1', corrected: [], predicted: [], approved: [], painted: [], ...change })
  await nextTick()
}

describe('what a slice is', () => {
  it('is told in words beside its number, with what that means', async () => {
    const wrapper = show(SliceBadges)
    const words: string[] = []
    const all = { predicted: [3], corrected: [3], painted: [3], approved: [3] }
    for (const kind of ['predicted', 'corrected', 'painted', 'approved'] as const) {
      words.push(by(wrapper, 'slice-state').text())
      const upTo = Object.keys(all).indexOf(kind) + 1
      await marks(Object.fromEntries(Object.entries(all).slice(0, upTo)))
    }
    words.push(by(wrapper, 'slice-state').text())
    const { untouched, predicted, corrected, approved } = text.states
    expect(words).toEqual([untouched, predicted, corrected, text.paintedState, approved])
    const tip = by(wrapper, 'slice-state').attributes('data-tip')
    expect(tip).toBe(text.stateHints.approved)
    // A stroke leaves it approved: that must not look forgotten.
    expect(tip).toContain('what you draw on it after that counts as right too')
    useViewStore().setPlane('coronal')
    await nextTick()
    expect(by(wrapper, 'slice-state').exists()).toBe(false)
  })

  it('says that the case is set aside, there and in the worklist', async () => {
    const wrapper = show(SliceBadges)
    expect(by(wrapper, 'held-out').exists()).toBe(false)
    await useViewStore().openCase('case-2')
    await nextTick()
    expect(by(wrapper, 'held-out').text()).toBe(text.heldOut)
    const [first, second] = useProjectStore().cases
    expect(by(show(CaseItem, { item: first, current: false }), 'case-held-out').exists()).toBe(false)
    const item = show(CaseItem, { item: second, current: false })
    expect(by(item, 'case-held-out').text()).toBe(text.heldOut)
    expect(by(item, 'case-item').attributes('data-tip')).toContain(text.heldOutHint)
  })

  it('counts approved slices in the worklist', () => {
    const words = (change: Parameters<typeof aCase>[0]) =>
      show(CaseItem, { item: aCase(change), current: false }).text()
    expect(words({ status: 'corrected', correctedSlices: 3, approvedSlices: 2 })).toContain('3 corrected, 2 approved')
    expect(words({ status: 'corrected', approvedSlices: 1 })).toContain('1 slice approved')
    expect(words({ status: 'saved', correctedSlices: 3, approvedSlices: 2 })).toContain(
      'saved, 3 corrected, 2 approved',
    )
    expect(words({ status: 'saved', approvedSlices: 2 })).toMatch(/Mask saved, 2 approved$/)
    expect(words({ status: 'approved', correctedSlices: 3, approvedSlices: 10 })).toMatch(/Approved$/)
  })
})

describe('the details of a case', () => {
  it('count no slice as corrected and as approved', async () => {
    const wrapper = show(DetailsSection)
    await marks({ corrected: [1, 3, 4], approved: [2, 3] })
    const values = wrapper.findAll('dd').map((one) => one.text())
    expect(values.slice(-2)).toEqual(['2 slices', '2 slices'])
  })
})

describe('a slice of the queue', () => {
  it('that is not predicted says so where its state is, with what to press', async () => {
    useQueueStore().follow()
    const wrapper = show(SliceBadges)
    const state = () => by(wrapper, 'slice-state').text()
    client.tell('queue.changed', aQueue({ modelId: 'model-1', slices: [aQueuedSlice({ index: 3 })] }))
    useProjectStore().models = []
    await nextTick()
    expect(state()).toBe(text.states.untouched)
    useProjectStore().models = [aModel()]
    await nextTick()
    expect(state()).toBe('not predicted yet: press P')
    expect(by(wrapper, 'slice-state').attributes('data-tip')).toBe(text.unpredictedHint)
    // It is being predicted, or something else runs: the key does nothing.
    useJobsStore().replaceAll([aJob({ kind: 'predict' })])
    await nextTick()
    expect(state()).toBe('not predicted yet')
    useJobsStore().replaceAll([])
    await nextTick()
    expect(state()).toBe('not predicted yet: press P')
    client.setState('lost')
    await nextTick()
    expect(state()).toBe('not predicted yet')
    client.setState('open')
    await marks({ predicted: [3] })
    expect(state()).toBe(text.states.predicted)
    await marks({})
    useViewStore().setIndex(4)
    await nextTick()
    expect(state()).toBe(text.states.untouched)
  })
})

describe('approving beside the image', () => {
  it('shows whether the slice is approved', async () => {
    const wrapper = show(ApproveBar)
    const button = by(wrapper, 'approve-slice')
    expect([button.text(), button.attributes('aria-pressed')]).toEqual([text.approve, 'false'])
    await marks({ approved: [3] })
    expect([button.text(), button.attributes('aria-pressed')]).toEqual([text.approved, 'true'])
  })

  it('offers parts, the whole case and what teaches, and closes with the focus back', async () => {
    const wrapper = show(ApproveBar)
    const more = by(wrapper, 'approve-more')
    ;(more.element as HTMLElement).focus()
    await more.trigger('click')
    expect(by(wrapper, 'approve-panel').element).toBe(document.activeElement)
    expect(by(wrapper, 'approve-case').attributes('aria-disabled')).toBeUndefined()
    useUiStore().close()
    await nextTick()
    expect(by(wrapper, 'approve-panel').exists()).toBe(false)
    expect(document.activeElement).toBe(more.element)
  })

  it('changes what a corrected slice teaches, and says what others do', async () => {
    useUiStore().open('approve')
    const wrapper = show(ApproveBar)
    expect(by(wrapper, 'slice-teaches').text()).toBe(text.stateHints.untouched)
    await marks({ corrected: [3] })
    const choice = () => by(wrapper, 'slice-coverage')
    expect(choice().find('label.on').text()).toBe(text.whole)
    await choice().findAll('input')[1]?.trigger('change')
    await flushPromises()
    expect(client.asked('slice.coverage')).toEqual([{ caseId: 'case-1', index: 3, coverage: 'painted' }])
    await marks({ corrected: [3], painted: [3] })
    expect(choice().find('label.on').text()).toBe(text.painted)
    await marks({ corrected: [3], approved: [3] })
    expect(by(wrapper, 'slice-teaches').text()).toBe(text.stateHints.approved)
  })

  it('changes what is corrected from now on, and keeps the old choice where that is refused', async () => {
    useUiStore().open('approve')
    const wrapper = show(ApproveBar)
    const on = () => by(wrapper, 'coverage').find('label.on').text()
    await by(wrapper, 'coverage').findAll('input')[1]?.trigger('change')
    await flushPromises()
    expect(client.asked('slice.coverage')).toEqual([{ caseId: null, index: null, coverage: 'painted' }])
    expect([on(), useProjectStore().project?.coverage]).toEqual([text.painted, 'painted'])
    client.answers['slice.coverage'] = () => {
      throw new CodedError('disk-full', 'The disk is full.')
    }
    await by(wrapper, 'coverage').findAll('input')[0]?.trigger('change')
    await flushPromises()
    expect([on(), useUiStore().banners.length]).toEqual([text.painted, 1])
  })
})

describe('the uncertainty layer', () => {
  it('has a strength and a legend while it is on, and says where it is not known', async () => {
    const view = useViewStore()
    const wrapper = show(LayersSection)
    expect(by(wrapper, 'uncertainty-opacity').exists()).toBe(false)
    await by(wrapper, 'uncertainty-visible').setValue(true)
    expect(view.overlay.uncertaintyVisible).toBe(true)
    expect(by(wrapper, 'uncertainty-legend').text()).toBe(`${text.layer.sure}${text.layer.unsure}`)
    await by(wrapper, 'uncertainty-opacity').setValue('0.25')
    expect(view.overlay.uncertaintyOpacity).toBe(0.25)
    view.uncertaintyKnown = false
    await nextTick()
    expect(by(wrapper, 'uncertainty-legend').text()).toBe(text.layer.unknown)
  })
})
