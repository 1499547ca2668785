import { CodedError } from '../../core/contract/errors.ts'
import type { Handlers } from '../../core/contract/methods.ts'
import { readRecipes } from '../host/recipes.ts'
import type { Services } from '../services.ts'

type RecipeHandlers = Pick<
  Handlers,
  | 'project.open'
  | 'project.recent'
  | 'models.report'
  | 'models.figure'
  | 'models.saveReport'
  | 'recipes.list'
  | 'recipes.state'
  | 'recipes.check'
  | 'recipes.found'
  | 'recipes.sheet'
  | 'recipes.create'
  | 'recipes.train'
  | 'recipes.resume'
  | 'recipes.discard'
>

/** Recipes: projects that are made from them, trainings by them, and their reports. */
export function recipeHandlers(_services: Services): RecipeHandlers {
  const missing = async (): Promise<never> => {
    throw new CodedError('unknown-method', 'This shell cannot do this yet.')
  }
  return {
    'project.open': missing,
    'project.recent': async () => [],
    'models.report': missing,
    'models.figure': missing,
    'models.saveReport': missing,
    'recipes.list': async () => readRecipes(),
    'recipes.state': async () => ({ project: null, training: null }),
    'recipes.check': missing,
    'recipes.found': missing,
    'recipes.sheet': missing,
    'recipes.create': missing,
    'recipes.train': missing,
    'recipes.resume': missing,
    'recipes.discard': missing,
  }
}
