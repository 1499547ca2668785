import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { CodedError, type StrokeDelta } from '../../../core/contract/index.ts'
import { extractSlice } from '../../../core/labelmap/index.ts'
import { provideClient } from '../api/client.ts'
import { FakeBackend } from '../history/testing/fakeBackend.ts'
import { useAnnotationStore, type AnnotationListener } from './annotation.ts'
import { useUiStore } from './ui.ts'
import { useViewStore } from './view.ts'

let backend: FakeBackend

beforeEach(() => {
  setActivePinia(createPinia())
  backend = new FakeBackend()
  provideClient(backend.client)
})

const settle = () => new Promise((resolve) => setTimeout(resolve, 0))
const axial = (index: number) => ({ axis: 2, index }) as const

async function opened(change = {}) {
  const one = backend.addCase('a', [4, 3, 5], change)
  const view = useViewStore()
  const annotation = useAnnotationStore()
  const heard: string[] = []
  const listener: AnnotationListener = {
    maskChanged: ({ axis, index }, rect) => heard.push(`${axis}:${index} ${rect ? 'patched' : 'gone'}`),
    predictionsChanged: () => heard.push('predictions'),
  }
  annotation.listen(listener)
  await view.openCase('a')
  await settle()
  return { one, view, annotation, heard }
}

/** Paints one voxel of a slice, as the brush does: into the buffer on screen, then committed. */
async function paint(annotation: ReturnType<typeof useAnnotationStore>, index: number, x: number, label: number) {
  const { session } = annotation
  const layers = await session?.load(axial(index))
  if (!session || !layers) throw new Error('no session')
  const { labels } = layers.mask
  await annotation.settled()
  const before = labels[x] ?? 0
  labels[x] = label
  const stroke: Omit<StrokeDelta, 'id' | 'baseRevision'> = {
    kind: 'brush',
    label,
    axis: 2,
    box: { min: [x, 0, index], max: [x + 1, 1, index + 1] },
    runs: Uint32Array.of(0, 1, before, label),
  }
  annotation.commit(stroke, labels, session)
  return labels
}

describe('strokes', () => {
  it('are on disk when the state says so, and never before', async () => {
    const { one, annotation } = await opened()
    backend.hold.add('annotation.commit')
    await paint(annotation, 2, 1, 7)
    await settle()
    expect([annotation.saveState, annotation.pendingStrokes, annotation.unsaved]).toEqual(['saving', 1, true])
    expect(one.labels[2 * 12 + 1]).toBe(0)
    backend.release()
    await settle()
    expect([annotation.saveState, annotation.pendingStrokes]).toEqual(['saved', 0])
    expect(one.labels[2 * 12 + 1]).toBe(7)
    expect(annotation.history?.canUndo).toBe(true)
  })

  it('reach the backend once although the connection is lost in between', async () => {
    const { one, annotation } = await opened()
    backend.hold.add('annotation.commit')
    await paint(annotation, 2, 1, 7)
    await paint(annotation, 2, 2, 8)
    backend.setState('lost')
    backend.release()
    await settle()
    expect([annotation.saveState, annotation.saveError?.code]).toEqual(['unsaved', 'connection-lost'])
    backend.setState('open')
    await settle()
    expect(annotation.saveState).toBe('saved')
    const ids = backend.calls
      .filter(({ method }) => method === 'annotation.commit')
      .map(({ params }) => (params as { delta: StrokeDelta }).delta.id)
    expect(ids).toHaveLength(3)
    expect(ids[0]).toBe(ids[1])
    expect(one.done).toHaveLength(2)
    expect([...one.labels.slice(24, 28)]).toEqual([0, 7, 8, 0])
  })

  it('that cannot be written say why, until they are', async () => {
    const { annotation } = await opened()
    const ui = useUiStore()
    backend.failNext.set('annotation.commit', new CodedError('disk-full', 'The disk is full.'))
    await paint(annotation, 2, 1, 7)
    await settle()
    await paint(annotation, 2, 2, 7)
    await settle()
    expect(annotation.saveState).toBe('unsaved')
    expect(ui.banners.map(({ error, times }) => [error.message, times])).toEqual([['The disk is full.', 1]])
    annotation.retrySave()
    await settle()
    await settle()
    expect(annotation.saveState).toBe('saved')
    expect(ui.banners).toEqual([])
  })

  it('are committed on the revision that is known, also after the case was left', async () => {
    const { one, view, annotation } = await opened()
    await paint(annotation, 2, 1, 7)
    await settle()
    backend.addCase('b', [4, 3, 5])
    backend.hold.add('annotation.commit')
    await paint(annotation, 2, 2, 7)
    await view.openCase('b')
    backend.release()
    await settle()
    expect(one.revision).toBe(2)
    expect(annotation.history?.canUndo).toBe(false)
    const bases = backend.calls
      .filter(({ method }) => method === 'annotation.commit')
      .map(({ params }) => (params as { delta: StrokeDelta }).delta.baseRevision)
    expect(bases).toEqual([0, 1])
  })

  it('that no longer fit are taken back, told, and the slice is read again', async () => {
    const { one, annotation, heard } = await opened()
    const labels = await paint(annotation, 2, 0, 1)
    await settle()
    one.labels[24] = 5 // changed behind the page's back
    expect(await paint(annotation, 2, 0, 2)).toBe(labels)
    await settle()
    expect(annotation.saveState).toBe('saved')
    expect(useUiStore().banners.map(({ error }) => error.code)).toEqual(['conflict'])
    expect(heard).toContain('2:2 gone')
    const fresh = await annotation.session?.load(axial(2))
    expect(fresh?.mask.labels[0]).toBe(5)
  })
})

