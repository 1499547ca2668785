import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nextTick } from 'vue'
import { reviewText } from '../../i18n/review.ts'
import { useJobsStore } from '../../stores/jobs.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useQueueStore } from '../../stores/queue.ts'
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
import Worklist from './Worklist.vue'

enableAutoUnmount(afterEach)

const text = reviewText.queue
const ranked = aQueue({
  modelId: 'model-1',
  rankedAt: '2026-01-02T03:04:05Z',
  slices: [
    aQueuedSlice({ caseId: 'case-2', index: 6, score: 0.8, entropy: 0.9, novelty: 0.3 }),
    aQueuedSlice({ caseId: 'case-1', index: 2, score: 0.4, entropy: 0.1, novelty: 0.7, disagreement: 0.2 }),
    aQueuedSlice({ caseId: 'case-2', index: 8, score: 0.2 }),
  ],
  cases: [
    { caseId: 'case-2', score: 0.8, slices: 2 },
    { caseId: 'case-1', score: 0.4, slices: 1 },
  ],
})

let client: FakeClient
let pinia: Pinia

beforeEach(async () => {
  client = projectClient(aProject(), {
    'case.thumbnail': () => ({ width: 1, height: 1, rgba: new Uint8Array(4) }),
    'queue.rank': () => aJob({ kind: 'rank', caseId: null }),
  })
  pinia = await withProject(client)
  useQueueStore().follow()
})

async function opened(): Promise<VueWrapper> {
  const wrapper = mount(Worklist, { global: { plugins: [pinia] }, attachTo: document.body })
  await wrapper.findAll('[data-testid="worklist-tabs"] input')[1]?.trigger('change')
  return wrapper
}

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)
const rows = (wrapper: VueWrapper) => wrapper.findAll('[data-testid="queue-row"]')

describe('the queue in the worklist', () => {
  it('stands behind the cases', async () => {
    const wrapper = mount(Worklist, { global: { plugins: [pinia] } })
    expect(wrapper.findAll('[data-testid="case-item"]')).toHaveLength(2)
    expect(by(wrapper, 'queue').exists()).toBe(false)
    await wrapper.findAll('[data-testid="worklist-tabs"] input')[1]?.trigger('change')
    expect(by(wrapper, 'queue').exists()).toBe(true)
    expect(wrapper.findAll('[data-testid="case-item"]')).toHaveLength(0)
  })

  it('lists slices best first, each with its reason, and goes to them', async () => {
    client.tell('queue.changed', ranked)
    const wrapper = await opened()
    expect(rows(wrapper).map((row) => row.text())).toEqual([
      `CT abdomen B${text.slice(7)}Unsure`,
      `CT abdomen A${text.slice(3)}Unfamiliar`,
      `CT abdomen B${text.slice(9)}Unsure`,
    ])
    const meters = wrapper.findAll('.meter span').map((one) => (one.element as HTMLElement).style.width)
    expect(meters).toEqual(['100%', '50%', '25%'])
    expect(rows(wrapper)[1]?.attributes('data-tip')).toContain('changed look otherwise by 0.20')
    await rows(wrapper)[1]?.trigger('click')
    await flushPromises()
    const view = useViewStore()
    expect([view.caseId, view.index]).toEqual(['case-1', 2])
    expect(rows(wrapper).map((row) => row.attributes('aria-current'))).toEqual([undefined, 'true', undefined])
  })

  it('counts no slices of an image that is one', async () => {
    useProjectStore().cases = [aCase({ id: 'case-2', kind: 'image', name: 'Nuclei 1', dims: [8, 6, 1] })]
    client.tell('queue.changed', { ...ranked, slices: [aQueuedSlice({ caseId: 'case-2', index: 0 })] })
    expect(rows(await opened()).map((row) => row.text())).toEqual(['Nuclei 1Unsure'])
  })

  it('lists cases, and goes to the best slice of one', async () => {
    client.tell('queue.changed', ranked)
    const wrapper = await opened()
    await wrapper.findAll('[data-testid="queue-by"] input')[1]?.trigger('change')
    expect(rows(wrapper).map((row) => row.text())).toEqual([
      `CT abdomen B${text.waiting(2)}`,
      `CT abdomen A${text.waiting(1)}`,
    ])
    await rows(wrapper)[0]?.trigger('click')
    await flushPromises()
    expect([useViewStore().caseId, useViewStore().index]).toEqual(['case-2', 6])
  })

  it('says quietly why ranking by itself ended', async () => {
    const wrapper = await opened()
    expect(by(wrapper, 'queue-problem').exists()).toBe(false)
    useQueueStore().problem = 'The compute process ended.'
    await nextTick()
    expect(by(wrapper, 'queue-problem').text()).toBe(text.stopped('The compute process ended.'))
    // The next one begins by itself, and may go well.
    useJobsStore().replaceAll([aJob({ kind: 'rank', caseId: null })])
    await nextTick()
    expect(by(wrapper, 'queue-problem').exists()).toBe(false)
  })

  it('is ranked at a press, and says while it is', async () => {
    const wrapper = await opened()
    expect(by(wrapper, 'queue-empty').text()).toContain(text.unrankedTitle)
    await by(wrapper, 'rank-now').trigger('click')
    await flushPromises()
    expect(client.asked('queue.rank')).toHaveLength(1)
    expect(by(wrapper, 'rank-now').text()).toBe(text.ranking)
    expect(by(wrapper, 'rank-now').attributes('data-tip')).toBe(reviewText.reasons.ranking)
    useJobsStore().replaceAll([])
    client.tell('queue.changed', ranked)
    await nextTick()
    expect(by(wrapper, 'rank-now').text()).toBe(text.rank)
    expect(by(wrapper, 'queue-ranked').text()).toBe(text.rankedBy(1))
  })

  it('says what is missing, what is done, and that another model is in use by now', async () => {
    const project = useProjectStore()
    client.tell('queue.changed', { ...ranked, slices: [], cases: [] })
    const wrapper = await opened()
    expect(by(wrapper, 'queue-empty').text()).toContain(text.doneTitle)
    const tip = () => by(wrapper, 'queue-ranked').get('[data-tip]').attributes('data-tip')
    expect(tip()).not.toContain(text.outdated)
    project.models = [aModel({ active: false }), aModel({ id: 'model-2', version: 2 })]
    await nextTick()
    expect(tip()).toContain(text.outdated)
    project.models = []
    await nextTick()
    expect(by(wrapper, 'queue-empty').text()).toContain(text.noModelTitle)
    expect(by(wrapper, 'rank-now').attributes('aria-disabled')).toBe('true')
  })
})
