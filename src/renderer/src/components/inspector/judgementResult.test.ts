import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Verdict } from '../../../../core/contract/index.ts'
import { fallen } from '../../../../core/learning/reasons.ts'
import { t } from '../../i18n/frame.ts'
import { useJobsStore } from '../../stores/jobs.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useVersionsStore } from '../../stores/versions.ts'
import { aJob, aModel, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { aHoldout, aJudgement } from '../../testing/learning.ts'
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

describe('a version without proof', () => {
  const reason = 'Used without proof: no cases are set aside to compare versions on.'
  const judged = { verdict: 'unproven' as const, reason, diceBefore: null, diceAfter: null }
  const judgement = aJudgement({ verdict: 'unproven', reason, holdoutId: null, cases: [], mean: [], test: null })

  /** `slices`: to score on; null: there is no hold-out. */
  async function shown(slices: number | null, active: boolean, read = judgement): Promise<VueWrapper> {
    const none = { id: null, frozenAt: null, chosenBy: null, cases: [] }
    client.answers['holdout.get'] = () =>
      aHoldout(slices === null ? none : { cases: [{ caseId: 'case-2', slices, drawn: slices }] })
    client.answers['models.judgement'] = () => ({ judgement: read })
    client.answers['models.judge'] = () => aJob({ id: 'job-3', kind: 'judge' })
    const unproven = { ...model, active, version: 2, parentId: 'model-1', judged }
    useProjectStore().models = [aModel({ active: !active }), unproven]
    const result = mount(JudgementResult, { props: { model: unproven }, global: { plugins: [pinia] } })
    await flushPromises()
    return result
  }
  const has = (result: VueWrapper) =>
    ['holdout-lacks', 'choose-holdout', 'compare-now'].map((id) => {
      const one = result.find(`[data-testid="${id}"]`)
      return one.exists() ? one.text() : null
    })

  it('leads to the choice of a hold-out where there is none', async () => {
    const result = await shown(null, true)
    expect(has(result)).toEqual([null, 'Choose a hold-out…', null])
    expect(result.text()).toContain('No cases are set aside to compare versions on.')
  })

  it('names the labels of which it saw next to nothing', async () => {
    const result = await shown(null, true)
    const named = async (unseen: number[], verdict: Verdict = 'unproven') => {
      const measured = { lossBefore: 1, lossAfter: 0.5, diceBefore: 0.1, diceAfter: 0.8, curve: [] }
      const training = { slices: 3, steps: 1, seconds: 1, backend: 'wasm', ...measured, unseen }
      await result.setProps({ model: { ...model, judged: { ...judged, verdict }, training } })
      const one = result.find('[data-testid="unseen-labels"]')
      return one.exists() ? one.text() : null
    }
    useProjectStore().labels = ['Liver', 'Spleen', 'Kidney', 'Aorta', 'Lung', 'Rib'].map((name, index) => ({
      ...{ value: index + 1, name, color: '#ff0000', visible: true, locked: false },
    }))
    expect(await named([1])).toContain('next to nothing of Liver: see whether it still finds that.')
    expect(await named([1, 2, 3])).toContain('of Liver, Spleen or Kidney: see whether it still finds those.')
    expect(await named([1, 2, 3, 4, 5, 6])).toContain('of Liver, Spleen, Kidney, Aorta or 2 more: see')
    // One that the project has no longer is nobody's to look for.
    expect(await named([9])).toBeNull()
    expect(await named([])).toBeNull()
    expect(await named([1], 'promoted')).toBeNull()
  })

  it('asks for annotation where nothing in the hold-out can be compared on', async () => {
    const result = await shown(0, true)
    const lacks = 'Annotate or approve slices of the cases that are set aside: versions are compared on those.'
    expect(has(result)).toEqual([lacks, 'Open the hold-out…', null])
    expect(result.text()).toContain('No cases were set aside then to compare versions on.')
    await result.find('[data-testid="choose-holdout"]').trigger('click')
    expect([useUiStore().page, useVersionsStore().tab]).toEqual(['models', 'holdout'])
  })

  it('asks for more where it was compared on all there is and that was too little', async () => {
    const few = aJudgement({ verdict: 'unproven', reason })
    const [lacks] = has(await shown(12, true, few))
    expect(lacks).toContain('approve more slices')
    expect(has(await shown(13, true, few))).toEqual([null, null, 'Compare version 1 with it'])
  })

  it('is compared now where a hold-out was chosen since', async () => {
    const result = await shown(4, false)
    expect(has(result)).toEqual([null, null, 'Compare it now'])
    await result.find('[data-testid="compare-now"]').trigger('click')
    await flushPromises()
    expect(client.asked('models.judge')).toEqual([{ modelId: 'model-2' }])
  })

  it('has the version from before compared with it while it is in use', async () => {
    const result = await shown(4, true)
    expect(has(result)).toEqual([null, null, 'Compare version 1 with it'])
    await result.find('[data-testid="compare-now"]').trigger('click')
    await flushPromises()
    expect(client.asked('models.judge')).toEqual([{ modelId: 'model-1' }])
    expect([useUiStore().page, useVersionsStore().chosen?.id]).toEqual(['models', 'model-1'])
  })
})

describe('the head of a judgement', () => {
  const mounted = (change: Parameters<typeof aJudgement>[0], brief = false) =>
    mount(JudgementHead, { props: { judgement: aJudgement(change), brief }, global: { plugins: [pinia] } })
  const head = (change: Parameters<typeof aJudgement>[0]) => mounted(change).text()

  it('has all of a long reason of the user in the tip where there is little room', () => {
    const override = { reason: 'It finds the lesions. '.repeat(20).trim(), at: '2026-01-02T04:00:00Z' }
    const said = (brief: boolean) =>
      mounted({ verdict: 'overridden', override }, brief).find('[data-testid="judgement-override"]')
    expect([said(true), said(false)].map((one) => one.classes('brief'))).toEqual([true, false])
    expect(said(true).attributes('data-tip')).toContain(override.reason)
    expect(said(false).attributes('data-tip')).toBeUndefined()
    expect(said(false).text()).toContain(override.reason)
  })

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