describe('undo and redo', () => {
  it('wait for strokes on their way, patch what is on screen, and go to the slice', async () => {
    const { view, annotation } = await opened()
    backend.hold.add('annotation.commit')
    const labels = await paint(annotation, 4, 1, 7)
    view.setIndex(0)
    const undone = annotation.undo()
    await settle()
    expect(backend.calls.some(({ method }) => method === 'annotation.undo')).toBe(false)
    backend.release()
    expect((await undone)?.delta?.kind).toBe('undo')
    expect(labels[1]).toBe(0)
    expect(view.index).toBe(4)
    expect(annotation.history).toMatchObject({ canUndo: false, canRedo: true })
    await annotation.redo()
    expect(labels[1]).toBe(7)
  })

  it('are told to be impossible without a connection, and not done later', async () => {
    const { annotation } = await opened()
    backend.setState('lost')
    await expect(annotation.undo()).rejects.toMatchObject({ code: 'connection-lost' })
    backend.setState('open')
    await settle()
    expect(backend.calls.some(({ method }) => method === 'annotation.undo')).toBe(false)
  })

  it('change a slice once although answer and event both tell of it', async () => {
    const { annotation } = await opened()
    const labels = await paint(annotation, 2, 1, 7)
    await settle()
    const undone = await annotation.undo()
    if (!undone?.delta) throw new Error('nothing was undone')
    labels[1] = 3 // painted on since
    const { revision, delta, history } = undone
    backend.emit('annotation.applied', { caseId: 'a', revision, delta, history, origin: 'me' })
    expect(labels[1]).toBe(3)
  })
})

describe('whatever happens', () => {
  it('the page ends with the backend’s mask, in every plane', async () => {
    const { one, annotation } = await opened()
    let seed = 12345
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return Math.floor((seed / 2 ** 31) * below)
    }
    const planes = [
      { axis: 0, index: 1 },
      { axis: 1, index: 0 },
      { axis: 2, index: 2 },
    ] as const
    for (const key of [...planes, ...[0, 1, 3, 4].map(axial)]) await annotation.session?.load(key)
    for (let turn = 0; turn < 300; turn++) {
      const what = random(10)
      if (what < 6) await paint(annotation, random(5), random(4), random(4))
      else if (what === 6) annotation.undo().catch(() => undefined)
      else if (what === 7) annotation.redo().catch(() => undefined)
      else if (what === 8) backend.setState(backend.client.state === 'open' ? 'lost' : 'open')
      else await settle()
    }
    backend.setState('open')
    await settle()
    await settle()
    expect(annotation.saveState).toBe('saved')
    expect(useUiStore().banners).toEqual([])
    for (const key of planes) {
      const layers = await annotation.session?.load(key)
      expect([...(layers?.mask.labels ?? [])]).toEqual([...extractSlice(one.labels, [4, 3, 5], key.axis, key.index)])
    }
  })
})

