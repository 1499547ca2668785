import { beforeEach, describe, expect, it } from 'vitest'
import { CodedError, maskFormatSchema, type StrokeDelta } from '../../../core/contract/index.ts'
import { cautionWords, maskInWords } from '../i18n/exchange.ts'
import { t } from '../i18n/frame.ts'
import { useCautionsStore } from '../stores/cautions.ts'
import { useMaskImportsStore } from '../stores/maskImports.ts'
import { useUiStore } from '../stores/ui.ts'
import { useViewStore } from '../stores/view.ts'
import { aDetail, aLabel, aMaskLook, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { withProject } from '../testing/setUp.ts'
import { useActions } from './index.ts'
import { importMask, suggestedMaskName, withMaskEnding } from './masks.ts'
import { acceptLabel } from './model.ts'

let client: FakeClient

beforeEach(async () => {
  client = projectClient(aProject())
  await withProject(client)
  await useViewStore().openCase('case-1')
})

describe('names of masks', () => {
  it('have the ending of their format; folders have none', () => {
    const names = (slices: number, name: string) =>
      maskFormatSchema.options.map((format) => suggestedMaskName(name, slices, format))
    expect(names(80, 'liver 1.nii.gz')).toEqual([
      'liver 1-mask.nii.gz',
      'liver 1-mask',
      'liver 1-mask.tif',
      'liver 1-instances',
      'liver 1-mask.json',
      'liver 1-nnunet',
    ])
    expect(names(1, 'cells.ome.tif')).toEqual([
      'cells-mask.nii.gz',
      'cells-mask.png',
      'cells-mask.tif',
      'cells-instances',
      'cells-mask.json',
      'cells-nnunet',
    ])
  })

  it('keep an ending that fits', () => {
    expect(withMaskEnding('/a/m.nii', 80, 'nifti')).toBe('/a/m.nii')
    expect(withMaskEnding('/a/m.TIFF', 1, 'tiff')).toBe('/a/m.TIFF')
    expect(withMaskEnding('/a/m', 1, 'coco')).toBe('/a/m.json')
    expect(withMaskEnding('/a/m.png', 1, 'nifti')).toBe('/a/m.png.nii.gz')
  })
})

describe('importing a mask', () => {
  const file = { id: 'm1', name: 'theirs.nii.gz', text: '/theirs.nii.gz', kind: 'file' as const }
  const delta: StrokeDelta = {
    id: '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d',
    baseRevision: 0,
    kind: 'import',
    label: 1,
    axis: null,
    box: { min: [0, 0, 0], max: [2, 1, 1] },
    runs: Uint32Array.of(0, 2, 0, 1),
  }
  const history = { canUndo: true, canRedo: false, undoName: 'import', redoName: null }

  it('says what was changed, and can be taken back', async () => {
    client.answers['mask.look'] = () => aMaskLook()
    client.answers['mask.import'] = () => ({
      ...{ revision: 1, delta, history },
      ...{ changedVoxels: 1234, keptLockedVoxels: 5, newLabels: [aLabel({ value: 7, name: 'Lesion' })] },
    })
    const imports = useMaskImportsStore()
    await imports.look('case-1', file)
    expect(imports.state).toMatchObject({ step: 'ready', look: { fit: 'same' } })
    expect(await importMask('keep')).toBe(true)
    expect(client.asked('mask.import')).toEqual([{ caseId: 'case-1', fileId: 'm1', resample: false, labels: 'keep' }])
    const note = useUiStore().note ?? ''
    expect(note).toContain(maskInWords.done('theirs.nii.gz', 1234))
    expect(note).toContain('1 new label')
    expect(note).toContain(t.model.keptLocked(5))
    expect(useActions().get('undo').when()).toBe(true)
    expect(imports.state.step).toBe('choose')
  })

  it('resamples only what lies elsewhere, onto one label where that is asked', async () => {
    client.answers['mask.look'] = () => aMaskLook({ fit: 'moved', difference: 'It lies 12 mm further left.' })
    client.answers['mask.import'] = () => ({
      ...{ revision: 0, delta: null, history, changedVoxels: 0, keptLockedVoxels: 0, newLabels: [] },
    })
    await useMaskImportsStore().look('case-1', file)
    await importMask(2)
    expect(client.asked('mask.import')).toMatchObject([{ resample: true, labels: 2 }])
    expect(useUiStore().note).toBe(maskInWords.done('theirs.nii.gz', 0))
  })

  it('does not call a mask the same that locked labels kept', async () => {
    client.answers['mask.look'] = () => aMaskLook()
    client.answers['mask.import'] = () => ({
      ...{ revision: 0, delta: null, history, changedVoxels: 0, keptLockedVoxels: 5, newLabels: [] },
    })
    await useMaskImportsStore().look('case-1', file)
    await importMask('keep')
    expect(useUiStore().note).toBe(t.model.keptLocked(5))
  })

  it('keeps what was found where importing fails, with the reason', async () => {
    client.answers['mask.look'] = () => aMaskLook()
    client.answers['mask.import'] = () => {
      throw new CodedError('bad-request', '"theirs.nii.gz" holds the value 300.')
    }
    const [imports, ui] = [useMaskImportsStore(), useUiStore()]
    ui.open('import-mask')
    await imports.look('case-1', file)
    expect(await importMask('keep')).toBe(false)
    expect(imports.state).toMatchObject({ step: 'ready', error: { message: '"theirs.nii.gz" holds the value 300.' } })
    expect(ui.banners).toEqual([])
    // The sheet is not modal: closed while the mask is written, it cannot say so any more.
    const importing = importMask('keep')
    ui.close()
    expect(await importing).toBe(false)
    expect(ui.banners).toMatchObject([{ error: { message: '"theirs.nii.gz" holds the value 300.' } }])
    expect(imports.state.step).toBe('choose')
  })

  it('is told of for some seconds where another case is open by then', async () => {
    client.answers['mask.look'] = () => aMaskLook()
    client.answers['mask.import'] = () => ({
      ...{ revision: 1, delta, history, changedVoxels: 12, keptLockedVoxels: 0, newLabels: [] },
    })
    await useMaskImportsStore().look('case-1', file)
    const importing = importMask('keep')
    await useViewStore().openCase('case-2')
    expect(await importing).toBe(true)
    expect(useUiStore().note).toBeNull()
    expect(useUiStore().toasts.map(({ message }) => message)).toEqual([maskInWords.done('theirs.nii.gz', 12)])
  })

  it('says why a file cannot be used', async () => {
    client.answers['mask.look'] = () => {
      throw new CodedError('bad-file', '"theirs.nii.gz" is cut off; copy it again.')
    }
    const imports = useMaskImportsStore()
    await imports.look('case-1', file)
    expect(imports.state).toMatchObject({ step: 'refused', error: { code: 'bad-file' } })
  })
})

describe('cautions', () => {
  const caution = {
    kind: 'two-positions' as const,
    message: 'It states two positions, 14 mm apart.',
    other: 'qform' as const,
  }

  beforeEach(async () => {
    client.answers['case.open'] = () => aDetail({ cautions: [caution], cautionsSeen: false, predicted: [5] })
    await useViewStore().openCase('case-1')
  })

  it('hold what writes into the mask until they were seen', async () => {
    client.answers['case.acknowledge'] = () => ({})
    const cautions = useCautionsStore()
    const actions = useActions()
    for (const id of ['accept-all', 'accept-slice', 'import-mask']) await actions.run(id)
    await acceptLabel(1)
    expect(client.asked('annotation.accept')).toEqual([])
    expect(useUiStore().panel).toBeNull()
    expect(cautions.pointed).toBe(4)
    expect(useViewStore().notice?.text).toBe(cautionWords.pointed)

    await cautions.acknowledge()
    expect(client.asked('case.acknowledge')).toEqual([{ caseId: 'case-1' }])
    expect(cautions.holds()).toBe(false)
    await actions.run('import-mask')
    expect(useUiStore().panel).toBe('import-mask')
  })

  it('stay where the backend could not note that they were seen', async () => {
    client.answers['case.acknowledge'] = () => {
      throw new CodedError('disk-full', 'The disk is full.')
    }
    const cautions = useCautionsStore()
    await expect(cautions.acknowledge()).rejects.toThrow('disk is full')
    expect(cautions.blocking).toBe(true)
    expect(cautions.busy).toBe(false)
  })

  it('let the other position be used, and show the case anew', async () => {
    client.answers['case.useForm'] = () => aDetail()
    client.answers['case.open'] = () => aDetail({ orientation: 'RAS', selection: { affine: 'qform' } })
    await useCautionsStore().useForm('qform')
    expect(client.asked('case.useForm')).toEqual([{ caseId: 'case-1', affine: 'qform' }])
    expect(useViewStore().detail?.orientation).toBe('RAS')
    expect(useCautionsStore().blocking).toBe(false)
  })
})
