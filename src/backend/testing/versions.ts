import { expect } from 'vitest'
import type { Job, ModelSummary } from '../../core/contract/schemas.ts'
import { labelOf, type Quality } from './qualities.ts'
import { addVolume, jobEnd, openWithCase, rectangle, type TestBackend, type WithCase } from './fixtures.ts'

/** Dice of `all`, by hand. */
export const DICE_OF_ALL = 18 / 57

/** The case that is open teaches. */
export interface WithHoldout extends WithCase {
  /** They are set aside. */
  readonly aside: readonly string[]
}

export const TRAIN = { steps: 3, seconds: 10, seed: 1, show: null }

/** Draws the block into a slice of a volume of the fixtures. */
export async function drawBlock(test: TestBackend, caseId: string, index: number): Promise<void> {
  const delta = rectangle({ index, at: [2, 1], size: [3, 3], after: 1 })
  await test.call('annotation.commit', { caseId, delta })
}

/** A project with one case to learn from and `count` cases set aside, each with the block in its first `slices` slices. */
export async function openWithHoldout(count: number, slices = 1): Promise<WithHoldout> {
  const test = await openWithCase()
  await drawBlock(test, test.caseId, 1)
  const aside: string[] = []
  for (let seed = 1; seed <= count; seed++) {
    const { id } = await addVolume(test, { seed })
    for (let index = 0; index < slices; index++) await drawBlock(test, id, index)
    aside.push(id)
  }
  await test.call('holdout.set', { caseIds: aside, chosenBy: 'user' })
  return { ...test, aside }
}

/** Version n predicts as the n-th says. */
export function predictAs(test: TestBackend, qualities: readonly Quality[]): void {
  test.compute.label = (scaled, modelDir) => labelOf[qualities[Number(modelDir.slice(-3)) - 1] ?? 'none'](scaled)
}

/** One click on Retrain, to the end of its job, whatever that is. */
export async function train(test: TestBackend): Promise<Job> {
  return jobEnd(test, (await test.call('train.start', TRAIN)).id)
}

/** One click on Retrain, to the version that it made. */
export async function retrain(test: TestBackend): Promise<ModelSummary> {
  expect(await train(test)).toMatchObject({ state: 'done', error: null })
  return versionOf(test, -1)
}

/** Predicts a case, a slice of it first, to the end. */
export async function predict(test: TestBackend, caseId: string, index = 0): Promise<void> {
  const job = await jobEnd(test, (await test.call('predict.start', { caseId, index })).id)
  expect(job).toMatchObject({ state: 'done', error: null })
}

/** A project with a case of which slice 0 was drawn on and learned, and all slices are predicted. */
export async function openPredicted(): Promise<WithCase> {
  const test = await openWithCase()
  const delta = rectangle({ index: 0, at: [0, 0], size: [2, 2], after: 1 })
  await test.call('annotation.commit', { caseId: test.caseId, delta })
  await retrain(test)
  await predict(test, test.caseId)
  return test
}

/** Holds a version against the one in use. */
export async function compare(test: TestBackend, modelId: string): Promise<Job> {
  const job = await jobEnd(test, (await test.call('models.judge', { modelId })).id)
  expect(job).toMatchObject({ kind: 'judge', state: 'done', error: null })
  return job
}

/** Of what is scored. The volume that teaches begins with a voxel of 0, the others with 1 and more. */
export function isOfHoldout(params: unknown): boolean {
  const { samples = [] } = params as { samples?: { data: Uint8Array; index: number }[] }
  return samples.some(({ data, index }) => data[0] !== (index * 48) % 40)
}

/** The oldest first. */
export async function versionsOf(test: TestBackend): Promise<ModelSummary[]> {
  return (await test.call('project.get', {})).models
}

/** By position in the list of versions; -1 is the newest. */
export async function versionOf(test: TestBackend, at: number): Promise<ModelSummary> {
  const found = (await versionsOf(test)).at(at)
  if (found === undefined) throw new Error(`no version ${at}`)
  return found
}

/** The number of the version in use. */
export async function usedVersion(test: TestBackend): Promise<number | null> {
  const used = (await versionsOf(test)).filter(({ active }) => active)
  expect(used.length).toBeLessThan(2)
  return used[0]?.version ?? null
}
