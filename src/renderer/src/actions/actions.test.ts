import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../../core/contract/index.ts'
import { t } from '../i18n/frame.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useProjectStore } from '../stores/project.ts'
import { useUiStore } from '../stores/ui.ts'
import { useViewStore } from '../stores/view.ts'
import { aCase, aJob, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { aHoldout } from '../testing/learning.ts'
import { settled, withProject } from '../testing/setUp.ts'
import { leaveRemoved } from './flows.ts'
import { useActions } from './index.ts'
import { listenToKeys } from './keyboard.ts'

let client: FakeClient
let stop: () => void = () => undefined

beforeEach(async () => {
  client = projectClient(aProject(), { 'predict.start': () => aJob(), 'train.start': () => aJob({ kind: 'train' }) })
  await withProject(client)
})
afterEach(() => stop())

function type(key: string, held: KeyboardEventInit = {}, target: EventTarget = document.body): KeyboardEvent {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...held })
  target.dispatchEvent(event)
  return event
}

describe('the list of actions', () => {
  it('names each action and each shortcut once', () => {
    const { all } = useActions()
    const ids = all.map((action) => action.id)
    expect(new Set(ids).size).toBe(ids.length)
    // Letters are compared without case: shortcuts name Shift.
    const shortcuts = all.flatMap((action) => action.shortcuts).map((one) => one.toLowerCase())
    expect(new Set(shortcuts).size).toBe(shortcuts.length)
    for (const action of all) expect(action.label()).not.toBe('')
  })

  it('has the shortcuts that the help promises', () => {
    const byShortcut = new Map(useActions().all.flatMap((action) => action.shortcuts.map((key) => [key, action.id])))
    const expected = {
      B: 'tool-brush',
      E: 'tool-eraser',
      '[': 'brush-smaller',
      ']': 'brush-larger',
      '1': 'label-1',
      '9': 'label-9',
      'Ctrl+Z': 'undo',
      'Ctrl+Shift+Z': 'redo',
      'Ctrl+Y': 'redo',
      O: 'toggle-overlay',
      C: 'toggle-contour',
      F: 'fit',
      P: 'predict',
      R: 'retrain',
      A: 'accept-slice',
      'Shift+A': 'accept-all',
      'Ctrl+S': 'save',
      'Ctrl+O': 'open',
      'Ctrl+K': 'palette',
      '?': 'help',
    }
    for (const [key, id] of Object.entries(expected)) expect(byShortcut.get(key), key).toBe(id)
  })

  it('says why something cannot be done', async () => {
    const actions = useActions()
    expect(actions.get('predict').when()).toBe(t.reasons.noCase)
    await useViewStore().openCase('case-1')
    expect(actions.get('predict').when()).toBe(true)
    expect(actions.get('accept-slice').when()).toBe(t.reasons.nothingPredicted)
    expect(actions.get('retrain').when()).toBe(t.reasons.nothingCorrected)
    useJobsStore().replaceAll([aJob()])
    expect(actions.get('predict').when()).toBe(t.reasons.jobRuns)
    client.setState('lost')
    expect(actions.get('predict').when()).toBe(t.reasons.noConnection)
  })

  it('does not do what cannot be done', async () => {
    await useActions().run('predict')
    expect(client.asked('predict.start')).toEqual([])
  })

  it('predicts from the slice on screen', async () => {
    const view = useViewStore()
    await view.openCase('case-1')
    view.setIndex(7)
    await useActions().run('predict')
    expect(client.asked('predict.start')).toEqual([{ caseId: 'case-1', index: 7 }])
    expect(useJobsStore().predicting?.id).toBe('job-1')
  })

  it('predicts from the middle of the training axis while another plane is on screen', async () => {
    const view = useViewStore()
    await view.openCase('case-1')
    view.setPlane('sagittal')
    view.setIndex(1)
    await useActions().run('predict')
    expect(client.asked('predict.start')).toEqual([{ caseId: 'case-1', index: 5 }])
  })

  it('accepts slices only face on, and says what was kept', async () => {
    client.answers['annotation.accept'] = () => ({
      revision: 1,
      delta: null,
      history: { canUndo: true, canRedo: false, undoName: 'accept', redoName: null },
      changedVoxels: 1234,
      keptLockedVoxels: 5,
      keptCorrectedSlices: 0,
    })
    const view = useViewStore()
    const annotation = useAnnotationStore()
    await view.openCase('case-1')
    client.tell('case.slices', {
      caseId: 'case-1',
      corrected: [],
      predicted: [0, 1, 2, 3, 4, 5],
      approved: [],
      painted: [],
    })
    view.setIndex(9)
    const action = useActions().get('accept-slice')
    expect(action.when()).toBe(t.reasons.slicePredicted)
    view.setIndex(3)
    expect(action.when()).toBe(true)
    await useActions().run('accept-slice')
    expect(client.asked('annotation.accept')).toEqual([
      { caseId: 'case-1', scope: { kind: 'slice', axis: 2, index: 3 }, labels: null, keepCorrected: true },
    ])
    expect(useUiStore().note).toBe('1,234 voxels taken into the mask. 5 voxels of locked labels kept.')
    expect(annotation.corrected).toEqual([3])
    view.setPlane('coronal')
    expect(action.when()).toBe(t.reasons.notTrainingPlane)
    client.answers['annotation.undo'] = () => {
      throw new CodedError('locked', 'Liver is locked.')
    }
    annotation.history = { canUndo: true, canRedo: false, undoName: 'accept', redoName: null }
    await useActions().run('undo')
    expect(useUiStore().note).toBeNull()
  })

  it('shows what goes wrong, and not what was cancelled', async () => {
    client.answers['predict.start'] = () => {
      throw new CodedError('no-model', 'The project has no model.')
    }
    await useViewStore().openCase('case-1')
    await useActions().run('predict')
    const ui = useUiStore()
    expect(ui.banners).toMatchObject([{ doing: t.errors.doing.predict, error: { code: 'no-model' }, times: 1 }])
    await useActions().run('predict')
    expect(ui.banners).toMatchObject([{ times: 2 }])
    ui.dismissBanner(ui.banners[0]!.id)
    client.answers['predict.start'] = () => {
      throw new CodedError('cancelled', 'The request was cancelled.')
    }
    await useActions().run('predict')
    expect(ui.banners).toEqual([])
  })

  it('go on with the neighbour of a case that left the worklist, and say who took it', async () => {
    client.answers['case.remove'] = () => ({})
    const view = useViewStore()
    const project = useProjectStore()
    const ui = useUiStore()
    await view.openCase('case-1')
    await useActions().run('remove-case')
    expect([view.caseId, ui.toasts]).toEqual(['case-2', []])
    const before = project.cases
    project.cases = []
    await leaveRemoved(before)
    expect(view.caseId).toBeNull()
    expect(ui.toasts).toMatchObject([{ message: t.worklist.removedElsewhere('CT abdomen B') }])
  })

  it('ask before a case of the hold-out leaves the worklist', async () => {
    client.answers['case.remove'] = () => ({})
    client.answers['holdout.get'] = () => aHoldout()
    useProjectStore().cases = [aCase(), aCase({ id: 'case-2', name: 'CT abdomen B', heldOut: true })]
    await useViewStore().openCase('case-2')
    await useActions().run('remove-case')
    const asked = useUiStore().confirmation
    expect(asked?.title).toBe('Take CT abdomen B off the worklist?')
    expect(asked?.message).toContain('the only one')
    expect(client.asked('case.remove')).toEqual([])
    await asked?.run()
    expect(client.asked('case.remove')).toEqual([{ caseId: 'case-2' }])
    expect(useViewStore().caseId).toBe('case-1')
  })

  it('counts the slices to learn from over all cases', () => {
    useProjectStore().cases = [aCase({ newCorrectedSlices: 2 }), aCase({ id: 'case-2', newCorrectedSlices: 1 })]
    expect(useActions().get('retrain').label()).toBe('Retrain (3 slices)')
  })
})

