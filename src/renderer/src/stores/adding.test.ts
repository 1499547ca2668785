import { beforeEach, describe, expect, it, vi } from 'vitest'
import { CodedError, type FileEntry } from '../../../core/contract/index.ts'
import { addDropped, askForFiles, askForFolder, openFile } from '../actions/opening.ts'
import { aCase, aLook, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { settled, withProject } from '../testing/setUp.ts'
import { useAddingStore } from './adding.ts'
import { useProjectStore } from './project.ts'
import { useUiStore } from './ui.ts'
import { useUploadsStore } from './uploads.ts'
import { useViewStore } from './view.ts'

let client: FakeClient
const file = (id: string): FileEntry => ({ id, name: `${id}.nii`, text: `/${id}.nii`, kind: 'file' })
const ct = { description: 'Abdomen 2.0', modality: 'CT', images: 80, dims: [512, 512, 80] as [number, number, number] }

beforeEach(async () => {
  const project = aProject()
  client = projectClient(project)
  client.answers['case.add'] = ({ fileId, selection }) => {
    const added = aCase({ id: `${fileId}-${JSON.stringify(selection)}`, name: fileId })
    project.cases.push(added)
    return added
  }
  await withProject(client)
})

describe('adding a file', () => {
  it('is done at once where there is nothing to choose', async () => {
    const asked = vi.fn()
    const added = await useAddingStore().add(file('a'), asked)
    expect(added?.name).toBe('a')
    expect(asked).not.toHaveBeenCalled()
    expect(client.asked('case.add')).toEqual([{ fileId: 'a', selection: {} }])
  })

  it('waits for the frame to be chosen', async () => {
    client.answers['case.look'] = () => aLook({ frames: 120 })
    const adding = useAddingStore()
    const added = adding.add(file('a'))
    await settled()
    expect(adding.current).toMatchObject({ selection: { frame: 0 }, choices: { frames: 120 } })
    adding.select({ frame: 6 })
    await adding.take()
    expect((await added)?.name).toBe('a')
    expect(client.asked('case.add')).toEqual([{ fileId: 'a', selection: { frame: 6 } }])
    expect(adding.current).toBeNull()
  })

  it('remarks on the proposed image, not on what was assumed before there was a choice', async () => {
    client.answers['case.look'] = ({ selection }) =>
      aLook({ frames: 5, warnings: [selection === undefined ? 'The first one is used.' : 'The unit is not known.'] })
    const adding = useAddingStore()
    void adding.add(file('a'))
    await settled()
    expect(adding.current?.choices.warnings).toEqual(['The unit is not known.'])
    expect(client.asked('case.look').at(-1)).toEqual({ fileId: 'a', selection: { frame: 0 } })
  })

  it('proposes the first channel, and the magnitude of complex numbers', async () => {
    client.answers['case.look'] = () => aLook({ channels: ['DAPI', 'GFP'], complex: true })
    const adding = useAddingStore()
    void adding.add(file('a'))
    await settled()
    expect(adding.current?.selection).toEqual({ channel: 0, part: 'magnitude' })
  })

  it('looks at what another series holds', async () => {
    client.answers['case.look'] = ({ selection }) =>
      aLook({
        series: [
          { id: '1.2', ...ct },
          { id: '1.3', ...ct, description: 'Perfusion' },
        ],
        frames: selection?.series === '1.3' ? 30 : 1,
      })
    const adding = useAddingStore()
    void adding.add({ ...file('a'), kind: 'folder' })
    await settled()
    expect(adding.current?.selection).toEqual({ series: '1.2' })
    const looking = adding.selectSeries('1.3')
    expect(adding.current).toMatchObject({ looking: true, selection: { series: '1.3' } })
    await adding.take()
    expect(client.asked('case.add'), 'what is not read yet is not added').toEqual([])
    await looking
    expect(adding.current).toMatchObject({ looking: false, selection: { series: '1.3', frame: 0 } })
    await adding.selectSeries('1.2')
    expect(adding.current?.selection, 'the frame went with its series').toEqual({ series: '1.2' })
  })

  it('does not ask for the series of a file: it is that of the file', async () => {
    client.answers['case.look'] = () =>
      aLook({
        series: [
          { id: '1.2', ...ct },
          { id: '1.3', ...ct },
        ],
      })
    await useAddingStore().add(file('a'))
    expect(client.asked('case.add')).toEqual([{ fileId: 'a', selection: {} }])
  })

  it('keeps the choice where adding fails, and adds nothing where it is left', async () => {
    client.answers['case.look'] = () => aLook({ frames: 3 })
    client.answers['case.add'] = () => {
      throw new CodedError('bad-file', '"a.nii" is cut off.')
    }
    const adding = useAddingStore()
    const added = adding.add(file('a'))
    await settled()
    adding.select({ frame: 2 })
    await adding.take()
    expect(adding.current).toMatchObject({ selection: { frame: 2 }, adding: false, error: { code: 'bad-file' } })
    adding.leave()
    expect(await added).toBeNull()
    expect(adding.current).toBeNull()
  })

  it('asks about one file after the other', async () => {
    client.answers['case.look'] = () => aLook({ frames: 3 })
    const adding = useAddingStore()
    const both = [adding.add(file('a')), adding.add(file('b'))]
    await settled()
    expect([adding.current?.file.id, adding.waiting]).toEqual(['a', 1])
    adding.leave()
    await settled()
    expect([adding.current?.file.id, adding.waiting]).toEqual(['b', 0])
    await adding.take()
    expect((await Promise.all(both)).map((one) => one?.name)).toEqual([undefined, 'b'])
  })
})

describe('opening', () => {
  it('puts the choice where the path field stood, and shows the case that was chosen', async () => {
    client.answers['case.look'] = () => aLook({ frames: 3 })
    const ui = useUiStore()
    ui.open('open-file')
    const opened = openFile(file('a'))
    await settled()
    expect(ui.panel).toBeNull()
    await useAddingStore().take()
    await opened
    expect(useViewStore().caseId).toBe('a-{"frame":0}')
  })

  it('leaves the path field as it is where the file cannot be read', async () => {
    client.answers['case.look'] = () => {
      throw new CodedError('bad-file', '"a.nii" is empty.')
    }
    const ui = useUiStore()
    ui.open('open-file')
    await expect(openFile(file('a'))).rejects.toThrow('is empty')
    expect(ui.panel).toBe('open-file')
  })
})

describe('files from a native dialog', () => {
  it('are shown while they are read, and reading one can be stopped', async () => {
    let answer: () => void = () => undefined
    client.answers['case.look'] = () => new Promise((resolve) => (answer = () => resolve(aLook())))
    const adding = useAddingStore()
    const added = adding.addShown(file('a'))
    await settled()
    expect(adding.readings.map(({ name }) => name)).toEqual(['a.nii'])
    adding.readings[0]?.stop()
    answer()
    expect(await added).toBeNull()
    expect(adding.readings).toEqual([])
  })

  it('are added one after the other, whatever becomes of one', async () => {
    const project = useProjectStore()
    if (project.info !== null) project.info = { ...project.info, nativeDialogs: true }
    client.answers['files.openDialog'] = () => [file('a'), file('bad'), file('c')]
    client.answers['case.look'] = ({ fileId }) => {
      if (fileId === 'bad') throw new CodedError('bad-file', '"bad.nii" is empty.')
      return aLook()
    }
    await askForFiles()
    expect(client.asked('case.add')).toMatchObject([{ fileId: 'a' }, { fileId: 'c' }])
    expect(useViewStore().caseId).toBe('a-{}')
    expect(useUiStore().banners).toMatchObject([{ error: { message: '"bad.nii" is empty.' } }])
    await askForFolder()
    expect(client.asked('files.openDialog')).toEqual([{ kind: 'image' }, { kind: 'folder' }])
  })
})

describe('a dropped set', () => {
  it('that holds nothing is said to be empty', async () => {
    await addDropped([{ name: 'nothing', kind: 'folder', files: [] }])
    expect(useUploadsStore().uploads).toMatchObject([{ name: 'nothing', state: 'failed', error: { code: 'bad-file' } }])
    expect(useUploadsStore().uploads[0]?.error?.message).toContain('nothing')
  })
})
