import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defineComponent, h, ref } from 'vue'
import { CodedError, type MethodParams, type ModelSummary } from '../../../../core/contract/index.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useVersionsStore } from '../../stores/versions.ts'
import { aModel, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { withProject } from '../../testing/setUp.ts'
import VersionNotes from './VersionNotes.vue'

enableAutoUnmount(afterEach)

const first = aModel({ active: false, tags: ['start'], notes: 'First.' })
const second = aModel({ id: 'model-2', version: 2, parentId: 'model-1', notes: 'Second.' })
const shownId = ref('model-1')
const Shown = defineComponent(() => () => h(VersionNotes, { model: useVersionsStore().byId(shownId.value) ?? first }))

let client: FakeClient
let pinia: Pinia

/** As the backend does. */
function describeVersion({ modelId, ...change }: MethodParams<'models.describe'>): ModelSummary {
  return { ...(useVersionsStore().byId(modelId) ?? first), ...change } as ModelSummary
}

beforeEach(async () => {
  client = projectClient(aProject({ models: [first, second] }), { 'models.describe': describeVersion })
  pinia = await withProject(client)
  useProjectStore().follow()
  shownId.value = 'model-1'
})

const show = () => mount(Shown, { global: { plugins: [pinia] }, attachTo: document.body })
const field = (wrapper: VueWrapper, id: string) => wrapper.find<HTMLInputElement>(`[data-testid="${id}"]`)
const value = (wrapper: VueWrapper, id: string) => field(wrapper, id).element.value

async function look(modelId: string): Promise<void> {
  shownId.value = modelId
  await flushPromises()
}

/** Each request is answered when the test says so. */
function byHand(): (() => void)[] {
  const answers: (() => void)[] = []
  client.answers['models.describe'] = (change) =>
    new Promise((resolve) => answers.push(() => resolve(describeVersion(change))))
  return answers
}

describe('what is written of a version', () => {
  for (const [id, typed] of [
    ['version-notes', 'Good on'],
    ['version-add-tag', 'les'],
  ] as const) {
    it(`stands there again where it could not be kept: ${id}`, async () => {
      client.answers['models.describe'] = () => {
        throw new CodedError('connection-lost', 'The backend is gone.')
      }
      const notes = show()
      const before = value(notes, id)
      await field(notes, id).setValue(typed)
      await field(notes, id).trigger('blur')
      await look('model-2')
      expect(value(notes, id)).not.toBe(typed)
      await look('model-1')
      expect(value(notes, id)).toBe(typed)
      notes.unmount()
      await flushPromises()
      const again = show()
      expect(value(again, id)).toBe(typed)
      client.answers['models.describe'] = describeVersion
      await field(again, id).trigger('blur')
      await flushPromises()
      expect(client.asked('models.describe').at(-1)).toMatchObject({ modelId: 'model-1' })
      expect(value(again, id)).toBe(id === 'version-notes' ? typed : before)
      expect(useVersionsStore().drafts.size).toBe(0)
      expect(useVersionsStore().byId('model-1')).toMatchObject(
        id === 'version-notes' ? { notes: typed } : { tags: ['start', typed] },
      )
    })
  }

  it('is what was typed last, also where that was typed before', async () => {
    const answers = byHand()
    const notes = show()
    await field(notes, 'version-notes').setValue('Other.')
    await field(notes, 'version-notes').trigger('blur')
    await field(notes, 'version-notes').setValue('First.')
    await field(notes, 'version-notes').trigger('blur')
    for (const answer of answers) {
      answer()
      await flushPromises()
      expect(value(notes, 'version-notes')).toBe('First.')
    }
    expect(useVersionsStore().byId('model-1')?.notes).toBe('First.')
  })

  it('is left alone by what is on its way of another version', async () => {
    const answers = byHand()
    const notes = show()
    await field(notes, 'version-notes').setValue('Other.')
    await field(notes, 'version-notes').trigger('blur')
    await look('model-2')
    answers[0]?.()
    await flushPromises()
    expect(value(notes, 'version-notes')).toBe('Second.')
    notes.unmount()
    await flushPromises()
    expect(client.asked('models.describe')).toHaveLength(1)
  })

  it('loses no tag where one is added and another taken away at once', async () => {
    const answers = byHand()
    const notes = show()
    await field(notes, 'version-add-tag').setValue('les')
    await field(notes, 'version-add-tag').trigger('blur')
    await notes.find('[data-testid="version-tag"] button').trigger('click')
    for (let turn = 0; turn < 2; turn++) {
      await flushPromises()
      answers[turn]?.()
    }
    await flushPromises()
    expect(useVersionsStore().byId('model-1')?.tags).toEqual(['les'])
  })
})
