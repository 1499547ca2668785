import { mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineComponent, h, nextTick, ref, shallowRef, useTemplateRef } from 'vue'
import { provideClient } from '../../api/client.ts'
import { sliceLayout } from '../../canvas/layout.ts'
import type { SliceViewer } from '../../canvas/sliceViewer.ts'
import { planeView } from '../../canvas/testing/views.ts'
import type { Point } from '../../canvas/viewport.ts'
import { FakeBackend } from '../../history/testing/fakeBackend.ts'
import { useAnnotationStore } from '../../stores/annotation.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useViewStore } from '../../stores/view.ts'
import type { StrokeDriver } from '../../tools/strokeDriver.ts'
import { usePointerTools } from './usePointerTools.ts'

/** One image pixel is ten screen pixels; the image is 30 x 20 at the element's corner. */
const shownView = planeView({ width: 30, height: 20 })
const SCALE = 10

let unmount = (): void => undefined
beforeEach(() => {
  setActivePinia(createPinia())
  const backend = new FakeBackend()
  backend.addCase('a', [30, 20, 9])
  provideClient(backend.client)
})
afterEach(() => {
  unmount()
})

async function mounted() {
  const view = useViewStore()
  await view.openCase('a')
  useProjectStore().labels = [{ value: 1, name: 'Liver', color: '#ff0000', visible: true, locked: false }]
  const log: string[] = []
  const mask = new Uint8Array(600)
  const viewer = {
    shown: { view: shownView, index: 4, image: image(), labels: { mask, prediction: null, settled: false } },
    layout: sliceLayout(shownView),
    imagePoint: ({ x, y }: Point) => ({ x: x / SCALE, y: y / SCALE }),
    together: (change: () => void) => {
      change()
    },
    setCursor: (cursor: { i: number; j: number; mode: string } | null) =>
      log.push(cursor ? `cursor ${cursor.mode} ${cursor.i},${cursor.j}` : 'no cursor'),
    panBy: (dx: number, dy: number) => log.push(`pan ${dx},${dy}`),
    zoomBy: (factor: number, at: Point) => log.push(`zoom ${factor > 1 ? 'in' : 'out'} at ${at.x},${at.y}`),
  } as unknown as SliceViewer
  const strokes = {
    begin: (erase: boolean, { x, y }: Point) => {
      log.push(`${erase ? 'erase' : 'paint'} ${x},${y}`)
      return true
    },
    extend: (points: readonly Point[]) => void log.push(`to ${points.map(({ x, y }) => `${x},${y}`).join(' ')}`),
    finish: () => void log.push('finish'),
    revert: () => void log.push('revert'),
  } as unknown as StrokeDriver
  const wrapper = mount(
    defineComponent(() => {
      const element = useTemplateRef<HTMLDivElement>('element')
      usePointerTools(element, shallowRef(viewer), strokes, ref(0))
      return () => h('div', { ref: 'element', tabindex: 0 })
    }),
    { attachTo: document.body },
  )
  unmount = () => {
    wrapper.unmount()
  }
  const element = wrapper.element as HTMLDivElement
  element.setPointerCapture = () => undefined
  const pointer = (type: string, x: number, y: number, more: PointerEventInit = {}) =>
    element.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: x, clientY: y, ...more }))
  const key = (type: 'keydown' | 'keyup', name: string, init: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent(type, { key: name, cancelable: true, bubbles: true, ...init })
    document.body.dispatchEvent(event)
    return event
  }
  const actions = (): string[] => log.filter((line) => !line.includes('cursor'))
  return { view, element, log, actions, pointer, key }
}

function image() {
  const samples = Uint8Array.from({ length: 600 }, (_, at) => at % 251)
  return { width: 30, height: 20, channels: 1, voxelType: 'uint8', samples, slope: 2, inter: -1 } as const
}

const frame = () => new Promise((resolve) => requestAnimationFrame(resolve))

