import type { LiveState } from '../../core/contract/learning.ts'
import type { LivePace } from '../training/live.ts'
import { addVolume, openBackend, openWithCase, type TestBackend, type WithCase } from './fixtures.ts'
import { drawBlock, train } from './versions.ts'
import { waitUntil } from './waiting.ts'

/** What was last told of Live. */
export function live(test: TestBackend): LiveState | undefined {
  return test.told('live.changed').at(-1)
}

/** Corrects a slice of the case that is open, or of another one. */
export function correct(test: WithCase, index: number, caseId = test.caseId): Promise<void> {
  return drawBlock(test, caseId, index)
}

/** Switches Live on, with a slice on screen. */
export async function begin(test: WithCase, index = 2): Promise<void> {
  await test.call('live.set', { on: true, show: { caseId: test.caseId, index } })
}

/** Until Live has made so many steps that no version holds. */
export async function learned(test: TestBackend, steps = 3): Promise<void> {
  await waitUntil(() => (live(test)?.unsavedSteps ?? 0) >= steps)
}

/** Switches Live off, and waits until it is. */
export async function end(test: TestBackend): Promise<LiveState | undefined> {
  await test.call('live.set', { on: false, show: null })
  await waitUntil(() => live(test)?.phase === 'off')
  return live(test)
}

/** One version in use, then two more cases, corrected in every slice and set aside. */
export async function openWithVersionAndHoldout(): Promise<WithCase> {
  const test = await openWithCase()
  await correct(test, 1)
  await train(test)
  const aside = [await addVolume(test, { seed: 5 }), await addVolume(test, { seed: 6 })]
  for (const { id } of aside) for (const slice of [0, 1, 2, 3, 4]) await correct(test, slice, id)
  await test.call('holdout.set', { caseIds: aside.map(({ id }) => id), chosenBy: 'user' })
  return test
}

/** The same project in a new backend, where Live keeps versions at another pace. */
export async function reopen(test: WithCase, pace: Partial<LivePace>): Promise<WithCase> {
  await test.backend.close()
  return { ...(await openBackend(test.dir, undefined, {}, pace)), caseId: test.caseId }
}
