import { enableAutoUnmount, mount } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import { useAnnotationStore } from '../../stores/annotation.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { withClient, withProject } from '../../testing/setUp.ts'
import ConnectionBanner from './ConnectionBanner.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia

beforeEach(async () => {
  client = projectClient()
  pinia = await withProject(client)
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function show() {
  const wrapper = mount(ConnectionBanner, { global: { plugins: [pinia] } })
  const advice = () => {
    const found = wrapper.find('[data-testid="connection-advice"]')
    return found.exists() ? found.text() : null
  }
  return { wrapper, advice }
}

function servedFrom(protocol: string, origin: string): void {
  vi.stubGlobal('location', { protocol, origin })
}

async function pass(ms: number): Promise<void> {
  vi.advanceTimersByTime(ms)
  await nextTick()
}

describe('the banner of a lost connection', () => {
  it('says what to do, in sight, when the connection does not come back', async () => {
    client.setState('lost')
    const { wrapper, advice } = show()
    expect(wrapper.text()).toBe('Connection lost, reconnecting…')
    await pass(4900)
    expect(advice()).toBeNull()
    await pass(200)
    expect(advice()).toBe('If Maskwright was started again, open its new address in this tab.')
  })

  it('says where strokes are that are not saved, and what saves them', async () => {
    servedFrom('http:', 'http://127.0.0.1:4870')
    client.setState('lost')
    const annotation = useAnnotationStore()
    const { advice } = show()
    await pass(5000)
    annotation.pendingStrokes = 1
    await nextTick()
    expect(advice()).toBe(
      'If Maskwright was started again, open its new address in this tab. 1 unsaved stroke is kept in this tab, and saved once the new address is opened in it, if that begins with http://127.0.0.1:4870 and the project is the same. Until then do not close or reload the tab.',
    )
    annotation.pendingStrokes = 3
    await nextTick()
    expect(advice()).toContain('3 unsaved strokes are kept in this tab')
  })

  it('speaks of no address in the desktop shell, which has none', async () => {
    servedFrom('app:', 'app://maskwright')
    client.setState('lost')
    const { advice } = show()
    await pass(5000)
    expect(advice()).toBeNull()
    useAnnotationStore().pendingStrokes = 2
    await nextTick()
    expect(advice()).toBe(
      '2 unsaved strokes are kept in this window, and saved when the connection is back. Until then do not close the window.',
    )
  })

  it('begins to wait anew when the connection was back in between', async () => {
    client.setState('lost')
    const { advice } = show()
    await pass(4000)
    client.setState('open')
    await nextTick()
    client.setState('lost')
    await nextTick()
    await pass(4000)
    expect(advice()).toBeNull()
    await pass(1000)
    expect(advice()).not.toBeNull()
  })

  it('leaves no timer behind', () => {
    client.setState('lost')
    const { wrapper } = show()
    expect(vi.getTimerCount()).toBe(1)
    wrapper.unmount()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('says it at once on a page that came and never was connected', () => {
    pinia = withClient(client)
    useConnectionStore().follow(() => undefined)
    client.setState('lost')
    const { wrapper, advice } = show()
    expect(wrapper.text()).toContain('Not connected, trying again…')
    expect(wrapper.text()).not.toContain('lost')
    expect(advice()).toBe('If Maskwright was started again, open its new address in this tab.')
  })
})
