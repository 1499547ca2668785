import { z } from 'zod'
import { recipeSettingsSchema, type RecipeSettings } from '../../../../core/contract/recipes.ts'

/** Single settings stand with what they go with. */
const sectionOf: Readonly<Record<string, string>> = { labels: 'split', planes: 'split' }

/** How one setting is shown and typed. */
export type SettingControl =
  | { readonly kind: 'switch' }
  /** A group of settings that can be left out as a whole. */
  | { readonly kind: 'group' }
  | { readonly kind: 'choice'; readonly options: readonly string[] }
  /** Several of a few. */
  | { readonly kind: 'choices'; readonly options: readonly string[] }
  | {
      readonly kind: 'number'
      readonly integer: boolean
      readonly min: number | null
      readonly max: number | null
      /** The lowest value is itself too low. */
      readonly aboveMin: boolean
      readonly empty: boolean
    }
  /** From … to …. */
  | { readonly kind: 'range' }
  /** Whole numbers, or none: all. */
  | { readonly kind: 'numbers' }
  | { readonly kind: 'text' }

export interface SettingRow {
  /** Dotted, as on the command line: `optimizer.rate`. */
  readonly path: string
  /** The first part of the path, for most. */
  readonly section: string
  /** Rows below a group or a choice stand further in. */
  readonly depth: number
  readonly control: SettingControl
  readonly value: unknown
}

/** The parts of JSON Schema that the settings come out as. */
interface Shape {
  readonly type?: string | readonly string[]
  readonly enum?: readonly string[]
  readonly const?: string
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly properties?: Readonly<Record<string, Shape>>
  readonly anyOf?: readonly Shape[]
  readonly oneOf?: readonly Shape[]
  readonly items?: Shape | false
  readonly prefixItems?: readonly Shape[]
}

/** Whole numbers of the schema without a bound have this one. */
const noBound = Number.MAX_SAFE_INTEGER

const shape = z.toJSONSchema(recipeSettingsSchema) as Shape

/** What stands there when a group or a kind is chosen that was not there before; the schema adds its own defaults. */
const beginnings: Readonly<Record<string, unknown>> = {
  'loss.weightMap': { w0: 10, sigma: 5 },
  'augmentation.elastic': { grid: 3, sigma: 10, share: 0.5 },
  instances: { kind: 'distance' },
  'input.normalization.window': { kind: 'window', from: 0, to: 255 },
  'input.resize.factor': { kind: 'factor', factor: 0.5 },
  'input.resize.fit': { kind: 'fit', width: 256, height: 256 },
}

/** Settings that count only together with others: no row where they do nothing. */
const counts: Readonly<Record<string, (settings: RecipeSettings) => boolean>> = {
  'loss.crossEntropy': ({ loss }) => loss.kind.endsWith('dice-cross-entropy'),
  'loss.alpha': ({ loss }) => loss.kind.endsWith('tversky'),
  'loss.beta': ({ loss }) => loss.kind.endsWith('tversky'),
  'loss.gamma': ({ loss }) => loss.kind.startsWith('focal'),
  'optimizer.momentum': ({ optimizer }) => optimizer.kind === 'sgd',
  'optimizer.decay': ({ optimizer }) => optimizer.kind === 'adamw',
  'optimizer.patience': ({ optimizer }) => optimizer.schedule === 'plateau',
  'optimizer.factor': ({ optimizer }) => optimizer.schedule === 'plateau',
  // A folder: a page names none; the command line does.
  'model.encoder': () => false,
  'augmentation.stain': ({ input }) => input.colour === 'rgb',
  'inference.threshold': ({ loss }) => loss.output !== 'softmax',
  'instances.border': ({ instances }) => instances?.kind === 'border',
}

/** Every setting that does something, in the order of the schema. */
export function settingRows(settings: RecipeSettings): SettingRow[] {
  const rows: SettingRow[] = []
  walk(shape, settings, '', 0)
  return rows.filter(({ path }) => counts[path]?.(settings) ?? true)

  function walk(at: Shape, value: unknown, path: string, depth: number): void {
    const { part, nullable } = withoutNull(at)
    if (part.oneOf !== undefined) {
      const kind = memberOf(value, 'kind')
      push(`${path}.kind`, depth, { kind: 'choice', options: part.oneOf.flatMap(kindsOf) }, kind)
      const chosen = part.oneOf.find((one) => kindsOf(one).includes(String(kind)))
      members(chosen, value, path, depth + 1, ['kind'])
    } else if (part.properties !== undefined) {
      if (nullable) push(path, depth, { kind: 'group' }, value !== null)
      if (value !== null) members(part, value, path, nullable ? depth + 1 : depth)
    } else push(path, depth, controlOf(part, nullable), value)
  }

  function members(at: Shape | undefined, value: unknown, path: string, depth: number, but: string[] = []): void {
    for (const [name, part] of Object.entries(at?.properties ?? {})) {
      if (!but.includes(name)) walk(part, memberOf(value, name), path === '' ? name : `${path}.${name}`, depth)
    }
  }

  function push(path: string, depth: number, control: SettingControl, value: unknown): void {
    const [first = path] = path.split('.')
    rows.push({ path, section: sectionOf[first] ?? first, depth, control, value })
  }
}

