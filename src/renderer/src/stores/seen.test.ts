import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import type { EventPayload, StrokeDelta } from '../../../core/contract/index.ts'
import { provideClient } from '../api/client.ts'
import { aCase, aProject, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { useSeenStore } from './seen.ts'
import { useUiStore } from './ui.ts'
import { useViewStore } from './view.ts'

let client: FakeClient

beforeEach(async () => {
  setActivePinia(createPinia())
  client = projectClient(aProject({ cases: [aCase(), aCase({ id: 'case-2' })] }))
  provideClient(client)
  const view = useViewStore()
  useSeenStore()
  await view.openCase('case-1')
})

/** As the viewer does when a slice is drawn on the screen. */
function look(...indices: number[]): void {
  for (const index of indices) {
    useViewStore().showSlice(index)
    useSeenStore().show({ caseId: 'case-1', index, predicted: index > 0 })
  }
}

const all = Array.from({ length: 10 }, (_, index) => index)
const seen = (withPrediction = true) => all.filter((index) => useSeenStore().has(index, withPrediction))

function predict(...indices: number[]): void {
  const slices = indices.map((index) => ({ index, data: new Uint8Array(48) }))
  client.tell('prediction.slices', { caseId: 'case-1', modelId: 'm', axis: 2, revision: 0, slices })
}

function apply(change: Partial<StrokeDelta>, origin: string | null, caseId = 'case-1'): void {
  const box: StrokeDelta['box'] = { min: [0, 0, 2], max: [1, 1, 4] }
  const runs = Uint32Array.of(0, 1, 0, 1)
  const delta: StrokeDelta = { id: 's', baseRevision: 0, kind: 'brush', label: 1, axis: 0, box, runs, ...change }
  const history = { canUndo: true, canRedo: false, undoName: null, redoName: null }
  const event: EventPayload<'annotation.applied'> = { caseId, revision: 1, delta, history, origin }
  client.tell('annotation.applied', event)
}

describe('slices that were on screen', () => {
  it('are kept by case', async () => {
    look(2, 3)
    await useViewStore().openCase('case-2')
    expect(seen()).toEqual([])
    await useViewStore().openCase('case-1')
    expect(seen()).toEqual([2, 3])
  })

  it('are unseen again with another prediction, but for the one that it comes to', () => {
    look(1, 2, 3)
    predict(2, 3, 4)
    expect(seen()).toEqual([1, 3])
    useViewStore().setPlane('coronal')
    predict(3)
    expect(seen()).toEqual([1])
  })

  it('are unseen where somebody drew since, unless it was here and face on', () => {
    look(1, 2, 3, 4)
    apply({ axis: 2 }, client.sessionId)
    apply({ kind: 'accept' }, client.sessionId)
    apply({ runs: new Uint32Array() }, 'elsewhere')
    apply({}, 'elsewhere', 'case-2')
    expect(seen()).toEqual([1, 2, 3, 4])
    apply({ axis: 0 }, client.sessionId)
    expect(seen()).toEqual([1, 4])
    apply({ kind: 'import', axis: null, box: { min: [0, 0, 0], max: [8, 6, 10] } }, client.sessionId)
    expect(seen()).toEqual([4])
  })

  it('are unseen after events were missed', () => {
    look(1, 2)
    client.resync()
    expect(seen()).toEqual([2])
  })

  it('were not seen while the mask was hidden, and without their prediction while that was', () => {
    const { overlay } = useViewStore()
    look(1)
    overlay.maskVisible = false
    look(2, 3)
    expect(seen()).toEqual([1])
    overlay.maskVisible = true
    expect(seen()).toEqual([1, 3])
    overlay.predictionVisible = false
    // Slice 0 is not predicted.
    look(0, 4, 5)
    expect([seen(), seen(false)]).toEqual([
      [0, 1, 3],
      [0, 1, 3, 4, 5],
    ])
    overlay.predictionVisible = true
    expect(seen()).toEqual([0, 1, 3, 5])
  })

  it('are unseen again with what comes while it is hidden, also on the slice on screen', () => {
    const { overlay } = useViewStore()
    look(2, 3)
    overlay.predictionVisible = false
    predict(3)
    expect([seen(), seen(false)]).toEqual([[2], [2, 3]])
    overlay.maskVisible = false
    predict(3)
    expect(seen(false)).toEqual([2])
    overlay.maskVisible = true
    expect([seen(), seen(false)]).toEqual([[2], [2, 3]])
    overlay.predictionVisible = true
    expect(seen()).toEqual([2, 3])
  })

  it('were not seen under a page, but are as soon as it is left', () => {
    const ui = useUiStore()
    look(2, 3)
    ui.showPage('models')
    predict(3)
    look(3)
    expect(seen(false)).toEqual([2])
    ui.leavePage()
    expect(seen()).toEqual([2, 3])
  })
})
