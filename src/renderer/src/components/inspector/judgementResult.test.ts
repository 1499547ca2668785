import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Verdict } from '../../../../core/contract/index.ts'
import { fallen } from '../../../../core/learning/reasons.ts'
import { t } from '../../i18n/frame.ts'
import { useJobsStore } from '../../stores/jobs.ts'
import { useProjectStore } from '../../stores/project.ts'
import { aJob, aModel, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { aJudgement } from '../../testing/learning.ts'
import { withProject } from '../../testing/setUp.ts'
import JudgementHead from '../models/JudgementHead.vue'
import JudgementResult from './JudgementResult.vue'
import TrainingResult from './TrainingResult.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia
const model = aModel({
  id: 'model-2',
  judged: { verdict: 'promoted', reason: 'Better.', diceBefore: 0.7, diceAfter: 0.8 },
})
const done = aJob({ id: 'job-2', kind: 'train', state: 'done', modelId: 'model-2' })

beforeEach(async () => {
  client = projectClient(aProject(), {
    'models.judgement': ({ modelId }) => ({
      judgement: aJudgement({ modelId, verdict: 'promoted', reason: 'Better.' }),
    }),
    'train.start': () => aJob({ id: 'job-2', kind: 'train' }),
  })
  pinia = await withProject(client)
  useJobsStore().follow(() => undefined)
})

/** How often the result asks to be seen, also while other things change. */
async function reveals(): Promise<number> {
  const before = Object.getOwnPropertyDescriptor(Element.prototype, 'scrollIntoView')
  const scroll = vi.fn()
  Object.defineProperty(Element.prototype, 'scrollIntoView', { configurable: true, value: scroll })
  const options = { props: { model }, global: { plugins: [pinia] }, attachTo: document.body }
  const result = mount(JudgementResult, options)
  await flushPromises()
  // The list of versions comes anew with every change of it, and what was judged is told again.
  for (let turn = 0; turn < 3; turn++) {
    await result.setProps({ model: { ...model } })
    await flushPromises()
  }
  if (before === undefined) Reflect.deleteProperty(Element.prototype, 'scrollIntoView')
  else Object.defineProperty(Element.prototype, 'scrollIntoView', before)
  return scroll.mock.calls.length
}

describe('the result of a training', () => {
  it('is brought into view where the training was asked for in this window', async () => {
    await useJobsStore().train(30, null)
    client.tell('job.changed', { job: done })
    // Once as it comes, once with its table.
    expect(await reveals()).toBe(2)
  })

  it('moves nothing where another window asked for it, or nobody did since the page was loaded', async () => {
    expect(await reveals()).toBe(0)
    client.tell('job.changed', { job: { ...done, state: 'running', modelId: null } })
    client.tell('job.changed', { job: done })
    expect(useJobsStore().lastTraining?.modelId).toBe('model-2')
    expect(await reveals()).toBe(0)
  })
})

describe('a training that was cancelled', () => {
  it('says so above what Live kept aside before', async () => {
    const measured = { lossBefore: 1, lossAfter: 0.5, diceBefore: 0.1, diceAfter: 0.8, curve: [] }
    const training = { slices: 3, steps: 1, seconds: 1, backend: 'wasm', ...measured }
    const live = aModel({ ...model, version: 2, parentId: 'model-1', mode: 'live', active: false, training })
    useProjectStore().models = [aModel(), { ...live, judged: { ...live.judged!, verdict: 'aside' } }]
    client.tell('job.changed', { job: { ...done, state: 'running', modelId: null } })
    client.tell('job.changed', { job: { ...done, state: 'cancelled', modelId: null } })
    const result = mount(TrainingResult, { global: { plugins: [pinia] } })
    await flushPromises()
    expect(result.text()).toContain(t.model.cancelled)
    expect(result.find('[data-testid="judgement-result"]').attributes('data-version')).toBe('2')
  })
})

describe('the head of a judgement', () => {
  const head = (change: Parameters<typeof aJudgement>[0]) =>
    mount(JudgementHead, { props: { judgement: aJudgement(change) }, global: { plugins: [pinia] } }).text()

  it('names the version that it was held against only where both were scored', () => {
    expect(head({})).toContain('Held against version 1')
    const reason = 'Used without proof: no cases are set aside.'
    const unproven = head({ verdict: 'unproven', reason, cases: [], mean: [] })
    expect(unproven).not.toContain('Held against')
    // The verdict stands above the sentence and is not said twice.
    expect(unproven).toContain('No cases are set aside.')
    expect(unproven.match(/proof|proven/g)).toHaveLength(1)
  })

  it('says that a version is used without proof only where it is used', () => {
    const said = (active: boolean): string => {
      useProjectStore().models = [aModel({ id: 'model-2', active })]
      return head({ verdict: 'unproven', reason: 'The hold-out has only 2 slices to compare.' })
    }
    expect(said(true)).toMatch(/^Used without proof/)
    expect(said(false)).toMatch(/^Not proven/)
  })

  it('is true of a version that was kept aside, used all the same, and rolled back', () => {
    const said = (verdict: Verdict, active: boolean): string => {
      useProjectStore().models = [aModel({ id: 'model-2', active })]
      return head({ verdict, reason: fallen('Liver', { before: 0.8, after: 0.7, of: 'case' }) })
    }
    const texts = [said('aside', false), said('overridden', true), said('overridden', false)]
    const found = 'Dice of Liver on the hold-out fell from 0.800 to 0.700, more than its noise.'
    expect(texts.map((one) => one.includes(found))).toEqual([true, true, true])
    expect(texts.map((one) => /kept aside/i.test(one))).toEqual([true, false, false])
    expect(texts.slice(1).map((one) => /^(Used|Was used) by your decision/.exec(one)?.[1])).toEqual([
      'Used',
      'Was used',
    ])
  })

  it('is so too where the sentence is from before, when it said what became of the version', () => {
    const before = 'Dice of Liver on the hold-out fell from 0.800 to 0.700, more than its noise, so it is kept aside.'
    const said = head({ verdict: 'overridden', reason: before })
    expect(said).toContain('fell from 0.800 to 0.700, more than its noise.')
    expect(said).not.toMatch(/kept aside/i)
  })
})
