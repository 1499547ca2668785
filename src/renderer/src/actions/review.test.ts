import { flushPromises } from '@vue/test-utils'
import { beforeEach, describe, expect, it } from 'vitest'
import type { MethodResult, SliceMarks } from '../../../core/contract/index.ts'
import { t } from '../i18n/frame.ts'
import { reviewText as text } from '../i18n/review.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useProjectStore } from '../stores/project.ts'
import { useQueueStore } from '../stores/queue.ts'
import { useSeenStore } from '../stores/seen.ts'
import { useViewStore } from '../stores/view.ts'
import { aCase, aJob, aProject, aQueue, aQueuedSlice, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { withProject } from '../testing/setUp.ts'
import { useActions } from './index.ts'

let client: FakeClient
/** What the backend takes over where that is wanted. */
let predicted: number[] = []
const history = { canUndo: true, canRedo: false, undoName: 'approve', redoName: null }
const noMarks: SliceMarks = { corrected: [], predicted: [], approved: [], painted: [] }
const slice = (data: Uint8Array<ArrayBuffer>) => ({ width: 8, height: 6, data, revision: 0, modelId: null })

beforeEach(async () => {
  client = projectClient(aProject(), {
    'queue.rank': () => aJob({ kind: 'rank' }),
    'slice.coverage': ({ coverage }) => ({ coverage }),
    'annotation.slice': () => slice(new Uint8Array(48).fill(1, 0, 3)),
    'volume.slice': () => ({ ...slice(new Uint8Array(48)), channels: 1, voxelType: 'uint8', slope: 1, inter: 0 }),
    'slice.approve': ({ index, region, approved, takeOver }): MethodResult<'slice.approve'> => ({
      revision: 2,
      delta: null,
      tookOver: takeOver === true ? predicted.length : 0,
      history,
      marks: { ...noMarks, approved: approved && region === undefined && index !== null ? [index] : [] },
    }),
  })
  predicted = []
  await withProject(client)
  const view = useViewStore()
  useAnnotationStore()
  await view.openCase('case-1')
  view.setIndex(4)
  // As the viewer does: the slice is here.
  await useAnnotationStore().session?.load({ axis: 2, index: 4 })
})

const marks = (change: Partial<SliceMarks>) => {
  predicted = change.predicted ?? []
  client.tell('case.slices', { caseId: 'case-1', ...noMarks, ...change })
}
const told = () => useViewStore().notice?.text
const changes = () =>
  client.calls
    .filter(({ method }) => ['annotation.accept', 'slice.approve', 'slice.coverage'].includes(method))
    .map(({ method, params }) => [method, params])

describe('approving', () => {
  it('marks the slice on screen, and the same key takes it back', async () => {
    marks({ corrected: [4] })
    const action = useActions().get('approve-slice')
    expect(action.checked?.()).toBe(false)
    await useActions().run('approve-slice')
    expect(changes()).toEqual([['slice.approve', { caseId: 'case-1', index: 4, takeOver: true, approved: true }]])
    expect([action.checked?.(), told()]).toEqual([true, text.told.approved(5)])
    await useActions().run('approve-slice')
    expect(changes().at(-1)).toEqual(['slice.approve', { caseId: 'case-1', index: 4, approved: false }])
    expect([action.checked?.(), told()]).toEqual([false, text.told.takenBack(5)])
  })

  it('is enough to train on', () => {
    const retrain = useActions().get('retrain')
    expect(retrain.when()).toBe(t.reasons.nothingCorrected)
    marks({ approved: [4] })
    expect(retrain.when()).toBe(true)
    marks({})
    // Also where all that is approved was learned: it is replayed.
    useProjectStore().cases = [aCase({ id: 'case-2', approvedSlices: 1 })]
    expect(retrain.when()).toBe(true)
  })

  it('is not in a case that is set aside', () => {
    const retrain = useActions().get('retrain')
    const aside = aCase({ heldOut: true, correctedSlices: 1, approvedSlices: 1 })
    useProjectStore().cases = [aside]
    marks({ corrected: [4], approved: [5] })
    expect(retrain.when()).toBe(t.reasons.nothingCorrected)
    useProjectStore().cases = [aside, aCase({ id: 'case-2', correctedSlices: 1 })]
    expect(retrain.when()).toBe(true)
  })

  it('takes over the prediction where that is what is seen, in the same step', async () => {
    marks({ predicted: [4] })
    await useActions().run('approve-slice')
    expect(changes()).toEqual([['slice.approve', { caseId: 'case-1', index: 4, takeOver: true, approved: true }]])
    expect(told()).toBe(text.told.tookOver(5))
  })

  it('is of what was on screen at the key press, and says nothing of it beside another case', async () => {
    marks({ predicted: [4] })
    const view = useViewStore()
    const answer = client.answers['slice.approve']
    let go: () => void = () => undefined
    client.answers['slice.approve'] = async (params) => {
      await new Promise<void>((resolve) => (go = resolve))
      if (answer === undefined) throw new Error('there is an answer')
      return answer(params)
    }
    const first = useActions().run('approve-slice')
    view.setIndex(7)
    await flushPromises()
    go()
    await first
    expect(told()).toBe(text.told.tookOver(5))
    const second = useActions().run('approve-slice')
    await view.openCase('case-2')
    await flushPromises()
    go()
    await second
    expect(changes().map(([, params]) => params)).toMatchObject([
      { caseId: 'case-1', index: 4 },
      { caseId: 'case-1', index: 7 },
    ])
    expect([told(), useAnnotationStore().approved]).toEqual([undefined, []])
  })

  it('is of the mask alone while the prediction is hidden', async () => {
    marks({ predicted: [4] })
    useViewStore().overlay.predictionVisible = false
    await useActions().run('approve-slice')
    expect(changes()).toMatchObject([['slice.approve', { takeOver: false }]])
    expect(told()).toBe(text.told.approved(5))
  })

  it('warns where nothing is labelled', async () => {
    client.answers['annotation.slice'] = () => slice(new Uint8Array(48))
    useViewStore().setIndex(6)
    await useAnnotationStore().session?.load({ axis: 2, index: 6 })
    await useActions().run('approve-slice')
    expect([told(), useViewStore().notice?.level]).toEqual([text.told.empty(7), 'warning'])
  })

  it('is for axial slices, and says so elsewhere', () => {
    useViewStore().setPlane('coronal')
    expect(useActions().get('approve-slice').when()).toBe(text.reasons.notAxial)
    expect(useActions().get('approve-case').when()).toBe(true)
  })

  it('of the part in view leaves the rest of a new slice unsaid', async () => {
    marks({ predicted: [4] })
    const view = useViewStore()
    const region = { x0: 1, y0: 2, x1: 5, y1: 6 }
    view.attachViewer({ fit: () => undefined, zoomBy: () => undefined, regionInView: () => region })
    await useActions().run('approve-region')
    expect(changes()).toEqual([
      ['slice.approve', { caseId: 'case-1', index: 4, region, takeOver: true, approved: true }],
    ])
    expect(told()).toBe(text.told.regionTookOver(5, 4, 4))
  })

  it('of the part in view keeps what a corrected slice teaches, and is the slice where all of it is in view', async () => {
    marks({ corrected: [4] })
    const view = useViewStore()
    const handle = { fit: () => undefined, zoomBy: () => undefined }
    view.attachViewer({ ...handle, regionInView: () => ({ x0: 0, y0: 0, x1: 7, y1: 6 }) })
    await useActions().run('approve-region')
    expect(changes().map(([method]) => method)).toEqual(['slice.approve'])
    view.attachViewer({ ...handle, regionInView: () => ({ x0: 0, y0: 0, x1: 8, y1: 6 }) })
    await useActions().run('approve-region')
    expect(changes().at(-1)?.[1]).toEqual({ caseId: 'case-1', index: 4, takeOver: true, approved: true })
    view.attachViewer({ ...handle, regionInView: () => null })
    await useActions().run('approve-region')
    expect([changes().length, told()]).toEqual([2, text.reasons.nothingInView])
  })

  it('of the case is of what was on screen or drawn on, keeps the rest open, and is taken back as a whole', async () => {
    const seen = useSeenStore()
    marks({ predicted: [1, 2, 4, 5], corrected: [1, 5], painted: [5] })
    await useActions().run('approve-case')
    // Slice 5 was only drawn on in part.
    const first = { caseId: 'case-1', index: null, slices: [1], takeOver: true, approved: true }
    expect(changes()).toEqual([['slice.approve', first]])
    expect([told(), useViewStore().notice?.level]).toEqual([text.told.some(1, 9), 'warning'])
    marks({ predicted: [1, 2, 4], approved: [1] })
    await useActions().run('approve-case')
    expect([changes().length, told()]).toEqual([1, text.told.noneSeen(9)])
    for (const index of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) seen.show({ caseId: 'case-1', index, predicted: true })
    await useActions().run('approve-case')
    expect(changes().at(-1)?.[1]).toMatchObject({ index: null, slices: [0, 2, 3, 4, 5, 6, 7, 8, 9] })
    expect(told()).toBe(text.told.all(10))
    marks({ approved: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] })
    await useActions().run('approve-case')
    expect(changes().at(-1)?.[1]).toEqual({ caseId: 'case-1', index: null, approved: false })
  })
})

