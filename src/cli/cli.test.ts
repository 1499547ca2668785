import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diceByLabel } from '../core/metrics/index.ts'
import { readLabelMap, readImageInfo, writePng } from '../imaging/index.ts'
import { disk, makeModel, size, writeCases, writeDiskVolume } from './testing/disks.ts'
import { runCli, startCli, type Finished } from './testing/runCli.ts'

let dir = ''
const at = (...parts: string[]) => join(dir, ...parts)

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maskwright-cli-'))
  await writeDiskVolume(at('volume.nii.gz'))
  const { grey } = disk(9)
  await writePng(at('picture.png'), { width: size, height: size, channels: 1, data: grey })
  await writeFile(at('text.nii'), 'no image at all')
  await writeCases(at('train'), [1, 2, 3, 4, 5, 6])
  await writeCases(at('holdout'), [11, 12, 13])
  // Masks that say the opposite: whoever learns from them gets worse.
  await writeCases(at('wrong'), [1, 2, 3, 4, 5, 6], (label) => 1 - label)
  await makeModel(at('base'), 16)
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** Code 1, nothing on stdout, one line on stderr. */
function expectFailure(finished: Finished, sentence: RegExp): void {
  expect(finished.stderr).toMatch(sentence)
  expect(finished.stderr).toMatch(/^error: [^\n]+\n$/)
  expect(finished.stdout).toBe('')
  expect(finished.code).toBe(1)
}
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('maskwright', () => {
  it('exits with 2 and one line on wrong usage', async () => {
    for (const args of [
      ['nonsense'],
      ['info'],
      ['info', 'a', '--bogus'],
      ['predict', 'a.png'],
      ['serve', '--port', 'x'],
    ]) {
      const { code, stdout, stderr } = await runCli(...args)
      expect(stderr).toMatch(/^error: [^\n]+\n$/)
      expect([code, stdout]).toEqual([2, ''])
    }
  })

  it('says which numbers an option takes', async () => {
    expect((await runCli('serve', '--port', '99999')).stderr).toContain('a whole number from 0 to 65535.\n')
    expect((await runCli('doctor', '--seed', '-1')).stderr).toContain('a whole number from 0 on.\n')
  })

  it('says its version and its commands', async () => {
    expect(await runCli('--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' })
    const { code, stdout } = await runCli('--help')
    expect(code).toBe(0)
    for (const name of ['info', 'predict', 'finetune', 'serve', 'doctor']) expect(stdout).toContain(name)
  })

  it('runs through bin/, from wherever it is called', async () => {
    const bin = resolve(import.meta.dirname, '../../bin/maskwright.mjs')
    const { stdout } = await promisify(execFile)(process.execPath, [bin, 'info', '--json', 'picture.png'], { cwd: dir })
    expect(JSON.parse(stdout)).toMatchObject({ format: 'png', dims: [32, 32, 1, 1] })
  })
})

describe('maskwright info', () => {
  it('gives one JSON document of what the file says', async () => {
    const { code, stdout, stderr } = await runCli('info', at('volume.nii.gz'), '--json')
    expect([code, stderr]).toEqual([0, ''])
    const info = JSON.parse(stdout) as Record<string, unknown>
    expect(info).toMatchObject({
      format: 'nifti1',
      dims: [32, 32, 2, 1],
      datatype: 'int16',
      channels: 1,
      affineSource: 'sform',
      orientation: 'LAS',
      slope: 1,
      inter: 0,
      byteOrder: 'little',
      compressed: true,
      frames: 1,
      levels: 1,
      warnings: [],
    })
    expect((info.spacing as number[]).map((mm) => Number(mm.toFixed(4)))).toEqual([0.8, 0.8, 3])
    expect((info.affine as number[][])[2]).toEqual([0, 0, 3, 5])
  })

  it('gives the same as text', async () => {
    const { code, stdout } = await runCli('info', at('volume.nii.gz'))
    expect(code).toBe(0)
    expect(stdout).toMatch(/^orientation +LAS$/m)
    expect(stdout).toMatch(/^dims +32 x 32 x 2 x 1$/m)
  })

  it('names a file that is no image or is not there, and shows a trace only with --debug', async () => {
    expectFailure(await runCli('info', at('text.nii')), /text\.nii/)
    expectFailure(await runCli('info', at('missing.png'), '--json'), /missing\.png/)
    const { stderr } = await runCli('info', at('missing.png'), '--debug')
    expect(stderr).toMatch(/\n {4}at /)
  })
})

