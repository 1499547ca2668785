import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Component } from 'vue'
import { CodedError } from '../../../../core/contract/index.ts'
import { useHoldoutStore } from '../../stores/holdout.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useVersionsStore } from '../../stores/versions.ts'
import { aCase, aModel, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { aHoldout, aJudgement, aModelDetail, aTimelinePoint } from '../../testing/learning.ts'
import { withProject } from '../../testing/setUp.ts'
import ConfirmDialog from '../dialogs/ConfirmDialog.vue'
import JudgementResult from '../inspector/JudgementResult.vue'
import ModelsPage from './ModelsPage.vue'
import OverrideSheet from './OverrideSheet.vue'

enableAutoUnmount(afterEach)

const aside = {
  verdict: 'aside' as const,
  reason: 'Not better by more than its noise.',
  diceBefore: 0.8,
  diceAfter: 0.79,
}
const first = aModel({ active: false, tags: ['start'] })
const second = aModel({ id: 'model-2', version: 2, parentId: 'model-1', mode: 'retrain' })
const third = aModel({ id: 'model-3', version: 3, parentId: 'model-2', active: false, mode: 'live', judged: aside })
const asideJudgement = aJudgement({ modelId: 'model-3', againstId: 'model-2', verdict: 'aside', reason: aside.reason })
let client: FakeClient
let pinia: Pinia

beforeEach(async () => {
  client = projectClient(aProject({ models: [first, second, third] }), {
    'holdout.get': () => aHoldout(),
    'models.detail': ({ modelId }) =>
      aModelDetail({
        summary: useProjectStore().models.find((one) => one.id === modelId) ?? first,
        judgements: modelId === 'model-3' ? [asideJudgement] : [],
        data: [
          {
            caseId: 'case-1',
            name: 'CT abdomen A',
            removed: false,
            imageHash: 'abcdef0123456789',
            revision: 12,
            slices: 3,
            changedSince: 1,
          },
        ],
        settings: { optimizer: { rate: 0.002 }, steps: 120 },
      }),
    'models.judgement': () => ({ judgement: asideJudgement }),
    'models.timeline': () => ({ points: [] }),
  })
  pinia = await withProject(client)
})

async function show(component: Component, props: Record<string, unknown> = {}): Promise<VueWrapper> {
  const wrapper = mount<unknown>(component, { props, global: { plugins: [pinia] }, attachTo: document.body })
  await flushPromises()
  return wrapper
}

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)
const all = (wrapper: VueWrapper, id: string) => wrapper.findAll(`[data-testid="${id}"]`)

