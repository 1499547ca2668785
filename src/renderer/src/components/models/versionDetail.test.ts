import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ModelSummary } from '../../../../core/contract/index.ts'
import { useHoldoutStore } from '../../stores/holdout.ts'
import { useProjectStore } from '../../stores/project.ts'
import { aModel, aProject, projectClient } from '../../testing/fakeClient.ts'
import { aHoldout, aModelDetail } from '../../testing/learning.ts'
import { withProject } from '../../testing/setUp.ts'
import VersionDetail from './VersionDetail.vue'

enableAutoUnmount(afterEach)

let pinia: Pinia

beforeEach(async () => {
  pinia = await withProject(projectClient(aProject(), { 'holdout.get': () => aHoldout() }))
  await useHoldoutStore().load()
})

async function shown(change: Partial<ModelSummary>): Promise<VueWrapper> {
  const summary = aModel({ id: 'model-2', version: 2, parentId: 'model-1', mode: 'retrain', active: false, ...change })
  useProjectStore().models = [aModel(), summary]
  const props = { detail: aModelDetail({ summary }) }
  const wrapper = mount<unknown>(VersionDetail, { props, global: { plugins: [pinia] } })
  await flushPromises()
  return wrapper
}

describe('a version in full', () => {
  it('is judged again only where it was held against another one before', async () => {
    const word = async (judged: ModelSummary['judged']): Promise<string> =>
      (await shown({ judged })).find('[data-testid="version-judge"]').text()
    const reason = 'Found.'
    expect(await word(null)).toBe('Judge')
    expect(await word({ verdict: 'unproven', reason, diceBefore: null, diceAfter: null })).toBe('Judge')
    // Scored alone, as a first version is.
    expect(await word({ verdict: 'unproven', reason, diceBefore: null, diceAfter: 0.8 })).toBe('Judge')
    expect(await word({ verdict: 'aside', reason, diceBefore: 0.8, diceAfter: 0.7 })).toBe('Judge again')
  })

  it('tells what was kept of a training only where that chose among its steps', async () => {
    const curve = [
      { step: 1, loss: 0.5, dice: 0.7 },
      { step: 20, loss: 0.4, dice: 0.9 },
    ]
    const measured = { lossBefore: 1, lossAfter: 0.4, diceBefore: 0.1, diceAfter: 0.96 }
    const training = { slices: 3, steps: 20, seconds: 1, backend: 'wasm', ...measured, curve }
    const place = async (mode: ModelSummary['mode']): Promise<string> =>
      (await shown({ mode, training })).find('[data-testid="training-chart"] .at').text()
    expect(await place('retrain')).toBe('step 20 · kept: Dice 0.960')
    expect(await place('live')).toBe('step 20')
    expect(await place('imported')).toBe('step 20')
  })

  it('tells how much of what its parent had wrong it mended', async () => {
    const measured = { lossBefore: 1, lossAfter: 0.4, diceBefore: 0.9, diceAfter: 0.96 }
    const mistakes = { count: 1200, mended: 1100, broken: 7 }
    const training = { slices: 3, steps: 20, seconds: 1, backend: 'wasm', ...measured, mistakes, curve: [] }
    const facts = async (change: Partial<ModelSummary>): Promise<string> =>
      (await shown(change)).find('[data-testid="version-facts"]').text()
    expect(await facts({ training })).toContain('1,100 of 1,200 pixels')
    expect(await facts({ training, parentId: null })).not.toContain('pixels')
    const none = { count: 0, mended: 0, broken: 3 }
    expect(await facts({ training: { ...training, mistakes: none } })).not.toContain('pixels')
  })
})
