import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readModelCard } from '../core/contract/compute.ts'
import { recipeEventSchema } from '../core/contract/recipes.ts'
import { readLabelMap } from '../imaging/index.ts'
import { writeCases } from './testing/disks.ts'
import { runCli, startCli } from './testing/runCli.ts'

const MINUTES = 60_000
let dir = ''
let data = ''

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'maskwright-train-'))
  data = join(dir, 'data')
  // White where there is a disk: nuclei, say.
  await writeCases(data, [1, 2, 3, 4, 5, 6, 7, 8, 9], (label) => 255 * label)
})
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

const small = [
  ...[
    'model.levels=1',
    'model.base=4',
    'model.dropout=0.2',
    'training.steps=2',
    'training.batch=2',
    'training.patch=32',
  ],
  ...['instances=null', 'inference.flips=none', 'input.colour=grey'],
].flatMap((pair) => ['--set', pair])

const command = (out: string, ...more: string[]): string[] => [
  ...['train', '--recipe', 'nuclei', '--data', data, '--out', out, '--json'],
  ...['--backend', 'wasm', '--threads', '1', '--epochs', '4', ...small, ...more],
]

const events = (stdout: string) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => recipeEventSchema.parse(JSON.parse(line)))

const sha = async (file: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex')

const metricsSchema = z.object({
  cases: z.array(z.object({ id: z.string(), dice: z.record(z.string(), z.number()) })),
})
const historySchema = z.object({ epochs: z.array(z.record(z.string(), z.unknown())) })
/** Without what hangs on the clock. */
async function historyOf(model: string): Promise<unknown> {
  const { epochs } = historySchema.parse(JSON.parse(await readFile(join(model, 'history.json'), 'utf8')))
  return epochs.map(({ seconds: _, ...rest }) => rest)
}

describe('maskwright train', () => {
  it(
    'writes a model folder with report, and goes on after any kill to the same bits',
    async () => {
      const unbroken = join(dir, 'unbroken')
      const finished = await runCli(...command(unbroken))
      expect(finished).toMatchObject({ code: 0 })
      const told = events(finished.stdout)
      expect(told.map(({ event }) => event)).toEqual(['start', ...new Array<string>(4).fill('epoch'), 'done'])
      expect(told[0]).toMatchObject({ recipe: 'nuclei', preset: 'best', cases: { holdout: 3 }, from: 1 })
      expect(told.at(-1)).toMatchObject({ model: unbroken, scoredOn: 'holdout' })
      expect((await readdir(unbroken)).sort()).toEqual([
        'card.json',
        'cases.json',
        'history.json',
        'metrics.json',
        'model.json',
        'report',
        'settings.json',
        'weights.bin',
      ])
      expect(existsSync(`${unbroken}.training`)).toBe(false)
      const card = readModelCard(await readFile(join(unbroken, 'card.json'), 'utf8'), 'card.json')
      expect(card).toMatchObject({ format: 4, recipe: 'nuclei', handling: { output: 'softmax', border: false } })
      expect(await readFile(join(unbroken, 'report', 'report.html'), 'utf8')).toContain('disk')

      const broken = join(dir, 'broken')
      let resume: string[] = []
      // After the last epoch cases are scored.
      for (const epoch of [1, 3, 4]) {
        const { child, finished: ended, stdout } = startCli(command(broken, ...resume), { detached: true })
        let alive = true
        child.stdout?.on('data', () => {
          // Both processes at once, in the middle of what follows.
          if (!stdout().includes(`"epoch":${epoch},`) || child.pid === undefined || !alive) return
          alive = false
          process.kill(-child.pid, 'SIGKILL')
        })
        const { code } = await ended
        expect(code).toBeNull()
        expect(existsSync(broken)).toBe(false)
        expect(existsSync(`${broken}.training`)).toBe(true)
        resume = ['--resume']
      }
      const refused = await runCli(...command(broken))
      expect(refused).toMatchObject({ code: 1, stdout: '' })
      expect(refused.stderr).toMatch(
        /^error: A training for .*broken was interrupted after epoch \d; resume it, or delete/,
      )
      const other = await runCli(...command(broken, '--resume', '--set', 'optimizer.rate=0.1'))
      expect(other).toMatchObject({ code: 1, stdout: '' })
      expect(other.stderr).toContain('was begun with another optimizer.rate (0.003, now 0.1)')

      const resumed = await runCli(...command(broken, '--resume'))
      expect(resumed).toMatchObject({ code: 0 })
      const [start] = events(resumed.stdout)
      expect(start?.event === 'start' && start.from).toBeGreaterThan(1)
      expect(await sha(join(broken, 'weights.bin'))).toBe(await sha(join(unbroken, 'weights.bin')))
      expect(await historyOf(broken)).toEqual(await historyOf(unbroken))
      expect(existsSync(`${broken}.training`)).toBe(false)
    },
    6 * MINUTES,
  )

  it(
    'trains a model that predicts as it was scored',
    async () => {
      const out = join(dir, 'scored')
      const settings = ['inference.flips=both', 'inference.largestComponent=true', 'input.resize.kind=factor'].flatMap(
        (pair) => ['--set', pair],
      )
      const resize = ['--set', 'input.resize.factor=0.5']
      const trained = await runCli(...command(out, '--epochs', '30', ...settings, ...resize, '--resume'))
      expect(trained).toMatchObject({ code: 0 })
      expect(trained.stderr).toBe(`There is no interrupted training at ${out}.training; it begins at epoch 1.\n`)
      const { cases } = metricsSchema.parse(JSON.parse(await readFile(join(out, 'metrics.json'), 'utf8')))
      const inputs = cases.map(({ id }) => join(data, 'images', `${id}.png`))
      const diceOf = async (masks: string, ...more: string[]): Promise<number[]> => {
        const args = ['--model', out, '--out', masks, '--backend', 'wasm', ...more, ...inputs]
        const predicted = await runCli('predict', ...args)
        expect(predicted).toMatchObject({ code: 0 })
        return Promise.all(
          cases.map(async ({ id }) => {
            const [mask, truth] = await Promise.all(
              [join(masks, `${id}.png`), join(data, 'masks', `${id}.png`)].map(async (file) => readLabelMap(file)),
            )
            const size = (labels: readonly boolean[]): number => labels.filter(Boolean).length
            const [is, should] = [mask, truth].map((map) => [...(map?.labels ?? [])].map((value) => value > 0))
            const both = size((is ?? []).map((value, i) => value && should?.[i] === true))
            return (2 * both) / (size(is ?? []) + size(should ?? []))
          }),
        )
      }
      const scored = cases.map((each) => each.dice['1'] ?? NaN)
      expect(Math.min(...scored)).toBeGreaterThan(0.5)
      expect(await diceOf(join(dir, 'masks'))).toEqual(scored.map((dice) => expect.closeTo(dice, 9) as number))
      // Were the model's own settings left out, this is what would come of it.
      expect(await diceOf(join(dir, 'unlike'), '--set', 'inference.flips=none')).not.toEqual(
        scored.map((dice) => expect.closeTo(dice, 9) as number),
      )
    },
    2 * MINUTES,
  )

  it(
    'keeps what it needs to go on when it is interrupted, and says so',
    async () => {
      const out = join(dir, 'interrupted')
      const { child, finished, stdout } = startCli(command(out, '--epochs', '500'))
      child.stdout?.on('data', () => {
        if (stdout().includes('"event":"epoch"')) child.kill('SIGINT')
      })
      const { code, stderr } = await finished
      expect(code).toBe(1)
      expect(stderr).toMatch(/error: interrupted after epoch \d+; the same command with --resume goes on from there/)
      expect(await readdir(`${out}.training`)).toContain('state.bin')
      expect(existsSync(out)).toBe(false)
    },
    2 * MINUTES,
  )

  it.skipIf(process.platform === 'win32')(
    'says so as well where Ctrl+C reaches the launcher and all that it started, twice',
    async () => {
      const out = join(dir, 'group')
      const { child, finished, stdout } = startCli(command(out, '--epochs', '500'), { detached: true, launched: true })
      let asked = false
      child.stdout?.on('data', () => {
        if (asked || child.pid === undefined || !stdout().includes('"event":"epoch"')) return
        asked = true
        process.kill(-child.pid, 'SIGINT')
        process.kill(-child.pid, 'SIGINT')
      })
      const { code, stderr } = await finished
      expect(stderr).toMatch(/^error: interrupted after epoch \d+; the same command with --resume goes on from there/m)
      expect(code).toBe(1)
      expect(await readdir(`${out}.training`)).toContain('state.bin')
    },
    2 * MINUTES,
  )

  it(
    'refuses a model that cannot be compared with before the first step, and takes one that can',
    async () => {
      const whole = join(dir, 'whole')
      const brief = ['--epochs', '1', '--set', 'training.steps=1']
      // It learns from all cases, those included that others hold out.
      const all = ['--set', 'split.holdout=0', '--set', 'split.validation=0']
      expect(await runCli(...command(whole, ...brief, ...all))).toMatchObject({ code: 0 })
      const out = join(dir, 'compared')
      const bare = join(dir, 'bare')
      await mkdir(bare)
      await writeFile(join(bare, 'card.json'), await readFile(join(whole, 'card.json')))
      const refusals: [string, string[], RegExp][] = [
        [whole, [], /^error: whole cannot stand beside it: disk\d was learned from by one of both; train both with/],
        [whole, ['--recipe', 'nerve'], /^error: whole was trained by another recipe .*; choose a model of nerve\.$/],
        [bare, [], /^error: bare has no report; choose the folder of a model that a recipe trained\.$/],
        [data, [], /^error: .*data is not a model folder/],
      ]
      for (const [other, more, sentence] of refusals) {
        const { code, stdout, stderr } = await runCli(...command(out, ...more, '--compare', other))
        expect(stderr.trim()).toMatch(sentence)
        expect([code, stdout]).toEqual([1, ''])
        expect([existsSync(out), existsSync(`${out}.training`)]).toEqual([false, false])
      }
      expect(await runCli(...command(out, ...brief, ...all, '--compare', whole))).toMatchObject({ code: 0, stderr: '' })
      expect(await readFile(join(out, 'report', 'report.html'), 'utf8')).toContain('Compared with: whole')
    },
    2 * MINUTES,
  )

  it(
    'refuses what it cannot do in a sentence, and leaves nothing behind',
    async () => {
      const out = join(dir, 'refused')
      const usage = await runCli(...command(out, '--set', 'training.epoch=3'))
      expect(usage).toMatchObject({ code: 2, stdout: '' })
      expect(usage.stderr).toContain('There is no setting "training.epoch"; of training there are training.epochs')
      const recipe = await runCli('train', '--recipe', 'lungs', '--data', data, '--out', out)
      expect(recipe.code).toBe(2)
      expect(recipe.stderr).toContain('There is no recipe "lungs"; choose one of cells, liver, nerve, nuclei, wbc.')
      const empty = join(dir, 'empty')
      await mkdir(empty)
      const nothing = await runCli('train', '--recipe', 'nuclei', '--data', empty, '--out', out, '--backend', 'wasm')
      expect(nothing).toMatchObject({ code: 1, stdout: '' })
      expect(nothing.stderr).toMatch(/^error: /)
      await mkdir(out)
      await writeFile(join(out, 'mine.txt'), 'kept')
      const exists = await runCli(...command(out))
      expect(exists.stderr).toContain('exists already; give --out a folder that does not exist yet')
      expect(await readdir(out)).toEqual(['mine.txt'])
      expect(existsSync(`${out}.training`)).toBe(false)
    },
    MINUTES,
  )
})
