import { beforeEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../../core/contract/index.ts'
import { aCase, aDetail, aJob, aModel, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { withProject } from '../testing/setUp.ts'
import { useJobsStore } from './jobs.ts'
import { useNextStepStore } from './nextStep.ts'
import { useProjectStore } from './project.ts'
import { useViewStore } from './view.ts'

let client: FakeClient

beforeEach(async () => {
  client = projectClient()
  await withProject(client)
})

describe('the next step', () => {
  it('follows the work from predict to saved', async () => {
    const step = useNextStepStore()
    const project = useProjectStore()
    const stops = [project.follow(), useJobsStore().follow(() => undefined)]
    expect(step.next).toBe('open')
    await useViewStore().openCase('case-1')
    expect(step.next).toBe('predict')
    client.tell('job.changed', { job: aJob() })
    expect(step.next).toBe('predicting')
    client.tell('case.slices', { caseId: 'case-1', corrected: [], predicted: [0, 1], approved: [], painted: [] })
    client.tell('job.changed', { job: aJob({ state: 'done' }) })
    expect(step.next).toBe('correct')
    client.tell('case.slices', { caseId: 'case-1', corrected: [1], predicted: [0, 1], approved: [], painted: [] })
    client.tell('project.changed', {
      cases: [aCase({ status: 'corrected', correctedSlices: 1, newCorrectedSlices: 1 })],
    })
    expect(step.next).toBe('retrain')
    client.tell('job.changed', { job: aJob({ id: 'job-2', kind: 'train' }) })
    expect(step.next).toBe('retraining')
    client.tell('job.changed', { job: aJob({ id: 'job-2', kind: 'train', state: 'done' }) })
    client.tell('project.changed', { cases: [aCase({ status: 'corrected', correctedSlices: 1 })] })
    expect(step.next).toBe('save')
    client.tell('project.changed', { cases: [aCase({ status: 'saved', correctedSlices: 1 })] })
    expect(step.next).toBe('done')
    for (const stop of stops) stop()
  })

  it('offers a prediction for a fresh case while others wait to be learned from', async () => {
    useProjectStore().cases = [aCase(), aCase({ id: 'case-2', correctedSlices: 3, newCorrectedSlices: 3 })]
    await useViewStore().openCase('case-1')
    expect(useNextStepStore().next).toBe('predict')
  })

  it('does not ask for the same training again where that found nothing to learn', async () => {
    const step = useNextStepStore()
    const stops = [useProjectStore().follow(), useJobsStore().follow(() => undefined)]
    await useViewStore().openCase('case-1')
    const marks = { caseId: 'case-1', corrected: [], predicted: [0, 1], approved: [1], painted: [] }
    client.tell('case.slices', marks)
    client.tell('project.changed', { cases: [aCase({ status: 'approved', approvedSlices: 1, newCorrectedSlices: 1 })] })
    expect(step.next).toBe('retrain')
    const train = (id: string, code: string) => {
      client.tell('job.changed', { job: aJob({ id, kind: 'train' }) })
      const error = { code, message: 'There is nothing to learn.' }
      client.tell('job.changed', { job: aJob({ id, kind: 'train', state: 'failed', error }) })
    }
    train('job-2', 'nothing-learned')
    expect(step.next).toBe('save')
    client.tell('case.slices', { ...marks, approved: [0, 1] })
    expect(step.next).toBe('retrain')
    train('job-3', 'nothing-learned')
    expect(step.next).toBe('save')
    train('job-4', 'compute-crashed')
    expect(step.next).toBe('retrain')
    for (const stop of stops) stop()
  })

  it('takes an approved slice for one that was dealt with', async () => {
    const step = useNextStepStore()
    await useViewStore().openCase('case-1')
    const marks = { corrected: [], predicted: [0, 1], approved: [], painted: [] }
    client.tell('case.slices', { caseId: 'case-1', ...marks })
    expect([step.next, step.reached]).toEqual(['correct', ['predict']])
    client.tell('case.slices', { caseId: 'case-1', ...marks, approved: [1] })
    useProjectStore().cases = [aCase({ status: 'approved', approvedSlices: 1 })]
    expect([step.next, step.reached]).toEqual(['save', ['predict', 'correct']])
  })

  it('is blocked by a case that cannot be shown', async () => {
    client.answers['case.open'] = () => {
      throw new CodedError('file-missing', 'The image is not where it was.')
    }
    await useViewStore().openCase('case-1')
    expect(useNextStepStore().next).toBe('blocked')
  })

  it('takes neither the masks that came with the data nor a training by a recipe for steps of the user', () => {
    const project = useProjectStore()
    const step = useNextStepStore()
    const training = { slices: 3, steps: 1, seconds: 1, curve: [], backend: 'wasm' }
    const measured = { lossBefore: 1, lossAfter: 0.5, diceBefore: 0.1, diceAfter: 0.8 }
    const byRecipe = aModel({ recipe: 'nuclei', training: { ...training, ...measured } })
    project.models = []
    project.cases = [aCase({ status: 'imported', correctedSlices: 3, newCorrectedSlices: 3 })]
    expect(step.reached, 'before the training').toEqual([])
    project.models = [byRecipe]
    expect(step.reached).toEqual([])
    project.cases = [aCase({ status: 'corrected', correctedSlices: 3, newCorrectedSlices: 1 })]
    expect(step.reached).toEqual(['correct'])
    project.cases = [aCase({ status: 'corrected', correctedSlices: 3, newCorrectedSlices: 0 })]
    project.models = [
      { ...byRecipe, id: 'model-2', version: 2, recipe: undefined },
      { ...byRecipe, active: false },
    ]
    expect(step.reached, 'it was retrained with corrections').toEqual(['correct', 'retrain'])
  })

  it('keeps first steps ticked once they were done', async () => {
    const step = useNextStepStore()
    client.answers['case.open'] = () => aDetail({ predicted: [2], corrected: [] })
    await useViewStore().openCase('case-1')
    expect(step.reached).toEqual(['predict'])
    await step.remember()
    expect(client.asked('settings.set')).toContainEqual({ key: 'ui.firstRunDone', value: ['predict'] })
    useViewStore().closeCase()
    expect(step.reached).toEqual(['predict'])
  })
})
