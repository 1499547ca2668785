import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import {
  PERCENTILE_INPUT,
  type NetworkFacts,
  type NetworkInput,
  type NetworkMeaning,
} from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { classCounts, describeInput, networkMeaningSchema, networkName } from '../../core/contract/network.ts'
import { withComputeProcess, type ComputeOptions } from '../compute.ts'
import { Output, UsageError } from '../output.ts'

export interface ConvertModelOptions extends ComputeOptions {
  readonly name?: string
  readonly labels?: string
  readonly input?: string
  readonly mean?: string
  readonly deviation?: string
  readonly spacing?: string
}

const ENDING = /\.onnx$/i

/** `maskwright convert-model IN OUT`: a model folder to .onnx, or an .onnx network to a model folder for prediction. */
export async function convertModel(input: string, out: string, options: ConvertModelOptions): Promise<void> {
  const output = new Output(options)
  const importing = ENDING.test(input)
  if (importing === ENDING.test(out)) {
    throw new UsageError('One of IN and OUT must be a file that ends in .onnx, the other a model folder.')
  }
  if (importing) await importModel(input, out, options, output)
  else await exportModel(input, out, options, output)
}

async function exportModel(input: string, out: string, options: ConvertModelOptions, output: Output): Promise<void> {
  const given = (['name', 'labels', 'input', 'mean', 'deviation', 'spacing'] as const).find(
    (key) => options[key] !== undefined,
  )
  if (given !== undefined)
    throw new UsageError(`--${given} says what an .onnx file means; a model folder says it itself.`)
  const { maxDifference } = await withComputeProcess(options, output, (compute, signal) =>
    compute.call('exportNetwork', { modelDir: resolve(input), file: resolve(out) }, { signal }),
  )
  output.data({ output: out, checked: true, maxDifference })
  output.text(`${out} is written; run again, it differs from the model by at most ${maxDifference.toExponential(1)}`)
}

async function importModel(input: string, out: string, options: ConvertModelOptions, output: Output): Promise<void> {
  const file = resolve(input)
  const outDir = resolve(out)
  if (existsSync(outDir))
    throw new CodedError('conflict', `${out} exists already; give a folder that does not exist yet.`)
  const asked = readOptions(options)
  await withComputeProcess(options, output, async (compute, signal) => {
    const facts = await compute.call('inspectNetwork', { file }, { signal })
    const meaning = meaningOf(facts, asked, networkName(basename(input)))
    const { card, maxDifference } = await compute.call(
      'importNetwork',
      {
        ...{ file, facts, outDir, meaning },
        modelId: randomUUID(),
        createdAt: new Date().toISOString(),
        values: valuesOf(meaning, facts),
      },
      { signal },
    )
    output.data({ output: out, checked: true, maxDifference })
    const labels = card.labels.map(({ value, name }) => `${value} ${name}`).join(', ')
    output.text(`${out} is written, for prediction; it cannot be trained further`)
    output.text(`input    ${facts.inputChannels === 3 ? 'colour' : 'grey'}, ${describeInput(card.input)}`)
    output.text(`labels   ${labels}`)
    for (const remark of facts.remarks) output.text(`note     ${remark}`)
    if (asked.input === null && facts.stated.input === undefined) {
      output.note(
        'note: how it takes intensities is assumed; say it by --input, --mean and --deviation where it is not so',
      )
    }
  })
}

/** Those of the model that the file was made of, where it says so; else 1, 2, 3. */
function valuesOf({ classes }: NetworkMeaning, { stated }: NetworkFacts): number[] {
  const known = stated.labels ?? []
  const values = classes.map((name) => known.find((label) => label.name === name)?.value ?? 0)
  return known.length === classes.length && new Set(values).size === classes.length && !values.includes(0)
    ? values
    : classes.map((_, at) => at + 1)
}

interface Asked {
  readonly name: string | null
  readonly classes: string[] | null
  readonly normalization: NetworkInput['normalization'] | null
  readonly standardize: NetworkInput['standardize'] | null
  /** Anything of it. */
  readonly input: true | null
  readonly spacing: NetworkMeaning['spacing']
}

