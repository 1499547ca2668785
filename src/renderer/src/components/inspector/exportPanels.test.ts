import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Component } from 'vue'
import { CodedError } from '../../../../core/contract/index.ts'
import { maskOutWords as words } from '../../i18n/exchange.ts'
import { useExportsStore } from '../../stores/exports.ts'
import { useJobsStore } from '../../stores/jobs.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { aCase, aJob, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { settled, withProject } from '../../testing/setUp.ts'
import DatasetPanel from './DatasetPanel.vue'
import SaveAsPanel from './SaveAsPanel.vue'
import SaveMask from './SaveMask.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia

beforeEach(async () => {
  client = projectClient(aProject())
  client.answers['files.complete'] = () => []
  client.answers['files.target'] = ({ text }) => ({ id: `to ${text}`, name: 'a', text, kind: 'file' })
  client.answers['export.mask'] = () => ({ path: '/m', bytes: 9, voxels: 1, labels: [1], verified: true })
  client.answers['export.dataset'] = () => aJob({ id: 'set', kind: 'export', caseId: null, message: 'case 1 of 2' })
  pinia = await withProject(client)
  await useViewStore().openCase('case-1')
})

function show(component: Component, props: Record<string, unknown> = { anchor: document.body }): void {
  mount<unknown>(component, { props, global: { plugins: [pinia] }, attachTo: document.body })
}
function find(id: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(`[data-testid="${id}"]`)
  if (found === null) throw new Error(`${id} is not there`)
  return found
}
async function enter(): Promise<void> {
  find('path-field').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))
  await flushPromises()
  await settled()
}
async function format(value: string): Promise<void> {
  const select = find('mask-format') as HTMLSelectElement
  select.value = value
  select.dispatchEvent(new Event('change'))
  await flushPromises()
}
function nativeDialogs(): void {
  const project = useProjectStore()
  if (project.info !== null) project.info = { ...project.info, nativeDialogs: true }
}
const typed = () => (find('path-field') as HTMLInputElement).value

describe('the format of a mask', () => {
  it('gives the suggested name its ending, and says what is written', async () => {
    show(SaveAsPanel)
    expect(typed()).toBe('/data/CT abdomen A-mask.nii.gz')
    await format('instances')
    expect(typed()).toBe('/data/CT abdomen A-instances')
    expect(find('save-panel').textContent).toContain(words.written('instances', true))
    expect(find('save-panel').textContent).toContain(words.folderHint)
    await format('coco')
    expect(typed()).toBe('/data/CT abdomen A-mask.json')
    await enter()
    expect(client.asked('export.mask')).toEqual([
      { caseId: 'case-1', fileId: 'to /data/CT abdomen A-mask.json', format: 'coco' },
    ])
  })

  it('leaves a name of the user as it is, but for its ending', async () => {
    show(SaveAsPanel)
    const field = find('path-field') as HTMLInputElement
    field.value = '/masks/of me.v2.nii.gz'
    field.dispatchEvent(new Event('input'))
    await flushPromises()
    await format('tiff')
    expect(typed()).toBe('/masks/of me.v2.tif')
    await format('nnunet')
    expect(typed()).toBe('/masks/of me.v2')
  })

  it('is remembered for the next mask of the kind', async () => {
    show(SaveAsPanel)
    await format('tiff')
    expect(useExportsStore().formatFor('volume')).toBe('tiff')
    expect(useExportsStore().formatFor('image')).toBe('png')
  })

  it('is chosen before the native dialog, which is given the name', async () => {
    nativeDialogs()
    client.answers['files.saveDialog'] = ({ suggestedName }) => ({
      ...{ id: 'chosen', name: suggestedName, text: suggestedName, kind: 'file' },
    })
    show(SaveAsPanel)
    await format('tiff')
    find('save-where').click()
    await flushPromises()
    expect(client.asked('files.saveDialog')).toEqual([{ suggestedName: 'CT abdomen A-mask.tif' }])
    expect(client.asked('export.mask')).toEqual([{ caseId: 'case-1', fileId: 'chosen', format: 'tiff' }])
  })

  it('keeps what was typed where writing fails, with the reason', async () => {
    client.answers['export.mask'] = () => {
      throw new CodedError('verify-failed', '"m.nii.gz" did not read back equal.')
    }
    useUiStore().open('save-as')
    show(SaveAsPanel)
    await enter()
    expect(find('save-panel').textContent).toContain('did not read back equal')
    expect(typed()).toBe('/data/CT abdomen A-mask.nii.gz')
    expect(useExportsStore().results).toEqual({})
  })
})

describe('a data set', () => {
  it('is written as a job, and its folder is shown when that is done', async () => {
    useUiStore().open('export-dataset')
    show(DatasetPanel)
    expect(typed()).toBe('/projects/demo/exports/Dataset001_Demo')
    await format('coco')
    expect(typed()).toBe('/projects/demo/exports/Demo-coco')
    await enter()
    expect(client.asked('export.dataset')).toEqual([
      { format: 'coco', caseIds: null, fileId: 'to /projects/demo/exports/Demo-coco' },
    ])
    expect(useUiStore().panel).toBeNull()
    expect(useJobsStore().active).toMatchObject({ id: 'set', kind: 'export' })

    show(SaveMask, {})
    expect(document.querySelector('[data-testid="dataset-result"]')).toBeNull()
    useExportsStore().ended(aJob({ kind: 'export', state: 'cancelled', message: '' }))
    expect(useExportsStore().dataset).toBeNull()
    useExportsStore().ended(aJob({ kind: 'export', state: 'done', message: '2 masks in /sets/in progress/Demo' }))
    await flushPromises()
    expect(find('dataset-result').dataset.path).toBe('/sets/in progress/Demo')
    expect(find('dataset-result').textContent).toContain('2 masks')
  })

  it('of one kind for nnU-Net where the project has several', async () => {
    client.answers['project.get'] = () =>
      aProject({
        cases: [
          aCase({ id: 'p', kind: 'image', channels: 3, status: 'saved' }),
          aCase({ id: 'case-1', kind: 'volume', channels: 1, status: 'corrected' }),
          aCase({ id: 'q', kind: 'image', channels: 1, status: 'untouched' }),
        ],
      })
    await useProjectStore().load()
    useUiStore().open('export-dataset')
    show(DatasetPanel)
    const select = find('dataset-only') as HTMLSelectElement
    expect(
      [...select.options].map(({ value }) => value),
      'that of the case on screen first',
    ).toEqual(['volumes', 'colour'])
    select.value = 'colour'
    select.dispatchEvent(new Event('change'))
    await enter()
    expect(client.asked('export.dataset')).toMatchObject([{ format: 'nnunet', caseIds: null, only: 'colour' }])
  })

  it('keeps what was typed where the folder cannot be used', async () => {
    client.answers['files.target'] = () => {
      throw new CodedError('bad-request', 'The folder "/nowhere" does not exist; choose another one.')
    }
    useUiStore().open('export-dataset')
    show(DatasetPanel)
    await enter()
    expect(find('dataset-panel').textContent).toContain('does not exist')
    expect(client.asked('export.dataset')).toEqual([])
    expect(useUiStore().panel).toBe('export-dataset')
  })
})
