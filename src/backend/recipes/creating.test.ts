import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { MethodParams } from '../../core/contract/methods.ts'
import { writePng } from '../../imaging/index.ts'
import { recipeNamed } from '../host/recipes.ts'
import { cleanUp, emptyProject, jobEnd, openBackend, temporaryFolder, type TestBackend } from '../testing/fixtures.ts'

afterEach(cleanUp)

const WIDTH = 6
const HEIGHT = 5

/** Three pictures with a nucleus in the corner each; the last one is held out. */
async function dataFolder(test: TestBackend): Promise<string> {
  const dir = temporaryFolder()
  const names = ['a', 'b', 'c']
  for (const [at, name] of names.entries()) {
    const data = new Uint8Array(WIDTH * HEIGHT).map((_, i) => (i * 7 + at) % 256)
    await writePng(join(dir, `${name}.png`), { width: WIDTH, height: HEIGHT, channels: 1, data })
  }
  const { recipes } = test.compute
  recipes.listed = {
    labels: [{ value: 1, name: 'Nucleus' }],
    cases: names.map((id) => ({
      ...{ id, learned: id !== 'c', image: join(dir, `${id}.png`), masks: [join(dir, 'masks')] },
    })),
  }
  recipes.truth = () => ({ dims: [WIDTH, HEIGHT, 1], labels: corner() })
  return dir
}

function corner(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(WIDTH * HEIGHT).map((_, i) => Number(i % WIDTH < 2 && i < 2 * WIDTH))
}

/** An empty project that set the first picture aside. */
async function openWithAside(data: string): Promise<TestBackend> {
  const test = await openBackend(emptyProject())
  const { id } = await test.call('case.add', { fileId: test.backend.registerFile(join(data, 'a.png'), 'open').id })
  await test.call('holdout.set', { caseIds: [id], chosenBy: 'user' })
  return test
}

function orderOf(test: TestBackend, data: string, parent: string, name = 'Nuclei'): MethodParams<'recipes.create'> {
  const idOf = (path: string): string => test.backend.registerFile(path, 'open').id
  const settings = recipeNamed('nuclei').presets.best
  return { recipe: 'nuclei', preset: 'best', settings, folderId: idOf(data), parentId: idOf(parent), name }
}

