import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import type { LiveState } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { PenSignal } from '../tools/penSignal.ts'
import type { ShownSlice } from './jobs.ts'

const off: LiveState = {
  on: false,
  phase: 'off',
  parentId: null,
  modelId: null,
  steps: 0,
  loss: null,
  dice: null,
  slices: 0,
  unsavedSteps: 0,
  problem: null,
}

/** Training in the quiet between strokes: how it goes, and what it has to know of this page. */
export const useLiveStore = defineStore('live', () => {
  const state = ref<LiveState>(off)
  /** It is being switched on or off. */
  const switching = ref(false)
  const on = computed(() => state.value.on)

  /** Only Live wants to know of the pen. What does not arrive is made up for: a pen not heard of counts as lifted. */
  const pen = new PenSignal((down) => {
    if (on.value) void useClient().call('live.pen', { down }).catch(ignored)
  })

  async function load(): Promise<void> {
    state.value = await useClient().call('live.get', {})
  }

  /** Follows the backend's events; the answer ends it. */
  function follow(): () => void {
    const client = useClient()
    const stops = [
      client.on('live.changed', (event) => (state.value = event)),
      client.onState((connection) => {
        if (connection !== 'open') pen.forget()
      }),
    ]
    return () => {
      pen.forget()
      stops.forEach((stop) => stop())
    }
  }

  async function set(next: boolean, show: ShownSlice | null): Promise<void> {
    if (switching.value) return
    switching.value = true
    try {
      state.value = await useClient().call('live.set', { on: next, show })
    } finally {
      switching.value = false
    }
  }

  /** Another slice is on screen: it is predicted first from now on. */
  function look(show: ShownSlice | null): void {
    if (on.value) void useClient().call('live.show', { show }).catch(ignored)
  }

  /** Is a stroke being drawn? */
  function setPen(down: boolean): void {
    if (down && on.value) pen.down()
    else pen.up()
  }

  return { state, on, switching, load, follow, set, look, setPen }
})

/** The next slice, the next stroke or the next state of Live makes up for what was not told. */
function ignored(): void {
  // Nothing to do.
}
