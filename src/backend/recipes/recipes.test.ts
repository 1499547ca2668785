import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../core/contract/errors.ts'
import type { RecipeChoice } from '../../core/contract/projectRecipe.ts'
import { recipeNamed } from '../host/recipes.ts'
import { FAKE_PNG, recipeCard, writeRecipeModel } from '../testing/fakeRecipes.ts'
import { cleanUp, emptyProject, jobEnd, openBackend, temporaryFolder, type TestBackend } from '../testing/fixtures.ts'

afterEach(cleanUp)

/** The nuclei of a folder that is there. */
function choiceOf(test: TestBackend, dir = temporaryFolder()): RecipeChoice {
  const { id } = test.backend.registerFile(dir, 'open')
  return { recipe: 'nuclei', preset: 'best', settings: best, limit: null, seed: 1, folderId: id }
}
const best = recipeNamed('nuclei').presets.best

const untilAborted = (signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) resolve()
    else signal?.addEventListener('abort', () => resolve())
  })

const state = async (test: TestBackend) => (await test.call('recipes.state', {})).training

describe('the check of the data', () => {
  it('is a job whose findings are read when it is done', async () => {
    const test = await openBackend(emptyProject())
    const { recipes } = test.compute
    const dir = temporaryFolder()
    recipes.report = { ...recipes.report, left: [{ file: 'a.png', reason: 'It is empty.' }] }
    const job = await test.call('recipes.check', { ...choiceOf(test, dir), thumbnails: 6 })
    await expect(test.call('recipes.found', { jobId: 'none' })).rejects.toMatchObject({ code: 'not-found' })
    expect(await jobEnd(test, job.id)).toMatchObject({ kind: 'check', state: 'done' })
    expect(await test.call('recipes.found', { jobId: job.id })).toEqual(recipes.report)
    expect(recipes.asked[0]?.params).toMatchObject({ dataDir: dir, thumbnails: 6, recipe: { name: 'nuclei' } })
    expect(await test.call('recipes.sheet', choiceOf(test, dir))).toEqual({ png: FAKE_PNG })
  })

  it('refuses what is no folder, and a recipe that is none', async () => {
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'a.png'), '')
    const of = (change: Partial<RecipeChoice>) => test.call('recipes.check', { ...choiceOf(test), ...change })
    const file = test.backend.registerFile(join(folder, 'a.png'), 'open').id
    const gone = test.backend.registerFile(join(folder, 'gone'), 'open').id
    await expect(of({ folderId: file })).rejects.toMatchObject({ code: 'bad-request' })
    await expect(of({ folderId: gone })).rejects.toMatchObject({ code: 'file-missing' })
    await expect(of({ folderId: null })).rejects.toMatchObject({ code: 'bad-request' })
    await expect(of({ recipe: 'heart' })).rejects.toMatchObject({ code: 'bad-request' })
  })

  it('refuses settings that name a path', async () => {
    const test = await openBackend(emptyProject())
    const choice = choiceOf(test)
    const settings = { ...choice.settings, model: { ...choice.settings.model, encoder: '/etc' } }
    await expect(test.call('recipes.check', { ...choice, settings })).rejects.toMatchObject({ code: 'bad-request' })
  })

  it('can be cancelled', async () => {
    const test = await openBackend(emptyProject())
    test.compute.recipes.before = (_, signal) => untilAborted(signal)
    const job = await test.call('recipes.check', choiceOf(test))
    await test.call('job.cancel', { jobId: job.id })
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'cancelled' })
  })
})

