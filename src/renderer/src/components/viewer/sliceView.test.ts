import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia, type Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { provideClient } from '../../api/client.ts'
import { ImagePainter } from '../../canvas/imagePainter.ts'
import { blindCanvas } from '../../canvas/testing/blindCanvas.ts'
import { FakeBackend } from '../../history/testing/fakeBackend.ts'
import { useViewStore } from '../../stores/view.ts'
import SliceView from './SliceView.vue'

enableAutoUnmount(afterEach)

let backend: FakeBackend
let pinia: Pinia
let draws: number

beforeEach(() => {
  pinia = createPinia()
  setActivePinia(pinia)
  backend = new FakeBackend()
  backend.addCase('a', [6, 5, 40])
  provideClient(backend.client)
  draws = 0
  vi.spyOn(ImagePainter.prototype, 'draw').mockImplementation(() => {
    draws++
  })
  blindCanvas()
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** Some frames, in which whatever is to be drawn is drawn. */
async function frames() {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve))
}

async function shown() {
  const view = useViewStore()
  const wrapper = mount(SliceView, { global: { plugins: [pinia] }, attachTo: document.body })
  await view.openCase('a')
  await flushPromises()
  await frames()
  const ready = () => wrapper.find('[data-testid="viewer-canvas"]').attributes('data-ready')
  return { view, wrapper, ready }
}

describe('a slice that has not arrived', () => {
  it('leaves no other slice under its number, says so quietly, and is shown when it comes', async () => {
    const { view, wrapper, ready } = await shown()
    expect([view.index, ready()]).toEqual([20, 'true'])
    backend.hold.add('volume.slice')
    view.setIndex(0)
    await flushPromises()
    await frames()
    expect(ready()).toBe('false')
    draws = 0
    // Moving the view redraws what is on screen: nothing.
    view.zoomBy(1.1)
    await frames()
    expect(draws).toBe(0)
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(view.sliceState).toBe('loading')
    expect(wrapper.find('[role="status"].corner').exists()).toBe(true)
    expect(wrapper.find('[data-testid="viewer-error"]').exists()).toBe(false)
    const { zoom } = view
    backend.hold.clear()
    backend.release()
    await flushPromises()
    await frames()
    expect([view.sliceState, ready(), view.index]).toEqual(['ready', 'true', 0])
    expect(draws).toBeGreaterThan(0)
    // It comes into the view that the one before was left in.
    expect(view.zoom).toBe(zoom)
  })

  it('gives way to the slice that is wanted by then', async () => {
    const { view, ready } = await shown()
    backend.hold.add('volume.slice')
    view.setIndex(0)
    await flushPromises()
    view.setIndex(20)
    await flushPromises()
    await frames()
    expect([view.index, ready()]).toEqual([20, 'true'])
    backend.hold.clear()
    backend.release()
    await flushPromises()
    await frames()
    expect([view.index, ready()]).toEqual([20, 'true'])
  })
})
