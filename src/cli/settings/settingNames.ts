import { z } from 'zod'
import { recipeSettingsSchema } from '../../core/contract/recipes.ts'

/** JSON Schema, as far as it is looked at here. */
interface Node {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
  readonly items?: Node | false
  readonly enum?: readonly unknown[]
}

/** A setting that can be given by its dotted name. */
export interface Setting {
  readonly name: string
  /** A list of values: on the command line separated by commas. */
  readonly list: boolean
}

let known: readonly Setting[] | null = null

/** All settings of recipes, in the order of the contract: groups, then their leaves. */
export function recipeSettingNames(): readonly Setting[] {
  known ??= leavesOf(z.toJSONSchema(recipeSettingsSchema, { io: 'input' }) as Node, '')
  return known
}

function leavesOf(node: Node, name: string): Setting[] {
  const forms = [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((each) => [
    each,
    ...(each.anyOf ?? []),
    ...(each.oneOf ?? []),
  ])
  const found = new Map<string, Setting>()
  for (const { properties } of forms) {
    for (const [key, child] of Object.entries(properties ?? {})) {
      for (const leaf of leavesOf(child, name === '' ? key : `${name}.${key}`)) found.set(leaf.name, leaf)
    }
  }
  if (found.size > 0) return [...found.values()]
  return [{ name, list: forms.some(({ type }) => type === 'array') }]
}
