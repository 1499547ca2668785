import { enableAutoUnmount, flushPromises, mount } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Component } from 'vue'
import { useAnnotationStore } from '../../stores/annotation.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useUiStore } from '../../stores/ui.ts'
import { aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { withClient } from '../../testing/setUp.ts'
import LabelsSection from '../inspector/LabelsSection.vue'
import ModelSection from '../inspector/ModelSection.vue'
import VersionList from '../inspector/VersionList.vue'
import StatusBar from '../status/StatusBar.vue'
import SaveState from '../topbar/SaveState.vue'
import ViewerMessage from '../viewer/ViewerMessage.vue'
import Worklist from '../worklist/Worklist.vue'

enableAutoUnmount(afterEach)

let client: FakeClient
let pinia: Pinia

/** A page over a project that is empty, of which it has read nothing. */
beforeEach(() => {
  client = projectClient(aProject({ labels: [], cases: [], models: [], lastCaseId: null }))
  pinia = withClient(client)
  useConnectionStore().follow(() => undefined)
})

const show = (component: Component) => mount<unknown>(component, { global: { plugins: [pinia] } })

const empty: [name: string, Component, words: string][] = [
  ['the save state', SaveState, 'All saved'],
  ['the labels', LabelsSection, 'No labels yet'],
  ['the versions', VersionList, 'This project has no model yet'],
  ['the next step', ModelSection, 'Open an image to begin'],
  ['the worklist', Worklist, 'No images yet'],
  ['the viewer', ViewerMessage, 'Open an image to begin'],
  ['the running job', StatusBar, 'No job running'],
]

describe('before the project was read for the first time', () => {
  it.each(empty)('%s says nothing of it', async (_name, component, words) => {
    const wrapper = show(component)
    for (const state of ['connecting', 'lost', 'open'] as const) {
      client.setState(state)
      await flushPromises()
      expect(wrapper.text(), state).not.toContain(words)
      expect(wrapper.text().includes('Not connected'), state).toBe(state === 'lost')
    }
    await useProjectStore().load()
    await flushPromises()
    expect(wrapper.text()).toContain(words)
    client.setState('lost')
    await flushPromises()
    expect(wrapper.text(), 'what was read is still known').toContain(words)
  })

  it('the queue does not say that there is no model', async () => {
    client.setState('lost')
    useUiStore().worklist = 'queue'
    const wrapper = show(Worklist)
    expect(wrapper.find('[data-testid="queue"]').exists()).toBe(false)
    client.setState('open')
    client.answers['project.get'] = () => aProject()
    await useProjectStore().load()
    await flushPromises()
    expect(wrapper.find('[data-testid="queue"]').exists()).toBe(true)
  })

  it('the save state is unknown, unless something is known to be unsaved', async () => {
    client.setState('lost')
    const wrapper = show(SaveState)
    expect(wrapper.attributes('data-state')).toBe('unknown')
    expect(wrapper.attributes('data-tip')).toBeUndefined()
    useAnnotationStore().saveState = 'unsaved'
    await flushPromises()
    expect(wrapper.attributes('data-state')).toBe('unsaved')
    expect(wrapper.text()).toBe('Not saved')
  })
})
