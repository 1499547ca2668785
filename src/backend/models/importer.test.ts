import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { PERCENTILE_INPUT, type NetworkMeaning } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { cleanUp, jobEnd, openWithCase, rectangle, temporaryFolder, type TestBackend } from '../testing/fixtures.ts'
import { someFacts } from '../testing/fakeCompute.ts'

afterEach(cleanUp)

function chosen(test: TestBackend, name = 'net.onnx'): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, 'network')
  return test.backend.registerFile(path, 'open').id
}

const meaning = (change: Partial<NetworkMeaning> = {}): NetworkMeaning => ({
  ...{ name: 'Abdomen', classes: ['liver', 'Kidney'], input: PERCENTILE_INPUT, spacing: null },
  ...change,
})
const TRAIN = { steps: 3, seconds: 10, seed: 1, show: null }

describe('importing a network', () => {
  it('makes the next version of it, with the labels of that name and new ones, and uses it', async () => {
    const test = await openWithCase()
    const fileId = chosen(test)
    const { name, facts } = await test.call('models.inspect', { fileId })
    expect([name, facts.use.output.channels]).toEqual(['net', 3])
    const model = await test.call('models.import', { fileId, meaning: meaning() })
    expect(model).toMatchObject({ version: 1, name: 'Abdomen', imported: true, active: true, labels: [1, 3] })
    const { models, labels } = await test.call('project.get', {})
    expect(models).toHaveLength(1)
    expect(labels.map((label) => label.name)).toEqual(['Liver', 'Spleen', 'Kidney'])
    expect(test.told('labels.changed')).toHaveLength(3)
    expect(test.told('models.changed').at(-1)?.models).toHaveLength(1)
  })

  it('predicts, and a training beside it begins a network of the project without a parent', async () => {
    const test = await openWithCase()
    const fileId = chosen(test)
    await test.call('models.import', { fileId, meaning: meaning() })
    expect(
      (await jobEnd(test, (await test.call('predict.start', { caseId: test.caseId, index: 0 })).id)).error,
    ).toBeNull()
    expect(test.compute.predicted[0]?.modelDir).toBe(join(test.dir, 'models', '001'))

    const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    expect((await jobEnd(test, (await test.call('train.start', TRAIN)).id)).error).toBeNull()
    expect(test.compute.trained[0]).toMatchObject({ parentDir: null, name: 'Test' })
    const { models } = await test.call('project.get', {})
    expect(models.map(({ imported, active, parentId }) => [imported, active, parentId])).toEqual([
      [true, false, null],
      [false, true, null],
    ])
  })

  it('that waits for a training leaves what was trained as it is', async () => {
    const test = await openWithCase()
    const fileId = chosen(test)
    const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    const waiting = Promise.withResolvers<undefined>()
    const begun = Promise.withResolvers<undefined>()
    test.compute.beforeTrainingEnds = () => {
      begun.resolve(undefined)
      return waiting.promise
    }
    const job = await test.call('train.start', TRAIN)
    await begun.promise
    const importing = test.call('models.import', { fileId, meaning: meaning() })
    waiting.resolve(undefined)
    expect((await jobEnd(test, job.id)).error).toBeNull()
    expect(await importing).toMatchObject({ version: 2, imported: true, active: true })
    expect((await test.call('project.get', {})).models).toHaveLength(2)
    expect(readdirSync(join(test.dir, 'models')).sort()).toEqual(['001', '002'])
  })

  it('is not cleared away by a training that fails meanwhile', async () => {
    const test = await openWithCase()
    const fileId = chosen(test)
    const delta = rectangle({ index: 1, at: [2, 1], size: [3, 3], after: 1 })
    await test.call('annotation.commit', { caseId: test.caseId, delta })
    test.compute.beforeImport = async ({ outDir }) => {
      // What is written before it is renamed.
      const temporary = join(outDir, '..', '.001.tmp')
      mkdirSync(temporary, { recursive: true })
      const job = await test.call('train.start', TRAIN)
      await test.call('job.cancel', { jobId: job.id })
      await jobEnd(test, job.id)
      expect(existsSync(temporary)).toBe(true)
    }
    expect(await test.call('models.import', { fileId, meaning: meaning() })).toMatchObject({ version: 1 })
  })

  it('leaves nothing of an import that failed: no version, no label, no folder', async () => {
    const test = await openWithCase()
    const fileId = chosen(test)
    test.compute.beforeImport = async ({ outDir }) => {
      mkdirSync(outDir, { recursive: true })
      throw new CodedError('disk-full', 'The disk is full.')
    }
    await expect(test.call('models.import', { fileId, meaning: meaning() })).rejects.toMatchObject({
      code: 'disk-full',
    })
    const { models, labels } = await test.call('project.get', {})
    expect([models, labels.map((label) => label.name)]).toEqual([[], ['Liver', 'Spleen']])
    test.compute.beforeImport = async () => undefined
    expect(await test.call('models.import', { fileId, meaning: meaning() })).toMatchObject({ version: 1 })
    expect(readdirSync(join(test.dir, 'models'))).toEqual(['001'])
    expect(existsSync(join(test.dir, 'models', '001', 'model.onnx'))).toBe(true)
  })

  it('refuses classes that the network does not have, or two of one name, before anything is written', async () => {
    const test = await openWithCase()
    const fileId = chosen(test)
    const refused = (classes: string[]) => test.call('models.import', { fileId, meaning: meaning({ classes }) })
    await expect(refused(['A'])).rejects.toThrow('The network tells 2 classes apart, and 1 are named.')
    await expect(refused(['A', 'a'])).rejects.toThrow('Two classes are called "a"')
    expect((await test.call('project.get', {})).labels).toHaveLength(2)
    expect(test.compute.imported).toHaveLength(0)
  })

  it('hands on why a file cannot be used', async () => {
    const test = await openWithCase()
    test.compute.facts = () => {
      throw new CodedError('bad-file', 'net.onnx takes volumes.')
    }
    await expect(test.call('models.inspect', { fileId: chosen(test) })).rejects.toThrow('net.onnx takes volumes.')
    const images = await test.call('files.complete', { text: `${temporaryFolder()}/` })
    expect(images).toEqual([])
  })

  it('takes the name that the file gives itself', async () => {
    const test = await openWithCase()
    test.compute.facts = () => ({ ...someFacts(), stated: { name: 'Livers of 2026' } })
    expect((await test.call('models.inspect', { fileId: chosen(test) })).name).toBe('Livers of 2026')
  })

  it.each([
    ['.onnx', 'Imported network'],
    [`${'x'.repeat(240)}.onnx`, 'x'.repeat(200)],
  ])('gives %s a name that can be kept', async (file, name) => {
    const test = await openWithCase()
    expect((await test.call('models.inspect', { fileId: chosen(test, file) })).name).toBe(name)
  })
})

describe('files.complete', () => {
  it('offers ONNX files where a network is looked for', async () => {
    const test = await openWithCase()
    const folder = temporaryFolder()
    for (const name of ['a.onnx', 'b.ONNX', 'c.png', 'd.onnx.txt']) writeFileSync(join(folder, name), '')
    const names = async (kind: 'image' | 'network') =>
      (await test.call('files.complete', { text: `${folder}/`, kind })).map((entry) => entry.name)
    expect(await names('network')).toEqual(['a.onnx', 'b.ONNX'])
    expect(await names('image')).toEqual(['c.png'])
  })
})