describe('the list of versions', () => {
  it('shows the newest first, the one in use in full, and follows the arrow keys', async () => {
    const page = await show(ModelsPage)
    const rows = all(page, 'version-row')
    expect(rows.map((row) => row.attributes('data-version'))).toEqual(['3', '2', '1'])
    expect(by(page, 'version-detail').attributes('data-version')).toBe('2')
    expect(by(page, 'version-data').text()).toContain('1 slice corrected again since')
    expect(page.text()).toContain('optimizer.rate')
    await rows[1]?.trigger('keydown', { key: 'ArrowUp' })
    await flushPromises()
    expect(by(page, 'version-detail').attributes('data-version')).toBe('3')
    expect(by(page, 'judgement').text()).toContain('Not better by more than its noise.')
  })

  it('shows the table of a judgement: all labels first, what changed and by how much', async () => {
    const page = await show(ModelsPage)
    await all(page, 'version-row')[0]?.trigger('click')
    await flushPromises()
    const rows = by(page, 'judgement-table').findAll('tbody tr')
    expect(rows.map((row) => row.findAll('th, td').map((cell) => cell.text()))).toEqual([
      ['All labels', '0.750', '0.800', '+0.050'],
      ['Liver', '0.800', '0.840', '+0.040'],
      ['Spleen', '0.700', '0.660', '−0.040'],
    ])
    const cases = by(page, 'judgement-cases').findAll('tbody tr')
    expect(cases.map((row) => row.text())).toEqual(['CT abdomen A80.8000.840+0.040', 'CT abdomen B40.7000.760+0.060'])
    // One label: a case without it has no number.
    await page.find('.cases select').setValue('2')
    expect(by(page, 'judgement-cases').findAll('tbody tr')[1]?.text()).toBe('CT abdomen B4–––')
    expect(page.text()).toContain('Mean change +0.050 ± 0.010 over 12 slices, p = 0.0005, within the level of 0.01')
  })

  it('tells of cases without a number, and why', async () => {
    client.answers['holdout.get'] = () =>
      aHoldout({ cases: ['case-1', 'case-3', 'case-4'].map((caseId, at) => ({ caseId, slices: at % 2, drawn: 0 })) })
    const project = useProjectStore()
    project.cases = ['1', '3', '4'].map((one) => aCase({ id: `case-${one}`, name: `Case ${one}` }))
    const page = await show(ModelsPage)
    await all(page, 'version-row')[0]?.trigger('click')
    await flushPromises()
    const rows = by(page, 'judgement-cases').findAll('tbody tr')
    expect(rows.map((row) => row.findAll('th, td').map((cell) => cell.text()))).toEqual([
      ['CT abdomen A', '8', '0.800', '0.840', '+0.040'],
      ['CT abdomen B not on the worklist', '4', '0.700', '0.760', '+0.060'],
      ['Case 3 not scored', '–', '–', '–', '–'],
      ['Case 4 nothing corrected or approved yet', '–', '–', '–', '–'],
    ])
    const tips = rows.map((row) => row.find('th').attributes('data-tip'))
    expect([tips[0], tips[2]]).toEqual(['CT abdomen A', 'Case 3 · not scored'])
  })

  it('says of an imported one what is not known here', async () => {
    useProjectStore().models = [first, { ...second, mode: 'imported', parentId: null }]
    const page = await show(ModelsPage)
    expect(by(page, 'version-imported').text()).toContain('as its file says')
    expect(page.text()).toContain('Not judged in this project.')
    expect(by(page, 'version-facts').text()).toContain('not known here')
    expect(useProjectStore().trainedHere({ ...second, mode: 'imported', training: null })).toBe(false)
  })

  it('keeps name, notes and tags', async () => {
    client.answers['models.describe'] = ({ modelId, ...change }) => ({ ...second, id: modelId, ...change }) as never
    const page = await show(ModelsPage)
    await by(page, 'version-name').setValue('After the lesions')
    await by(page, 'version-notes').setValue('Good on lesions.')
    await by(page, 'version-add-tag').setValue(' lesions ')
    await by(page, 'version-add-tag').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(client.asked('models.describe')).toEqual([
      { modelId: 'model-2', name: 'After the lesions' },
      { modelId: 'model-2', notes: 'Good on lesions.' },
      { modelId: 'model-2', tags: ['lesions'] },
    ])
    expect(all(page, 'version-tag').map((tag) => tag.text())).toEqual(['lesions'])
    await by(page, 'version-name').setValue('   ')
    expect((by(page, 'version-name').element as HTMLInputElement).value).toBe('Demo')
  })

  it('leaves what is being typed alone when other things change, and keeps it when the field is left', async () => {
    client.answers['models.describe'] = ({ modelId, ...change }) => ({ ...second, id: modelId, ...change }) as never
    useProjectStore().follow()
    const page = await show(ModelsPage)
    const elsewhere = { ...second, name: 'Renamed elsewhere', notes: 'Noted elsewhere.', tags: ['elsewhere'] }
    const field = (id: string) => by(page, id).element as HTMLInputElement
    for (const [id, typed] of [
      ['version-name', 'Afte'],
      ['version-notes', 'Good o'],
      ['version-add-tag', 'les'],
    ] as const) {
      field(id).focus()
      field(id).value = typed
      await by(page, id).trigger('input')
      client.tell('models.changed', { models: [first, elsewhere, third] })
      await flushPromises()
      expect(field(id).value).toBe(typed)
      // Another version comes into use: it does not take the place of the one that is written about.
      client.tell('models.changed', {
        models: [first, { ...second, active: false }, { ...third, active: true }],
      })
      await flushPromises()
      expect(by(page, 'version-detail').attributes('data-version')).toBe('2')
      expect(field(id).value).toBe(typed)
      field(id).blur()
      await flushPromises()
    }
    expect(client.asked('models.describe')).toEqual([
      { modelId: 'model-2', name: 'Afte' },
      { modelId: 'model-2', notes: 'Good o' },
      { modelId: 'model-2', tags: ['les'] },
    ])
    // Not being typed in, a field shows what is said elsewhere.
    client.tell('models.changed', { models: [first, elsewhere, third] })
    await flushPromises()
    expect([field('version-name').value, field('version-notes').value]).toEqual([
      'Renamed elsewhere',
      'Noted elsewhere.',
    ])
  })

  it('keeps what was typed when the page is left or the version cannot be read for a while', async () => {
    client.answers['models.describe'] = ({ modelId, ...change }) => ({ ...second, id: modelId, ...change }) as never
    useProjectStore().follow()
    const page = await show(ModelsPage)
    const notes = by(page, 'version-notes').element as HTMLTextAreaElement
    notes.focus()
    notes.value = 'Half a sen'
    await by(page, 'version-notes').trigger('input')
    client.answers['models.detail'] = () => {
      throw new CodedError('connection-lost', 'The backend is gone.')
    }
    client.tell('models.changed', { models: [first, { ...second }, third] })
    await flushPromises()
    expect(page.text()).toContain('The backend is gone.')
    expect((by(page, 'version-notes').element as HTMLTextAreaElement).value).toBe('Half a sen')
    page.unmount()
    await flushPromises()
    expect(client.asked('models.describe')).toEqual([{ modelId: 'model-2', notes: 'Half a sen' }])
  })

  it('gives weights up only after asking, and never those in use', async () => {
    client.answers['models.prune'] = ({ modelIds }) => ({
      freedBytes: 2_000_000,
      models: [first, second, { ...third, pruned: modelIds.includes('model-3'), bytes: 0 }],
    })
    const page = await show(ModelsPage)
    const dialog = await show(ConfirmDialog)
    await by(page, 'prune-begin').trigger('click')
    // The tagged one, to which one click goes back, is not chosen by itself.
    const boxes = all(page, 'prune-pick').map((box) => box.element as HTMLInputElement)
    expect(boxes.map(({ checked, disabled }) => [checked, disabled])).toEqual([
      [true, false],
      [false, true],
      [false, false],
    ])
    await by(page, 'prune').trigger('click')
    await flushPromises()
    expect(dialog.text()).toContain('Version 3: 2.0 MB')
    expect(client.asked('models.prune')).toEqual([])
    await by(dialog, 'confirm-yes').trigger('click')
    await flushPromises()
    expect(client.asked('models.prune')).toEqual([{ modelIds: ['model-3'] }])
    expect(page.text()).toContain('2.0 MB freed')
    expect(all(page, 'version-row')[0]?.text()).toContain('no weights')
  })

  it('says where an exported version lies', async () => {
    client.answers['models.export'] = () => ({ path: '/p/exports/demo-2.maskwright-model', bytes: 2_100_000 })
    const page = await show(ModelsPage)
    await by(page, 'version-export').trigger('click')
    await flushPromises()
    expect(client.asked('models.export')).toEqual([{ modelId: 'model-2', fileId: null }])
    expect(by(page, 'models-saved').attributes('data-path')).toBe('/p/exports/demo-2.maskwright-model')
  })
})