function readOptions({ name, labels, input, mean, deviation, spacing }: ConvertModelOptions): Asked {
  if (name !== undefined && !networkMeaningSchema.shape.name.safeParse(name).success) {
    throw new UsageError('--name must be a name of 1 to 200 characters.')
  }
  const classes = labels === undefined ? null : labels.split(',').map((label) => label.trim())
  if (classes !== null) checkLabels(classes)
  const normalization = input === undefined ? null : normalizationOf(input)
  const standardize =
    mean === undefined && deviation === undefined
      ? null
      : { mean: numbers('--mean', mean ?? '0', 3), deviation: numbers('--deviation', deviation ?? '1', 3) }
  if (standardize?.deviation.some((each) => each <= 0) === true) throw new UsageError('--deviation must be positive.')
  const stated = normalization !== null || standardize !== null ? true : null
  return { name: name ?? null, classes, normalization, standardize, input: stated, spacing: spacingOf(spacing) }
}

function checkLabels(classes: readonly string[]): void {
  if (!networkMeaningSchema.shape.classes.safeParse(classes).success) {
    throw new UsageError('--labels must be names of 1 to 80 characters, separated by commas.')
  }
  const names = classes.map((label) => label.toLowerCase())
  const twice = classes.find((_, at) => names.indexOf(names[at] ?? '') !== at)
  if (twice !== undefined) throw new UsageError(`--labels names "${twice}" twice; give each class a name of its own.`)
}

/** percentile, zscore, none, or window:FROM,TO. */
function normalizationOf(text: string): NetworkInput['normalization'] {
  if (text === 'percentile') return PERCENTILE_INPUT.normalization
  if (text === 'zscore') return { kind: 'zscore', over: 'slice' }
  if (text === 'none') return { kind: 'none' }
  const [from, to, ...more] = text.startsWith('window:') ? numbers('--input', text.slice(7), 2) : []
  if (from === undefined || to === undefined || more.length > 0 || to <= from) {
    throw new UsageError('--input must be percentile, zscore, none or window:FROM,TO, such as window:0,255.')
  }
  return { kind: 'window', from, to }
}

function spacingOf(text: string | undefined): NetworkMeaning['spacing'] {
  if (text === undefined) return null
  const [columns, rows, slices = null] = numbers('--spacing', text, 3)
  if (columns === undefined || rows === undefined || columns <= 0 || rows <= 0 || (slices !== null && slices <= 0)) {
    throw new UsageError('--spacing must be two or three positive numbers of mm, such as 0.8,0.8,3.')
  }
  return { inPlane: [columns, rows], slices }
}

function numbers(option: string, text: string, most: number): number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)))
  if (values.some((value) => !Number.isFinite(value)) || values.length > most) {
    throw new UsageError(`${option} must be at most ${most} numbers, separated by commas.`)
  }
  return values
}

/** What the options say, else the file, else what most networks are. */
function meaningOf(facts: NetworkFacts, asked: Asked, fileName: string): NetworkMeaning {
  const { stated, inputChannels } = facts
  const counts = classCounts(facts.use)
  const classes =
    asked.classes ?? stated.classes ?? Array.from({ length: counts[0] ?? 1 }, (_, at) => `Class ${at + 1}`)
  if (!counts.includes(classes.length)) {
    throw new UsageError(
      `The network tells ${counts.join(' or ')} classes apart beside the background, and ${classes.length} are named; name them by --labels.`,
    )
  }
  const known = stated.input ?? {
    ...PERCENTILE_INPUT,
    ...(inputChannels === 3 ? { colour: { kind: 'rgb' as const } } : {}),
  }
  const standardize = asked.standardize ?? (asked.normalization === null ? known.standardize : undefined)
  return {
    name: asked.name ?? stated.name ?? fileName,
    classes,
    input: {
      colour: known.colour,
      normalization: asked.normalization ?? known.normalization,
      ...(standardize === undefined ? {} : { standardize }),
    },
    spacing: asked.spacing ?? stated.spacing ?? null,
  }
}
