import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { shallowRef } from 'vue'
import { CodedError } from '../../../../core/contract/index.ts'
import { provideClient } from '../../api/client.ts'
import { sliceLayout } from '../../canvas/layout.ts'
import type { SliceViewer } from '../../canvas/sliceViewer.ts'
import { FakeBackend } from '../../history/testing/fakeBackend.ts'
import { useAnnotationStore } from '../../stores/annotation.ts'
import { useLiveStore } from '../../stores/live.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { useStrokes } from './useStrokes.ts'

const WIDTH = 8
const LIVER = 1
const PREDICTED = 3

let backend: FakeBackend

beforeEach(() => {
  setActivePinia(createPinia())
  backend = new FakeBackend()
  provideClient(backend.client)
})

const settle = () => new Promise((resolve) => setTimeout(resolve, 0))

/** A case whose middle slice is on screen; its prediction is label 3 in row 1, voxels 0 to 3. */
async function shown() {
  const one = backend.addCase('a', [WIDTH, 4, 3], { predicted: [0, 1, 2] })
  one.prediction.fill(PREDICTED, 32 + WIDTH, 32 + WIDTH + 4)
  const view = useViewStore()
  const annotation = useAnnotationStore()
  await view.openCase('a')
  await settle()
  const label = { value: LIVER, name: 'Liver', color: '#ff0000', visible: true, locked: false }
  useProjectStore().labels = [label]
  view.activeLabel = LIVER
  view.setBrushRadius(0.5)
  const layers = await annotation.session?.load({ axis: 2, index: view.index })
  if (!view.view || !layers) throw new Error('no slice is shown')
  const layout = sliceLayout(view.view)
  const viewer = {
    shown: { view: view.view, index: view.index, labels: { mask: layers.mask.labels } },
    layout,
    maskChanged: () => undefined,
  } as unknown as SliceViewer
  const strokes = useStrokes(shallowRef(viewer))
  // As the pointer's owner does.
  annotation.whenInterrupted(() => {
    strokes.finish()
  })
  /** The middle of voxel `x` of row 1 on the display, which may be turned. */
  const at = (x: number) => ({
    x: (layout.stepI < 0 ? WIDTH - 1 - x : x) + 0.5,
    y: (layout.stepJ < 0 ? 2 : 1) + 0.5,
  })
  const onDisk = (): string => one.labels.slice(32 + WIDTH, 32 + 2 * WIDTH).join('')
  const onScreen = (): string => layers.mask.labels.slice(WIDTH, 2 * WIDTH).join('')
  return { annotation, strokes, at, onDisk, onScreen }
}

describe('the first stroke on a predicted slice', () => {
  it('accepts the prediction and is painted over it in its whole length, each with an undo of its own', async () => {
    const { annotation, strokes, at, onDisk, onScreen } = await shown()
    backend.hold.add('annotation.accept')
    strokes.begin(false, at(2), 0)
    await settle()
    strokes.extend([at(3)], 0)
    expect(onScreen()).toBe('00000000')
    backend.release()
    await settle()
    expect(onScreen()).toBe('33110000')
    strokes.extend([at(4), at(6)], 0)
    strokes.finish()
    await settle()
    expect(onScreen()).toBe('33111110')
    expect(onDisk()).toBe('33111110')
    expect(useUiStore().banners).toEqual([])
    await annotation.undo()
    expect([onScreen(), onDisk()]).toEqual(['33330000', '33330000'])
    await annotation.undo()
    expect([onScreen(), onDisk()]).toEqual(['00000000', '00000000'])
    await annotation.redo()
    await annotation.redo()
    expect([onScreen(), onDisk()]).toEqual(['33111110', '33111110'])
  })

  it('is painted also when the pointer is up before the prediction is there', async () => {
    const { strokes, at, onDisk, onScreen } = await shown()
    backend.hold.add('annotation.accept')
    strokes.begin(false, at(3), 0)
    await settle()
    strokes.extend([at(6)], 0)
    strokes.finish()
    backend.release()
    await settle()
    expect([onScreen(), onDisk()]).toEqual(['33311110', '33311110'])
  })

  it('is painted over the prediction also when another case was opened meanwhile', async () => {
    const { strokes, at, onDisk } = await shown()
    backend.addCase('b', [WIDTH, 4, 3])
    backend.hold.add('annotation.accept')
    strokes.begin(false, at(3), 0)
    await settle()
    strokes.extend([at(6)], 0)
    strokes.finish()
    await useViewStore().openCase('b')
    backend.release()
    await settle()
    expect(onDisk()).toBe('33311110')
    expect(useUiStore().banners).toEqual([])
  })

  it('is painted also when the prediction cannot be accepted', async () => {
    const { strokes, at, onDisk, onScreen } = await shown()
    backend.failNext.set('annotation.accept', new CodedError('disk-full', 'The disk is full.'))
    strokes.begin(false, at(3), 0)
    await settle()
    strokes.extend([at(6)], 0)
    strokes.finish()
    await settle()
    expect([onScreen(), onDisk()]).toEqual(['00011110', '00011110'])
  })

  it('ends where Undo is pressed, which takes back the stroke and not what it was painted over', async () => {
    const { annotation, strokes, at, onDisk, onScreen } = await shown()
    backend.hold.add('annotation.accept')
    strokes.begin(false, at(3), 0)
    await settle()
    strokes.extend([at(5)], 0)
    const undone = annotation.undo()
    strokes.extend([at(7)], 0)
    backend.release()
    expect((await undone)?.delta?.kind).toBe('undo')
    expect([onScreen(), onDisk()]).toEqual(['33330000', '33330000'])
    expect(useUiStore().banners).toEqual([])
    await annotation.redo()
    expect(onScreen()).toBe('33311100')
  })
})

describe('the pen', () => {
  const told = () => backend.calls.filter(({ method }) => method === 'live.pen').map(({ params }) => params)
  const on = { on: true, phase: 'training', parentId: null, modelId: 'm2', problem: null } as const
  const live = { ...on, steps: 3, loss: 0.5, dice: 0.8, slices: 1, unsavedSteps: 3 } as const

  it('is down for Live as long as a stroke is drawn, and the stroke never waits to tell it', async () => {
    const { strokes, at, onScreen } = await shown()
    const store = useLiveStore()
    const stop = store.follow()
    backend.emit('live.changed', live)
    useViewStore().acceptOnBrush = false
    strokes.begin(false, at(2), 0)
    expect(onScreen()).toBe('00100000')
    expect(told()).toEqual([])
    await settle()
    expect(told()).toEqual([{ down: true }])
    strokes.extend([at(4)], 0)
    strokes.finish()
    await new Promise((resolve) => setTimeout(resolve, 350))
    expect(told()).toEqual([{ down: true }, { down: false }])
    stop()
  })

  it('is nobody’s business while Live is off', async () => {
    const { strokes, at } = await shown()
    useViewStore().acceptOnBrush = false
    strokes.begin(false, at(2), 0)
    await settle()
    strokes.finish()
    await new Promise((resolve) => setTimeout(resolve, 350))
    expect(told()).toEqual([])
  })
})