describe('maskwright predict', () => {
  it('writes one mask per input, in its geometry, and the same again', async () => {
    const args = ['predict', at('volume.nii.gz'), at('picture.png'), '--model', at('base'), '--json']
    const first = await runCli(...args, '--out', at('masks'), '--threads', '1')
    expect(first.stderr).toBe('')
    expect(first.code).toBe(0)
    const report = JSON.parse(first.stdout) as { outputs: { input: string; output: string; seconds: number }[] }
    expect(report.outputs.map(({ input, output }) => [input, output])).toEqual([
      [at('volume.nii.gz'), at('masks', 'volume.nii.gz')],
      [at('picture.png'), at('masks', 'picture.png')],
    ])
    expect((await readdir(at('masks'))).sort()).toEqual(['picture.png', 'volume.nii.gz'])
    expect((await readImageInfo(at('masks', 'volume.nii.gz'))).affine).toEqual(
      (await readImageInfo(at('volume.nii.gz'))).affine,
    )
    const volume = await readLabelMap(at('masks', 'volume.nii.gz'))
    expect(volume.dims).toEqual([32, 32, 2])
    expect([...new Set(volume.labels)].every((label) => label <= 1)).toBe(true)
    // Even the badly trained model finds the disks: its mask lies where they are, not mirrored.
    for (const slice of [0, 1]) {
      const found = volume.labels.subarray(slice * size * size, (slice + 1) * size * size)
      expect(diceByLabel(found, disk(3 + slice).labels).get(1)).toBeGreaterThan(0.5)
    }

    await runCli(...args, '--out', at('again'), '--threads', '1')
    expect((await readLabelMap(at('again', 'picture.png'))).labels).toEqual(
      (await readLabelMap(at('masks', 'picture.png'))).labels,
    )
  })

  it('says in words that the folder for the masks cannot be made', async () => {
    const finished = await runCli('predict', at('picture.png'), '--model', at('base'), '--out', at('text.nii'))
    expectFailure(finished, /text\.nii cannot be made; give --out a folder/)
  })

  it('leaves nothing behind when an input or the model is bad', async () => {
    const bad = await runCli('predict', at('text.nii'), '--model', at('base'), '--out', at('none'))
    expectFailure(bad, /text\.nii/)
    expect(await readdir(at('none'))).toEqual([])
    expectFailure(
      await runCli('predict', at('picture.png'), '--model', at('train'), '--out', at('none2')),
      /card\.json/,
    )
    await mkdir(at('odd'))
    await writeFile(at('odd', 'card.json'), '{}')
    expectFailure(await runCli('predict', at('picture.png'), '--model', at('odd'), '--out', at('none2')), /card\.json/)
  })

  it('says once that a model is damaged, however many inputs there are', async () => {
    await cp(at('base'), at('damaged'), { recursive: true })
    await truncate(at('damaged', 'weights.bin'), 100)
    const { code, stderr } = await runCli(
      ...['predict', at('picture.png'), at('volume.nii.gz'), '--model', at('damaged'), '--out', at('unmade')],
    )
    expect(code).toBe(1)
    expect(stderr.match(/weights\.bin/g)).toHaveLength(1)
  })

  it('names the inputs that are bad by their paths, and predicts the others', async () => {
    const inputs = [at('text.nii'), at('missing.png'), at('picture.png')]
    const args = ['predict', ...inputs, '--model', at('base'), '--out', at('some')]
    const { code, stdout, stderr } = await runCli(...args, '--json')
    expect(code).toBe(1)
    const notes = [`not predicted: ${at('text.nii')}: text.nii `, `not predicted: ${at('missing.png')}: missing.png `]
    const [first = '', second = '', ...last] = stderr.split('\n')
    expect([first.startsWith(notes[0] ?? '-'), second.startsWith(notes[1] ?? '-')]).toEqual([true, true])
    expect(last).toEqual(['error: 2 of 3 inputs were not predicted; they are named above, with what to do.', ''])
    expect(JSON.parse(stdout)).toMatchObject({
      outputs: [{ input: at('picture.png'), output: at('some', 'picture.png') }],
      failed: [
        { input: at('text.nii'), error: expect.stringContaining('text.nii') as string },
        { input: at('missing.png'), error: expect.stringContaining('missing.png') as string },
      ],
    })
    expect(await readdir(at('some'))).toEqual(['picture.png'])
  })

  it('does not overwrite an input, nor write two inputs into one mask', async () => {
    const before = await readFile(at('picture.png'))
    expectFailure(await runCli('predict', at('picture.png'), '--model', at('base'), '--out', dir), /picture\.png/)
    expect(await readFile(at('picture.png'))).toEqual(before)
    const both = await runCli('predict', 'a/x.png', 'b/x.nii.gz', '--model', at('base'), '--out', at('none3'))
    expect(both.code).toBe(2)
  })

  it('says why a backend is not to be had', async () => {
    const { code, stderr } = await runCli(
      ...['predict', at('picture.png'), '--model', at('base'), '--out', at('none4'), '--backend', 'webgpu'],
    )
    expect(stderr).toMatch(/^error: [^\n]+\n$/)
    expect(code).toBe(1)
  })
})

