import { spawn } from 'node:child_process'
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { temporaryFolder } from './support/demo.ts'
import { jsonFrom, result, type BenchReport, type BenchResult } from './support/report.ts'

const data = process.env.MASKWRIGHT_DATA ?? path.join(import.meta.dirname, '..', '..', 'shared', 'data')
const root = path.join(import.meta.dirname, '..')

/** A metric of `train`, and what is wanted of it. */
interface Wanted {
  readonly metric: string
  readonly least?: number
  readonly most?: number
}

interface Row {
  readonly name: string
  readonly recipe: string
  /** Makes or names the data folder. */
  readonly data: (folder: string) => Promise<string>
  readonly settings?: readonly string[]
  readonly wanted: readonly Wanted[]
  /** The article's network takes too long on two processor cores as published. */
  readonly article?: readonly string[]
  /** The label that the reference learns, where not all. */
  readonly label?: number
}

const set = (name: string) => async (): Promise<string> => path.join(data, name)

const rows: readonly Row[] = [
  {
    ...{ name: 'wbc', recipe: 'wbc', data: set('wbc') },
    wanted: [
      { metric: 'accuracy', least: 0.985 },
      { metric: 'iou:1', least: 0.91 },
      { metric: 'iou:2', least: 0.94 },
    ],
  },
  {
    ...{ name: 'nuclei', recipe: 'nuclei', data: set('nuclei') },
    wanted: [
      { metric: 'dice', least: 0.9 },
      { metric: 'ap', least: 0.45 },
      { metric: 'ap50', least: 0.75 },
    ],
  },
  { ...{ name: 'nerve', recipe: 'nerve', data: set('nerve') }, wanted: [{ metric: 'dice', least: 0.68 }] },
  {
    ...{ name: 'em-membrane', recipe: 'cells', data: set('em-membrane') },
    wanted: [
      { metric: 'accuracy', least: 0.925 },
      { metric: 'iou', least: 0.91 },
    ],
    article: ['model.base=8', 'training.seconds=600'],
  },
  {
    ...{ name: 'hippocampus', recipe: 'liver', data: set('hippocampus') },
    wanted: [
      { metric: 'dice', least: 0.88 },
      { metric: 'hd95', most: 1.7 },
    ],
  },
  {
    ...{ name: 'ct-abdomen', recipe: 'liver', data: abdomen, label: 5 },
    settings: ['labels=5', 'split.by=slice'],
    wanted: [{ metric: 'dice', least: 0.93 }],
  },
]

/**
 * The recipes on real data (the folder that MASKWRIGHT_DATA names; nothing is measured where there is none): `train` with our
 * settings and with the article's, and a plain U-Net of PyTorch on the same split. All figures are of cases held out.
 * MASKWRIGHT_RECIPES names the rows to measure, with commas; what was found before for the others stays as it is.
 */
export async function suite(): Promise<BenchResult[]> {
  const folder = temporaryFolder()
  const only = process.env.MASKWRIGHT_RECIPES?.split(',')
  const results: BenchResult[] = []
  const others = only === undefined ? [] : rows.filter(({ name }) => !only.includes(name)).map(({ name }) => name)
  try {
    for (const row of rows.filter(({ name }) => only === undefined || only.includes(name))) {
      const dir = await row.data(folder)
      const ours = await trained(row, dir, path.join(folder, row.name), row.settings ?? [])
      const article = await trained(row, dir, path.join(folder, `${row.name}-article`), [
        ...['preset=article', ...(row.settings ?? []), ...(row.article ?? [])],
      ])
      const script = path.join(import.meta.dirname, 'support', 'reference_unet.py')
      const split = path.join(folder, row.name, 'cases.json')
      const label = row.label === undefined ? [] : [String(row.label)]
      const plain =
        row.settings?.includes('split.by=slice') === true
          ? null
          : jsonFrom('/usr/bin/python3', [script, row.recipe, dir, split, ...label])
      const reference = plain as Record<string, number> | null
      for (const { metric, least, most } of row.wanted) {
        const other = reference?.[metric]
        results.push(
          result({
            name: `${row.name} ${metric}`,
            params: {
              recipe: row.recipe,
              article: rounded(article.metrics[metric]),
              seconds: Math.round(ours.seconds),
            },
            values: [ours.metrics[metric] ?? NaN],
            unit: metric === 'hd95' ? 'mm' : 'share',
            reference: other === undefined ? null : { name: 'plain U-Net, PyTorch', median: other },
            budget: least === undefined ? `at most ${most ?? NaN}` : `at least ${least}`,
          }),
        )
      }
      results.push(
        result({
          name: `${row.name} training`,
          params: { recipe: row.recipe, articleSeconds: Math.round(article.seconds) },
          values: [ours.seconds],
          unit: 's',
          budget: 'at most 720 s',
        }),
      )
    }
    return [...(await found(others)), ...results]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function rounded(value: number | null | undefined): number | string {
  return value === null || value === undefined ? 'none' : Number(value.toFixed(4))
}

/** The results of an earlier run for the rows of these names. */
async function found(names: readonly string[]): Promise<BenchResult[]> {
  if (names.length === 0) return []
  const text = await readFile(path.join(import.meta.dirname, 'results', 'recipes.json'), 'utf8').catch(() => null)
  const { results } = JSON.parse(text ?? '{"results":[]}') as BenchReport
  return results.filter(({ name }) => names.some((row) => name.startsWith(`${row} `)))
}

interface Trained {
  readonly metrics: Readonly<Record<string, number | null>>
  readonly seconds: number
}

async function trained(row: Row, dir: string, out: string, settings: readonly string[]): Promise<Trained> {
  const started = performance.now()
  const child = spawn(
    process.execPath,
    [
      ...[path.join(root, 'src', 'cli', 'main.ts'), 'train', '--recipe', row.recipe, '--data', dir, '--out', out],
      ...settings.flatMap((setting) => ['--set', setting]),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  if (code !== 0) throw new Error(`Training ${row.name} ended with code ${String(code)}.`)
  const { mean } = JSON.parse(await readFile(path.join(out, 'metrics.json'), 'utf8')) as { mean: Trained['metrics'] }
  return { metrics: mean, seconds: (performance.now() - started) / 1000 }
}

/** The CT and its labels in the plain layout. */
async function abdomen(folder: string): Promise<string> {
  const dir = path.join(folder, 'ct')
  for (const part of ['images', 'masks']) await mkdir(path.join(dir, part), { recursive: true })
  await copyFile(path.join(data, 'ct-abdomen', 'example_ct_sm.nii.gz'), path.join(dir, 'images', 'ct.nii.gz'))
  await copyFile(path.join(data, 'ct-abdomen', 'example_seg.nii.gz'), path.join(dir, 'masks', 'ct.nii.gz'))
  return dir
}