describe('a training by a recipe', () => {
  it('tells its epochs with pictures, becomes the next version with its labels, and can be read again', async () => {
    const test = await openBackend(emptyProject())
    const job = await test.call('recipes.train', choiceOf(test))
    expect(await jobEnd(test, job.id)).toMatchObject({ kind: 'recipe', state: 'done', progress: 1 })
    const told = test.told('recipe.event')
    expect(told.map(({ event }) => event.event)).toEqual(['start', 'epoch', 'epoch', 'epoch', 'scoring', 'done'])
    expect(told.every(({ jobId }) => jobId === job.id)).toBe(true)
    const project = await test.call('project.get', {})
    expect(project.models).toMatchObject([{ version: 1, active: true, recipe: 'nuclei', report: true }])
    expect(project.labels).toMatchObject([{ value: 1, name: 'Nucleus' }])
    expect(await state(test)).toMatchObject({
      state: 'done',
      jobId: job.id,
      start: { epochs: 3, labels: [{ value: 1, name: 'Nucleus' }] },
      epochs: [{ epoch: 1 }, { epoch: 2 }, { epoch: 3 }],
      pictures: { epoch: 3, list: [{ id: 'a', png: FAKE_PNG }] },
      metrics: { dice: 0.9 },
      modelId: project.models[0]?.id,
    })
    expect(readdirSync(join(test.dir, 'trainings'))).toEqual([])
    expect((await test.call('recipes.state', {})).project).toMatchObject({ recipe: 'nuclei', missing: false })
  })

  it('waits after it was cancelled, and goes on from its last epoch', async () => {
    const test = await openBackend(emptyProject())
    const { recipes } = test.compute
    recipes.afterEpoch = (epoch, signal) => (epoch === 2 ? untilAborted(signal) : Promise.resolve())
    const job = await test.call('recipes.train', choiceOf(test))
    await expect.poll(() => test.told('recipe.event').length, { timeout: 20_000 }).toBe(3)
    await expect(test.call('recipes.train', choiceOf(test))).rejects.toMatchObject({ code: 'busy' })
    await test.call('job.cancel', { jobId: job.id })
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'cancelled' })
    expect(await state(test)).toMatchObject({ state: 'interrupted', error: null, epochs: [{ epoch: 1 }, { epoch: 2 }] })
    await expect(test.call('recipes.train', choiceOf(test))).rejects.toMatchObject({ code: 'conflict' })

    recipes.afterEpoch = async () => undefined
    const next = await test.call('recipes.resume', {})
    expect(await jobEnd(test, next.id)).toMatchObject({ state: 'done' })
    expect(recipes.trainings().map(({ resume, modelId }) => [resume, modelId])).toEqual([
      [false, recipes.trainings()[0]?.modelId],
      [true, recipes.trainings()[0]?.modelId],
    ])
    expect(await state(test)).toMatchObject({ state: 'done', start: { from: 3 }, epochs: [{}, {}, { epoch: 3 }] })
    await expect(test.call('recipes.resume', {})).rejects.toMatchObject({ code: 'not-found' })
  })

  it('is still known, and goes on, after Maskwright was ended', async () => {
    const dir = emptyProject()
    const test = await openBackend(dir)
    test.compute.recipes.afterEpoch = (epoch, signal) => (epoch === 2 ? untilAborted(signal) : Promise.resolve())
    await test.call('recipes.train', choiceOf(test))
    await expect.poll(() => test.told('recipe.event').length, { timeout: 20_000 }).toBe(3)
    await test.backend.close()

    const again = await openBackend(dir)
    expect(await state(again)).toMatchObject({
      state: 'interrupted',
      choice: { recipe: 'nuclei', preset: 'best' },
      start: { from: 1 },
      epochs: [{ epoch: 1 }, { epoch: 2 }],
      pictures: null,
    })
    const next = await again.call('recipes.resume', {})
    expect(await jobEnd(again, next.id)).toMatchObject({ state: 'done' })
    expect((await again.call('project.get', {})).models).toHaveLength(1)
  })

  it('goes on with its data in another place, and after an event that was cut off', async () => {
    const dir = emptyProject()
    const test = await openBackend(dir)
    const { recipes } = test.compute
    recipes.afterEpoch = async () => {
      throw new CodedError('compute-crashed', 'It ended.')
    }
    await jobEnd(test, (await test.call('recipes.train', choiceOf(test))).id)
    await test.backend.close()
    const [training = ''] = readdirSync(join(dir, 'trainings'))
    appendFileSync(join(dir, 'trainings', training, 'events.jsonl'), '{"event":"epoch","epo')

    const again = await openBackend(dir)
    again.compute.recipes.afterEpoch = recipes.afterEpoch
    const moved = temporaryFolder()
    const folderId = again.backend.registerFile(moved, 'open').id
    const gone = again.backend.registerFile(join(moved, 'gone'), 'open').id
    await expect(again.call('recipes.resume', { folderId: gone })).rejects.toMatchObject({ code: 'file-missing' })
    await jobEnd(again, (await again.call('recipes.resume', { folderId })).id)
    expect(again.compute.recipes.trainings()).toMatchObject([{ dataDir: moved, resume: true }])
    await again.backend.close()

    const last = await openBackend(dir)
    expect(await state(last)).toMatchObject({ start: { from: 2 }, epochs: [{ epoch: 1 }, { epoch: 2 }] })
    await jobEnd(last, (await last.call('recipes.resume', {})).id)
    expect(last.compute.recipes.trainings()).toMatchObject([{ dataDir: moved }])
    expect((await last.call('recipes.state', {})).project).toMatchObject({ dataPath: moved })
  })

  it('stands beside the newest version of the other preset, where the same cases were held out', async () => {
    const test = await openBackend(emptyProject())
    const train = async (change: Partial<RecipeChoice>) => {
      const job = await test.call('recipes.train', { ...choiceOf(test), ...change })
      expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
      return test.compute.recipes.trainings().at(-1)?.compare
    }
    const article = { preset: 'article', settings: recipeNamed('nuclei').presets.article } as const
    expect(await train(article)).toEqual([])
    expect(await train({})).toEqual([join(test.dir, 'models', '001')])
    expect(await train({ seed: 2 }), 'parted otherwise').toEqual([])
    expect(await train(article)).toEqual([join(test.dir, 'models', '002')])
  })

  it.each(['before the model was moved to the versions', 'after that'])(
    'is taken over when Maskwright was killed between its end and its version, %s',
    async (when) => {
      const dir = emptyProject()
      const test = await openBackend(dir)
      const { recipes } = test.compute
      const { id } = await test.call('recipes.train', choiceOf(test))
      recipes.afterEpoch = (_, signal) => untilAborted(signal)
      await expect.poll(() => test.told('recipe.event').length, { timeout: 20_000 }).toBeGreaterThan(1)
      await test.call('job.cancel', { jobId: id })
      await jobEnd(test, id)
      await test.backend.close()
      // What compute writes at last, under its name only when it is whole.
      const [training = ''] = readdirSync(join(dir, 'trainings'))
      const kept = join(dir, 'trainings', training)
      const stray = when === 'after that'
      const modelDir = stray ? join(dir, 'models', '001') : join(kept, 'model')
      const [order] = recipes.trainings()
      if (order === undefined) throw new Error('not asked')
      writeRecipeModel(modelDir, recipeCard(order, recipes.listed.labels))
      rmSync(join(kept, 'model.training'), { recursive: true })

      const again = await openBackend(dir)
      expect(await state(again)).toMatchObject({ state: 'interrupted' })
      const job = await again.call('recipes.resume', {})
      expect(await jobEnd(again, job.id)).toMatchObject({ state: 'done' })
      expect(again.compute.recipes.trainings()).toEqual([])
      expect((await again.call('project.get', {})).models).toMatchObject([{ id: order.modelId, version: 1 }])
    },
  )

  it('can be given up, and replaced where that is said', async () => {
    const test = await openBackend(emptyProject())
    const { recipes } = test.compute
    const interrupt = async (choice: Parameters<typeof test.call<'recipes.train'>>[1]) => {
      recipes.afterEpoch = async () => {
        throw new Error('no room')
      }
      const job = await test.call('recipes.train', choice)
      expect(await jobEnd(test, job.id)).toMatchObject({ state: 'failed' })
      recipes.afterEpoch = async () => undefined
    }
    await interrupt(choiceOf(test))
    expect(await state(test)).toMatchObject({ state: 'interrupted', error: { code: 'internal' } })
    await interrupt({ ...choiceOf(test), replace: true })
    expect(readdirSync(join(test.dir, 'trainings'))).toHaveLength(1)
    await test.call('recipes.discard', {})
    expect(await state(test)).toBeNull()
    expect(readdirSync(join(test.dir, 'trainings'))).toEqual([])
  })

  it('waits, and says what to do, where compute crashed or the disk was full', async () => {
    const test = await openBackend(emptyProject())
    const { recipes } = test.compute
    const failing = async (code: 'compute-crashed' | 'disk-full') => {
      recipes.afterEpoch = async () => {
        throw new CodedError(code, 'It ended.')
      }
      const { training } = await test.call('recipes.state', {})
      const job = await (training === null
        ? test.call('recipes.train', choiceOf(test))
        : test.call('recipes.resume', {}))
      expect(await jobEnd(test, job.id)).toMatchObject({ state: 'failed', error: { code } })
      return state(test)
    }
    const crashed = await failing('compute-crashed')
    expect(crashed).toMatchObject({ state: 'interrupted', epochs: [{ epoch: 1 }] })
    expect(crashed?.error?.message).toMatch(/resume the training from its last epoch\.$/)
    expect(await failing('disk-full')).toMatchObject({ state: 'interrupted', epochs: [{}, { epoch: 2 }] })
    recipes.afterEpoch = async () => undefined
    const job = await test.call('recipes.resume', {})
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
  })

  it('is failed, and nothing waits, where it ended before its first epoch', async () => {
    const test = await openBackend(emptyProject())
    test.compute.recipes.before = async () => {
      throw new Error('no data')
    }
    const job = await test.call('recipes.train', choiceOf(test))
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'failed' })
    expect(await state(test)).toMatchObject({ state: 'failed' })
    test.compute.recipes.before = async () => undefined
    const next = await test.call('recipes.train', choiceOf(test))
    expect(await jobEnd(test, next.id)).toMatchObject({ state: 'done' })
  })

  it('is refused in a project whose labels mean something else, also where the data says it', async () => {
    const test = await openBackend(emptyProject())
    await test.call('labels.add', { name: 'Liver', color: null })
    await expect(test.call('recipes.train', choiceOf(test))).rejects.toMatchObject({ code: 'conflict' })
    const { presets } = recipeNamed('liver')
    test.compute.recipes.listed.labels = [{ value: 1, name: 'Label 1' }]
    const choice = { ...choiceOf(test), recipe: 'liver', settings: presets.best }
    const job = await test.call('recipes.train', choice)
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'failed', error: { code: 'conflict' } })
    expect((await test.call('project.get', {})).models).toEqual([])
  })

  it('is not used in the place of a version that was chosen while it was trained', async () => {
    const test = await openBackend(emptyProject())
    const train = async () => jobEnd(test, (await test.call('recipes.train', choiceOf(test))).id)
    for (let version = 1; version <= 2; version++) expect(await train()).toMatchObject({ state: 'done' })
    const [first] = (await test.call('project.get', {})).models
    test.compute.recipes.afterEpoch = async (epoch) => {
      if (epoch === 2) await test.call('models.activate', { modelId: first?.id ?? '' })
    }
    expect((await train()).message).toMatch(/^version 3 is kept aside: While it was trained, version 1 was chosen/)
    const { models } = await test.call('project.get', {})
    expect(models.map(({ active }) => active)).toEqual([true, false, false])
  })

  it('minds no label that a person renamed in a project of the same recipe', async () => {
    const test = await openBackend(emptyProject())
    await jobEnd(test, (await test.call('recipes.train', choiceOf(test))).id)
    await test.call('labels.update', { value: 1, change: { name: 'Kern' } })
    const job = await test.call('recipes.train', choiceOf(test))
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
    const { labels, models } = await test.call('project.get', {})
    expect(labels.map(({ name }) => name)).toEqual(['Kern'])
    expect(models.map(({ version, active }) => [version, active])).toEqual([
      [1, false],
      [2, true],
    ])
  })

  it('goes on where another rung took over and was asked the same again', async () => {
    const test = await openBackend(emptyProject())
    const { call } = test.compute
    let first = true
    test.compute.call = async (method, params, options) => {
      if (method === 'trainRecipe' && first) {
        first = false
        const { outDir } = params as { outDir: string }
        mkdirSync(`${outDir}.training`, { recursive: true })
        writeFileSync(join(`${outDir}.training`, '1'), '')
      }
      return call.call(test.compute, method, params, options) as never
    }
    const job = await test.call('recipes.train', choiceOf(test))
    expect(await jobEnd(test, job.id)).toMatchObject({ state: 'done' })
    expect(test.compute.recipes.trainings().map(({ resume }) => resume)).toEqual([false, true])
  })
})