describe('pointer', () => {
  it('draws a stroke from press to release, with the outline on the voxel', async () => {
    const { log, pointer } = await mounted()
    pointer('pointerenter', 35, 12)
    pointer('pointermove', 35, 12)
    pointer('pointerdown', 35, 12, { button: 0, buttons: 1 })
    pointer('pointermove', 55, 18, { buttons: 1 })
    pointer('pointerup', 55, 18)
    expect(log).toEqual([
      'cursor paint 3,1',
      'paint 3.5,1.2',
      'cursor paint 3,1',
      'to 5.5,1.8',
      'cursor paint 5,1',
      'finish',
      'cursor paint 5,1',
    ])
  })

  it('uses every position that came since the last event', async () => {
    const { element, actions, pointer } = await mounted()
    pointer('pointerdown', 10, 10, { buttons: 1 })
    const event = new PointerEvent('pointermove', { pointerId: 1, clientX: 90, clientY: 10, buttons: 1 })
    event.getCoalescedEvents = () =>
      [30, 60, 90].map((clientX) => new PointerEvent('pointermove', { clientX, clientY: 10 }))
    element.dispatchEvent(event)
    expect(actions()).toEqual(['paint 1,1', 'to 3,1 6,1 9,1'])
  })

  it('finishes the stroke when the pointer is lost', async () => {
    const { actions, pointer } = await mounted()
    pointer('pointerdown', 10, 10, { buttons: 1 })
    pointer('lostpointercapture', 10, 10)
    pointer('pointerdown', 10, 10, { buttons: 1 })
    window.dispatchEvent(new Event('blur'))
    pointer('pointerdown', 10, 10, { buttons: 1 })
    pointer('pointermove', 20, 10, { buttons: 0 })
    expect(actions().filter((line) => line === 'finish')).toHaveLength(3)
  })

  it('reads out voxel, intensity and label, and nothing beside the image', async () => {
    const { view, pointer } = await mounted()
    pointer('pointermove', 35, 12)
    await frame()
    // Pixel (3, 1) is at 33 of the buffer: 33 * 2 - 1.
    expect(view.pointer).toEqual({ voxel: [3, 1, 4], world: [-3, -1, 4], intensity: [65], label: 0 })
    pointer('pointermove', 999, 12)
    await frame()
    expect(view.pointer).toBeNull()
  })

  it('turns the wheel into slices, zoom and brush size', async () => {
    const { view, element, actions } = await mounted()
    // The DOM of the tests knows no held keys on wheel events.
    const wheel = (init: WheelEventInit) => {
      const none = { deltaX: 0, deltaY: 0, deltaMode: 0, ctrlKey: false, metaKey: false, shiftKey: false }
      const event = Object.assign(new Event('wheel', { cancelable: true }), none, init)
      element.dispatchEvent(event)
      return event.defaultPrevented
    }
    expect(wheel({ deltaY: 100 })).toBe(true)
    expect(view.index).toBe(5)
    wheel({ deltaY: -100, ctrlKey: true, clientX: 7, clientY: 8 })
    expect(actions()).toEqual(['zoom in at 7,8'])
    wheel({ deltaX: -100, shiftKey: true })
    expect(view.brushRadius).toBe(7)
  })
})

describe('keys', () => {
  it('switch the tool while they are held over the image', async () => {
    const { log, actions, pointer, key } = await mounted()
    pointer('pointerenter', 35, 12)
    pointer('pointermove', 35, 12)
    expect(key('keydown', 'Alt').defaultPrevented).toBe(true)
    expect(log.at(-1)).toBe('cursor erase 3,1')
    key('keyup', 'Alt')
    expect(log.at(-1)).toBe('cursor paint 3,1')
    key('keydown', ' ', { code: 'Space' })
    expect(log.at(-1)).toBe('no cursor')
    pointer('pointerdown', 35, 12, { buttons: 1 })
    pointer('pointermove', 40, 10, { buttons: 1 })
    pointer('pointerup', 40, 10)
    key('keyup', ' ', { code: 'Space' })
    expect(actions()).toEqual(['pan 5,-2'])
  })

  it('are left alone while the pointer is elsewhere', async () => {
    const { key } = await mounted()
    expect(key('keydown', ' ', { code: 'Space' }).defaultPrevented).toBe(false)
    expect(key('keydown', 'Alt').defaultPrevented).toBe(false)
  })

  it('Escape takes a stroke back and is not heard by others', async () => {
    const { actions, pointer, key } = await mounted()
    expect(key('keydown', 'Escape').defaultPrevented).toBe(false)
    pointer('pointerdown', 10, 10, { buttons: 1 })
    expect(key('keydown', 'Escape').defaultPrevented).toBe(true)
    pointer('pointerup', 10, 10)
    expect(actions()).toEqual(['paint 1,1', 'revert'])
  })
})

describe('a stroke', () => {
  it('ends, and is kept, when another slice is shown or the mask is about to change', async () => {
    const { view, actions, pointer } = await mounted()
    pointer('pointerdown', 10, 10, { buttons: 1 })
    view.step(1)
    expect(actions()).toEqual(['paint 1,1', 'finish'])
    pointer('pointerup', 10, 10)
    pointer('pointerdown', 10, 10, { buttons: 1 })
    const annotation = useAnnotationStore()
    annotation.setDrawing(true)
    const undone = annotation.undo()
    expect(actions().at(-1)).toBe('finish')
    annotation.setDrawing(false)
    await undone
  })

  it('shows that a locked label cannot be painted with', async () => {
    const { log, pointer } = await mounted()
    pointer('pointermove', 35, 12)
    useProjectStore().labels = [{ value: 1, name: 'Liver', color: '#ff0000', visible: true, locked: true }]
    await nextTick()
    expect(log.at(-1)).toBe('cursor blocked 3,1')
  })
})
