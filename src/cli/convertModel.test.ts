import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tinyNetwork } from '../compute/foreign/testing/networks.ts'
import type { Affine } from '../core/contract/schemas.ts'
import { readLabelMap, writeVolume } from '../imaging/index.ts'
import { startCli } from './testing/runCli.ts'

const AFFINE: Affine = [
  [1, 0, 0, 0],
  [0, 1, 0, 0],
  [0, 0, 2, 0],
  [0, 0, 0, 1],
]
let dir = ''
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await startCli(args, { cwd: dir, env: { MASKWRIGHT_BACKEND: 'wasm' } }).finished
  return { code, stdout, stderr: stderr.split('\n').filter((line) => line !== '') }
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maskwright-convert-'))
  await writeFile(join(dir, 'bright.onnx'), tinyNetwork())
  const data = Int16Array.from({ length: 6 * 5 * 2 }, (_, i) => (i % 6 < 3 ? -100 : 300))
  await writeVolume(join(dir, 'scan.nii.gz'), { dims: [6, 5, 2], affine: AFFINE, data })
})
afterAll(() => rm(dir, { recursive: true, force: true }))

describe('maskwright convert-model', () => {
  it('makes a model folder of an ONNX file, which then predicts', { timeout: 120_000 }, async () => {
    const made = await run(
      ...['convert-model', 'bright.onnx', 'model', '--json', '--labels', 'Bone', '--input', 'window:-100,300'],
      ...['--spacing', '0.8,0.8,3', '--name', 'Bones'],
    )
    expect(made.stderr).toEqual([])
    expect(JSON.parse(made.stdout)).toEqual({ output: 'model', checked: true, maxDifference: 0 })
    expect((await readdir(join(dir, 'model'))).sort()).toEqual(['card.json', 'model.onnx'])
    expect(JSON.parse(await readFile(join(dir, 'model', 'card.json'), 'utf8'))).toMatchObject({
      ...{ format: 3, name: 'Bones', labels: [{ value: 1, name: 'Bone' }] },
      input: { normalization: { kind: 'window', from: -100, to: 300 } },
      spacing: { plane: 'stored', inPlane: [0.8, 0.8], slices: 3, samples: null },
    })

    const predicted = await run('predict', '--model', 'model', '--out', 'masks', 'scan.nii.gz')
    expect([predicted.code, predicted.stderr]).toEqual([0, []])
    const mask = await readLabelMap(join(dir, 'masks', 'scan.nii.gz'))
    expect([...mask.labels]).toEqual(Array.from({ length: 60 }, (_, i) => (i % 6 < 3 ? 0 : 1)))
  })

  it('gives the ONNX file back as it came', { timeout: 120_000 }, async () => {
    const again = await run('convert-model', 'model', 'again.onnx', '--json')
    expect(JSON.parse(again.stdout)).toEqual({ output: 'again.onnx', checked: true, maxDifference: 0 })
    expect(await readFile(join(dir, 'again.onnx'))).toEqual(await readFile(join(dir, 'bright.onnx')))
  })

  it('writes a model of our own, which predicts the same when it is imported', { timeout: 180_000 }, async () => {
    const demo = join(import.meta.dirname, '../../resources/models/demo')
    const data = Int16Array.from({ length: 70 * 50 * 2 }, (_, i) => 200 * Math.sin(i / 9) * Math.cos(i / 900))
    await writeVolume(join(dir, 'waves.nii.gz'), { dims: [70, 50, 2], affine: AFFINE, data })
    const written = await run('convert-model', demo, 'demo.onnx', '--json')
    expect(JSON.parse(written.stdout)).toMatchObject({ output: 'demo.onnx', checked: true })
    const back = await run('convert-model', 'demo.onnx', 'demo', '--json')
    expect(back.stderr).toEqual([])
    const masks = []
    for (const [model, out] of [
      [demo, 'ours'],
      ['demo', 'theirs'],
    ] as const) {
      expect((await run('predict', '--model', model, '--out', out, 'waves.nii.gz')).code).toBe(0)
      masks.push((await readLabelMap(join(dir, out, 'waves.nii.gz'))).labels)
    }
    expect(new Set(masks[0]).size, 'there is something to compare').toBeGreaterThan(1)
    expect(masks[1]).toEqual(masks[0])
    const labels = async (folder: string) =>
      (JSON.parse(await readFile(join(folder, 'card.json'), 'utf8')) as { labels: unknown }).labels
    expect(await labels(join(dir, 'demo'))).toEqual(await labels(demo))
  })

  it('says in one line what cannot be used, and leaves nothing', { timeout: 120_000 }, async () => {
    await writeFile(join(dir, 'text.onnx'), 'no network')
    const refused = await run('convert-model', 'text.onnx', 'none', '--json')
    expect([refused.code, refused.stdout]).toEqual([1, ''])
    expect(refused.stderr).toEqual([
      'error: text.onnx is cut off or is no ONNX file; export the network again or choose another file.',
    ])
    await mkdir(join(dir, 'there'))
    const there = await run('convert-model', 'bright.onnx', 'there')
    expect([there.code, there.stderr[0]]).toEqual([
      1,
      'error: there exists already; give a folder that does not exist yet.',
    ])
    expect(await readdir(dir)).not.toContain('none')
  })

  it.each([
    [['a.onnx', 'b.onnx'], 'One of IN and OUT must be a file that ends in .onnx, the other a model folder.'],
    [['bright.onnx', 'x', '--input', 'window:3'], '--input must be percentile, zscore, none or window:FROM,TO'],
    [['bright.onnx', 'x', '--spacing', '1'], '--spacing must be two or three positive numbers of mm'],
    [['bright.onnx', 'x', '--name', ' '], '--name must be a name of 1 to 200 characters.'],
    [['bright.onnx', 'x', '--labels', 'a'.repeat(81)], '--labels must be names of 1 to 80 characters'],
    [['bright.onnx', 'x', '--labels', 'Liver,Bone,liver'], '--labels names "liver" twice'],
    [['model', 'x.onnx', '--labels', 'a'], '--labels says what an .onnx file means; a model folder says it itself.'],
  ])('is wrong usage: %j', { timeout: 60_000 }, async (args, said) => {
    const { code, stderr } = await run('convert-model', ...args)
    expect([code, stderr.length]).toEqual([2, 1])
    expect(stderr[0]).toContain(`error: ${said}`)
  })

  it('needs a name for each class', { timeout: 60_000 }, async () => {
    const { code, stderr } = await run('convert-model', 'bright.onnx', 'x', '--labels', 'a,b')
    expect(code).toBe(2)
    expect(stderr[0]).toContain('The network tells 1 classes apart')
  })

  it('makes nothing that could be trained further', { timeout: 60_000 }, async () => {
    const { code, stderr } = await run('finetune', '--model', 'model', '--data', '.', '--out', 'better')
    expect(code).toBe(1)
    expect(stderr[0]).toBe(
      'error: model is an imported network, which only predicts; give --model a model that was trained here.',
    )
  })
})