describe('the report of a version', () => {
  it('gives figures by the names that it uses, and is written as one file', async () => {
    const test = await openBackend(emptyProject())
    await jobEnd(test, (await test.call('recipes.train', choiceOf(test))).id)
    const modelId = (await test.call('project.get', {})).models[0]?.id ?? ''
    expect(await test.call('models.figure', { modelId, file: 'loss.png' })).toEqual({
      type: 'image/png',
      bytes: FAKE_PNG,
    })
    await expect(test.call('models.figure', { modelId, file: 'dice.svg' })).rejects.toMatchObject({ code: 'not-found' })
    await expect(test.call('models.figure', { modelId, file: '../card.png' })).rejects.toThrow()
    // The fake writes none that is worth reading.
    await expect(test.call('models.report', { modelId })).rejects.toMatchObject({ code: 'bad-file' })
    const { path } = await test.call('models.saveReport', { modelId, fileId: null })
    expect(path).toBe(join(test.dir, 'exports', 'report-version-1.html'))
    expect(readFileSync(path, 'utf8')).toBe('<!doctype html>')
    const inside = test.backend.registerFile(join(test.dir, 'models', 'a.html'), 'save').id
    await expect(test.call('models.saveReport', { modelId, fileId: inside })).rejects.toMatchObject({
      code: 'bad-request',
    })
    expect(existsSync(join(test.dir, 'models', 'a.html'))).toBe(false)
    rmSync(join(test.dir, 'models', '001', 'report', 'report.html'))
    await expect(test.call('models.saveReport', { modelId, fileId: null })).rejects.toMatchObject({
      ...{ code: 'file-missing', message: expect.stringContaining('"report.html" cannot be found') as unknown },
    })
    expect(readdirSync(join(test.dir, 'exports')), 'the one that was saved before is still there').toEqual([
      'report-version-1.html',
    ])
  })

  it('is not there for a version that no recipe trained', async () => {
    const test = await openBackend(emptyProject())
    await expect(test.call('models.report', { modelId: 'none' })).rejects.toMatchObject({ code: 'not-found' })
  })
})