describe('the queue', () => {
  const queue = aQueue({
    modelId: 'model-1',
    rankedAt: '2026-01-02T03:04:05Z',
    slices: [aQueuedSlice({ caseId: 'case-2', index: 7 }), aQueuedSlice({ index: 2 }), aQueuedSlice({ index: 9 })],
    cases: [{ caseId: 'case-2', score: 0.8, slices: 1 }],
  })
  const here = () => [useViewStore().caseId, useViewStore().index]

  beforeEach(() => {
    useQueueStore().follow()
    useProjectStore().follow()
  })

  it('says what is missing for it', () => {
    const action = useActions().get('next-uncertain')
    expect(action.when()).toBe(text.reasons.notRanked)
    client.tell('queue.changed', { ...queue, slices: [] })
    expect(action.when()).toBe(text.reasons.nothingLeft)
    useJobsStore().replaceAll([aJob({ kind: 'rank' })])
    expect(action.when()).toBe(text.reasons.ranking)
    // Nobody asked for it yet.
    expect(useActions().get('rank').when()).toBe(true)
    useJobsStore().replaceAll([aJob({ kind: 'train' })])
    expect(useActions().get('rank').when()).toBe(t.reasons.jobRuns)
    useJobsStore().replaceAll([])
    useProjectStore().models = []
    expect([action.when(), useActions().get('rank').when()]).toEqual([t.reasons.noModel, t.reasons.noModel])
  })

  it('leads to its slices, whichever case and plane they are in, and back', async () => {
    client.tell('queue.changed', queue)
    useViewStore().setPlane('sagittal')
    const seen: unknown[] = []
    for (const id of ['next-uncertain', 'next-uncertain', 'previous-uncertain']) {
      await useActions().run(id)
      seen.push([...here(), useViewStore().plane])
    }
    expect(seen).toEqual([
      ['case-2', 7, 'axial'],
      ['case-1', 2, 'axial'],
      ['case-2', 7, 'axial'],
    ])
  })

  it('leads to the middle slice as well while another plane is looked at', async () => {
    client.tell('queue.changed', { ...queue, slices: [aQueuedSlice({ index: 5 }), aQueuedSlice({ index: 2 })] })
    const view = useViewStore()
    view.setPlane('coronal')
    await useActions().run('next-uncertain')
    expect([...here(), view.plane]).toEqual(['case-1', 5, 'axial'])
  })

  it('leads past a slice that left it, and past cases that cannot be opened', async () => {
    client.tell('queue.changed', queue)
    client.tell('project.changed', { cases: [aCase(), aCase({ id: 'case-2', missing: true })] })
    await useActions().run('next-uncertain')
    expect(here()).toEqual(['case-1', 2])
    client.tell('queue.changed', { ...queue, slices: [aQueuedSlice({ index: 9 })] })
    await useActions().run('next-uncertain')
    expect(here()).toEqual(['case-1', 9])
    await useActions().run('next-uncertain')
    expect([here(), told()]).toEqual([['case-1', 9], text.told.onlyThis])
  })

  it('is ranked again on request, as a job', async () => {
    await useActions().run('rank')
    expect(client.asked('queue.rank')).toEqual([{}])
    expect(useQueueStore().ranking?.id).toBe('job-1')
    expect(useActions().get('rank').when()).toBe(text.reasons.ranking)
  })

  it('keeps nobody off anything while it ranks by itself', async () => {
    useJobsStore().replaceAll([aJob({ kind: 'rank', caseId: null })])
    const reasons = () => ['predict', 'export-dataset', 'open-project'].map((id) => useActions().get(id).when())
    expect(reasons()).toEqual([true, true, true])
    await useActions().run('rank')
    // The project cannot be left while somebody waits for it.
    expect(reasons()).toEqual([true, true, t.reasons.jobRuns])
  })
})

describe('reasons', () => {
  it('name what stands out, the strongest first', () => {
    const { reason } = text.queue
    expect(reason(aQueuedSlice({ entropy: 0.9, novelty: 0.2 }))).toBe('Unsure')
    expect(reason(aQueuedSlice({ entropy: 0.8, novelty: 0.9 }))).toBe('Unfamiliar, unsure')
    expect(reason(aQueuedSlice({ entropy: 0.3, disagreement: 0.2, novelty: 0.1 }))).toBe('Unsure')
  })
})
