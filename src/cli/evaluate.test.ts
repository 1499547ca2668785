import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CaseScores } from '../core/contract/recipes.ts'
import { writePng, writeVolume } from '../imaging/index.ts'
import { runCli } from './testing/runCli.ts'

let dir = ''
const at = (...parts: string[]) => join(dir, ...parts)

interface Said {
  readonly cases: CaseScores[]
  readonly mean: Record<string, number | null>
  readonly labels: number[]
  readonly withoutTruth: string[]
  readonly withoutPrediction: string[]
}

/** The command with --json, and what it noted beside. */
async function evaluated(...args: string[]): Promise<Said & { notes: string }> {
  const { code, stdout, stderr } = await runCli('evaluate', ...args, '--json')
  expect(code, stderr).toBe(0)
  return { ...(JSON.parse(stdout) as Said), notes: stderr }
}

/** A picture of rows of digits, each times `factor`. */
async function draw(path: string, rows: readonly string[], factor = 1, deep = false): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  const values = Array.from(rows.join(''), (digit) => Number(digit) * factor)
  const data = deep ? Uint16Array.from(values) : Uint8Array.from(values)
  await writePng(path, { width: rows[0]?.length ?? 0, height: rows.length, channels: 1, data })
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maskwright-evaluate-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

describe('maskwright evaluate', () => {
  it('pairs by stem, NAME_mask as well, and reads the truth as a recipe does', async () => {
    // 64 to 191 is cytoplasm, 192 and above nucleus.
    await draw(at('wbc/truth/2_mask.png'), ['0000', '0110', '0220'], 100)
    await draw(at('wbc/truth/10.png'), ['0110'], 120)
    await draw(at('wbc/truth/11.png'), ['0110'], 120)
    await draw(at('wbc/pred/2.png'), ['0000', '0111', '0220'])
    await draw(at('wbc/pred/10.png'), ['0100'])
    await draw(at('wbc/pred/other.png'), ['0100'])
    const { cases, mean, labels, ...rest } = await evaluated(
      ...['--truth', at('wbc/truth'), '--pred', at('wbc/pred'), '--recipe', 'wbc'],
    )
    expect(labels).toEqual([1, 2])
    expect(cases.map(({ id }) => id)).toEqual(['2', '10'])
    expect(cases[0]).toMatchObject({ pixelAccuracy: 11 / 12, dice: { 1: 4 / 5, 2: 1 }, iou: { 1: 2 / 3, 2: 1 } })
    // Each surface is all of its mask: two pixels coincide and a third lies one pixel away.
    expect(cases[0]).toMatchObject({ hd: { 1: 1, 2: 0 }, assd: { 1: 1 / 6 } })
    expect(cases[0]?.hd95['1']).toBeCloseTo(0.8, 12)
    expect(cases[1]).toMatchObject({ dice: { 1: 2 / 3, 2: 1 }, hd: { 1: 1, 2: 0 }, volumeDifference: { 1: -1, 2: 0 } })
    expect(mean.dice).toBeCloseTo((4 / 5 + 1 + 2 / 3 + 1) / 4, 12)
    expect(mean['iou:1']).toBeCloseTo((2 / 3 + 1 / 2) / 2, 12)
    expect(rest).toMatchObject({ withoutTruth: ['other.png'], withoutPrediction: ['11'] })
    expect(rest.notes).toMatch(/no such case: other\.png\n.*not measured: 11\n$/s)
  })

  it('says so where truth and prediction have no label in common, and what helps', async () => {
    await draw(at('values/truth/a.png'), ['0110', '0220'], 100)
    await draw(at('values/pred/a.png'), ['0110', '0220'])
    const args = ['--truth', at('values/truth'), '--pred', at('values/pred')]
    const { notes, labels } = await evaluated(...args)
    expect(notes).toBe(
      "Truth and prediction have no label value in common (truth: 100, 200; prediction: 1, 2); with --recipe the truth's values are read as in that recipe's training.\n",
    )
    expect(labels).toEqual([1, 2, 100, 200])
    const { stdout, stderr } = await runCli('evaluate', ...args, '--recipe', 'wbc')
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^case +accuracy +Dice Cytoplasm .*\na +1\.0000 +1\.0000 .*\n1 Cytoplasm +1\.0000/s)
  })

  it('compares objects with one file each, where they overlap the smaller one first', async () => {
    const masks = at('nuclei/stage1_train/a/masks')
    await draw(join(masks, 'first.png'), ['111100', '111100', '000000'], 255)
    await draw(join(masks, 'second.png'), ['000110', '000110', '000000'], 255)
    await draw(join(masks, 'third.png'), ['000000', '000000', '100000'], 255)
    // Numbers of 16 bits: the first as it is left (six pixels), the second with one of its four missing, nothing else.
    await draw(at('nuclei/pred/a.png'), ['111020', '111220', '000000'], 300, true)
    const said = await evaluated(
      ...['--truth', at('nuclei'), '--pred', at('nuclei/pred'), '--recipe', 'nuclei', '--instances'],
    )
    // IoU 1 and 3/4, one missed: 2/3 up to 0.7, then one found, one false and two missed.
    expect(said.cases[0]?.instances).toEqual({
      ap50: 2 / 3,
      ap: expect.closeTo((2 / 3 + 1 / 4) / 2, 12) as number,
      tp: 2,
      fp: 0,
      fn: 1,
    })
    expect(said.cases[0]?.dice).toEqual({ 1: 18 / 20 })
    expect(said.mean).toMatchObject({ ap50: 2 / 3 })
    // Without --instances each number is the recipe's one class.
    const labels = await evaluated('--truth', at('nuclei'), '--pred', at('nuclei/pred'), '--recipe', 'nuclei')
    expect(labels.cases[0]?.dice).toEqual({ 1: 18 / 20 })
    expect(labels.cases[0]).not.toHaveProperty('instances')
  })

  it('knows masks beside their images from the images', async () => {
    // Were the image taken for the truth, it would be refused: it has no whole labels.
    for (const [image, mask] of [
      ['1_1', '1_1_mask'],
      ['a_orig', 'a_liver'],
      ['volume-3', 'segmentation-3'],
      ['t007', 'man_seg007'],
    ] as const) {
      await draw(at('beside/truth', `${image}.png`), ['0990'], 20)
      await draw(at('beside/truth', `${mask}.png`), ['0110'])
      await draw(at('beside/pred', `${image}.png`), ['0110'])
    }
    await rm(at('beside/truth/t007.png'))
    const { cases, labels } = await evaluated('--truth', at('beside/truth'), '--pred', at('beside/pred'))
    expect(cases.map(({ id, dice }) => [id, dice['1']])).toEqual([
      ['1_1', 1],
      ['a_orig', 1],
      ['t007', 1],
      ['volume-3', 1],
    ])
    expect(labels).toEqual([1])
  })

  it('takes the parts of black and white masks for objects', async () => {
    await draw(at('parts/truth/p.png'), ['110011', '110011'], 255)
    await draw(at('parts/pred/p.png'), ['110000', '110000'])
    const { cases } = await evaluated('--truth', at('parts/truth'), '--pred', at('parts/pred'), '--instances')
    expect(cases[0]?.instances).toEqual({ ap50: 0.5, ap: 0.5, tp: 1, fp: 0, fn: 1 })
  })

  it('measures membranes for the recipe that asks for them', async () => {
    await draw(at('em/truth/0.png'), ['1110111', '1110111', '1110111'], 255)
    await draw(at('em/pred/0.png'), ['1110111', '1111111', '1110111'])
    const { cases, mean } = await evaluated('--truth', at('em/truth'), '--pred', at('em/pred'), '--recipe', 'cells')
    expect(cases[0]?.membranes?.warping).toBeCloseTo(1 / 21, 12)
    expect(mean.rand).toBeGreaterThan(0.3)
  })

  it('measures volumes in mm, whatever order their axes are stored in', async () => {
    const dims: [number, number, number] = [4, 3, 2]
    const truth = new Uint8Array(24)
    const predicted = new Uint8Array(24)
    truth[1 + 4 * 1] = 7
    predicted[3 + 4 * 1] = 7
    predicted[2] = 9
    const affine = [
      [0.5, 0, 0, 0],
      [0, 2, 0, 0],
      [0, 0, 3, 0],
      [0, 0, 0, 1],
    ]
    await mkdir(at('volume/pred'), { recursive: true })
    await mkdir(at('volume/masks'), { recursive: true })
    await writeVolume(at('volume/pred/case.nii.gz'), { dims, affine, data: predicted })
    // The same place, stored from right to left.
    const mirrored = Uint8Array.from({ length: 24 }, (_, i) => truth[i - (i % 4) + 3 - (i % 4)] ?? 0)
    const turned = [[-0.5, 0, 0, 1.5], ...affine.slice(1)]
    await writeVolume(at('volume/masks/case.nii.gz'), { dims, affine: turned, data: mirrored })
    const args = ['--truth', at('volume'), '--pred', at('volume/pred')]
    const { cases, labels, mean } = await evaluated(...args)
    expect(labels).toEqual([7, 9])
    expect(cases[0]).toMatchObject({
      hd: { 7: 1, 9: null },
      dice: { 7: 0, 9: 0 },
      volumeDifference: { 7: 0, 9: 0.003 },
    })
    expect(mean).toMatchObject({ 'hd95:7': 1, 'hd95:9': null, undefinedDistances: 1 })
    expect((await evaluated(...args, '--labels', '7')).labels).toEqual([7])
    const { code, stdout } = await runCli('evaluate', ...args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^case +accuracy +Dice 7.*\ncase +0\.8750 +0\.0000.*\nmeans of 1 case\n/)
  })

  it('says in one line what is wrong', async () => {
    await draw(at('wrong/truth/a.png'), ['01'])
    await draw(at('wrong/pred/a.png'), ['0101'])
    await draw(at('deep/pred/a.png'), ['01'], 300, true)
    await mkdir(at('none'), { recursive: true })
    await writeFile(at('none/readme.txt'), 'no mask')
    const failures: [string[], number, RegExp][] = [
      [[at('wrong/truth'), at('missing')], 1, /missing cannot be read; it must be a folder of masks/],
      [[at('wrong/truth'), at('none')], 1, /No mask in .*none has the name of one in .*truth/],
      [[at('wrong/truth'), at('wrong/pred')], 1, /a\.png is 2 x 1, its image 4 x 1/],
      [[at('wrong/truth'), at('deep/pred')], 1, /a\.png holds numbers above 255.*--instances/],
      [[at('wrong/truth'), at('wrong/pred'), '--labels', '0'], 2, /label values from 1 to 255/],
      [[at('wrong/truth'), at('wrong/pred'), '--recipe', 'nothing'], 2, /no recipe "nothing"; choose one of cells/],
    ]
    for (const [[truth = '', pred = '', ...more], wanted, sentence] of failures) {
      const { code, stdout, stderr } = await runCli('evaluate', '--truth', truth, '--pred', pred, ...more)
      expect(stderr).toMatch(sentence)
      expect(stderr).toMatch(/^error: [^\n]+\n$/)
      expect([code, stdout]).toEqual([wanted, ''])
    }
  })
})