describe('a project from a recipe', () => {
  it('has the cases where they lie, their truth as masks, and the labels; what is held out is not for Retrain', async () => {
    const test = await openBackend(emptyProject())
    const data = await dataFolder(test)
    const parent = temporaryFolder()
    const { job, folder } = await test.call('recipes.create', orderOf(test, data, parent))
    expect(folder).toMatchObject({ name: 'Nuclei', text: join(parent, 'Nuclei') })
    expect(await jobEnd(test, job.id)).toMatchObject({ kind: 'create', state: 'done', error: null })
    expect(readdirSync(parent)).toEqual(['Nuclei'])

    const made = await openBackend(join(parent, 'Nuclei'))
    const project = await made.call('project.get', {})
    expect(project).toMatchObject({ name: 'Nuclei', isDemo: false, labels: [{ value: 1, name: 'Nucleus' }] })
    expect(project.cases.map(({ name, correctedSlices, missing }) => [name, correctedSlices, missing])).toEqual([
      ['a', 1, false],
      ['b', 1, false],
      ['c', 1, false],
    ])
    const heldOut = project.cases[2]?.id
    expect(await made.call('holdout.get', {})).toMatchObject({
      chosenBy: 'recipe',
      cases: [{ caseId: heldOut, slices: 1 }],
    })
    expect(project.cases.map((one) => one.heldOut)).toEqual([false, false, true])
    const caseId = project.cases[2]?.id ?? ''
    expect((await made.call('case.open', { caseId })).sourcePath).toBe(join(data, 'c.png'))
    const { data: mask } = await made.call('annotation.slice', { caseId, axis: 2, index: 0, layer: 'mask' })
    expect([...mask]).toEqual([...corner()])
    expect((await made.call('recipes.state', {})).project).toMatchObject({
      recipe: 'nuclei',
      preset: 'best',
      dataPath: data,
      missing: false,
    })

    // Trained on the folder that it was made from; what is as it was there counts as learned.
    made.compute.recipes.listed = test.compute.recipes.listed
    const training = await made.call('recipes.train', { ...orderOf(test, data, parent), folderId: null })
    expect(await jobEnd(made, training.id)).toMatchObject({ state: 'done' })
    expect(made.compute.recipes.trainings()[0]).toMatchObject({ dataDir: data })
    const { cases } = await made.call('project.get', {})
    expect(cases.map(({ newCorrectedSlices }) => newCorrectedSlices)).toEqual([0, 0, 0])
  })

  it('keeps apart what its training learned from, by the bytes: added by hand, under another name, or only afterwards', async () => {
    const test = await openBackend(emptyProject())
    const data = await dataFolder(test)
    await test.call('labels.add', { name: 'Nucleus', color: null })
    const add = async (name: string, as: string) => {
      const path = join(temporaryFolder(), `${as}.png`)
      copyFileSync(join(data, `${name}.png`), path)
      return (await test.call('case.add', { fileId: test.backend.registerFile(path, 'open').id })).id
    }
    const before = await add('a', 'mine')
    const order = orderOf(test, data, temporaryFolder())
    expect(await jobEnd(test, (await test.call('recipes.train', order)).id)).toMatchObject({
      state: 'done',
      error: null,
    })
    const after = await add('b', 'later')
    const heldOut = await add('c', 'apart')
    const set = (caseIds: string[]) => test.call('holdout.set', { caseIds, chosenBy: 'user' })
    const learned = (name: string) => ({
      ...{ code: 'conflict', message: expect.stringContaining(`learned from ${name},`) as unknown },
    })
    await expect(set([before])).rejects.toMatchObject(learned('mine'))
    await expect(set([after])).rejects.toMatchObject(learned('later'))
    expect(await set([heldOut])).toMatchObject({ cases: [{ caseId: heldOut }] })
    const [model] = (await test.call('project.get', {})).models
    const { data: from } = await test.call('models.detail', { modelId: model?.id ?? '' })
    expect(from.map(({ name, removed }) => [name, removed])).toEqual([
      ['mine', false],
      ['b', true],
    ])
    // In a project that has set aside what the recipe learns from, that is said before hours are spent.
    const other = await openWithAside(data)
    other.compute.recipes.listed = test.compute.recipes.listed
    const job = await other.call('recipes.train', orderOf(other, data, temporaryFolder()))
    expect((await jobEnd(other, job.id)).message).toContain('kept aside: It learned from a,')
    expect(other.told('notice').map(({ message }) => message)).toEqual([
      expect.stringMatching(/^This training learns from a, of the hold-out/),
    ])
  })

  it('sets nothing aside of a volume that is learned in part, and its training keeps it from being set aside', async () => {
    const test = await openBackend(emptyProject())
    const data = await dataFolder(test)
    const { recipes } = test.compute
    const [only, ...others] = recipes.listed.cases
    if (only === undefined) throw new Error('no case')
    // The same bytes among what is held out.
    copyFileSync(join(data, 'a.png'), join(data, 'd.png'))
    const same = { ...only, id: 'd', image: join(data, 'd.png'), learned: false }
    const listed = { ...recipes.listed, cases: [only, ...others.map((one) => ({ ...one, learned: true })), same] }
    recipes.listed = listed
    const parent = temporaryFolder()
    const { job } = await test.call('recipes.create', orderOf(test, data, parent))
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
    const made = await openBackend(join(parent, 'Nuclei'))
    expect(await made.call('holdout.get', {})).toMatchObject({ id: null, cases: [] })
    made.compute.recipes.listed = listed
    const training = await made.call('recipes.train', { ...orderOf(made, data, parent), folderId: null })
    expect(await jobEnd(made, training.id)).toMatchObject({ state: 'done' })
    const { cases } = await made.call('project.get', {})
    const set = made.call('holdout.set', { caseIds: [cases[0]?.id ?? ''], chosenBy: 'user' })
    await expect(set).rejects.toMatchObject({ code: 'conflict' })
  })

  it('is refused among the data, in the open project, over something else, or by a name that is none', async () => {
    const test = await openBackend(emptyProject())
    const data = await dataFolder(test)
    const parent = temporaryFolder()
    mkdirSync(join(parent, 'taken'))
    writeFileSync(join(parent, 'taken', 'mine.txt'), '')
    const create = (where: string, name?: string) => test.call('recipes.create', orderOf(test, data, where, name))
    await expect(create(data)).rejects.toMatchObject({ code: 'bad-request' })
    await expect(create(test.dir)).rejects.toMatchObject({ code: 'bad-request' })
    await expect(create(parent, 'taken')).rejects.toMatchObject({ code: 'conflict' })
    for (const name of ['a/b', '..', '.hidden', 'a:b', '細'.repeat(100)]) {
      await expect(create(parent, name)).rejects.toMatchObject({ code: 'bad-request' })
    }
    expect(readdirSync(parent)).toEqual(['taken'])
  })

  it('is there whole or not at all: cancelled, or with a mask that does not fit', async () => {
    const test = await openBackend(emptyProject())
    const data = await dataFolder(test)
    const parent = temporaryFolder()
    // What a process that was killed left behind.
    mkdirSync(join(parent, '.Nuclei.making-999999999'))
    const { recipes } = test.compute
    recipes.before = async (method, signal) => {
      if (method !== 'readTruth') return
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    }
    const { job } = await test.call('recipes.create', orderOf(test, data, parent))
    await expect.poll(() => recipes.asked.length, { timeout: 20_000 }).toBe(2)
    await expect(test.call('recipes.create', orderOf(test, data, parent, 'Other'))).rejects.toMatchObject({
      code: 'busy',
    })
    await test.call('job.cancel', { jobId: job.id })
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'cancelled' })
    expect(readdirSync(parent)).toEqual([])

    recipes.before = async () => undefined
    recipes.truth = () => ({ dims: [1, 1, 1], labels: new Uint8Array(1) })
    const next = await test.call('recipes.create', orderOf(test, data, parent))
    expect(await jobEnd(test, next.job.id)).toMatchObject({
      state: 'failed',
      error: { message: 'The mask of "a" is of another size than the image; take it out of the data.' },
    })
    expect(existsSync(join(parent, 'Nuclei'))).toBe(false)
    expect(readdirSync(parent)).toEqual([])
  })
})
