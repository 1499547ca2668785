import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CodedError, type FileEntry, type MaskLook } from '../../../../core/contract/index.ts'
import { maskInWords as words } from '../../i18n/exchange.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { aMaskLook, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { withProject } from '../../testing/setUp.ts'
import MaskSheet from './MaskSheet.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia
const file: FileEntry = { id: 'm1', name: 'theirs.nii.gz', text: '/masks/theirs.nii.gz', kind: 'file' }
const folder: FileEntry = { id: 'd1', name: 'masks', text: '/masks/', kind: 'folder' }

beforeEach(async () => {
  client = projectClient(aProject())
  client.answers['files.complete'] = ({ text }) => [folder, file].filter((one) => one.text.startsWith(text))
  client.answers['mask.import'] = () => ({
    ...{ revision: 1, delta: null, changedVoxels: 9, keptLockedVoxels: 0, newLabels: [] },
    history: { canUndo: true, canRedo: false, undoName: 'import', redoName: null },
  })
  pinia = await withProject(client)
  await useViewStore().openCase('case-1')
  useUiStore().open('import-mask')
})

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)

async function sheet(look: Partial<MaskLook>, text = file.text): Promise<VueWrapper> {
  client.answers['mask.look'] = () => aMaskLook(look)
  const wrapper = mount(MaskSheet, { global: { plugins: [pinia] }, attachTo: document.body })
  await flushPromises()
  await by(wrapper, 'path-field').setValue(text)
  await flushPromises()
  await by(wrapper, 'path-field').trigger('keydown', { key: 'Enter' })
  await flushPromises()
  return wrapper
}

describe('the sheet of a mask import', () => {
  it('shows what the file holds and imports it', async () => {
    const wrapper = await sheet({
      labels: [
        { value: 1, name: 'Liver', voxels: 1200 },
        { value: 2, name: 'Kidney', voxels: 30 },
        { value: 7, name: 'Lesion', voxels: 4 },
      ],
    })
    const rows = wrapper.findAll('[data-testid="mask-label"]').map((row) => row.text())
    expect(rows[0]).toContain('1,200 voxels')
    expect(rows[0]).toContain(words.known)
    expect(rows[1], 'the project calls 2 the spleen').toContain(words.otherName('Kidney'))
    expect(rows[2]).toContain('Lesion')
    expect(wrapper.text()).toContain(words.keepHint(1))
    expect(by(wrapper, 'mask-take').text()).toBe(words.import)
    await wrapper.find('form').trigger('submit')
    await flushPromises()
    expect(client.asked('mask.import')).toMatchObject([{ resample: false, labels: 'keep' }])
    expect(useUiStore().panel).toBeNull()
  })

  it('asks for a folder as a whole', async () => {
    const wrapper = await sheet({}, '/masks/')
    expect(by(wrapper, 'mask-fields').exists(), 'a file in it could be meant').toBe(false)
    expect(by(wrapper, 'path-folder').text()).toBe(words.wholeFolder)
    expect(by(wrapper, 'path-folder').attributes('aria-selected'), 'it is proposed').toBe('true')
    await by(wrapper, 'path-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(client.asked('mask.look')).toEqual([{ caseId: 'case-1', fileId: 'd1' }])
    expect(by(wrapper, 'mask-file').text()).toBe('masks')
  })

  it('proposes one label for instances that are only counted', async () => {
    const labels = [1, 2, 3].map((value) => ({ value, name: null, voxels: 9 }))
    const counted = await sheet({ format: 'instances', labels })
    expect((by(counted, 'mask-one').element as HTMLInputElement).checked).toBe(true)
    counted.unmount()
    const named = await sheet({ format: 'instances', labels: labels.map((one) => ({ ...one, name: 'Nucleus' })) })
    expect((by(named, 'mask-keep').element as HTMLInputElement).checked).toBe(true)
  })

  it('offers to resample what lies elsewhere, and nothing where that cannot be', async () => {
    const moved = await sheet({ fit: 'moved', difference: 'The mask lies elsewhere: up to 4.0 mm from the image.' })
    expect(by(moved, 'mask-difference').classes()).toContain('difference')
    expect(by(moved, 'mask-take').text()).toBe(words.resample)
    await moved.find('form').trigger('submit')
    await flushPromises()
    expect(client.asked('mask.import')).toMatchObject([{ resample: true }])
    moved.unmount()

    useUiStore().open('import-mask')
    const shape = await sheet({
      fit: 'shape',
      canResample: false,
      difference: 'The mask has 2 x 2 voxels, the image 3 x 3.',
    })
    expect(by(shape, 'mask-take').exists()).toBe(false)
    expect(by(shape, 'mask-outcome').text()).toBe(words.cannotResample)
    await by(shape, 'mask-cancel').trigger('click')
    expect(useUiStore().panel).toBeNull()
  })

  it('says a remark of a mask that fits without alarm', async () => {
    const wrapper = await sheet({ difference: 'The mask is stored in the axis order RAS and the image in LPS.' })
    expect(by(wrapper, 'mask-difference').classes()).toContain('hint')
    expect(by(wrapper, 'mask-take').text()).toBe(words.import)
  })

  it('takes more labels than a project has only as one', async () => {
    const wrapper = await sheet({ labels: [{ value: 900, name: null, voxels: 5 }] })
    expect(by(wrapper, 'mask-keep').attributes('disabled')).toBeDefined()
    expect(wrapper.text()).toContain(words.keepNot(900))
    await by(wrapper, 'mask-one-label').setValue('2')
    await wrapper.find('form').trigger('submit')
    await flushPromises()
    expect(client.asked('mask.import')).toMatchObject([{ labels: 2 }])
  })

  it('does not import as one label where there is none', async () => {
    useProjectStore().labels = []
    const wrapper = await sheet({ labels: [{ value: 900, name: null, voxels: 5 }] })
    expect(by(wrapper, 'mask-outcome').text()).toBe(words.noProjectLabels)
    expect(by(wrapper, 'mask-take').attributes('disabled')).toBeDefined()
  })

  it('keeps the path that was typed where the file cannot be used', async () => {
    const wrapper = await sheet({})
    client.answers['mask.look'] = () => {
      throw new CodedError('bad-file', '"theirs.nii.gz" holds the value 0.5; a mask has whole numbers.')
    }
    await by(wrapper, 'mask-another').trigger('click')
    await flushPromises()
    expect((by(wrapper, 'path-field').element as HTMLInputElement).value).toBe(file.text)
    await by(wrapper, 'path-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(by(wrapper, 'mask-refused').text()).toContain('holds the value 0.5')
  })

  it('is over when another case is opened', async () => {
    await sheet({})
    await useViewStore().openCase('case-2')
    expect(useUiStore().panel).toBeNull()
  })

  it('uses native dialogs where there are some, for files and for folders', async () => {
    const project = useProjectStore()
    if (project.info !== null) project.info = { ...project.info, nativeDialogs: true }
    client.answers['mask.look'] = () => aMaskLook()
    client.answers['files.openDialog'] = ({ kind }) => (kind === 'folder' ? [folder] : [])
    const wrapper = mount(MaskSheet, { global: { plugins: [pinia] }, attachTo: document.body })
    await by(wrapper, 'mask-file-dialog').trigger('click')
    await flushPromises()
    expect(client.asked('mask.look'), 'cancelled').toEqual([])
    await by(wrapper, 'mask-folder-dialog').trigger('click')
    await flushPromises()
    expect(client.asked('mask.look')).toEqual([{ caseId: 'case-1', fileId: 'd1' }])
  })
})