describe('maskwright finetune', () => {
  const finetune = (data: string, out: string, ...more: string[]) =>
    runCli('finetune', '--model', at('base'), '--data', data, '--out', out, '--threads', '2', '--json', ...more)

  it('writes a better model, reports step by step, and promotes it by the hold-out', async () => {
    const { code, stdout, stderr } = await finetune(
      at('train'),
      at('better'),
      '--steps',
      '40',
      '--holdout',
      at('holdout'),
    )
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const events = lines(stdout)
    expect(events[0]).toMatchObject({ event: 'start', cases: 6, slices: 6, steps: 40 })
    const epochs = events.filter(({ event }) => event === 'epoch')
    expect(epochs.length).toBeGreaterThan(1)
    expect(epochs.at(-1)).toMatchObject({ epochs: 40, valLoss: null })
    expect(epochs.every(({ loss }) => Number.isFinite(loss))).toBe(true)
    const done = events.at(-1) as { before: Record<string, number>; after: Record<string, number> }
    expect(done).toMatchObject({ event: 'done', parentId: 'base-model', promoted: true, scoredOn: 'holdout' })
    expect(done.after.mean).toBeGreaterThan(done.before.mean ?? 1)
    expect(done.after['1']).toBe(done.after.mean)
    const card = JSON.parse(await readFile(at('better', 'card.json'), 'utf8')) as Record<string, unknown>
    expect(card).toMatchObject({ parentId: 'base-model', name: 'better', labels: [{ value: 1, name: 'Disk' }] })
    expect(card).toMatchObject({
      ...{ format: 2, recipe: 'finetune', spacing: null, data: { samples: 6, corrected: 6, replay: 0 } },
      ...{ run: { threads: 2, batch: 4, patch: 32 }, versions: { maskwright: '0.1.0' }, training: { steps: 40 } },
    })
    expect((await readdir(at('better'))).sort()).toEqual(['card.json', 'model.json', 'weights.bin'])
  })

  it('does not promote a model that the hold-out finds worse', async () => {
    const { code, stdout } = await finetune(at('wrong'), at('worse'), '--steps', '30', '--holdout', at('holdout'))
    expect(code).toBe(0)
    expect(lines(stdout).at(-1)).toMatchObject({ event: 'done', promoted: false })
  })

  it('does not promote its parent under another name', async () => {
    const images = [1, 2, 3].map((seed) => at('train', 'images', `disk${seed}.png`))
    const said = await runCli('predict', ...images, '--model', at('base'), '--out', at('as-it-is', 'masks'))
    expect([said.code, said.stderr]).toEqual([0, ''])
    await mkdir(at('as-it-is', 'images'))
    for (const image of images) await cp(image, at('as-it-is', 'images', basename(image)))
    const { stdout } = await finetune(at('as-it-is'), at('the-same'), '--steps', '5')
    expect(lines(stdout).at(-1)).toMatchObject({ event: 'done', promoted: false, scoredOn: 'training data' })
    const card = JSON.parse(await readFile(at('the-same', 'card.json'), 'utf8')) as Record<string, unknown>
    expect(card).toMatchObject({ parentId: 'base-model', training: { steps: 0, keptStep: 0 } })
    expect(await readFile(at('the-same', 'weights.bin'))).toEqual(await readFile(at('base', 'weights.bin')))
  })

  it('says so when it had to judge by the training data, and adds labels that are new', async () => {
    await writeCases(at('new-label'), [21, 22], (label) => label * 7)
    const more = ['--steps', '3', '--replay', at('train')]
    const { stdout } = await finetune(at('new-label'), at('grown'), ...more)
    expect(lines(stdout).at(-1)).toMatchObject({ event: 'done', promoted: true, scoredOn: 'training data' })
    const card = JSON.parse(await readFile(at('grown', 'card.json'), 'utf8')) as { labels: unknown }
    expect(card.labels).toEqual([
      { value: 1, name: 'Disk' },
      { value: 7, name: 'Label 7' },
    ])
  })

  it('refuses what it cannot learn from, and to overwrite a model', async () => {
    expectFailure(await finetune(at('nowhere'), at('none5')), /nowhere/)
    await mkdir(at('lonely', 'images'), { recursive: true })
    await mkdir(at('lonely', 'masks'), { recursive: true })
    expectFailure(await finetune(at('lonely'), at('none5')), /lonely/)
    expectFailure(await finetune(at('train'), at('base')), /base exists already/)
    expectFailure(await finetune(at('train'), at('text.nii')), /text\.nii exists already/)
    await writeCases(at('mismatch'), [1])
    await writePng(at('mismatch', 'masks', 'disk1.png'), { width: 4, height: 4, channels: 1, data: new Uint8Array(16) })
    expectFailure(await finetune(at('mismatch'), at('none5')), /disk1\.png is 4 x 4/)
    expect(await readdir(dir)).not.toContain('none5')
  })

  it('leaves no model behind when it is interrupted', async () => {
    const args = ['--model', at('base'), '--data', at('train'), '--out', at('cut'), '--steps', '100000', '--json']
    const { child, finished, stdout } = startCli(['finetune', ...args, '--seconds', '100'])
    while (!stdout().includes('"epoch"')) await new Promise((resolve) => setTimeout(resolve, 50))
    child.kill('SIGINT')
    const { code, stderr } = await finished
    expect(stderr).toMatch(/^error: interrupted[^\n]*\n$/)
    expect(code).toBe(1)
    expect((await readdir(dir)).filter((name) => name.includes('cut'))).toEqual([])
  })
})

describe('maskwright doctor', () => {
  it('tells of every backend', async () => {
    const { code, stdout, stderr } = await runCli('doctor', '--json', '--backend', 'wasm')
    expect([code, stderr]).toEqual([0, ''])
    const report = JSON.parse(stdout) as { backends: { name: string; available: boolean }[]; chosen: string }
    expect(report.chosen).toBe('wasm')
    const names = report.backends.map((backend) => backend.name)
    expect(names).toEqual(expect.arrayContaining(['native', 'cuda', 'webgpu', 'wasm', 'js']))
  })
})
