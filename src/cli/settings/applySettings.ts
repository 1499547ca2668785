import type { z } from 'zod'
import { recipeSettingsSchema, type Recipe, type RecipeSettings } from '../../core/contract/recipes.ts'
import { UsageError } from '../output.ts'
import { recipeSettingNames } from './settingNames.ts'
import { settingProblem, type Pair } from './settingProblem.ts'

export interface ChosenSettings {
  readonly preset: 'best' | 'article'
  readonly settings: RecipeSettings
}

type Values = Record<string, unknown>

/**
 * The settings of a recipe with what `--set KEY=VALUE` changes, in order; `preset=article` chooses what is changed. Values are
 * JSON, or plain words; lists may also be separated by commas. Throws UsageError that names the setting and what is known.
 */
export function applySettings(recipe: Recipe, given: readonly string[]): ChosenSettings {
  const pairs = given.map(parsePair)
  const presets = pairs.filter(({ name }) => name === 'preset')
  const preset = presetOf(presets.at(-1)?.text ?? 'best')
  const changes = pairs.filter(({ name }) => name !== 'preset')
  return { preset, settings: changed(recipe.presets[preset], changes, recipeSettingsSchema) }
}

const predictionSchema = recipeSettingsSchema.pick({ inference: true, instances: true })
export type PredictionSettings = z.infer<typeof predictionSchema>

/** The same for what a prediction takes: settings of `inference` and `instances` alone. */
export function applyPredictionSettings(from: PredictionSettings, given: readonly string[]): PredictionSettings {
  const pairs = given.map(parsePair)
  const other = pairs.find(({ name }) => !/^(inference|instances)(\.|$)/.test(name))
  if (other !== undefined) {
    throw new UsageError(
      `--set ${other.name} is a matter of training; a prediction takes those of inference and instances.`,
    )
  }
  return changed(from, pairs, predictionSchema)
}

function changed<T>(from: Readonly<Values>, pairs: readonly Pair[], schema: z.ZodType<T>): T {
  const values = structuredClone<Values>(from)
  for (const pair of pairs) change(values, pair)
  const settings = schema.safeParse(values)
  if (settings.success) return settings.data
  throw new UsageError(settingProblem(settings.error, values, pairs))
}

function parsePair(given: string): Pair {
  const at = given.indexOf('=')
  if (at < 1) throw new UsageError(`--set ${given} is not KEY=VALUE, such as training.epochs=20.`)
  return { name: given.slice(0, at).trim(), text: given.slice(at + 1).trim() }
}

function presetOf(text: string): 'best' | 'article' {
  if (text === 'best' || text === 'article') return text
  throw new UsageError(`There is no preset "${text}"; choose best or article.`)
}

function change(values: Values, { name, text }: Pair): void {
  const setting = recipeSettingNames().find((each) => each.name === name)
  const group = recipeSettingNames().some((each) => each.name.startsWith(`${name}.`))
  if (setting === undefined && !group) throw new UsageError(unknown(name))
  const value = parseValue(text, setting?.list === true)
  if (group && (typeof value !== 'object' || Array.isArray(value))) {
    throw new UsageError(`${name} is a group of settings: give one of them, null, or an object as JSON.`)
  }
  const path = name.split('.')
  const last = path.pop() ?? name
  let place = values
  for (const part of path) {
    const next = place[part]
    const inside: Values = isValues(next) ? next : {}
    place[part] = inside
    place = inside
  }
  place[last] = value
}

function parseValue(text: string, list: boolean): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return list && value !== null && !Array.isArray(value) ? [value] : value
  } catch {
    if (!list) return text
    return text.split(',').map((each) => parseValue(each.trim(), false))
  }
}

/** Names the settings of the same group, or else the groups. */
function unknown(name: string): string {
  const names = recipeSettingNames().map((each) => each.name)
  const group = name.split('.', 1).join('')
  const near = names.filter((each) => each.startsWith(`${group}.`))
  const groups = [...new Set(names.map((each) => each.split('.', 1).join('')))]
  return near.length > 0
    ? `There is no setting "${name}"; of ${group} there are ${near.join(', ')}.`
    : `There is no setting "${name}"; they begin with ${groups.join(', ')}, or are preset.`
}

function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
