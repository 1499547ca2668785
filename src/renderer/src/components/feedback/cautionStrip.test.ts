import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CodedError, type Caution } from '../../../../core/contract/index.ts'
import { cautionWords as words } from '../../i18n/exchange.ts'
import { useCautionsStore } from '../../stores/cautions.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { aDetail, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { withProject } from '../../testing/setUp.ts'
import CautionStrip from './CautionStrip.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia
const positions: Caution = { kind: 'two-positions', message: 'It states two positions.', other: 'qform' }
const gaps: Caution = { kind: 'gaps', message: 'Slices are missing.', other: null }

beforeEach(async () => {
  client = projectClient(aProject(), { 'case.acknowledge': () => ({}), 'case.useForm': () => aDetail() })
  pinia = await withProject(client)
})

async function strip(cautions: Caution[], cautionsSeen = false): Promise<VueWrapper> {
  client.answers['case.open'] = () => aDetail({ cautions, cautionsSeen })
  await useViewStore().openCase('case-1')
  return mount(CautionStrip, { global: { plugins: [pinia] }, attachTo: document.body })
}

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)

describe('the caution strip', () => {
  it('says all of them, and goes when they were seen', async () => {
    const wrapper = await strip([positions, gaps])
    expect(wrapper.text()).toContain('It states two positions.')
    expect(wrapper.text()).toContain('Slices are missing.')
    await by(wrapper, 'caution-seen').trigger('click')
    await flushPromises()
    expect(by(wrapper, 'caution-strip').exists()).toBe(false)
  })

  it('offers the other position only where there is one', async () => {
    const without = await strip([gaps])
    expect(by(without, 'caution-other').exists()).toBe(false)
    without.unmount()
    const wrapper = await strip([positions])
    expect(by(wrapper, 'caution-other').text()).toBe(words.other.qform)
    client.answers['case.open'] = () => aDetail()
    await by(wrapper, 'caution-other').trigger('click')
    await flushPromises()
    expect(client.asked('case.useForm')).toEqual([{ caseId: 'case-1', affine: 'qform' }])
    expect(by(wrapper, 'caution-strip').exists()).toBe(false)
  })

  it('lights up when something waits for it', async () => {
    const wrapper = await strip([gaps])
    expect(by(wrapper, 'caution-strip').attributes('data-lit')).toBe('false')
    useCautionsStore().holds()
    await flushPromises()
    expect(by(wrapper, 'caution-strip').attributes('data-lit')).toBe('true')
  })

  it('stays, with an error, where it could not be noted', async () => {
    client.answers['case.acknowledge'] = () => {
      throw new CodedError('disk-full', 'The disk is full.')
    }
    const wrapper = await strip([gaps])
    await by(wrapper, 'caution-seen').trigger('click')
    await flushPromises()
    expect(by(wrapper, 'caution-strip').exists()).toBe(true)
    expect(useUiStore().banners).toMatchObject([{ doing: words.doing, error: { code: 'disk-full' } }])
  })

  it('is not there where it was seen before', async () => {
    const wrapper = await strip([gaps], true)
    expect(by(wrapper, 'caution-strip').exists()).toBe(false)
  })
})
