import { recipeNamed } from '../backend/host/recipes.ts'
import { CodedError } from '../core/contract/errors.ts'
import type { Recipe } from '../core/contract/recipes.ts'
import { UsageError } from './output.ts'

/** What `--recipe` names. Throws UsageError that names the recipes there are. */
export function recipeOf(name: string): Recipe {
  try {
    return recipeNamed(name)
  } catch (error) {
    if (error instanceof CodedError && error.code === 'bad-request') throw new UsageError(error.message)
    throw error
  }
}
