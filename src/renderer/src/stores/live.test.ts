import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CodedError } from '../../../core/contract/index.ts'
import { startUp } from '../actions/startup.ts'
import { aLiveState, projectClient, type FakeClient } from '../testing/fakeClient.ts'
import { settled, withClient, withProject } from '../testing/setUp.ts'
import { useLiveStore } from './live.ts'
import { useViewStore } from './view.ts'

let client: FakeClient
const training = aLiveState({ on: true, phase: 'training', modelId: 'model-2', steps: 12 })

beforeEach(async () => {
  client = projectClient(undefined, {
    'live.set': ({ on }) => (on ? training : aLiveState()),
    'live.show': () => ({}),
    'live.pen': () => ({}),
  })
  await withProject(client)
})
afterEach(() => {
  vi.useRealTimers()
})

describe('Live', () => {
  it('is read, switched and followed', async () => {
    const live = useLiveStore()
    client.answers['live.get'] = () => training
    await live.load()
    expect([live.on, live.state.steps]).toEqual([true, 12])
    const stop = live.follow()
    client.tell('live.changed', { ...training, steps: 40, phase: 'paused' })
    expect([live.state.steps, live.state.phase]).toEqual([40, 'paused'])
    await live.set(false, null)
    expect([live.on, live.switching]).toEqual([false, false])
    stop()
    client.tell('live.changed', training)
    expect(live.on).toBe(false)
  })

  it('is asked for once while it is being switched, and can be asked again after a failure', async () => {
    const live = useLiveStore()
    const show = { caseId: 'case-1', index: 4 }
    await Promise.all([live.set(true, show), live.set(true, show)])
    expect(client.asked('live.set')).toEqual([{ on: true, show }])
    client.answers['live.set'] = () => {
      throw new CodedError('busy', 'A training runs.')
    }
    await expect(live.set(false, null)).rejects.toMatchObject({ code: 'busy' })
    expect([live.on, live.switching]).toEqual([true, false])
  })

  it('forgets the pen with the connection: nobody waits for it to be lifted', async () => {
    const live = useLiveStore()
    const stop = live.follow()
    client.tell('live.changed', training)
    vi.useFakeTimers()
    live.setPen(true)
    await vi.advanceTimersByTimeAsync(0)
    client.setState('lost')
    live.setPen(false)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(client.asked('live.pen')).toEqual([{ down: true }])
    stop()
  })

  it('is told the slice that is looked at, and not those that are scrolled past', async () => {
    withClient(client)
    const stop = startUp()
    await settled()
    client.tell('live.changed', training)
    const view = useViewStore()
    vi.useFakeTimers()
    for (const index of [0, 1, 2, 3]) {
      view.setIndex(index)
      await vi.advanceTimersByTimeAsync(50)
    }
    expect(client.asked('live.show')).toEqual([])
    await vi.advanceTimersByTimeAsync(200)
    expect(client.asked('live.show')).toEqual([{ show: { caseId: 'case-2', index: 3 } }])
    client.tell('live.changed', aLiveState())
    view.setIndex(7)
    await vi.advanceTimersByTimeAsync(400)
    expect(client.asked('live.show')).toHaveLength(1)
    stop()
  })
})
