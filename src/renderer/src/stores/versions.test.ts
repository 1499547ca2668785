import { beforeEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../../core/contract/index.ts'
import { useActions } from '../actions/index.ts'
import { useVersion } from '../actions/versions.ts'
import { aJob, aModel, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { aHoldout, aJudgement, aModelDetail } from '../testing/learning.ts'
import { settled, withProject } from '../testing/setUp.ts'
import { useHoldoutStore } from './holdout.ts'
import { useJobsStore } from './jobs.ts'
import { useProjectStore } from './project.ts'
import { useUiStore } from './ui.ts'
import { useVersionsStore } from './versions.ts'

const judged = (verdict: 'promoted' | 'aside' | 'waiting') => ({
  verdict,
  reason: 'Not better by more than its noise.',
  diceBefore: 0.75,
  diceAfter: 0.8,
})
const first = aModel({ active: false })
const second = aModel({ id: 'model-2', version: 2, parentId: 'model-1', judged: judged('promoted') })
const third = aModel({ id: 'model-3', version: 3, parentId: 'model-2', active: false, judged: judged('aside') })
let client: FakeClient

beforeEach(async () => {
  client = projectClient(aProject({ models: [first, second, third] }), {
    'models.judgement': ({ modelId }) => ({
      judgement: aJudgement({ modelId, verdict: 'aside', reason: 'Not better by more than its noise.' }),
    }),
    'models.activate': ({ modelId }) => ({ ...first, id: modelId, active: true }),
  })
  await withProject(client)
})

describe('versions', () => {
  it('go back in one click to what the version in use goes on from', async () => {
    const actions = useActions()
    expect(actions.get('roll-back').label()).toBe('Roll back to version 1')
    await actions.run('roll-back')
    expect(client.asked('models.activate')).toEqual([{ modelId: 'model-1' }])
    expect(useProjectStore().activeModel?.id).toBe('model-1')
    expect(actions.get('roll-back').when()).toBe('There is no earlier version to go back to')
  })

  it('go back past versions whose weights were deleted, and not to one that was kept aside', () => {
    const project = useProjectStore()
    const fourth = aModel({ id: 'model-4', version: 4, parentId: 'model-2' })
    project.models = [first, { ...second, pruned: true, active: false }, third, fourth]
    expect(useVersionsStore().previous?.id).toBe('model-1')
    const added = aModel({ id: 'model-0', version: 2, active: false, mode: 'imported' })
    project.models = [{ ...first, pruned: true }, added, third, aModel({ id: 'model-4', version: 4 })]
    expect(useVersionsStore().previous).toBeNull()
  })

  it('that were kept aside are used only with a reason, which is asked where the backend wants one', async () => {
    client.answers['models.activate'] = ({ modelId, reason }) => {
      if (reason === null || reason === undefined) throw new CodedError('conflict', 'Say why.')
      return { ...third, id: modelId, active: true }
    }
    await useVersion(third)
    expect(useUiStore().panel).toBe('override')
    expect(useVersionsStore().overriding).toBe('model-3')
    expect(useProjectStore().activeModel?.id).toBe('model-2')
    client.answers['models.activate'] = () => {
      throw new CodedError('bad-file', 'The weights are damaged.')
    }
    await expect(useVersion(third)).rejects.toThrow('damaged')
  })

  it('know what the newest was judged by, from the event or by asking once', async () => {
    const versions = useVersionsStore()
    versions.follow()
    expect(versions.keptAside?.id).toBe('model-3')
    await versions.wantJudgement(first)
    expect(client.asked('models.judgement')).toEqual([])
    await versions.wantJudgement(third)
    await versions.wantJudgement(third)
    expect(client.asked('models.judgement')).toEqual([{ modelId: 'model-3' }])
    client.tell('model.judged', aJudgement({ modelId: 'model-2', verdict: 'promoted', seconds: 9 }))
    expect(versions.judgements.get('model-2')?.seconds).toBe(9)
  })

  it('show in full the one that was asked for last', async () => {
    const versions = useVersionsStore()
    const answers: (() => void)[] = []
    client.answers['models.detail'] = ({ modelId }) =>
      new Promise((resolve) =>
        answers.push(() => resolve(aModelDetail({ summary: { ...first, id: modelId, name: modelId } }))),
      )
    const slow = versions.loadDetail()
    versions.choose('model-1')
    const quick = versions.loadDetail()
    await settled()
    answers[1]?.()
    answers[0]?.()
    await Promise.all([slow, quick])
    expect(versions.detail?.summary.name).toBe('model-1')
  })

  it('write one file at a time and say where it lies', async () => {
    const versions = useVersionsStore()
    client.answers['models.saveTimeline'] = ({ format }) => ({ path: `/p/exports/models.${format}`, bytes: 300 })
    const both = [versions.saveCurves('csv', null), versions.saveCurves('svg', null)]
    expect(versions.saving).toBe('csv')
    await Promise.all(both)
    expect(versions.saved).toEqual({ kind: 'csv', path: '/p/exports/models.csv', bytes: 300 })
    expect(versions.saving).toBeNull()
  })
})

describe('a second training', () => {
  it('may wait for the first where something was corrected since, and there is one at most', async () => {
    const project = useProjectStore()
    const jobs = useJobsStore()
    const actions = useActions()
    project.cases[0]!.correctedSlices = 2
    project.cases[0]!.newCorrectedSlices = 2
    client.answers['train.start'] = () => aJob({ id: 'job-1', kind: 'train' })
    await actions.run('retrain')
    expect(actions.get('retrain').when()).toBe('Another job is running')
    project.cases[0]!.newCorrectedSlices = 3
    expect(actions.get('retrain').when()).toBe(true)
    client.answers['train.start'] = () => aJob({ id: 'job-2', kind: 'train', state: 'queued' })
    await actions.run('retrain')
    project.cases[0]!.newCorrectedSlices = 5
    expect(jobs.trainings).toBe(2)
    expect(actions.get('retrain').when()).toBe('Another training waits already')
  })

  it('is asked for once by two quick presses, and known after the page was loaded again', async () => {
    const project = useProjectStore()
    const jobs = useJobsStore()
    const retrain = useActions().get('retrain')
    project.cases[0]!.correctedSlices = 2
    project.cases[0]!.newCorrectedSlices = 2
    client.answers['train.start'] = () => aJob({ id: 'job-1', kind: 'train' })
    await Promise.all([useActions().run('retrain'), useActions().run('retrain')])
    expect(client.asked('train.start')).toHaveLength(1)
    // One that this page did not ask for.
    jobs.replaceAll([aJob({ id: 'job-9', kind: 'train' })])
    expect(jobs.lastTraining?.id).toBe('job-9')
    expect(retrain.when()).toBe('Another job is running')
    project.cases[0]!.newCorrectedSlices = 3
    expect(retrain.when()).toBe(true)
  })

  it('may wait for one that has taken in what there was, too', async () => {
    const project = useProjectStore()
    const actions = useActions()
    const retrain = actions.get('retrain')
    project.cases[0]!.correctedSlices = 2
    project.cases[0]!.newCorrectedSlices = 2
    client.answers['train.start'] = () => aJob({ id: 'job-1', kind: 'train' })
    await actions.run('retrain')
    project.cases[0]!.newCorrectedSlices = 0
    expect(retrain.when()).toBe('Another job is running')
    project.cases[0]!.newCorrectedSlices = 1
    expect(retrain.when()).toBe(true)
  })

  it('is not kept off by ranking, which begins by itself', () => {
    const jobs = useJobsStore()
    useProjectStore().cases[0]!.correctedSlices = 1
    jobs.replaceAll([aJob({ kind: 'rank', caseId: null })])
    expect(useActions().get('retrain').when()).toBe(true)
    jobs.replaceAll([aJob({ kind: 'export', caseId: null })])
    expect(useActions().get('retrain').when()).toBe('Another job is running')
  })
})

it('what was judged and set aside is read afresh after events were missed', async () => {
  const versions = useVersionsStore()
  const holdout = useHoldoutStore()
  versions.follow()
  holdout.follow()
  client.answers['holdout.get'] = () => aHoldout({ cases: [] })
  client.resync()
  await settled()
  // Nothing of it was asked for yet.
  expect(client.asked('holdout.get')).toEqual([])
  expect(client.asked('models.judgement')).toEqual([])
  await holdout.load()
  await versions.wantJudgement(third)
  client.answers['holdout.get'] = () => aHoldout()
  client.answers['models.judgement'] = ({ modelId }) => ({
    judgement: aJudgement({ modelId, verdict: 'aside', reason: 'Judged again.' }),
  })
  client.resync()
  await settled()
  expect(holdout.slices).toBe(4)
  expect(versions.judgements.get('model-3')?.reason).toBe('Judged again.')
})

it('the hold-out is what was frozen, here or elsewhere', async () => {
  const holdout = useHoldoutStore()
  holdout.follow()
  client.answers['holdout.set'] = ({ caseIds }) =>
    aHoldout({ cases: caseIds.map((caseId) => ({ caseId, slices: 3, drawn: 3 })) })
  await holdout.freeze({ caseIds: ['case-1', 'case-2'], chosenBy: 'maskwright' })
  expect(holdout.slices).toBe(6)
  client.tell('holdout.changed', aHoldout({ id: null, frozenAt: null, chosenBy: null, cases: [] }))
  expect(holdout.caseIds.size).toBe(0)
})
