import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick, type Component } from 'vue'
import { CodedError } from '../../../../core/contract/index.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useVersionsStore } from '../../stores/versions.ts'
import { aCase, aModel, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { aHoldout, aModelDetail } from '../../testing/learning.ts'
import { withProject } from '../../testing/setUp.ts'
import ConfirmDialog from '../dialogs/ConfirmDialog.vue'
import ModelsPage from './ModelsPage.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia

async function show(component: Component): Promise<VueWrapper> {
  const wrapper = mount<unknown>(component, { global: { plugins: [pinia] }, attachTo: document.body })
  await flushPromises()
  return wrapper
}

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)
const all = (wrapper: VueWrapper, id: string) => wrapper.findAll(`[data-testid="${id}"]`)

describe('the hold-out', () => {
  beforeEach(async () => {
    const taught = { caseId: 'case-1', name: 'Case 1', removed: false, imageHash: 'abc', revision: 1 }
    client = projectClient(aProject({ models: [aModel()] }), {
      'holdout.get': () => aHoldout(),
      'models.detail': () => aModelDetail({ data: [{ ...taught, slices: 3, changedSince: 0 }] }),
    })
    pinia = await withProject(client)
    useVersionsStore().tab = 'holdout'
    useProjectStore().cases = ['1', '2', '3'].map((one) => aCase({ id: `case-${one}`, name: `Case ${one}` }))
    client.answers['holdout.set'] = ({ caseIds, chosenBy }) =>
      aHoldout({ chosenBy, cases: caseIds.map((caseId) => ({ caseId, slices: 0, drawn: 0 })) })
  })

  async function confirmed(page: VueWrapper, dialog: VueWrapper, button: string): Promise<void> {
    await by(page, button).trigger('click')
    await flushPromises()
    await by(dialog, 'confirm-yes').trigger('click')
    await flushPromises()
  }

  it('asks nothing where there was none, and says what can be proven with few cases', async () => {
    client.answers['holdout.get'] = () => aHoldout({ id: null, frozenAt: null, chosenBy: null, cases: [] })
    client.answers['holdout.set'] = ({ caseIds }) =>
      aHoldout({ cases: caseIds.map((caseId) => ({ caseId, slices: 1, drawn: 1 })) })
    useProjectStore().cases = ['1', '2', '3', '4', '5', '6'].map((one) => aCase({ id: `case-${one}`, name: one }))
    const page = await show(ModelsPage)
    expect(by(page, 'holdout-few').exists()).toBe(false)
    for (const at of [1, 2, 3, 4]) await all(page, 'holdout-case')[at]?.trigger('click')
    expect(by(page, 'holdout-few').text()).toContain('fewer than five cases')
    await all(page, 'holdout-case')[5]?.trigger('click')
    expect(by(page, 'holdout-few').exists()).toBe(false)
    // Taken off the worklist meanwhile, in another window.
    useProjectStore().cases = useProjectStore().cases.filter(({ id }) => id !== 'case-6')
    await nextTick()
    expect(by(page, 'holdout-few').exists()).toBe(true)
    await by(page, 'holdout-freeze').trigger('click')
    await flushPromises()
    expect(client.asked('holdout.set')).toEqual([
      { caseIds: ['case-2', 'case-3', 'case-4', 'case-5'], chosenBy: 'user' },
    ])
  })

  it('says that there are no cases yet instead of a table without rows', async () => {
    useProjectStore().cases = []
    client.answers['holdout.get'] = () => aHoldout({ id: null, frozenAt: null, chosenBy: null, cases: [] })
    const page = await show(ModelsPage)
    expect(by(page, 'holdout-empty').text()).toMatch(/^There are no cases yet\./)
    expect(by(page, 'holdout').find('table').exists()).toBe(false)
    expect(by(page, 'holdout-suggest').attributes('disabled')).toBeDefined()
    useProjectStore().cases = [aCase()]
    await nextTick()
    expect(by(page, 'holdout-empty').exists()).toBe(false)
    expect(all(page, 'holdout-case')).toHaveLength(1)
  })

  it('names what is set aside and off the worklist, and says where nobody drew on what is scored', async () => {
    client.answers['holdout.get'] = () =>
      aHoldout({ off: ['CT abdomen B'], cases: [{ caseId: 'case-2', slices: 4, drawn: 0 }] })
    // Of a picture a part was approved: that counts as corrected, and nobody drew.
    useProjectStore().cases = useProjectStore().cases.map((one) => ({ ...one, correctedSlices: 1 }))
    useProjectStore().follow()
    const page = await show(ModelsPage)
    expect(by(page, 'holdout-off').text()).toContain('off the worklist: CT abdomen B. Nothing is scored on it')
    expect(by(page, 'holdout-as-predicted').exists()).toBe(true)
    // Somebody draws, in this window or another one: the worklist is told of it, several times in a row.
    client.answers['holdout.get'] = () => aHoldout({ cases: [{ caseId: 'case-2', slices: 4, drawn: 1 }] })
    const asked = client.asked('holdout.get').length
    const { cases } = useProjectStore()
    for (let stroke = 0; stroke < 3; stroke++) {
      client.tell('project.changed', { cases: [...cases] })
      await nextTick()
    }
    await vi.waitFor(() => expect(by(page, 'holdout-as-predicted').exists()).toBe(false))
    expect(client.asked('holdout.get')).toHaveLength(asked + 1)
  })

  it('cannot hold what the model in use learned from', async () => {
    const page = await show(ModelsPage)
    const [taught] = all(page, 'holdout-case')
    expect(taught?.text()).toContain('The model in use learned from it')
    await taught?.trigger('click')
    expect((by(page, 'holdout-freeze').element as HTMLButtonElement).disabled).toBe(true)
  })

  it('is frozen when it is said so, by whom it was chosen', async () => {
    client.answers['holdout.suggest'] = () => ({ caseIds: ['case-2', 'case-3'] })
    const page = await show(ModelsPage)
    await by(page, 'holdout-suggest').trigger('click')
    await flushPromises()
    expect(client.asked('holdout.set')).toEqual([])
    // There is one already: it is left only after asking.
    const dialog = await show(ConfirmDialog)
    await by(page, 'holdout-freeze').trigger('click')
    await flushPromises()
    expect(dialog.text()).toContain('Change the hold-out?')
    await by(dialog, 'confirm-no').trigger('click')
    await flushPromises()
    expect(client.asked('holdout.set')).toEqual([])
    await confirmed(page, dialog, 'holdout-freeze')
    await all(page, 'holdout-case')[2]?.trigger('click')
    await confirmed(page, dialog, 'holdout-freeze')
    expect(client.asked('holdout.set')).toEqual([
      { caseIds: ['case-2', 'case-3'], chosenBy: 'maskwright' },
      { caseIds: ['case-2'], chosenBy: 'user' },
    ])
    await confirmed(page, dialog, 'holdout-give-up')
    expect(client.asked('holdout.set')[2]).toEqual({ caseIds: [], chosenBy: 'user' })
  })

  it('says why it was refused, and keeps what was chosen', async () => {
    client.answers['holdout.set'] = () => {
      throw new CodedError('conflict', 'The model in use learned from Case 3.')
    }
    const page = await show(ModelsPage)
    await all(page, 'holdout-case')[2]?.trigger('click')
    await confirmed(page, await show(ConfirmDialog), 'holdout-freeze')
    await nextTick()
    expect(by(page, 'holdout-says').text()).toBe('The model in use learned from Case 3.')
    expect((all(page, 'holdout-case')[2]?.find('input').element as HTMLInputElement).checked).toBe(true)
  })
})