/** The sections in the order in which they are shown, each with its rows. */
export function settingSections(settings: RecipeSettings): { section: string; rows: SettingRow[] }[] {
  const all = settingRows(settings)
  return [...new Set(all.map(({ section }) => section))].map((section) => ({
    section,
    rows: all.filter((row) => row.section === section),
  }))
}

/** The settings with one of them changed; null where the whole would not be valid. */
export function withSetting(settings: RecipeSettings, row: SettingRow, value: unknown): RecipeSettings | null {
  const changed: unknown = structuredClone(settings)
  const { path, control } = row
  const kind = path.endsWith('.kind') ? path.slice(0, -'.kind'.length) : null
  const begun = kind === null ? undefined : beginnings[`${kind}.${String(value)}`]
  const variant = kind !== null && isVariant(kind)
  if (control.kind === 'group') put(changed, path, value === true ? (beginnings[path] ?? {}) : null)
  else if (variant) put(changed, kind, begun ?? { kind: value })
  else put(changed, path, value)
  const read = recipeSettingsSchema.safeParse(changed)
  return read.success ? read.data : null
}

/** The value at a dotted path; undefined where it is not there. */
export function settingAt(settings: RecipeSettings, path: string): unknown {
  return path.split('.').reduce<unknown>((at, name) => memberOf(at, name), settings)
}

/** The dotted paths of the rows that differ; a group that is off on one side is one difference. */
export function changedSettings(settings: RecipeSettings, from: RecipeSettings): string[] {
  return settingRows(settings)
    .filter(({ path, control }) => {
      const [one, other] = [settingAt(settings, path), settingAt(from, path)]
      if (control.kind === 'group') return (one === null) !== (other === null)
      return JSON.stringify(one) !== JSON.stringify(other)
    })
    .map(({ path }) => path)
}

/** Is the object at the path one of several kinds with members of their own? */
function isVariant(path: string): boolean {
  let at: Shape | undefined = shape
  for (const name of path.split('.')) at = at === undefined ? undefined : withoutNull(at).part.properties?.[name]
  return at !== undefined && withoutNull(at).part.oneOf !== undefined
}

function controlOf(part: Shape, nullable: boolean): SettingControl {
  const types = typeof part.type === 'string' ? [part.type] : (part.type ?? [])
  if (part.enum !== undefined) return { kind: 'choice', options: part.enum }
  if (types.includes('boolean')) return { kind: 'switch' }
  if (part.prefixItems !== undefined) return { kind: 'range' }
  if (types.includes('array')) {
    const options = part.items === false ? undefined : part.items?.enum
    return options === undefined ? { kind: 'numbers' } : { kind: 'choices', options }
  }
  if (types.includes('integer') || types.includes('number')) {
    const { minimum, exclusiveMinimum, maximum } = part
    const min = minimum ?? exclusiveMinimum ?? null
    return {
      kind: 'number',
      integer: types.includes('integer'),
      min: min === null || min <= -noBound ? null : min,
      max: maximum === undefined || maximum >= noBound ? null : maximum,
      aboveMin: exclusiveMinimum !== undefined,
      empty: nullable || types.includes('null'),
    }
  }
  return { kind: 'text' }
}

function withoutNull(at: Shape): { part: Shape; nullable: boolean } {
  const parts = at.anyOf?.filter(({ type }) => type !== 'null')
  return { part: parts?.[0] ?? at, nullable: parts !== undefined && parts.length < (at.anyOf?.length ?? 0) }
}

function kindsOf(variant: Shape): string[] {
  const kind = variant.properties?.kind
  return [...(kind?.enum ?? []), ...(kind?.const === undefined ? [] : [kind.const])]
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}

function put(value: unknown, path: string, member: unknown): void {
  const names = path.split('.')
  const last = names.pop() ?? path
  const at = names.reduce<unknown>((one, name) => memberOf(one, name), value)
  if (typeof at === 'object' && at !== null) (at as Record<string, unknown>)[last] = member
}
