import { DatabaseSync } from 'node:sqlite'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import {
  cleanUp,
  emptyProject,
  openBackend,
  openWithCase,
  restart,
  temporaryFolder,
  type TestBackend,
} from '../testing/fixtures.ts'
import { drawBlock, openWithHoldout, predictAs, retrain, usedVersion, versionOf } from '../testing/versions.ts'

afterEach(cleanUp)

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')

/** A version whose weights are worth comparing, and the file of it. */
async function exported() {
  const test = await openWithCase()
  await drawBlock(test, test.caseId, 1)
  const { id } = await retrain(test)
  const weights = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * at) % 251)
  writeFileSync(join(test.dir, 'models', '001', 'weights.bin'), weights)
  await test.call('models.describe', { modelId: id, name: 'Ward 3', notes: 'a\nb', tags: ['liver'] })
  const { path, bytes } = await test.call('models.export', { modelId: id, fileId: null })
  return { ...test, modelId: id, path, bytes, weights }
}

function importInto(test: TestBackend, path: string) {
  return test.call('models.importVersion', { fileId: test.backend.registerFile(path, 'open').id })
}

/** All files of a folder, as text: which, and what is in them. */
function contents(dir: string): Record<string, string> {
  return Object.fromEntries(readdirSync(dir).map((name) => [name, sha256(readFileSync(join(dir, name)))]))
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)]
}

describe('a version as a file', () => {
  it('is the same version in another project, with its labels, and not used until it is chosen', async () => {
    const from = await exported()
    expect(from.path).toBe(join(from.dir, 'exports', 'Ward 3-version-1.maskwright-model'))
    expect(statSync(from.path).size).toBe(from.bytes)
    const test = await openBackend(emptyProject())
    const model = await importInto(test, from.path)
    expect(model).toMatchObject({
      ...{ id: from.modelId, version: 1, name: 'Ward 3', notes: 'a\nb', tags: ['liver'], mode: 'imported' },
      ...{ active: false, imported: false, judged: null, pruned: false, parentId: null },
    })
    expect(contents(join(test.dir, 'models', '001'))).toEqual(contents(join(from.dir, 'models', '001')))
    const { labels } = await test.call('project.get', {})
    expect(labels.map(({ value, name }) => [value, name])).toEqual([
      [1, 'Liver'],
      [2, 'Spleen'],
    ])
    expect(test.told('labels.changed').at(-1)?.labels).toHaveLength(2)
    const { data, settings } = await test.call('models.detail', { modelId: model.id })
    const [learned] = (await from.call('models.detail', { modelId: from.modelId })).data
    expect(data).toMatchObject([{ imageHash: learned?.imageHash, slices: 1, revision: 1 }])
    expect(settings).toMatchObject({ steps: 3, seed: 1 })
    // Names of cases may be those of patients.
    expect(readFileSync(from.path, 'latin1')).not.toContain('volume-0')
    await test.call('models.activate', { modelId: model.id })
    expect(await usedVersion(test)).toBe(1)
    expect(await versionOf(await restart(test), 0)).toMatchObject({ id: from.modelId, active: true })
  })

  it('is refused where it is there already, and gives a pruned version its weights back', async () => {
    const test = await exported()
    await expect(importInto(test, test.path)).rejects.toMatchObject({
      code: 'conflict',
      message: `The model in "${basename(test.path)}" is in the project already, as version 1; use that one.`,
    })
    await retrain(test)
    const before = contents(join(test.dir, 'models', '001'))
    await test.call('models.prune', { modelIds: [test.modelId] })
    expect(await importInto(test, test.path)).toMatchObject({ version: 1, pruned: false, active: false })
    expect(contents(join(test.dir, 'models', '001'))).toEqual(before)
    await test.call('models.activate', { modelId: test.modelId })
    expect(await usedVersion(test)).toBe(1)
    expect((await test.call('project.get', {})).models).toHaveLength(2)
  })

  it('is refused where a label means something else, and then nothing has changed', async () => {
    const from = await exported()
    const test = await openBackend(emptyProject())
    await test.call('labels.add', { name: 'Tumour', color: null })
    await expect(importInto(test, from.path)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('Label 1 of this project is "Tumour", that of the model "Liver"') as string,
    })
    const { models, labels } = await test.call('project.get', {})
    expect([models, labels.map(({ name }) => name)]).toEqual([[], ['Tumour']])
    expect(readdirSync(join(test.dir, 'models'))).toEqual([])
    await test.call('labels.update', { value: 1, change: { name: 'liver' } })
    expect(await importInto(test, from.path)).toMatchObject({ version: 1 })
  })

  it('is written under a name of the user, with the ending, never into what the project keeps', async () => {
    const test = await exported()
    const folder = temporaryFolder()
    const target = (path: string) => test.backend.registerFile(path, 'save').id
    const { path } = await test.call('models.export', { modelId: test.modelId, fileId: target(join(folder, 'mine')) })
    expect(path).toBe(join(folder, 'mine.maskwright-model'))
    expect(readdirSync(folder)).toEqual(['mine.maskwright-model'])
    const inside = target(join(test.dir, 'models', 'a.maskwright-model'))
    const refused = test.call('models.export', { modelId: test.modelId, fileId: inside })
    await expect(refused).rejects.toMatchObject({ code: 'bad-request' })
    const nowhere = target(join(folder, 'gone', 'a.maskwright-model'))
    const missing = test.call('models.export', { modelId: test.modelId, fileId: nowhere })
    await expect(missing).rejects.toMatchObject({ code: 'file-missing' })
  })

  it('carries what it learned over generations', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['all', 'right'])
    await retrain(test)
    await drawBlock(test, test.caseId, 2)
    const { id: modelId } = await retrain(test)
    const { path } = await test.call('models.export', { modelId, fileId: null })
    const [, line = ''] = readFileSync(path, 'latin1').split('\n')
    const { version } = JSON.parse(line) as { version: Record<string, unknown> }
    expect(version).toMatchObject({ version: 2, mode: 'retrain', data: [{ slices: 2 }] })
    expect(version).not.toHaveProperty('judgements')
  })

  it('says nothing of patients: no report, no table of cases, no judgement, no name, no folder', async () => {
    const test = await openWithHoldout(5)
    predictAs(test, ['right', 'all'])
    await retrain(test)
    const { id: modelId } = await retrain(test)
    await test.call('models.activate', { modelId, reason: 'Mrs Example of ward 7 looked at it.' })
    const dir = join(test.dir, 'models', '002')
    const named = JSON.stringify({ id: 'volume-0', patient: 'Example, Erika' })
    mkdirSync(join(dir, 'report', 'figures'), { recursive: true })
    for (const name of ['report/report.json', 'report/figures/volume-0.png', 'metrics.json', 'cases.json']) {
      writeFileSync(join(dir, name), named)
    }
    await test.backend.close()
    const database = new DatabaseSync(join(test.dir, 'project.sqlite'))
    const settings = { seed: 1, model: { encoder: '/home/erika/volume-0/encoder' } }
    database.prepare('UPDATE models SET settings = ? WHERE version = 2').run(JSON.stringify(settings))
    database.close()
    const again = await openBackend(test.dir)
    const { path } = await again.call('models.export', { modelId, fileId: null })
    const bytes = readFileSync(path, 'latin1')
    for (const word of [
      'volume-',
      'Example',
      'ward 7',
      'erika',
      test.dir,
      'report',
      'figures',
      'metrics',
      'cases.json',
    ]) {
      expect(bytes.includes(word), word).toBe(false)
    }
    const elsewhere = await openBackend(emptyProject())
    const model = await importInto(elsewhere, path)
    expect(readdirSync(join(elsewhere.dir, 'models', '001')).sort()).toEqual(['card.json', 'model.json', 'weights.bin'])
    const detail = await elsewhere.call('models.detail', { modelId: model.id })
    expect(detail).toMatchObject({ judgements: [], settings: { seed: 1, model: { encoder: 'encoder' } } })
    expect(model).toMatchObject({ judged: null, report: false })
  })

  it('gives a version its network back beside the report that was kept of it', async () => {
    const test = await exported()
    await retrain(test)
    const dir = join(test.dir, 'models', '001')
    mkdirSync(join(dir, 'report'))
    writeFileSync(join(dir, 'report', 'report.json'), '{}')
    await test.call('models.prune', { modelIds: [test.modelId] })
    expect(readdirSync(dir)).toEqual(['report'])
    expect(await importInto(test, test.path)).toMatchObject({ pruned: false, report: true })
    expect(readdirSync(dir).sort()).toEqual(['card.json', 'model.json', 'report', 'weights.bin'])
  })
})