describe('predictions', () => {
  it('are accepted slice by slice', async () => {
    const { one, annotation } = await opened({ predicted: [0, 1, 2, 3, 4] })
    one.prediction.fill(6, 12, 15)
    const before = await annotation.session?.load(axial(1))
    const result = await annotation.accept({
      scope: { kind: 'slice', axis: 2, index: 1 },
      labels: null,
      keepCorrected: true,
    })
    expect(result.changedVoxels).toBe(3)
    expect([...(before?.mask.labels.slice(0, 4) ?? [])]).toEqual([6, 6, 6, 0])
    expect(annotation.corrected).toEqual([1])
  })

  it('that arrive are listed and shown, those of other cases are not', async () => {
    const { annotation, heard } = await opened()
    const slices = [{ index: 3, data: new Uint8Array(12).fill(2) }]
    backend.emit('prediction.slices', { caseId: 'other', modelId: 'm', axis: 2, revision: 0, slices })
    expect(annotation.predicted).toEqual([])
    backend.emit('prediction.slices', { caseId: 'a', modelId: 'm', axis: 2, revision: 0, slices })
    expect(annotation.predicted).toEqual([3])
    expect(heard).toEqual(['predictions'])
    const layers = await annotation.session?.load(axial(3))
    expect(layers?.prediction?.[0]).toBe(2)
    backend.emit('case.slices', { caseId: 'a', corrected: [2], predicted: [1, 3], approved: [], painted: [] })
    expect([annotation.corrected, annotation.predicted]).toEqual([[2], [1, 3]])
  })

  it('that arrive while a stroke is drawn are shown when it ends, once', async () => {
    const { annotation, heard } = await opened()
    annotation.setDrawing(true)
    for (const index of [1, 3]) {
      const slices = [{ index, data: new Uint8Array(12) }]
      backend.emit('prediction.slices', { caseId: 'a', modelId: 'm', axis: 2, revision: 0, slices })
    }
    expect(heard).toEqual([])
    annotation.setDrawing(false)
    expect(heard).toEqual(['predictions'])
    annotation.setDrawing(true)
    annotation.setDrawing(false)
    expect(heard).toEqual(['predictions'])
  })
})

describe('approval', () => {
  it('comes after the strokes before it, changes no voxel, and marks the slice', async () => {
    const { annotation, one } = await opened({ predicted: [0, 2] })
    const labels = await paint(annotation, 2, 1, 7)
    expect([annotation.stateOf(2), annotation.stateOf(1)]).toEqual(['predicted', 'untouched'])
    await annotation.approve({ index: 2, approved: true })
    const order = backend.calls.map(({ method }) => method).filter((method) => /commit|approve/.test(method))
    expect(order).toEqual(['annotation.commit', 'slice.approve'])
    expect(annotation.stateOf(2)).toBe('approved')
    expect(labels[1]).toBe(7)
    expect(one.revision).toBe(2)
    expect(annotation.session?.masks.revision).toBe(2)
    await annotation.approve({ index: 2, approved: false })
    expect(annotation.stateOf(2)).toBe('predicted')
  })

  it('is of the case that was open when it was given, whatever is open when the stroke has ended', async () => {
    const { annotation, view } = await opened({ predicted: [2] })
    backend.addCase('b', [4, 3, 5])
    const asked = () =>
      backend.calls
        .filter(({ method }) => /accept|approve/.test(method))
        .map(({ method, params }) => [method, (params as { caseId: string }).caseId])
    annotation.setDrawing(true)
    annotation.whenInterrupted(() => undefined)
    const scope = { kind: 'slice', axis: 2, index: 2 } as const
    const both = [
      annotation.approve({ index: 2, approved: true }),
      annotation.accept({ scope, labels: null, keepCorrected: true }),
    ]
    await view.openCase('b')
    annotation.setDrawing(false)
    await Promise.all(both)
    expect(asked()).toEqual([
      ['slice.approve', 'a'],
      ['annotation.accept', 'a'],
    ])
    expect([annotation.approved, annotation.corrected]).toEqual([[], []])
  })

  it('that is taken back goes to its slice', async () => {
    const { annotation, view } = await opened()
    await annotation.approve({ index: 4, approved: true })
    view.setIndex(1)
    await annotation.undo()
    expect(view.index).toBe(4)
  })

  it('outranks correction, which outranks prediction', async () => {
    const { annotation } = await opened()
    const marks = { corrected: [1, 2], predicted: [1, 2, 3], approved: [2], painted: [1] }
    backend.emit('case.slices', { caseId: 'a', ...marks })
    expect([0, 1, 2, 3].map(annotation.stateOf)).toEqual(['untouched', 'corrected', 'approved', 'predicted'])
    expect(annotation.painted).toEqual([1])
  })
})

describe('after missed events', () => {
  it('reads everything again, but not under the brush', async () => {
    const { one, annotation, heard } = await opened()
    await annotation.session?.load(axial(2))
    one.labels[24] = 9
    annotation.setDrawing(true)
    backend.resync()
    await settle()
    expect(heard).not.toContain('2:2 gone')
    annotation.setDrawing(false)
    expect(heard).toContain('2:2 gone')
    const fresh = await annotation.session?.load(axial(2))
    expect(fresh?.mask.labels[0]).toBe(9)
  })

  it('says what could not be read', async () => {
    const { annotation } = await opened()
    backend.failNext.set('case.open', new CodedError('file-missing', 'a.nii.gz is gone.'))
    backend.resync()
    await settle()
    expect(useUiStore().banners.map(({ error }) => error.code)).toEqual(['file-missing'])
    expect(annotation.session?.caseId).toBe('a')
  })
})