describe('a version that was kept aside', () => {
  it('says why in the Model section, with the table', async () => {
    const result = await show(JudgementResult, { model: third })
    expect(by(result, 'judgement').attributes('data-verdict')).toBe('aside')
    expect(by(result, 'judgement-table').findAll('tbody tr')).toHaveLength(3)
    await by(result, 'judgement-details').trigger('click')
    expect(useUiStore().page).toBe('models')
    expect(useVersionsStore().chosen?.id).toBe('model-3')
  })

  it('is used with a reason, and with none not at all', async () => {
    client.answers['models.activate'] = ({ modelId, reason }) => {
      if (reason === undefined) throw new CodedError('conflict', 'Say why.')
      return { ...third, id: modelId, active: true }
    }
    const result = await show(JudgementResult, { model: third })
    await by(result, 'override').trigger('click')
    await flushPromises()
    expect(useUiStore().panel).toBe('override')
    const sheet = await show(OverrideSheet)
    expect((by(sheet, 'override-use').element as HTMLButtonElement).disabled).toBe(true)
    expect((by(sheet, 'override-reason').element as HTMLTextAreaElement).autofocus).toBe(true)
    await by(sheet, 'override-reason').setValue('  It finds the lesions. ')
    await by(sheet, 'override-use').trigger('click')
    await flushPromises()
    expect(client.asked('models.activate').slice(1)).toEqual([{ modelId: 'model-3', reason: 'It finds the lesions.' }])
    expect(useUiStore().panel).toBeNull()
    expect(useProjectStore().activeModel?.id).toBe('model-3')
  })

  it('is used at once where no reason is asked for', async () => {
    client.answers['models.activate'] = ({ modelId }) => ({ ...third, id: modelId, active: true })
    const result = await show(JudgementResult, { model: third })
    await by(result, 'override').trigger('click')
    await flushPromises()
    expect(useUiStore().panel).toBeNull()
    expect(useProjectStore().activeModel?.id).toBe('model-3')
  })

  it('does not lose a typed reason to a click beside', async () => {
    const outside = () => document.body.dispatchEvent(new Event('pointerdown', { bubbles: true }))
    useUiStore().open('override')
    useVersionsStore().overriding = 'model-3'
    const sheet = await show(OverrideSheet)
    await by(sheet, 'override-reason').setValue('Why not')
    outside()
    expect(useUiStore().panel).toBe('override')
    sheet.unmount()
    const again = await show(OverrideSheet)
    expect((by(again, 'override-reason').element as HTMLTextAreaElement).value).toBe('Why not')
    await by(again, 'override-reason').setValue('')
    outside()
    expect(useUiStore().panel).toBeNull()
  })

  it('takes a reason for the version it was typed for, also where another is chosen meanwhile', async () => {
    const versions = useVersionsStore()
    versions.overriding = 'model-3'
    const sheet = await show(OverrideSheet)
    const typed = () => (by(sheet, 'override-reason').element as HTMLTextAreaElement).value
    await by(sheet, 'override-reason').setValue('Why not')
    versions.overriding = 'model-1'
    await flushPromises()
    expect(typed()).toBe('')
    expect(by(sheet, 'override-use').attributes('disabled')).toBeDefined()
    await by(sheet, 'override-reason').setValue('The oldest')
    versions.overriding = 'model-3'
    await flushPromises()
    expect(typed()).toBe('Why not')
  })

  it('keeps what was typed where it is refused', async () => {
    client.answers['models.activate'] = () => {
      throw new CodedError('bad-file', 'The weights are damaged.')
    }
    useVersionsStore().overriding = 'model-3'
    const sheet = await show(OverrideSheet)
    await by(sheet, 'override-reason').setValue('Why not')
    await by(sheet, 'override-use').trigger('click')
    await flushPromises()
    expect(sheet.text()).toContain('The weights are damaged.')
    expect((by(sheet, 'override-reason').element as HTMLTextAreaElement).value).toBe('Why not')
  })
})

