import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { CodedError } from '../../../core/contract/index.ts'
import { startUp } from '../actions/startup.ts'
import { lifeOf, provideClient } from '../api/client.ts'
import { aCase, aJob, aLabel, aModel, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { settled, withClient, withProject } from '../testing/setUp.ts'
import { useConnectionStore } from './connection.ts'
import { useJobsStore } from './jobs.ts'
import { useProjectStore } from './project.ts'
import { useQueueStore } from './queue.ts'
import { useSettingsStore } from './settings.ts'
import { useUiStore } from './ui.ts'
import { useUploadsStore, type DroppedSet } from './uploads.ts'
import { useViewStore } from './view.ts'

let client: FakeClient

beforeEach(async () => {
  client = projectClient()
  await withProject(client)
})

describe('start', () => {
  it('shows the case that was open last', async () => {
    withClient(client)
    const stop = startUp()
    await settled()
    expect(useViewStore().caseId).toBe('case-2')
    expect(useProjectStore().project?.name).toBe('Demo')
    stop()
  })

  it('shows the first case when the last one is gone', async () => {
    client = projectClient(aProject({ lastCaseId: 'removed' }))
    withClient(client)
    const stop = startUp()
    await settled()
    expect(useViewStore().caseId).toBe('case-1')
    stop()
  })

  it('reads everything afresh after events were missed', async () => {
    withClient(client)
    const stop = startUp()
    await settled()
    client.answers['project.get'] = () => aProject({ cases: [aCase(), aCase({ id: 'case-3', name: 'New' })] })
    client.resync()
    await settled()
    expect(useProjectStore().cases.map((one) => one.id)).toEqual(['case-1', 'case-3'])
    stop()
  })

  it('reads the project when the connection comes only later, without an error banner', async () => {
    client.state = 'connecting'
    const lost = () => {
      throw new CodedError('connection-lost', 'The connection was lost.')
    }
    const real = client.answers['project.get']
    client.answers['project.get'] = lost
    withClient(client)
    const stop = startUp()
    await settled()
    expect(useUiStore().banners).toEqual([])
    if (real !== undefined) client.answers['project.get'] = real
    client.setState('open')
    await settled()
    expect(useProjectStore().project?.name).toBe('Demo')
    stop()
  })

  it('opens the case that was chosen while the connection was lost', async () => {
    withClient(client)
    const stop = startUp()
    await settled()
    const view = useViewStore()
    const real = client.answers['case.open']
    client.answers['case.open'] = () => {
      throw new CodedError('connection-lost', 'The connection was lost.')
    }
    client.setState('lost')
    await view.openCase('case-1')
    expect(view.error?.code).toBe('connection-lost')
    if (real !== undefined) client.answers['case.open'] = real
    client.setState('open')
    await settled()
    expect([view.caseId, view.detail?.id, view.error]).toEqual(['case-1', 'case-1', null])
    stop()
  })

  it('leaves a case that another window took off the worklist', async () => {
    withClient(client)
    const stop = startUp()
    await settled()
    client.tell('project.changed', { cases: [aCase()] })
    await settled()
    expect(useViewStore().caseId).toBe('case-1')
    expect(useUiStore().toasts).toHaveLength(1)
    stop()
  })

  it('shows notices as toasts and failed jobs as errors with their code', async () => {
    withClient(client)
    const stop = startUp()
    await settled()
    const ui = useUiStore()
    client.tell('notice', { level: 'warning', message: 'Compute was restarted.' })
    client.tell('notice', { level: 'warning', message: 'Compute was restarted.' })
    expect(ui.toasts.map((toast) => toast.message)).toEqual(['Compute was restarted.'])
    client.tell('job.changed', {
      job: aJob({ kind: 'train', state: 'failed', error: { code: 'compute-crashed', message: 'It stopped.' } }),
    })
    expect(ui.banners).toMatchObject([{ error: { code: 'compute-crashed', message: 'It stopped.' } }])
    stop()
  })
})

describe('the connection', () => {
  it('knows a page that does not fit the backend', () => {
    client.error = new CodedError('version-mismatch', 'Reload the page.')
    client.setState('closed')
    const connection = useConnectionStore()
    expect(connection.open).toBe(false)
    expect(connection.mismatch).toBe(true)
  })
})

describe('the project', () => {
  it('follows events', () => {
    const project = useProjectStore()
    const stop = project.follow()
    client.tell('project.changed', { cases: [aCase({ status: 'saved' })] })
    client.tell('labels.changed', { labels: [aLabel({ name: 'Leber' })] })
    client.tell('models.changed', { models: [aModel({ active: false }), aModel({ id: 'model-2', version: 2 })] })
    expect(project.cases[0]?.status).toBe('saved')
    expect(project.labels[0]?.name).toBe('Leber')
    expect(project.activeModel?.version).toBe(2)
    stop()
    client.tell('labels.changed', { labels: [] })
    expect(project.labels).toHaveLength(1)
  })

  it('takes the same file twice as one case', async () => {
    client.answers['case.add'] = () => aCase({ name: 'CT abdomen A' })
    const project = useProjectStore()
    await project.addCase('file-1')
    expect(project.cases).toHaveLength(2)
  })

  it('shows a change of a label at once and takes it back when it is refused', async () => {
    client.answers['labels.update'] = () => {
      throw new CodedError('conflict', 'There is already a label of this name.')
    }
    const project = useProjectStore()
    const change = project.updateLabel(1, { name: 'Spleen' })
    expect(project.labelByValue(1)?.name).toBe('Spleen')
    await expect(change).rejects.toThrow('already')
    expect(project.labelByValue(1)?.name).toBe('Liver')
  })

  it('keeps labels in the order of their values', async () => {
    client.answers['labels.add'] = () => aLabel({ value: 1, name: 'Again' })
    const project = useProjectStore()
    project.labels = [aLabel({ value: 2 })]
    await project.addLabel('Again')
    expect(project.labels.map((label) => label.value)).toEqual([1, 2])
  })
})

describe('jobs', () => {
  it('that rank by themselves fail in a quiet line of the queue, and others in a banner', async () => {
    withClient(client)
    const stop = startUp()
    await settled()
    const error = { code: 'compute-crashed', message: 'The compute process ended.' }
    const failed = aJob({ id: 'rank-1', kind: 'rank', state: 'failed', error })
    client.tell('job.changed', { job: failed })
    expect([useUiStore().banners.length, useQueueStore().problem]).toEqual([0, error.message])
    client.answers['queue.rank'] = () => aJob({ id: 'rank-2', kind: 'rank' })
    await useQueueStore().rank()
    expect(useQueueStore().problem).toBeNull()
    client.tell('job.changed', { job: { ...failed, id: 'rank-2' } })
    expect([useUiStore().banners.length, useQueueStore().problem]).toEqual([1, null])
    stop()
  })

  it('reports the end of a job once', () => {
    const jobs = useJobsStore()
    const ended = vi.fn()
    const stop = jobs.follow(ended)
    client.tell('job.changed', { job: aJob() })
    expect(jobs.active?.message).toBe('slice 3 of 10')
    client.tell('job.changed', { job: aJob({ state: 'done' }) })
    client.tell('job.changed', { job: aJob({ state: 'done' }) })
    expect(ended).toHaveBeenCalledTimes(1)
    expect(jobs.active).toBeNull()
    stop()
  })

  it('does not let a late answer undo what events told', async () => {
    const jobs = useJobsStore()
    const stop = jobs.follow(() => undefined)
    client.answers['predict.start'] = () => {
      client.tell('job.changed', { job: aJob({ state: 'done' }) })
      return aJob({ state: 'queued' })
    }
    await jobs.predict({ caseId: 'case-1', index: 0 })
    expect(jobs.active).toBeNull()
    stop()
  })

  it.each([0, 0.5])('does not let a late answer turn a job that runs, at %s, into one that waits', async (progress) => {
    const jobs = useJobsStore()
    const stop = jobs.follow(() => undefined)
    const running = aJob({ progress, message: 'first slice…' })
    client.answers['predict.start'] = () => {
      client.tell('job.changed', { job: running })
      return aJob({ state: 'queued', progress: 0 })
    }
    await jobs.predict({ caseId: 'case-1', index: 0 })
    expect(jobs.active).toEqual(running)
    stop()
  })

  it('keeps the curve of the last training on screen', () => {
    const jobs = useJobsStore()
    const stop = jobs.follow(() => undefined)
    const curve = [{ step: 1, loss: 0.5, dice: 0.8 }]
    client.tell('job.changed', { job: aJob({ id: 'job-2', kind: 'train', curve }) })
    client.tell('job.changed', { job: aJob({ id: 'job-2', kind: 'train', state: 'done', curve, modelId: 'model-2' }) })
    expect(jobs.training).toBeNull()
    expect(jobs.lastTraining).toMatchObject({ state: 'done', modelId: 'model-2', curve })
    stop()
  })

  it('trains no longer than chosen', async () => {
    client.answers['train.start'] = () => aJob({ kind: 'train' })
    await useJobsStore().train(30, { caseId: 'case-1', index: 4 })
    expect(client.asked('train.start')).toMatchObject([{ seconds: 30, show: { caseId: 'case-1', index: 4 } }])
  })
})

describe('settings', () => {
  it('fall back to defaults where the stored value makes no sense', async () => {
    client.answers['settings.get'] = () => ({
      'ui.theme': 'pink',
      'ui.foldedSections': ['model', 'nonsense'],
      'ui.trainingSeconds': -5,
      'ui.firstRunDone': 'predict',
      'ui.worklistFolded': true,
    })
    const settings = useSettingsStore()
    await settings.load()
    expect(settings.theme).toBe('dark')
    expect(settings.isFolded('model')).toBe(true)
    expect(settings.isFolded('labels')).toBe(false)
    expect(settings.trainingSeconds).toBe(8)
    expect(settings.firstRunDone).toEqual([])
    expect(settings.worklistFolded).toBe(true)
  })

  it('hold for the page when they cannot be stored', async () => {
    client.answers['settings.set'] = () => {
      throw new CodedError('disk-full', 'The disk is full.')
    }
    const settings = useSettingsStore()
    await settings.set('theme', 'light')
    expect(settings.theme).toBe('light')
    expect(document.documentElement.dataset.theme).toBe('light')
    await settings.set('theme', 'dark')
  })
})

function dropped(file: File): DroppedSet {
  return { name: file.name, kind: 'file', files: [{ path: file.name, file }] }
}

describe('uploads', () => {
  it('sends a file in chunks, in order, and hands it over', async () => {
    const pieces: { offset: number; bytes: number }[] = []
    Object.assign(client.answers, {
      'files.uploadBegin': () => ({ uploadId: 'u1' }),
      'files.uploadChunk': ({ offset, bytes }: { offset: number; bytes: Uint8Array }) => {
        pieces.push({ offset, bytes: bytes.length })
        return {}
      },
      'files.uploadEnd': () => ({ id: 'f1', name: 'a.nii', text: '/a.nii', kind: 'file' }),
    })
    const added = vi.fn(() => Promise.resolve())
    const uploads = useUploadsStore()
    await uploads.add([dropped(new File([new Uint8Array(2.5 * 2 ** 20)], 'a.nii'))], added)
    expect(pieces).toEqual([
      { offset: 0, bytes: 2 ** 20 },
      { offset: 2 ** 20, bytes: 2 ** 20 },
      { offset: 2 ** 21, bytes: 2 ** 19 },
    ])
    expect(added).toHaveBeenCalledWith(expect.objectContaining({ id: 'f1' }))
    expect(uploads.uploads).toEqual([])
  })

  it('sends files that belong together into one folder, and hands it over once', async () => {
    const begun: unknown[] = []
    Object.assign(client.answers, {
      'files.uploadBegin': (params: unknown) => {
        begun.push(params)
        return { uploadId: 'u1' }
      },
      'files.uploadChunk': () => ({}),
      'files.uploadEnd': () => ({ id: 'f1', name: 'a.hdr', text: '/a.hdr', kind: 'file' }),
    })
    const added = vi.fn(() => Promise.resolve())
    const files = ['a.hdr', 'a.img'].map((path) => ({ path, file: new File(['x'], path) }))
    const slices = ['x/1.dcm', 'y/1.dcm'].map((path) => ({ path, file: new File(['x'], '1.dcm') }))
    await useUploadsStore().add(
      [
        { name: 'a.hdr', kind: 'pair', files },
        { name: 'CT', kind: 'folder', files: slices },
      ],
      added,
    )
    const [header, voxels, first, second] = begun as { folder: { id: string } }[]
    expect(begun).toMatchObject([
      { name: 'a.hdr', folder: { name: 'a', header: 'a.hdr' } },
      { name: 'a.img', folder: { name: 'a', header: 'a.hdr' } },
      { name: '1.dcm', folder: { name: 'CT', header: null } },
      { name: '1.dcm', folder: { name: 'CT', header: null } },
    ])
    expect(header?.folder.id).toBe(voxels?.folder.id)
    expect(first?.folder.id).toBe(second?.folder.id)
    expect(header?.folder.id).not.toBe(first?.folder.id)
    expect(added).toHaveBeenCalledTimes(2)
  })

  it('sends nothing more where another project is opened meanwhile', async () => {
    const life = lifeOf(client)
    provideClient(life.client)
    setActivePinia(createPinia())
    client.answers['files.uploadBegin'] = () => {
      life.end()
      provideClient(client)
      return { uploadId: 'u1' }
    }
    const added = vi.fn(() => Promise.resolve())
    const uploads = useUploadsStore()
    await uploads.add([dropped(new File(['x'], 'a.nii')), dropped(new File(['x'], 'b.nii'))], added)
    expect(client.asked('files.uploadBegin')).toHaveLength(1)
    expect(client.asked('files.uploadChunk')).toEqual([])
    expect(added).not.toHaveBeenCalled()
    expect(uploads.uploads).toEqual([])
  })

  it('keeps a file that failed, with the reason, and goes on with the next', async () => {
    Object.assign(client.answers, {
      'files.uploadBegin': ({ name }: { name: string }) => {
        if (name === 'bad.txt') throw new CodedError('bad-file', '"bad.txt" is not an image.')
        return { uploadId: 'u1' }
      },
      'files.uploadEnd': () => ({ id: 'f1', name: 'a.nii', text: '/a.nii', kind: 'file' }),
    })
    const added = vi.fn(() => Promise.resolve())
    const uploads = useUploadsStore()
    await uploads.add([dropped(new File(['x'], 'bad.txt')), dropped(new File([], 'a.nii'))], added)
    expect(uploads.uploads).toMatchObject([{ name: 'bad.txt', state: 'failed', error: { code: 'bad-file' } }])
    expect(added).toHaveBeenCalledTimes(1)
    uploads.dismiss(uploads.uploads[0]!.id)
    expect(uploads.uploads).toEqual([])
  })
})
