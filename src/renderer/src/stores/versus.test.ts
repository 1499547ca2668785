import { beforeEach, describe, expect, it } from 'vitest'
import { CodedError, type MethodResult } from '../../../core/contract/index.ts'
import { aCase, aDetail, aLabel, aModel, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { settled, withProject } from '../testing/setUp.ts'
import { useProjectStore } from './project.ts'
import { useVersusStore } from './versus.ts'
import { useViewStore } from './view.ts'

const first = aModel({ active: false })
const second = aModel({ id: 'model-2', version: 2, parentId: 'model-1' })
const third = aModel({ id: 'model-3', version: 3, parentId: 'model-2', active: false })
let client: FakeClient

beforeEach(async () => {
  client = projectClient(aProject({ models: [first, second, third] }))
  await withProject(client)
})

describe('two versions side by side', () => {
  beforeEach(() => {
    Object.assign(client.answers, {
      'case.detail': ({ caseId }: { caseId: string }) => aDetail({ id: caseId, corrected: [5] }),
      'volume.slice': () => ({
        width: 8,
        height: 6,
        channels: 1,
        voxelType: 'uint8',
        data: new Uint8Array(48),
        slope: 1,
        inter: 0,
      }),
      'annotation.slice': () => ({ width: 8, height: 6, data: new Uint8Array(48), revision: 0, modelId: null }),
      'models.preview': ({ modelId, index }: { modelId: string; index: number }) => ({
        modelId,
        axis: 2,
        index,
        width: 8,
        height: 6,
        data: new Uint8Array(48).fill(index),
      }),
    })
  })

  it('begin with the slice on screen: the one in use on the right, what it goes on from on the left', async () => {
    await useViewStore().openCase('case-1')
    useViewStore().setIndex(7)
    const versus = useVersusStore()
    await versus.begin()
    expect([versus.detail?.id, versus.index]).toEqual(['case-1', 7])
    expect(versus.ids).toEqual({ left: 'model-1', right: 'model-2' })
    expect(versus.previews.left?.modelId).toBe('model-1')
    expect(versus.previews.right?.modelId).toBe('model-2')
    expect(versus.settled).toBe(false)
    await versus.go(5)
    expect(versus.settled).toBe(true)
    expect(versus.previews.left?.data[0]).toBe(5)
  })

  it('change places where one is chosen that stands on the other side', async () => {
    const versus = useVersusStore()
    await versus.begin()
    await versus.take('left', 'model-2')
    expect(versus.ids).toEqual({ left: 'model-2', right: 'model-1' })
    await versus.take('left', 'model-3')
    expect(versus.ids).toEqual({ left: 'model-3', right: 'model-1' })
    await versus.swap()
    expect(versus.ids).toEqual({ left: 'model-1', right: 'model-3' })
    // What was asked for once on a side is not asked for again there as long as it stands.
    const asked = client.asked('models.preview').length
    await versus.load()
    expect(client.asked('models.preview')).toHaveLength(asked)
  })

  it('shows what one side could not, and the other all the same', async () => {
    client.answers['models.preview'] = ({ modelId, index }) => {
      if (modelId === 'model-1') throw new CodedError('bad-file', 'The weights are damaged.')
      return { modelId, axis: 2, index, width: 8, height: 6, data: new Uint8Array(48) }
    }
    const versus = useVersusStore()
    await versus.begin()
    expect(versus.errors.left?.message).toBe('The weights are damaged.')
    expect(versus.previews.right?.modelId).toBe('model-2')
    expect(versus.waiting).toEqual({ left: false, right: false })
  })

  it('stays inside the case', async () => {
    const versus = useVersusStore()
    await versus.begin()
    await versus.go(99)
    expect(versus.index).toBe(9)
    await versus.go(-3)
    expect(versus.index).toBe(0)
  })

  it('opens nothing: the case that was open last is still that', async () => {
    const versus = useVersusStore()
    await versus.begin()
    await versus.openCase('case-2')
    expect(versus.detail?.id).toBe('case-2')
    expect(client.asked('case.open')).toEqual([])
  })

  describe('and what changes meanwhile', () => {
    const delta = { id: 'd', baseRevision: 0, box: { min: [0, 0, 5], max: [1, 1, 6] }, label: 1, before: [], after: [] }
    const mask = (value: number): MethodResult<'annotation.slice'> => ({
      ...{ width: 8, height: 6, revision: value, modelId: null },
      data: new Uint8Array(48).fill(value),
    })
    const applied = (caseId: string, revision: number) =>
      client.tell('annotation.applied', {
        ...{ caseId, revision, origin: null, delta: delta as never },
        history: { canUndo: true, canRedo: false, undoName: null, redoName: null },
      })
    let answers: ((value: number) => void)[] = []

    /** Masks are answered when the test says so. */
    function byHand(): void {
      answers = []
      client.answers['annotation.slice'] = () => new Promise((resolve) => answers.push((value) => resolve(mask(value))))
    }

    it('takes the mask as it is by now, of its own case and of the latest stroke', async () => {
      const versus = useVersusStore()
      await versus.begin()
      byHand()
      applied('case-2', 1)
      await settled()
      expect(answers).toHaveLength(0)
      applied('case-1', 1)
      await settled()
      applied('case-1', 2)
      await settled()
      // Read before the second stroke.
      answers[0]?.(1)
      await settled()
      expect(versus.ground?.mask[0]).toBe(0)
      answers[1]?.(2)
      await settled()
      expect(versus.ground?.mask[0]).toBe(2)
    })

    it('reads the mask anew when it is begun again, and once more where it was drawn on meanwhile', async () => {
      const versus = useVersusStore()
      await versus.begin()
      versus.leave()
      const asked = client.asked('models.preview').length
      byHand()
      const begun = versus.begin()
      await settled()
      expect(versus.ground).toBeNull()
      applied('case-1', 3)
      answers[0]?.(2)
      await settled()
      expect(versus.ground).toBeNull()
      answers[1]?.(3)
      await begun
      expect(versus.ground?.mask[0]).toBe(3)
      // Versions predict as they did.
      expect(client.asked('models.preview')).toHaveLength(asked)
    })

    it('drops what a slower request answers', async () => {
      const versus = useVersusStore()
      await versus.begin()
      byHand()
      const slower = versus.go(4)
      await settled()
      const wanted = versus.go(6)
      await settled()
      answers[1]?.(6)
      await wanted
      answers[0]?.(4)
      await slower
      expect(versus.ground).toMatchObject({ index: 6 })
      expect(versus.ground?.mask[0]).toBe(6)
      const details: ((id: string) => void)[] = []
      client.answers['case.detail'] = () => new Promise((resolve) => details.push((id) => resolve(aDetail({ id }))))
      const slow = versus.openCase('case-2')
      const quick = versus.openCase('case-1')
      await settled()
      details[1]?.('case-1')
      details[0]?.('case-2')
      await slow
      await settled()
      answers.at(-1)?.(1)
      await quick
      expect([versus.caseId, versus.detail?.id, versus.ground?.caseId]).toEqual(['case-1', 'case-1', 'case-1'])
    })

    it('knows which slices a person has dealt with', async () => {
      const versus = useVersusStore()
      await versus.begin()
      await versus.go(2)
      expect(versus.settled).toBe(false)
      client.tell('case.slices', { caseId: 'case-1', corrected: [], predicted: [], approved: [2], painted: [] })
      expect(versus.settled).toBe(true)
    })

    it('stays on the same plane as long as its grid does, as a view is zoomed by it', async () => {
      const versus = useVersusStore()
      await versus.begin()
      const { plane } = versus
      client.tell('case.slices', { caseId: 'case-1', corrected: [], predicted: [], approved: [2], painted: [] })
      client.resync()
      await settled()
      expect(versus.detail?.approved).toEqual([])
      expect(versus.plane).toBe(plane)
      client.answers['case.detail'] = ({ caseId }) => aDetail({ id: caseId, dims: [8, 6, 4] })
      client.resync()
      await settled()
      expect(versus.plane).not.toBe(plane)
      expect(versus.index).toBe(3)
    })

    it('stays on the slice that was gone to while the case is read again', async () => {
      const versus = useVersusStore()
      await versus.begin()
      for (const again of [() => client.resync(), () => void versus.begin(), () => void versus.openCase('case-1')]) {
        again()
        await versus.go(versus.index + 1)
        await settled()
      }
      expect(versus.index).toBe(8)
    })

    it('reads afresh after events were missed, and what failed once more', async () => {
      const versus = useVersusStore()
      const preview = client.answers['models.preview']
      if (preview === undefined) throw new Error('The fake client predicts.')
      client.answers['models.preview'] = () => {
        throw new CodedError('connection-lost', 'The backend is gone.')
      }
      await versus.begin()
      expect(versus.errors.left?.code).toBe('connection-lost')
      client.answers['models.preview'] = preview
      client.answers['annotation.slice'] = () => mask(7)
      client.resync()
      await settled()
      await settled()
      expect(versus.errors).toEqual({ left: null, right: null })
      expect(versus.previews.left?.modelId).toBe('model-1')
      expect(versus.ground?.mask[0]).toBe(7)
    })

    it('asks again for what failed while there was no connection', async () => {
      const versus = useVersusStore()
      const detail = client.answers['case.detail']
      if (detail === undefined) throw new Error('The fake client knows cases.')
      client.answers['case.detail'] = () => {
        throw new CodedError('connection-lost', 'The backend is gone.')
      }
      await versus.begin()
      expect(versus.error?.code).toBe('connection-lost')
      client.answers['case.detail'] = detail
      client.setState('open')
      await settled()
      await settled()
      expect(versus.error).toBeNull()
      expect(versus.ground?.caseId).toBe('case-1')
    })

    it('predicts again where a label is gone, and goes on to another case where this one is', async () => {
      const versus = useVersusStore()
      await versus.begin()
      const asked = client.asked('models.preview').length
      const project = useProjectStore()
      project.labels = [aLabel({ name: 'Renamed' }), aLabel({ value: 2 })]
      await settled()
      expect(client.asked('models.preview')).toHaveLength(asked)
      project.labels = [aLabel()]
      await settled()
      expect(client.asked('models.preview')).toHaveLength(asked + 2)
      project.cases = [aCase({ id: 'case-2' })]
      await settled()
      expect(versus.detail?.id).toBe('case-2')
      project.cases = []
      await settled()
      expect(versus.detail).toBeNull()
    })

    it('asks for nothing more once it is left', async () => {
      const versus = useVersusStore()
      await versus.begin()
      versus.leave()
      const asked = client.calls.length
      applied('case-1', 1)
      client.resync()
      await settled()
      expect(client.calls).toHaveLength(asked)
    })
  })
})