it('reads afresh what failed for want of a connection, as soon as there is one', async () => {
  const detail = client.answers['models.detail']
  if (detail === undefined) throw new Error('The fake client knows versions.')
  client.answers['models.detail'] = () => {
    throw new CodedError('connection-lost', 'The backend is gone.')
  }
  const page = await show(ModelsPage)
  expect(page.text()).toContain('The backend is gone.')
  client.setState('connecting')
  await flushPromises()
  client.answers['models.detail'] = detail
  client.answers['holdout.get'] = () => aHoldout({ cases: [{ caseId: 'case-1', slices: 9, drawn: 0 }] })
  client.setState('open')
  await flushPromises()
  expect(by(page, 'version-detail').attributes('data-version')).toBe('2')
  expect(useHoldoutStore().slices).toBe(9)
})

describe('the curves', () => {
  it('have a dot for each version that has the number, and lead to the version', async () => {
    client.answers['models.timeline'] = () => ({
      points: [
        aTimelinePoint({ holdoutDice: 0.7, holdoutId: 'h', loss: 0.5 }),
        aTimelinePoint({ modelId: 'model-2', version: 2, correctedSlices: 10, holdoutDice: 0.8, holdoutId: 'h' }),
      ],
    })
    useVersionsStore().tab = 'curves'
    const page = await show(ModelsPage)
    const [dice, loss] = all(page, 'version-chart')
    expect([dice?.attributes('data-dots'), loss?.attributes('data-dots')]).toEqual(['2', '1'])
    expect(dice?.text()).toContain('Version 2, 10 corrected slices')
    expect(dice?.findAll('line.link')).toHaveLength(1)
    await dice?.find('div').trigger('click')
    expect(useVersionsStore().tab).toBe('versions')
    expect(useVersionsStore().chosen?.id).toBe('model-2')
  })

  it('tell of the version in use, also after a newer one was rolled back', async () => {
    client.answers['models.timeline'] = () => ({
      points: [
        aTimelinePoint({ modelId: 'model-2', version: 2, holdoutDice: 0.7, holdoutId: 'h', used: true }),
        aTimelinePoint({ modelId: 'model-3', version: 3, holdoutDice: 0.8, holdoutId: 'h', used: true }),
      ],
    })
    useVersionsStore().tab = 'curves'
    const page = await show(ModelsPage)
    const dice = all(page, 'version-chart')[0]
    expect(dice?.find('figcaption').text()).toMatch(/Hold-out 0\.700.*Version 2, /)
    expect(dice?.findAll('circle').map((dot) => dot.attributes('r'))).toEqual(['4.5', '3.5'])
  })
})
