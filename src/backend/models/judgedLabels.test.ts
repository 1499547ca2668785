import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, rectangle, restart, type TestBackend } from '../testing/fixtures.ts'
import { openWithHoldout, retrain, type WithHoldout } from '../testing/versions.ts'

afterEach(cleanUp)

/** A first version that says label 1 everywhere; the second one finds the block, and the late label in the dark. */
async function openWithFirst(): Promise<WithHoldout> {
  const test = await openWithHoldout(5)
  test.compute.label = () => 1
  await retrain(test)
  return test
}

async function addLate(test: WithHoldout): Promise<number> {
  const { value } = await test.call('labels.add', { name: 'Late', color: null })
  findLate(test, value)
  return value
}

function findLate(test: TestBackend, value: number): void {
  test.compute.label = (scaled, modelDir) => (modelDir.endsWith('001') || scaled > 50 ? 1 : value)
}

describe('a label that came after the hold-out was annotated', () => {
  it('is not held against a version that finds it there, also after a restart', async () => {
    const before = await openWithFirst()
    const value = await addLate(before)
    const test = await restart(before)
    findLate(test, value)
    const version = await retrain(test)
    expect(version).toMatchObject({ active: true, judged: { verdict: 'promoted' } })
    const { judgement } = await test.call('models.judgement', { modelId: version.id })
    expect(judgement?.mean).toContainEqual({ label: value, before: null, after: null })
    expect(judgement?.mean).toContainEqual({ label: 1, before: 18 / 57, after: 1 })
  })

  it('is judged where a slice was approved since then', async () => {
    const test = await openWithFirst()
    await addLate(test)
    for (const caseId of test.aside) {
      await test.call('slice.approve', { caseId, index: 0, region: null, approved: true })
    }
    const version = await retrain(test)
    expect(version).toMatchObject({ active: false, judged: { verdict: 'aside' } })
    expect(version.judged?.reason).toContain('Late')
  })

  it('is judged where it was drawn since then, and there alone', async () => {
    const test = await openWithFirst()
    const value = await addLate(test)
    const [caseId = ''] = test.aside
    const dark = rectangle({ index: 1, at: [0, 0], size: [8, 1], after: value })
    await test.call('annotation.commit', { caseId, delta: dark })
    const { id } = await retrain(test)
    const { judgement } = await test.call('models.judgement', { modelId: id })
    // 8 of the 39 pixels that are not the block.
    const late = { label: value, before: 0, after: 16 / 47 }
    expect(judgement?.mean).toContainEqual(late)
    expect(judgement?.cases.map(({ dice }) => dice.some(({ label }) => label === value))).toEqual(
      test.aside.map((aside) => aside === caseId),
    )
  })
})