describe('a file that is no whole version', () => {
  const damaged = /is cut off or damaged; export it again, or copy it again\.$/

  it('is told from one in one sentence, wherever it is cut, and leaves nothing', async () => {
    const { path, bytes } = await exported()
    const test = await openBackend(emptyProject())
    const header = readFileSync(path).indexOf(10, 40) + 1
    for (const size of [0, 5, 31, 40, header - 1, header, header + 1, header + 1_500_000, bytes - 1]) {
      const cut = join(temporaryFolder(), 'cut.maskwright-model')
      writeFileSync(cut, readFileSync(path))
      truncateSync(cut, size)
      const said = size < 32 ? /is not a model that Maskwright exported/ : damaged
      await expect(importInto(test, cut), `${size} bytes`).rejects.toMatchObject({
        ...{ code: 'bad-file', message: expect.stringMatching(said) as string },
      })
    }
    expect(readdirSync(join(test.dir, 'models'))).toEqual([])
    expect((await test.call('project.get', {})).models).toEqual([])
  })

  it('is found out by any byte that differs, and by bytes too many', async () => {
    const { path, bytes } = await exported()
    const test = await openBackend(emptyProject())
    const good = readFileSync(path)
    const header = good.indexOf(10, 40) + 1
    for (const at of [header, header + 100, Math.floor(bytes / 2), bytes - 1]) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] ?? 0) ^ 1
      const file = join(temporaryFolder(), 'bad.maskwright-model')
      writeFileSync(file, bad)
      await expect(importInto(test, file), `byte ${at}`).rejects.toMatchObject({
        ...{ code: 'bad-file', message: expect.stringMatching(damaged) as string },
      })
    }
    const more = join(temporaryFolder(), 'more.maskwright-model')
    writeFileSync(more, Buffer.concat([good, Buffer.of(1)]))
    await expect(importInto(test, more)).rejects.toMatchObject({ code: 'bad-file' })
    expect(readdirSync(join(test.dir, 'models'))).toEqual([])
  })

  it('of an earlier version brings its network alone, whatever else it holds', async () => {
    const { path, modelId } = await exported()
    const test = await openBackend(emptyProject())
    const good = readFileSync(path)
    const end = good.indexOf(10, 40)
    const header = JSON.parse(good.subarray(good.indexOf(10) + 1, end).toString()) as {
      version: object
      files: object[]
    }
    const report = Buffer.from('{"id":"Example, Erika"}')
    const files = ['report/report.json', 'cases.json'].map((name) => {
      return { path: name, bytes: report.length, sha256: sha256(report) }
    })
    const more = { version: { ...header.version, judgements: [{ reason: 'x' }] }, files: [...header.files, ...files] }
    const file = join(temporaryFolder(), 'earlier.maskwright-model')
    const line = `Maskwright model file, format 1\n${JSON.stringify(more)}\n`
    writeFileSync(file, Buffer.concat([Buffer.from(line), good.subarray(end + 1), report, report]))
    expect(await importInto(test, file)).toMatchObject({ id: modelId, report: false, judged: null })
    expect(readdirSync(join(test.dir, 'models', '001')).sort()).toEqual(['card.json', 'model.json', 'weights.bin'])
    // What is left out is compared all the same.
    const bad = Buffer.from(readFileSync(file))
    bad[bad.length - 2] = 1
    writeFileSync(file, bad)
    const other = await openBackend(emptyProject())
    await expect(importInto(other, file)).rejects.toMatchObject({ code: 'bad-file' })
  })

  it('is refused where it is of another kind, of a newer version, or would write outside of its folder', async () => {
    const { path } = await exported()
    const test = await openBackend(emptyProject())
    const folder = temporaryFolder()
    const given = (text: string | Uint8Array) => {
      const file = join(folder, 'given.maskwright-model')
      writeFileSync(file, text)
      return importInto(test, file)
    }
    const foreign = { code: 'bad-file', message: expect.stringContaining('is not a model that Maskwright') as string }
    await expect(given('PK\u0003\u0004 and more that is no such file at all')).rejects.toMatchObject(foreign)
    await expect(given('Maskwright model file, format x\n{}\n')).rejects.toMatchObject(foreign)
    await expect(given('Maskwright model file, format 2\n{}\n')).rejects.toMatchObject({
      ...{ code: 'bad-file', message: expect.stringContaining('newer Maskwright (format 2)') as string },
    })
    const [, line = ''] = readFileSync(path, 'utf8').split('\n', 2)
    const header = JSON.parse(line) as { version: object; files: { path: string; bytes: number; sha256: string }[] }
    const stolen = { path: '', bytes: 3, sha256: sha256('abc') }
    for (const name of ['../../stolen', '/tmp/stolen', 'a/../../stolen', 'a\\..\\stolen', '.hidden', 'C:/stolen', '']) {
      const files = [{ ...stolen, path: name }]
      const text = `Maskwright model file, format 1\n${JSON.stringify({ ...header, files })}\nabc`
      await expect(given(text), name).rejects.toMatchObject({ code: 'bad-file' })
    }
    expect(existsSync(join(test.dir, 'stolen'))).toBe(false)
    const facts: object[] = [
      ...[{ notes: 'n'.repeat(20_001) }, { tags: Array.from({ length: 21 }, String) }, { tags: ['t'.repeat(41)] }],
      ...[{ name: 'n'.repeat(201) }, { settings: { a: 'x'.repeat(5000) } }, { settings: { a: nested(9) } }],
      { settings: { a: Array.from({ length: 100_001 }, () => 0) } },
    ]
    for (const change of facts) {
      const version = { ...header.version, ...change }
      const body = readFileSync(path).subarray(readFileSync(path).indexOf(10, 40) + 1)
      const line = `Maskwright model file, format 1\n${JSON.stringify({ ...header, version })}\n`
      const file = Buffer.concat([Buffer.from(line), body])
      await expect(given(file), Object.keys(change).join()).rejects.toMatchObject({ code: 'bad-file' })
    }
    // Whole in itself, and no model.
    const files = [{ ...stolen, path: 'card.json' }]
    const text = `Maskwright model file, format 1\n${JSON.stringify({ ...header, files })}\nabc`
    await expect(given(text)).rejects.toMatchObject({
      ...{ code: 'bad-file', message: expect.stringContaining('holds no model that this version can read') as string },
    })
    expect(readdirSync(join(test.dir, 'models'))).toEqual([])
  })
})
