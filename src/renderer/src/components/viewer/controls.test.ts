import { mount, type DOMWrapper } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { nextTick } from 'vue'
import { provideClient } from '../../api/client.ts'
import { FakeBackend } from '../../history/testing/fakeBackend.ts'
import { useAnnotationStore } from '../../stores/annotation.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useQueueStore } from '../../stores/queue.ts'
import { useViewStore } from '../../stores/view.ts'
import { aCase, aQueuedSlice } from '../../testing/fakeClient.ts'
import { markRanges } from './markRanges.ts'
import ReadoutNumber from './ReadoutNumber.vue'
import SliceSlider from './SliceSlider.vue'

beforeEach(() => {
  setActivePinia(createPinia())
})

/** Typing, without the `change` that leaving the field brings. */
async function type(input: Pick<DOMWrapper<HTMLInputElement>, 'element' | 'trigger'>, text: string): Promise<void> {
  input.element.value = text
  await input.trigger('input')
}

describe('ReadoutNumber', () => {
  const props = { value: 400, label: 'W', name: 'Window width', chars: 6, step: 8, unit: '%' }

  it('takes what is typed on Enter, with signs of other habits', async () => {
    const field = mount(ReadoutNumber, { props })
    const input = field.get('input')
    expect(input.element.value).toBe('400%')
    await type(input, '-12,5 %')
    await input.trigger('keydown', { key: 'Enter' })
    expect(field.emitted('change')).toEqual([[-12.5]])
  })

  it('puts the old number back on Escape and for what is no number', async () => {
    const field = mount(ReadoutNumber, { props })
    const input = field.get('input')
    await type(input, '12')
    await input.trigger('keydown', { key: 'Escape' })
    expect(input.element.value).toBe('400%')
    await type(input, 'wide')
    await input.trigger('blur')
    expect(input.element.value).toBe('400%')
    expect(field.emitted('change')).toBeUndefined()
  })

  it('is nudged by keys and wheel', async () => {
    const field = mount(ReadoutNumber, { props })
    await field.get('input').trigger('keydown', { key: 'ArrowUp' })
    await field.trigger('wheel', { deltaY: 100 })
    expect(field.emitted('change')).toEqual([[408], [392]])
  })
})

describe('SliceSlider', () => {
  async function mounted() {
    const backend = new FakeBackend()
    const marks = { corrected: [2, 3, 6, 11], painted: [6], approved: [11, 12] }
    backend.addCase('a', [4, 4, 20], { predicted: [0, 1, 2, 3, 9], ...marks })
    provideClient(backend.client)
    const view = useViewStore()
    useAnnotationStore()
    useQueueStore().follow()
    await view.openCase('a')
    return { backend, view, slider: mount(SliceSlider) }
  }

  it('is a slider by name, value and words', async () => {
    const { view, slider } = await mounted()
    const track = slider.get('[role=slider]')
    view.setIndex(2)
    await nextTick()
    expect(track.attributes()).toMatchObject({
      'aria-label': 'Slice',
      'aria-valuemin': '1',
      'aria-valuemax': '20',
      'aria-valuenow': '3',
      'aria-valuetext': 'slice 3 of 20, corrected',
    })
    expect(slider.get('[data-testid=slice-number]').text()).toContain('3')
  })

  it('moves by keys, and leaves other keys alone', async () => {
    const { view, slider } = await mounted()
    const track = slider.get('[role=slider]')
    const keys = ['ArrowDown', 'PageUp', 'End', 'ArrowUp', 'b', 'Home']
    const seen: number[] = []
    for (const key of keys) {
      await track.trigger('keydown', { key })
      seen.push(view.index)
    }
    expect(seen).toEqual([11, 1, 19, 18, 18, 0])
  })

  it('goes to the slice that is typed', async () => {
    const { view, slider } = await mounted()
    const input = slider.get('input')
    await type(input, '7')
    await input.trigger('keydown', { key: 'Enter' })
    expect(view.index).toBe(6)
    await type(input, '999')
    await input.trigger('change')
    expect(view.index).toBe(19)
  })

  it('marks slices across the training axis only', async () => {
    const { backend, view, slider } = await mounted()
    const count = (kind: string) => slider.findAll(`.groove .${kind}`).length
    // An approved slice is no longer marked as corrected, and one that teaches in part has a mark of its own.
    expect(['corrected', 'predicted', 'painted', 'approved', 'queued'].map(count)).toEqual([1, 2, 1, 1, 0])
    expect(slider.findAll('.legend li:not(.absent)')).toHaveLength(4)
    useProjectStore().cases = [aCase({ id: 'a' })]
    backend.emit('queue.changed', {
      modelId: 'm',
      rankedAt: '2026-01-02T03:04:05Z',
      slices: [aQueuedSlice({ caseId: 'a', index: 8 }), aQueuedSlice({ caseId: 'a', index: 7 })],
      cases: [],
    })
    await nextTick()
    expect(slider.get('.groove .queued').attributes('style')).toBe('top: 35%; height: 10%;')
    view.setPlane('sagittal')
    await nextTick()
    expect(slider.findAll('.groove .mark')).toHaveLength(0)
  })
})

describe('markRanges', () => {
  it('joins neighbours and leaves out what is not there', () => {
    expect(markRanges([0, 1, 4, 5, 6, 19, 25], 20)).toEqual([
      { from: 0, top: '0%', height: '10%' },
      { from: 4, top: '20%', height: '15%' },
      { from: 19, top: '95%', height: '5%' },
    ])
    expect(markRanges([], 20)).toEqual([])
  })
})
