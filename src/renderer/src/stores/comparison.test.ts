import { beforeEach, describe, expect, it } from 'vitest'
import { useActions } from '../actions/index.ts'
import { aDetail, aJob, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { settled, withProject } from '../testing/setUp.ts'
import { useComparisonStore } from './comparison.ts'
import { useJobsStore } from './jobs.ts'
import { useNextStepStore } from './nextStep.ts'
import { useProjectStore } from './project.ts'
import { useViewStore } from './view.ts'

let client: FakeClient
let stops: (() => void)[] = []

/** The model named predicts its own label value everywhere. */
function predictions(modelOf: (index: number) => string) {
  return ({ index }: { index: number }) => ({
    width: 8,
    height: 6,
    data: new Uint8Array(48).fill(index),
    revision: 0,
    modelId: modelOf(index),
  })
}

beforeEach(async () => {
  for (const stop of stops) stop()
  client = projectClient(aProject(), {
    'annotation.slice': predictions(() => 'model-1'),
    'train.start': () => aJob({ id: 'job-2', kind: 'train' }),
    'case.open': () => aDetail({ predicted: [3, 4, 5], corrected: [4] }),
  })
  await withProject(client)
  useProjectStore().cases[0]!.correctedSlices = 1
  stops = [useComparisonStore().follow(), useJobsStore().follow(() => undefined)]
  await useViewStore().openCase('case-1')
})

function retrained(indices: number[], modelId = 'model-2') {
  client.tell('job.changed', { job: aJob({ id: 'job-2', kind: 'train', state: 'done', modelId }) })
  client.tell('prediction.slices', {
    caseId: 'case-1',
    modelId,
    axis: 2,
    revision: 0,
    slices: indices.map((index) => ({ index, data: new Uint8Array(48) })),
  })
}

describe('the comparison', () => {
  it('keeps the old predictions of the slices around the one on screen, nearest first', async () => {
    await useActions().run('retrain')
    await settled()
    const asked = client.asked('annotation.slice').map((params) => (params as { index: number }).index)
    expect(asked.slice(0, 3)).toEqual([5, 4, 3])
    const comparison = useComparisonStore()
    expect(comparison.comparableCase).toBeNull()
    retrained([5])
    expect(comparison.comparableCase).toBe('case-1')
  })

  it('shows the old prediction only while it is wanted, and only where there is a new one', async () => {
    await useActions().run('retrain')
    await settled()
    retrained([5, 4])
    const comparison = useComparisonStore()
    expect(comparison.beforeOf('case-1', 2, 5)).toBeNull()
    await useActions().run('show-changed')
    expect(comparison.beforeOf('case-1', 2, 5)).toEqual(new Uint8Array(48).fill(5))
    expect(comparison.beforeOf('case-1', 2, 3)).toBeNull()
    expect(comparison.beforeOf('case-1', 1, 5)).toBeNull()
    expect(comparison.beforeOf('case-2', 2, 5)).toBeNull()
    await useActions().run('show-changed')
    expect(comparison.beforeOf('case-1', 2, 5)).toBeNull()
  })

  it('counts what changed', async () => {
    await useActions().run('retrain')
    await settled()
    retrained([4, 5])
    const comparison = useComparisonStore()
    // The new model predicts background on all 48 voxels, where the old one had labels 4 and 5.
    expect(comparison.changedOn(5)).toBe(48)
    expect(comparison.changedVoxels).toBe(96)
    expect(comparison.changedOn(3)).toBeNull()
  })

  it('leaves out slices that the new model predicted before they were read', async () => {
    client.answers['annotation.slice'] = predictions((index) => (index === 5 ? 'model-2' : 'model-1'))
    await useActions().run('retrain')
    await settled()
    retrained([5])
    expect(useComparisonStore().comparableCase).toBeNull()
  })

  it('is the next step after a training until it was looked at', async () => {
    const step = useNextStepStore()
    await useActions().run('retrain')
    await settled()
    retrained([4, 5])
    expect(step.next).toBe('compare')
    await useActions().run('show-changed')
    await useActions().run('show-changed')
    expect(step.next).toBe('save')
  })

  it('starts afresh with the next training', async () => {
    await useActions().run('retrain')
    await settled()
    retrained([5])
    await useActions().run('show-changed')
    await useActions().run('retrain')
    expect(useComparisonStore().comparing).toBe(false)
    expect(useComparisonStore().comparableCase).toBeNull()
  })
})
