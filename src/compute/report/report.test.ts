import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { recipeReportSchema } from '../../core/contract/report.ts'
import { meanScores, scoreCase } from '../../core/metrics/index.ts'
import { decodePng } from '../../imaging/index.ts'
import { temporaryFolder } from '../../imaging/testing/folders.ts'
import { caseFigures } from './caseFigures.ts'
import { compareReports } from './compare.ts'
import { animation } from './progress.ts'
import { createReport } from './report.ts'
import { diskOf, imageOf } from './testing/images.ts'
import { SETTINGS, testRecipe } from './testing/recipe.ts'
import type { CaseScores } from '../../core/contract/recipes.ts'
import type { RecipeReport } from '../../core/contract/report.ts'
import type { Dims } from '../../core/contract/schemas.ts'
import type { EpochPicture, ReportEnd } from './types.ts'

const LABELS = [{ value: 1, name: 'Nucleus' }]

let folder: { path: string; remove: () => Promise<void> }
beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(() => folder.remove())

interface Making {
  readonly name: string
  readonly ids: readonly string[]
  readonly dims?: Dims
  /** Pixels by which each case's prediction is moved, one more from case to case. */
  readonly off?: number
  readonly end?: Partial<ReportEnd>
  readonly epochs?: number
}

/** A report of disks, each predicted a little off its place. */
async function made({ name, ids, dims = [32, 24, 1], off = 1, end = {}, epochs = 3 }: Making): Promise<RecipeReport> {
  const model = join(folder.path, name)
  const report = await createReport({
    dir: join(model, 'report'),
    progressDir: join(folder.path, `${name}.training`),
    recipe: testRecipe,
    labels: LABELS,
    epochs,
  })
  for (let epoch = 1; epoch <= epochs; epoch++) await report.addEpoch(epoch, [epochPicture(epochs - epoch)])
  const cases: CaseScores[] = []
  for (const [at, id] of ids.entries()) {
    const truth = diskOf(dims, [15, 12], 7)
    const prediction = diskOf(dims, [15 + off + at, 12], 7)
    const image = imageOf(
      dims,
      truth.map((value) => 40 + value * 150),
      dims[2] > 1 ? { spacing: [1, 1, 2] } : {},
    )
    const scores = scoreCase({ truth, predicted: prediction, dims, spacing: null, labels: [1] })
    await report.addCase({ id, part: 'holdout', image, truth, prediction, scores })
    cases.push({ id, ...scores })
  }
  return report.finish({
    preset: 'best',
    settings: SETTINGS,
    model: { id: `id-${name}`, name, createdAt: '2026-01-02T03:04:05.000Z', parameters: 1234 },
    scoredOn: 'holdout',
    metrics: meanScores(cases, [1]),
    history: Array.from({ length: epochs }, (_, at) => ({
      ...{ epoch: at + 1, loss: 1 / (at + 1), valLoss: 1.1 / (at + 1), rate: 0.001, seconds: at * 5 },
      val: { dice: 1 - 0.5 / (at + 1), 'dice:1': 1 - 0.5 / (at + 1) },
    })),
    bestEpoch: epochs,
    split: [
      ...ids.map((id) => ({ id, patient: id, part: 'holdout' as const })),
      { id: 't1', patient: 'p', part: 'train' },
    ],
    left: [{ file: 'broken.png', reason: 'is cut off.' }],
    remarks: [],
    machine: { backend: 'js', device: null, threads: 1, seed: 7, seconds: 15, versions: {} },
    ...end,
  })
}

function epochPicture(off: number): EpochPicture {
  const [width, height] = [24, 20]
  const at = (x: number): Uint8Array => diskOf([width, height, 1], [x, 10], 6)
  return {
    id: 'p1',
    width,
    height,
    channels: 1,
    image: Float32Array.from(at(12)),
    truth: at(12),
    prediction: at(12 + off),
  }
}

/** Each file below a folder with the digest of its bytes. */
async function digests(dir: string): Promise<Record<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const pairs = files.sort().map(
    async (file) =>
      [
        file.slice(dir.length),
        createHash('sha256')
          .update(await readFile(file))
          .digest('hex'),
      ] as const,
  )
  return Object.fromEntries(await Promise.all(pairs))
}

