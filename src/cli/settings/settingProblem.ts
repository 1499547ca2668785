import type { z } from 'zod'

/** A setting as it was given: `--set NAME=TEXT`. */
export interface Pair {
  readonly name: string
  readonly text: string
}

type Issue = z.core.$ZodIssue

/** One sentence of the first thing that is wrong: which setting, what it must be, and what was given. */
export function settingProblem(error: z.ZodError, values: unknown, pairs: readonly Pair[]): string {
  const [issue] = error.issues
  if (issue === undefined) return 'The settings do not go together.'
  const keys = issue.path.map(String)
  // Of a list the setting is named, and the value in it that is wrong.
  const inList = typeof issue.path.at(-1) === 'number'
  const setting = (inList ? keys.slice(0, -1) : keys).join('.')
  const given = valueAt(values, keys)
  if (given === undefined) return missing(setting, pairs)
  const must = requirement(issue)
  const shown = typeof given === 'number' ? String(given) : JSON.stringify(given)
  if (must === null) return `${setting} cannot be ${shown}: ${issue.message}.`
  return `${inList ? `Each value of ${setting}` : setting} must ${must}, not ${shown}.`
}

/** What a setting must do that does not; null: the issue says so itself. */
function requirement(issue: Issue): string | null {
  switch (issue.code) {
    case 'invalid_type':
      return `be ${EXPECTED[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `be ${oneOf(issue.values.map(String))}`
    case 'invalid_union':
      // Kinds of a group, each with settings of its own.
      return 'options' in issue ? `be ${oneOf(issue.options.map(String))}` : null
    case 'too_small':
      if (issue.origin === 'array') return `have at least ${counted(Number(issue.minimum))}`
      return issue.inclusive === true ? `be at least ${issue.minimum}` : `be above ${issue.minimum}`
    case 'too_big':
      if (issue.origin === 'array') return `have at most ${counted(Number(issue.maximum))}`
      return issue.inclusive === true ? `be at most ${issue.maximum}` : `be below ${issue.maximum}`
    default:
      return null
  }
}

const EXPECTED: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  string: 'text',
  array: 'a list, separated by commas',
  tuple: 'two numbers, separated by a comma',
  object: 'a group of settings',
}

/** A setting that another one asks for, such as the limits of a window. */
function missing(setting: string, pairs: readonly Pair[]): string {
  const group = setting.slice(0, setting.lastIndexOf('.'))
  const cause = pairs.findLast(({ name }) => name === group || name.startsWith(`${group}.`))
  const because = cause === undefined ? '' : ` with ${cause.name}=${cause.text}`
  return `${setting} is needed${because}; give it as well: --set ${setting}=VALUE.`
}

function valueAt(values: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined,
    values,
  )
}

function oneOf(words: readonly string[]): string {
  const last = words.at(-1) ?? ''
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${last}` : last
}

function counted(values: number): string {
  return `${values} ${values === 1 ? 'value' : 'values, separated by commas'}`
}
