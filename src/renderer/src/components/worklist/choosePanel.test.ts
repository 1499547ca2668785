import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FileEntry, ImageChoices } from '../../../../core/contract/index.ts'
import { chooseWords as words } from '../../i18n/exchange.ts'
import { useAddingStore } from '../../stores/adding.ts'
import { aCase, aLook, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { settled, withProject } from '../../testing/setUp.ts'
import ChoosePanel from './ChoosePanel.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia
const file: FileEntry = { id: 'f1', name: 'study', text: '/study/', kind: 'folder' }

beforeEach(async () => {
  client = projectClient(aProject(), { 'case.add': () => aCase({ id: 'case-9' }) })
  pinia = await withProject(client)
})

async function panel(choices: Partial<ImageChoices>): Promise<VueWrapper> {
  client.answers['case.look'] = () => aLook(choices)
  void useAddingStore().add(file)
  await settled()
  const wrapper = mount(ChoosePanel, { global: { plugins: [pinia] }, attachTo: document.body })
  await flushPromises()
  return wrapper
}

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)

describe('choosing an image of several', () => {
  const series = [
    {
      id: '1.1',
      description: 'Abdomen',
      modality: 'CT',
      images: 412,
      dims: [512, 512, 412] as [number, number, number],
    },
    { id: '1.2', description: '', modality: 'CT', images: 1, dims: [512, 512, 1] as [number, number, number] },
  ]

  it('lists the series with what tells them apart, the first one chosen and focused', async () => {
    const wrapper = await panel({ series })
    const rows = wrapper.findAll('[data-testid="choose-series"]')
    expect(rows[0]?.text()).toMatch(/Abdomen.*CT.*412 images.*512 × 512 × 412/)
    expect(rows[1]?.text()).toContain(words.noDescription)
    expect(document.activeElement).toBe(rows[0]?.find('input').element)
    await rows[1]?.find('input').trigger('change')
    await flushPromises()
    await wrapper.trigger('submit')
    await flushPromises()
    expect(client.asked('case.add')).toEqual([{ fileId: 'f1', selection: { series: '1.2' } }])
  })

  it('takes only frames that are there', async () => {
    const wrapper = await panel({ frames: 12 })
    for (const typed of ['0', '13', '2.5', '']) {
      await by(wrapper, 'choose-frame').setValue(typed)
      await wrapper.trigger('submit')
      await flushPromises()
      expect(wrapper.text(), typed).toContain(words.frameProblem(12))
    }
    expect(client.asked('case.add')).toEqual([])
    await by(wrapper, 'choose-frame').setValue('12')
    await wrapper.trigger('submit')
    await flushPromises()
    expect(client.asked('case.add')).toEqual([{ fileId: 'f1', selection: { frame: 11 } }])
  })

  it('keeps what was typed before the remark on the proposed image came', async () => {
    const wrapper = await panel({ frames: 12 })
    const { promise, resolve } = Promise.withResolvers<ImageChoices>()
    useAddingStore().leave()
    await flushPromises()
    client.answers['case.look'] = ({ selection }) => (selection === undefined ? aLook({ frames: 12 }) : promise)
    void useAddingStore().add(file)
    await settled()
    await by(wrapper, 'choose-frame').setValue('13')
    resolve({ ...aLook({ frames: 12 }), warnings: ['It leans by 2°.'] })
    await flushPromises()
    expect(wrapper.text()).toContain('It leans by 2°.')
    expect((by(wrapper, 'choose-frame').element as HTMLInputElement).value).toBe('13')
    expect(wrapper.text()).toContain(words.frameProblem(12))
  })

  it('chooses channel and part', async () => {
    const wrapper = await panel({ channels: ['DAPI', 'FITC'], complex: true })
    await by(wrapper, 'choose-channel').setValue('1')
    await by(wrapper, 'choose-part').setValue('phase')
    await wrapper.trigger('submit')
    await flushPromises()
    expect(client.asked('case.add')).toEqual([{ fileId: 'f1', selection: { channel: 1, part: 'phase' } }])
  })

  it('is left with Escape, and nothing is added', async () => {
    const wrapper = await panel({ frames: 3 })
    await by(wrapper, 'choose-frame').trigger('keydown', { key: 'Escape' })
    expect(useAddingStore().current).toBeNull()
    expect(client.asked('case.add')).toEqual([])
  })
})
