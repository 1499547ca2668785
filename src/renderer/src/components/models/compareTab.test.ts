import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { afterEach, expect, it } from 'vitest'
import { modelWords } from '../../i18n/models.ts'
import { aDetail, aModel, aProject, projectClient } from '../../testing/fakeClient.ts'
import { withProject } from '../../testing/setUp.ts'
import CompareTab from './CompareTab.vue'

enableAutoUnmount(afterEach)

it('says how far two versions differ in full, and has no tip that keys cannot reach', async () => {
  const versions = [aModel({ active: false }), aModel({ id: 'model-2', version: 2, parentId: 'model-1' })]
  const pinia = await withProject(
    projectClient(aProject({ models: versions }), {
      'case.detail': ({ caseId }) => aDetail({ id: caseId }),
      'volume.slice': () => ({
        ...{ width: 8, height: 6, channels: 1, voxelType: 'uint8', slope: 1, inter: 0 },
        data: new Uint8Array(48),
      }),
      'annotation.slice': () => ({ width: 8, height: 6, data: new Uint8Array(48), revision: 0, modelId: null }),
      'models.preview': ({ modelId, index }) => ({
        ...{ modelId, axis: 2, index, width: 8, height: 6 },
        data: new Uint8Array(48).fill(modelId === 'model-1' ? 0 : 1),
      }),
    }),
  )
  const global = { plugins: [pinia], stubs: { VersusPane: true } }
  const tab = mount(CompareTab, { global, attachTo: document.body })
  await flushPromises()
  expect(tab.get('[data-testid="compare-differ"]').text()).toBe(modelWords.compare.differ(48, 48))
  const tips = tab.findAll('[data-tip]')
  expect(tips.length).toBeGreaterThan(0)
  expect(tips.filter((one) => !one.element.matches('button, input, select, [tabindex]'))).toEqual([])
})