describe('keys', () => {
  beforeEach(async () => {
    await useViewStore().openCase('case-1')
    stop = listenToKeys()
  })

  it('run actions', () => {
    const view = useViewStore()
    const event = type('e')
    expect(view.tool).toBe('eraser')
    expect(event.defaultPrevented).toBe(true)
    type('2')
    expect(view.activeLabel).toBe(2)
    const before = view.index
    type('ArrowDown')
    expect(view.index).toBe(before + 1)
    type('PageUp')
    expect(view.index).toBe(before)
    type('c')
    expect(view.overlay.mode).toBe('contour')
  })

  it('hide both layers at once and bring both back', () => {
    const view = useViewStore()
    type('o')
    expect([view.overlay.maskVisible, view.overlay.predictionVisible]).toEqual([false, false])
    type('o')
    expect([view.overlay.maskVisible, view.overlay.predictionVisible]).toEqual([true, true])
  })

  it('belong to the field while text is typed, except those made for it', () => {
    const field = document.createElement('input')
    document.body.append(field)
    const ui = useUiStore()
    expect(type('e', {}, field).defaultPrevented).toBe(false)
    expect(useViewStore().tool).toBe('brush')
    type('k', { ctrlKey: true }, field)
    expect(ui.panel).toBe('palette')
    field.remove()
  })

  it('close what is open with Escape', () => {
    const ui = useUiStore()
    type('?')
    expect(ui.panel).toBe('help')
    type('Escape')
    expect(ui.panel).toBeNull()
  })

  it('wait while a question is asked', () => {
    const ui = useUiStore()
    ui.ask({ title: '', message: '', confirm: '', keep: '', run: () => Promise.resolve() })
    type('e')
    expect(useViewStore().tool).toBe('brush')
  })

  it('of the model and of review are done once, however long the key is held', async () => {
    type('p')
    type('p', { repeat: true })
    await settled()
    expect(client.calls.filter(({ method }) => method === 'predict.start')).toHaveLength(1)
    const { overlay } = useViewStore()
    type('u')
    for (let press = 0; press < 3; press++) type('u', { repeat: true })
    expect(overlay.uncertaintyVisible).toBe(true)
    // Others go on: the brush grows for as long as its key is held.
    const before = useViewStore().brushRadius
    type(']', { repeat: true })
    expect(useViewStore().brushRadius).toBeGreaterThan(before)
  })

  it('are left alone when somebody used them already', async () => {
    const event = new KeyboardEvent('keydown', { key: 'e', bubbles: true, cancelable: true })
    event.preventDefault()
    document.body.dispatchEvent(event)
    await settled()
    expect(useViewStore().tool).toBe('brush')
  })
})