describe('createReport', () => {
  it('writes the figures of the article, tables and one page, the worst case first', async () => {
    const report = await made({ name: 'a', ids: ['near', 'further', 'off'] })
    const dir = join(folder.path, 'a', 'report')
    expect((await readdir(dir)).sort()).toEqual(['cases.csv', 'figures', 'report.html', 'report.json'])
    expect((await readdir(join(dir, 'figures'))).sort()).toEqual([
      ...['dice.png', 'dice.svg', 'loss.png', 'loss.svg'],
      ...['panels-further.png', 'panels-near.png', 'panels-off.png', 'progress.gif'],
    ])
    expect(report.cases.map(({ scores }) => scores.id)).toEqual(['off', 'further', 'near'])
    expect(report.distanceUnit).toBe('px')
    const stored: unknown = JSON.parse(await readFile(join(dir, 'report.json'), 'utf8'))
    expect(recipeReportSchema.parse(stored)).toEqual(report)
    const lines = (await readFile(join(dir, 'cases.csv'), 'utf8')).split('\r\n')
    expect(lines[0]).toBe(
      'id,part,accuracy,meanIou,dice:1,iou:1,sensitivity:1,specificity:1,hd:1,hd95:1,assd:1,volumeDifference:1',
    )
    expect(lines.slice(1).map((line) => line.split(',')[0])).toEqual(['off', 'further', 'near', ''])
    expect(lines[3]?.split(',')[4]).toBe(String(report.cases[2]?.scores.dice['1']))
  })

  it('shows image, truth and prediction, their overlays and contours', async () => {
    const report = await made({ name: 'a', ids: ['one'], off: 4 })
    const figure = report.cases[0]?.figures[0]
    const file = join(folder.path, 'a', 'report', 'figures', figure?.file ?? '')
    const { width, height, data } = await decodePng(await readFile(file), file)
    // Two rows of three panels of 32 x 24 pixels, enlarged 12 times, a strip of 22 for titles, gaps of 6.
    expect([width, height]).toEqual([3 * (384 + 6) + 6, 2 * (288 + 22 + 6) + 6])
    expect([figure?.width, figure?.height]).toEqual([width, height])
    const pixel = (column: number, row: number, x: number, y: number): number[] => {
      const at = ((28 + row * 316 + y * 12 + 6) * width + 6 + column * 390 + x * 12 + 6) * 3
      return [...data.subarray(at, at + 3)]
    }
    // (9, 12) is in the truth alone, (25, 12) in the prediction alone, (16, 12) in both, (2, 2) in neither.
    expect([pixel(0, 0, 9, 12), pixel(0, 0, 2, 2)]).toEqual([
      [255, 255, 255],
      [0, 0, 0],
    ])
    expect([9, 25, 16, 2].map((x) => pixel(1, 0, x, 12)[0])).toEqual([255, 0, 255, 0])
    expect([9, 25, 16, 2].map((x) => pixel(2, 0, x, 12)[0])).toEqual([0, 255, 255, 0])
    const [yellow, blue] = [[255, 214, 10], 2]
    expect(pixel(1, 0, 16, 12)).toEqual(yellow)
    // 45 % of yellow over black.
    expect([pixel(0, 1, 25, 12), pixel(1, 1, 25, 12)]).toEqual([
      [0, 0, 0],
      [115, 96, 5],
    ])
    expect(pixel(0, 1, 9, 12)[blue]).toBeLessThan(160)
    // Contours leave the inside of the picture as it is.
    expect([pixel(2, 1, 16, 12), pixel(2, 1, 2, 2)]).toEqual([
      [255, 255, 255],
      [0, 0, 0],
    ])
    const contours = Array.from({ length: 384 }, (_, x) => ((28 + 316 + 144) * width + 6 + 780 + x) * 3)
    expect(contours.filter((at) => [...data.subarray(at, at + 3)].join() === yellow.join())).toHaveLength(4)
  })

  it('shows each cut of a volume and three planes', async () => {
    const report = await made({ name: 'a', ids: ['v'], dims: [32, 24, 5] })
    expect(report.cases[0]?.figures.map(({ kind }) => kind)).toEqual(['panels', 'cuts', 'planes'])
    expect(report.cases[0]?.figures[1]?.caption).toContain('each cut with anything true or predicted, 5 of 5')
    expect(report.distanceUnit).toBe('mm')
  })

  it('shows of a volume whose other slices were learned from only what was scored', async () => {
    const dims: Dims = [32, 24, 9]
    const truth = diskOf(dims, [15, 12], 7)
    // Most is to be found in slice 1, which was learned from.
    for (let at = 32 * 24; at < 2 * 32 * 24; at++) truth[at] = 1
    const scored = { id: 'v', image: imageOf(dims, truth), truth, prediction: truth }
    const figures = await caseFigures({ ...scored, only: { axis: 2, indices: [3, 6] } }, [1])
    expect(figures.map(({ kind }) => kind)).toEqual(['panels', 'cuts'])
    expect(figures[0]?.caption).toContain('Slice 4 of 9')
    expect(figures[1]?.caption).toContain('2 of 2')
    const all = await caseFigures(scored, [1])
    expect(all[0]?.caption).toContain('Slice 2 of 9')
  })

  it('gives the same files, byte for byte, and goes on with the pictures of epochs that were kept', async () => {
    const ids = ['x', 'y']
    await made({ name: 'a', ids, end: { model: { id: 'i', name: 'n', createdAt: '2026', parameters: 1 } } })
    const first = await digests(join(folder.path, 'a'))
    // Again into the same folders, as after a kill: what is there is replaced.
    await made({ name: 'a', ids, end: { model: { id: 'i', name: 'n', createdAt: '2026', parameters: 1 } } })
    expect(await digests(join(folder.path, 'a'))).toEqual(first)
    expect(Object.keys(first)).toContain('/report/figures/progress.gif')
  })

  it('shows the border of objects as part of them, and nothing of what is not known', async () => {
    const report = await createReport({
      ...{ dir: join(folder.path, 'report'), progressDir: join(folder.path, 'progress') },
      ...{ recipe: testRecipe, labels: LABELS, epochs: 1 },
    })
    const picture = epochPicture(0)
    const [plain] = await report.addEpoch(1, [picture])
    const rim = (value: number) => (at: number, x: number) => (at === 1 && x % 24 === 12 ? value : at)
    const [bordered] = await report.addEpoch(1, [
      { ...picture, truth: picture.truth.map(rim(2)), prediction: picture.prediction.map(rim(2)) },
    ])
    const unknown = picture.truth.map((value) => (value === 1 ? 1 : 255))
    const [less] = await report.addEpoch(1, [{ ...picture, truth: unknown }])
    expect(bordered?.png).toEqual(plain?.png)
    expect(less?.png).toEqual(plain?.png)
    expect(await report.addEpoch(2, [])).toEqual([])
  })

  it('does without frames that were cut off', async () => {
    const progressDir = join(folder.path, 'progress')
    const dir = join(folder.path, 'report')
    const report = await createReport({ dir, progressDir, recipe: testRecipe, labels: LABELS, epochs: 3 })
    for (const epoch of [1, 2, 3]) await report.addEpoch(epoch, [epochPicture(epoch)])
    const whole = await animation(progressDir, 3)
    await truncate(join(progressDir, 'epoch-00003.png'), 40)
    await truncate(join(progressDir, 'epoch-00001.png'), 0)
    const rest = await animation(progressDir, 3)
    expect(rest).toMatchObject({ width: whole?.width, height: whole?.height })
    expect(rest?.gif.length).toBeLessThan(whole?.gif.length ?? 0)
    await truncate(join(progressDir, 'epoch-00002.png'), 0)
    expect(await animation(progressDir, 3)).toBeNull()
  })

  it('thins out the pictures of many epochs, and keeps the first and the last', async () => {
    await made({ name: 'a', ids: ['x'], epochs: 64 })
    const frames = (await readdir(join(folder.path, 'a.training'))).sort()
    // Every second of 64, and the first.
    expect(frames).toHaveLength(33)
    expect([frames[0], frames[1], frames.at(-1)]).toEqual(['epoch-00001.png', 'epoch-00002.png', 'epoch-00064.png'])
  })

  it('has figures of 40 cases at most, and all in its tables', async () => {
    const ids = Array.from({ length: 43 }, (_, at) => `case_${at}`)
    const report = await made({ name: 'a', ids, dims: [32, 24, 1], off: -12 })
    const shown = report.cases.filter(({ figures }) => figures.length > 0)
    expect(shown.length).toBeLessThanOrEqual(40)
    expect(report.cases).toHaveLength(43)
    expect(shown).toEqual(report.cases.filter(({ shown: why }) => why !== null))
    const files = await readdir(join(folder.path, 'a', 'report', 'figures'))
    expect(files.filter((file) => file.startsWith('panels-'))).toHaveLength(shown.length)
  })

  it('writes a page that needs nothing else, whatever cases are called', async () => {
    const id = '<img src=x onerror=alert(1)>/../"=1'
    const report = await made({ name: 'a', ids: [id] })
    const html = await readFile(join(folder.path, 'a', 'report', 'report.html'), 'utf8')
    expect(html).not.toContain('<img src=x')
    expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;/../&quot;=1')
    expect(report.cases[0]?.figures[0]?.file).toMatch(/^panels-img-src-x-onerror-alert-1-1\.[0-9a-f]{8}\.png$/)
    expect(html.match(/(?:src|href)="(?!data:image\/(?:jpeg|gif);base64,|#case-)[^"]*"/g)).toBeNull()
    expect(html.replaceAll(' xmlns="http://www.w3.org/2000/svg"', '')).not.toMatch(/https?:/)
    const script = /<script>([^]*?)<\/script>/.exec(html)?.[1] ?? ''
    const digest = createHash('sha256').update(script).digest('base64')
    expect(html).toContain(`script-src 'sha256-${digest}'`)
    expect(html.match(/<script/g)).toHaveLength(1)
    const csv = await readFile(join(folder.path, 'a', 'report', 'cases.csv'), 'utf8')
    expect(csv).toContain('\r\n"<img src=x onerror=alert(1)>/../""=1",holdout,')
  })

  it('says so where nothing was held out, and does without validation and epochs', async () => {
    await made({ name: 'a', ids: ['x'], epochs: 0, end: { scoredOn: 'train', bestEpoch: null } })
    const html = await readFile(join(folder.path, 'a', 'report', 'report.html'), 'utf8')
    expect(html).toContain('Nothing was held out')
    expect(existsSync(join(folder.path, 'a', 'report', 'figures', 'loss.svg'))).toBe(false)
    const history = [{ epoch: 1, loss: 0.5, valLoss: null, val: {}, rate: 0.1, seconds: 2 }]
    const one = await made({ name: 'b', ids: ['x'], epochs: 1, end: { history } })
    expect(one.figures.map(({ file }) => file)).toEqual(['loss.svg', 'loss.png', 'progress.gif'])
    // Where no case could be scored there is a report all the same.
    const none = await made({ name: 'c', ids: [] })
    expect(none.metrics).toMatchObject({ accuracy: null, dice: null })
  })
})

describe('compareReports', () => {
  const article = { preset: 'article', settings: { ...SETTINGS, model: { ...SETTINGS.model, base: 64 } } } as const

  it('puts means over the common cases, differing settings and the same figures beside ours', async () => {
    await made({ name: 'ours', ids: ['a', 'b', 'c'] })
    const other = await made({ name: 'theirs', ids: ['b', 'c', 'd'], off: 3, end: article })
    const report = await compareReports(join(folder.path, 'ours'), [join(folder.path, 'theirs')])
    const [comparison] = report.comparisons
    const dice = (cases: RecipeReport['cases'], ...ids: string[]): number => {
      const values = cases.filter(({ scores }) => ids.includes(scores.id)).map(({ scores }) => scores.dice['1'] ?? NaN)
      return values.reduce((sum, value) => sum + value, 0) / values.length
    }
    expect(comparison).toMatchObject({ name: 'Article settings', common: 2, parameters: 1234 })
    expect(comparison?.ours.dice).toBeCloseTo(dice(report.cases, 'b', 'c'), 12)
    expect(comparison?.metrics.dice).toBeCloseTo(dice(other.cases, 'b', 'c'), 12)
    expect(comparison?.differences).toEqual([{ name: 'model.base', ours: '16', other: '64' }])
    expect(Object.keys(comparison?.figures ?? {}).sort()).toEqual(['b', 'c'])
    const files = await readdir(join(folder.path, 'ours', 'report', 'figures'))
    expect(files).toEqual(expect.arrayContaining(['other1-panels-b.png', 'other1-panels-c.png']))
    const html = await readFile(join(folder.path, 'ours', 'report', 'report.html'), 'utf8')
    expect(html).toContain('Compared with: Article settings')
    // Done again it is the same, and without others it is as it was.
    const once = await digests(join(folder.path, 'ours'))
    await compareReports(join(folder.path, 'ours'), [join(folder.path, 'theirs')])
    expect(await digests(join(folder.path, 'ours'))).toEqual(once)
    expect((await compareReports(join(folder.path, 'ours'), [])).comparisons).toEqual([])
  })

  it('refuses numbers of cases that one of both learned from', async () => {
    await made({ name: 'ours', ids: ['a', 'b'] })
    const split = [
      { id: 'b', patient: 'b', part: 'train' as const },
      { id: 'a', patient: 'a', part: 'holdout' as const },
    ]
    await made({ name: 'theirs', ids: ['a'], end: { ...article, split: [...split] } })
    const both = compareReports(join(folder.path, 'ours'), [join(folder.path, 'theirs')])
    await expect(both).resolves.toMatchObject({ comparisons: [{ common: 1 }] })
    await made({ name: 'seen', ids: ['c'], end: { split: [{ id: 'a', patient: 'a', part: 'train' }] } })
    const seen = { scoredOn: 'holdout', split: [{ id: 'a', patient: 'a', part: 'train' as const }] } as const
    await made({ name: 'worse', ids: ['a', 'b'], end: { ...seen, split: [...seen.split] } })
    await expect(compareReports(join(folder.path, 'ours'), [join(folder.path, 'worse')])).rejects.toMatchObject({
      code: 'bad-request',
      message: expect.stringContaining('a was learned from by one of both') as string,
    })
  })

  it('refuses others without a report, without a common case', async () => {
    await made({ name: 'ours', ids: ['a'] })
    await made({ name: 'else', ids: ['z'] })
    const ours = join(folder.path, 'ours')
    await expect(compareReports(ours, [join(folder.path, 'else')])).rejects.toMatchObject({ code: 'bad-request' })
    await expect(compareReports(ours, [folder.path])).rejects.toMatchObject({ code: 'file-missing' })
  })
})
