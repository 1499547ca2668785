import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CodedError, type FileEntry } from '../../../../core/contract/index.ts'
import { t } from '../../i18n/frame.ts'
import type { SavedMask } from '../../stores/exports.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { settled, withProject } from '../../testing/setUp.ts'
import SaveAsPanel from './SaveAsPanel.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia

beforeEach(async () => {
  client = projectClient(aProject())
  pinia = await withProject(client)
})

describe('save as', () => {
  const there: FileEntry = { id: 'f1', name: 'a.nii.gz', text: '/masks/a.nii.gz', kind: 'file' }

  beforeEach(async () => {
    client.answers['files.complete'] = ({ text }) => [there].filter((entry) => entry.text.startsWith(text))
    client.answers['files.target'] = ({ text }) => ({ id: 'target', name: 'a', text, kind: 'file' })
    client.answers['export.mask'] = () => ({
      path: '/masks/a.nii.gz',
      bytes: 9,
      voxels: 1,
      labels: [1],
      verified: true,
    })
    await useViewStore().openCase('case-1')
    useUiStore().open('save-as')
  })

  async function typed(text: string): Promise<VueWrapper> {
    const panel = mount(SaveAsPanel, {
      props: { anchor: document.body },
      global: { plugins: [pinia] },
      attachTo: document.body,
    })
    field().value = text
    field().dispatchEvent(new Event('input'))
    await flushPromises()
    return panel
  }

  function field(): HTMLInputElement {
    const found = document.querySelector<HTMLInputElement>('[data-testid="path-field"]')
    if (found === null) throw new Error('The path field is not there')
    return found
  }

  async function enter(): Promise<void> {
    field().dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))
    await flushPromises()
    await settled()
  }

  it.each(['/masks/a.nii.gz', '/masks/a'])('replaces a file that is there only when asked twice: %s', async (text) => {
    await typed(text)
    await enter()
    expect(client.asked('export.mask')).toEqual([])
    expect(document.querySelector('[data-testid="save-panel"]')?.textContent).toContain(t.files.exists('a.nii.gz'))
    await enter()
    expect(client.asked('export.mask')).toEqual([{ caseId: 'case-1', fileId: 'target', format: 'nifti' }])
    expect(useUiStore().panel).toBeNull()
  })

  it('says that it failed also where the panel was closed meanwhile', async () => {
    const { promise, reject } = Promise.withResolvers<never>()
    client.answers['export.mask'] = () => promise
    const ui = useUiStore()
    const panel = await typed('/masks/new.nii.gz')
    await enter()
    panel.unmount()
    reject(new CodedError('disk-full', 'The disk is full; free some space.'))
    await flushPromises()
    expect(ui.banners).toMatchObject([{ doing: t.errors.doing.save, error: { code: 'disk-full' } }])
  })

  it('leaves a panel open that was opened while it was written', async () => {
    const { promise, resolve } = Promise.withResolvers<SavedMask>()
    client.answers['export.mask'] = () => promise
    const panel = await typed('/masks/new.nii.gz')
    await enter()
    panel.unmount()
    useUiStore().open('help')
    resolve({ path: '/masks/new.nii.gz', bytes: 9, voxels: 1, labels: [1], verified: true })
    await flushPromises()
    expect(useUiStore().panel).toBe('help')
  })

  it('writes a new file at once', async () => {
    await typed('/masks/b.nii.gz')
    await enter()
    expect(client.asked('export.mask')).toHaveLength(1)
  })
})
