import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nextTick, type Component } from 'vue'
import { CodedError, type FileEntry } from '../../../core/contract/index.ts'
import { useActions } from '../actions/index.ts'
import { t } from '../i18n/frame.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useLiveStore } from '../stores/live.ts'
import { useProjectStore } from '../stores/project.ts'
import { useUiStore } from '../stores/ui.ts'
import { useViewStore } from '../stores/view.ts'
import { aCase, aJob, aLiveState, aLook, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { settled, withProject } from '../testing/setUp.ts'
import HelpSheet from './dialogs/HelpSheet.vue'
import ConnectionBanner from './feedback/ConnectionBanner.vue'
import NoticeStack from './feedback/NoticeStack.vue'
import StatusBar from './status/StatusBar.vue'
import CommandField from './topbar/CommandField.vue'
import CaseItem from './worklist/CaseItem.vue'
import OpenPanel from './worklist/OpenPanel.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia

beforeEach(async () => {
  client = projectClient(aProject(), { 'case.thumbnail': () => ({ width: 1, height: 1, rgba: new Uint8Array(4) }) })
  pinia = await withProject(client)
})

function show(component: Component, props: Record<string, unknown> = {}): VueWrapper {
  return mount<unknown>(component, { props, global: { plugins: [pinia] }, attachTo: document.body })
}

const by = (wrapper: VueWrapper, id: string) => wrapper.find(`[data-testid="${id}"]`)

describe('the path field', () => {
  const file: FileEntry = { id: 'f1', name: 'scan.nii.gz', text: '/data/scan.nii.gz', kind: 'file' }
  const folder: FileEntry = { id: 'd1', name: 'scans', text: '/data/scans/', kind: 'folder' }

  beforeEach(() => {
    client.answers['files.complete'] = ({ text }) => [folder, file].filter((entry) => entry.text.startsWith(text))
    client.answers['case.add'] = () => aCase({ id: 'case-9', name: 'scan' })
    useProjectStore().cases.push(aCase({ id: 'case-9', name: 'scan' }))
    useUiStore().open('open-file')
  })

  async function typed(text: string): Promise<VueWrapper> {
    const wrapper = show(OpenPanel)
    await by(wrapper, 'path-field').setValue(text)
    await flushPromises()
    return wrapper
  }

  it('opens the typed file with Enter', async () => {
    const wrapper = await typed('/data/scan.nii.gz')
    await by(wrapper, 'path-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(client.asked('case.add')).toEqual([{ fileId: 'f1', selection: {} }])
    expect(useViewStore().caseId).toBe('case-9')
    expect(useUiStore().panel).toBeNull()
  })

  it('completes as far as all agree, then into the only one', async () => {
    const wrapper = await typed('/da')
    const field = by(wrapper, 'path-field')
    await field.trigger('keydown', { key: 'Tab' })
    await flushPromises()
    expect((field.element as HTMLInputElement).value).toBe('/data/scan')
    await field.setValue('/data/scans')
    await flushPromises()
    await field.trigger('keydown', { key: 'Tab' })
    expect((field.element as HTMLInputElement).value).toBe('/data/scans/')
  })

  it('offers a completed folder as a DICOM series beside what is in it', async () => {
    const inner: FileEntry = { id: 'f2', name: 'a.nii', text: '/data/scans/a.nii', kind: 'file' }
    client.answers['files.complete'] = ({ text, kind }) =>
      (kind === 'folder' ? [folder] : [folder, file, inner]).filter(
        (entry) => entry.text.startsWith(text) && entry.text !== text,
      )
    const wrapper = await typed('/data/scans/')
    expect(by(wrapper, 'path-folder').text()).toBe(t.files.wholeFolder)
    expect(by(wrapper, 'path-option').text()).toBe('a.nii')
    const field = by(wrapper, 'path-field')
    await field.trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(client.asked('case.look'), 'a file in it could be meant').toEqual([])
    expect(by(wrapper, 'path-folder').attributes('aria-selected'), 'it is proposed').toBe('true')
    await field.trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(client.asked('case.look')).toEqual([{ fileId: 'd1' }])
  })

  it('goes into a folder whose name was typed, and opens one where folders are asked for', async () => {
    const inside = await typed('/data/scans')
    await by(inside, 'path-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect((by(inside, 'path-field').element as HTMLInputElement).value).toBe('/data/scans/')
    expect(client.asked('case.look')).toEqual([])
    inside.unmount()
    useUiStore().open('open-folder')
    const whole = show(OpenPanel, { folder: true })
    await by(whole, 'path-field').setValue('/data/scans')
    await flushPromises()
    await by(whole, 'path-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(client.asked('case.look')).toEqual([{ fileId: 'd1' }])
  })

  it('stops reading a file when it is closed', async () => {
    let answer: () => void = () => undefined
    client.answers['case.look'] = () => new Promise((resolve) => (answer = () => resolve(aLook())))
    const wrapper = await typed('/data/scan.nii.gz')
    await by(wrapper, 'path-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(wrapper.text()).toContain(t.files.reading('scan.nii.gz'))
    await by(wrapper, 'open-cancel').trigger('click')
    wrapper.unmount()
    answer()
    await flushPromises()
    expect(client.asked('case.add')).toHaveLength(1)
    expect(useViewStore().caseId, 'the call was taken back').toBeNull()
    expect(useUiStore().banners).toEqual([])
  })

  it('says what is wrong and keeps what was typed', async () => {
    const wrapper = await typed('/nowhere.nii')
    await by(wrapper, 'path-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(wrapper.text()).toContain(t.files.noSuchImage('/nowhere.nii'))
    expect((by(wrapper, 'path-field').element as HTMLInputElement).value).toBe('/nowhere.nii')
    expect(client.asked('case.add')).toEqual([])
  })

  it('shows a file that is no image as an error and stays open', async () => {
    client.answers['case.add'] = () => {
      throw new CodedError('bad-file', '"scan.nii.gz" is empty.')
    }
    const wrapper = await typed('/data/scan.nii.gz')
    await by(wrapper, 'path-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(useUiStore().banners).toMatchObject([{ error: { message: '"scan.nii.gz" is empty.' } }])
    expect(useUiStore().panel).toBe('open-file')
  })
})

describe('the command field', () => {
  it('runs the best match with Enter', async () => {
    const wrapper = show(CommandField)
    useUiStore().open('palette')
    await settled()
    await by(wrapper, 'command-field').setValue('eras')
    await by(wrapper, 'command-field').trigger('keydown', { key: 'Enter' })
    expect(useViewStore().tool).toBe('eraser')
    expect(useUiStore().panel).toBeNull()
  })

  it('goes to a case by its name', async () => {
    const wrapper = show(CommandField)
    useUiStore().open('palette')
    await settled()
    await by(wrapper, 'command-field').setValue('abdomen b')
    await by(wrapper, 'command-field').trigger('keydown', { key: 'Enter' })
    await flushPromises()
    expect(useViewStore().caseId).toBe('case-2')
  })

  it('shows why a command cannot be run, and does not run it', async () => {
    const wrapper = show(CommandField)
    useUiStore().open('palette')
    await settled()
    await by(wrapper, 'command-field').setValue('predict')
    expect(wrapper.text()).toContain(t.reasons.noCase)
    await by(wrapper, 'command-field').trigger('keydown', { key: 'Enter' })
    expect(client.asked('predict.start')).toEqual([])
    expect(useUiStore().panel).toBe('palette')
  })
})

describe('status and notices', () => {
  it('shows the running job and cancels it', async () => {
    client.answers['job.cancel'] = () => aJob({ state: 'cancelled' })
    useJobsStore().replaceAll([aJob({ kind: 'train', curve: [{ step: 1, loss: 1, dice: 0.912 }] })])
    const wrapper = show(StatusBar)
    expect(by(wrapper, 'job-status').text()).toContain('Retraining: slice 3 of 10')
    expect(by(wrapper, 'job-status').text()).toContain('Dice 0.91')
    expect(by(wrapper, 'job-status').text()).toContain('4 s left')
    await by(wrapper, 'job-cancel').trigger('click')
    await flushPromises()
    expect(client.asked('job.cancel')).toEqual([{ jobId: 'job-1' }])
    expect(by(wrapper, 'job-cancel').exists()).toBe(false)
  })

  it('says what Live does, while it is on', async () => {
    const stop = useLiveStore().follow()
    const wrapper = show(StatusBar)
    expect(by(wrapper, 'live-status').exists()).toBe(false)
    const words: string[] = []
    for (const phase of ['waiting', 'training', 'paused'] as const) {
      client.tell('live.changed', aLiveState({ on: true, phase }))
      await nextTick()
      words.push(by(wrapper, 'live-status').text())
    }
    expect(words).toEqual(['Live: waits for a corrected slice', 'Live: training', 'Live: paused'])
    expect(by(wrapper, 'live-status').attributes('role')).toBe('status')
    stop()
  })

  it('shows a ranking only where nothing else runs or waits', () => {
    const jobs = useJobsStore()
    jobs.replaceAll([aJob({ id: 'rank', kind: 'rank' }), aJob({ id: 'train', kind: 'train', state: 'queued' })])
    const words = () => by(show(StatusBar), 'job-status').text()
    expect(words()).toContain('Retraining: waiting')
    jobs.replaceAll([aJob({ id: 'rank', kind: 'rank' })])
    expect(words()).toContain('slice 3 of 10')
  })

  it('says that a job waits only while it does', () => {
    const words = (change: Parameters<typeof aJob>[0]) => {
      useJobsStore().replaceAll([aJob(change)])
      return by(show(StatusBar), 'job-status').text()
    }
    expect(words({ state: 'queued', message: 'first slice…' })).toContain('Predicting: waiting')
    expect(words({ progress: 0, message: 'first slice…' })).toContain('Predicting: first slice…')
  })

  it('says that it cancels until the job has ended, and asks for it once', async () => {
    const jobs = useJobsStore()
    jobs.follow(() => undefined)
    client.answers['job.cancel'] = () => aJob()
    jobs.replaceAll([aJob()])
    const wrapper = show(StatusBar)
    const button = by(wrapper, 'job-cancel')
    await button.trigger('click')
    expect([button.text(), button.attributes('disabled')]).toEqual([t.status.cancelling, ''])
    await flushPromises()
    await useActions().run('cancel-job')
    expect([button.text(), client.asked('job.cancel').length]).toEqual([t.status.cancelling, 1])
    client.tell('job.changed', { job: aJob({ state: 'cancelled' }) })
    client.tell('job.changed', { job: aJob({ id: 'job-2' }) })
    await nextTick()
    expect(by(wrapper, 'job-cancel').text()).toBe(t.status.cancel)
  })

  it('takes the refusal to cancel another window’s job as an answer, in a notice that goes away', async () => {
    const message = 'This training was started in another window; cancel it there.'
    client.answers['job.cancel'] = () => {
      throw new CodedError('busy', message)
    }
    useJobsStore().replaceAll([aJob({ kind: 'train' })])
    const wrapper = show(StatusBar)
    await by(wrapper, 'job-cancel').trigger('click')
    await flushPromises()
    expect(useUiStore().toasts).toMatchObject([{ level: 'info', message }])
    expect(useUiStore().banners).toEqual([])
    expect(by(wrapper, 'job-cancel').text()).toBe(t.status.cancel)
  })

  it('shows a cancel that failed as an error, and offers it again', async () => {
    client.answers['job.cancel'] = () => {
      throw new CodedError('connection-lost', 'The connection was lost.')
    }
    useJobsStore().replaceAll([aJob()])
    const wrapper = show(StatusBar)
    await by(wrapper, 'job-cancel').trigger('click')
    await flushPromises()
    expect(useUiStore().banners).toMatchObject([{ error: { code: 'connection-lost' } }])
    expect(by(wrapper, 'job-cancel').attributes('disabled')).toBeUndefined()
  })

  it('says when a cancelled job goes on for another window', async () => {
    const notice = 'Another window waits for this prediction too, so it goes on there.'
    client.answers['job.cancel'] = () => ({ ...aJob(), notice })
    useJobsStore().replaceAll([aJob()])
    const wrapper = show(StatusBar)
    await by(wrapper, 'job-cancel').trigger('click')
    await flushPromises()
    expect(useUiStore().toasts.map(({ message }) => message)).toEqual([notice])
    expect(by(wrapper, 'job-cancel').exists()).toBe(true)
  })

  describe('of compute', () => {
    const status = { message: null, restarts: 0, threads: 2 } as const
    const card = 'NVIDIA GeForce RTX 4070 Laptop GPU with a name that is long'
    const { compute } = t.status

    it.each([
      ['webgpu', card, `webgpu, ${compute.busy}, ${card}`],
      ['cuda', null, `cuda, ${compute.busy}`],
      ['wasm', 'AMD EPYC', `wasm, ${compute.busy}, 2 threads`],
      ['native', 'AMD EPYC', `native, ${compute.busy}, 2 threads`, 'cpu'],
      ['native', card, `native on webgpu, ${compute.busy}, ${card}`, 'webgpu'],
    ] as const)('tells the state of %s before the device, and all of it in the tooltip', (...given) => {
      const [backend, device, words, provider = null] = given
      useProjectStore().compute = { ...status, state: 'busy', backend, provider, device }
      const button = by(show(StatusBar), 'compute-status')
      expect(button.text()).toBe(words)
      const tip = button.attributes('data-tip') ?? ''
      expect(tip.startsWith(words)).toBe(true)
      expect(tip).toContain(device ?? t.status.computeHint)
      expect(tip).toContain(t.status.computeHint)
    })

    it('says in the tooltip what is wrong', () => {
      const message = 'Compute ended; it is started again.'
      useProjectStore().compute = { ...status, state: 'restarting', backend: null, device: null, restarts: 1, message }
      const button = by(show(StatusBar), 'compute-status')
      expect(button.text()).toContain(compute.restarting)
      expect(button.attributes('data-tip')).toContain(message)
    })
  })

  it('says the truth about saving', async () => {
    const wrapper = show(StatusBar)
    const annotation = useAnnotationStore()
    expect(wrapper.text()).toContain('All saved')
    annotation.saveState = 'unsaved'
    await nextTick()
    expect(wrapper.text()).toContain('Not saved')
    expect(wrapper.text()).not.toContain('All saved')
  })

  it('shows errors with remedy and details until they are dismissed', async () => {
    const ui = useUiStore()
    ui.reportWire({ code: 'disk-full', message: 'The disk is full.', detail: 'ENOSPC' }, 'Saving the mask')
    const wrapper = show(NoticeStack)
    const card = by(wrapper, 'error-banner')
    expect(card.text()).toContain('Saving the mask')
    expect(card.text()).toContain(t.errors.remedy['disk-full'])
    expect(card.find('details pre').text()).toBe('ENOSPC')
    await card.find(`[aria-label="${t.errors.dismiss}"]`).trigger('click')
    expect(by(wrapper, 'error-banner').exists()).toBe(false)
  })

  it('offers a reload to a page that does not fit', async () => {
    client.error = new CodedError('version-mismatch', 'Reload the page.')
    client.setState('closed')
    const wrapper = show(ConnectionBanner)
    expect(wrapper.text()).toContain(t.connection.mismatch)
    expect(by(wrapper, 'reload').exists()).toBe(true)
  })

  it('lists every shortcut in the help', () => {
    const wrapper = show(HelpSheet)
    for (const words of ['Undo', 'Ctrl+Shift+Z', 'Predict', 'Larger brush', 'Paint with label 1 to 9']) {
      expect(wrapper.text()).toContain(words)
    }
  })
})

describe('a case in the worklist', () => {
  it('tells its status in words', () => {
    const words = (change: Parameters<typeof aCase>[0]) =>
      show(CaseItem, { item: aCase(change), current: false }).text()
    expect(words({ status: 'predicted' })).toContain('Predicted')
    expect(words({ status: 'imported', correctedSlices: 3 })).toContain('Mask imported')
    expect(words({ status: 'corrected', correctedSlices: 3 })).toContain('3 slices corrected')
    expect(words({ status: 'saved', correctedSlices: 3 })).toContain('Mask saved, 3 corrected')
    expect(words({ missing: true })).toContain('Image file is missing')
  })

  it('offers to locate a missing image', async () => {
    const wrapper = show(CaseItem, { item: aCase({ missing: true }), current: true })
    await by(wrapper, 'case-locate').trigger('click')
    expect(useUiStore().panel).toBe('open-file')
    expect(useUiStore().relocating).toBe('case-1')
  })
})
