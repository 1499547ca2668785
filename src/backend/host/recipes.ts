import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CodedError } from '../../core/contract/errors.ts'
import { recipeSchema } from '../../core/contract/recipes.ts'
import type { Recipe } from '../../core/contract/recipes.ts'
import { findPlaces } from './places.ts'

/** The recipes that come with the workstation, by name. Throws CodedError('internal') that names a file that is none. */
export function readRecipes(root = findPlaces().root): Recipe[] {
  const folder = join(root, 'resources', 'recipes')
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return files.sort().map((name) => readRecipe(join(folder, name)))
}

function readRecipe(file: string): Recipe {
  const content: unknown = JSON.parse(readFileSync(file, 'utf8'))
  const recipe = recipeSchema.safeParse(content)
  if (recipe.success) return recipe.data
  throw new CodedError('internal', `${file} is no recipe; install Maskwright again.`, { detail: recipe.error.message })
}

/** Throws CodedError('bad-request') that names the recipes there are. */
export function recipeNamed(name: string, recipes: readonly Recipe[] = readRecipes()): Recipe {
  const recipe = recipes.find((each) => each.name === name)
  if (recipe !== undefined) return recipe
  const known = recipes.map((each) => each.name).join(', ')
  throw new CodedError('bad-request', `There is no recipe "${name}"; choose one of ${known}.`)
}
