import { CodedError } from '../../core/contract/errors.ts'
import type { Handlers } from '../../core/contract/methods.ts'
import { readRecipes } from '../host/recipes.ts'
import type { Creator } from '../recipes/creator.ts'
import { readFigure, readReport, saveReport } from '../recipes/reports.ts'
import type { Services } from '../services.ts'

export interface RecipeParts extends Services {
  readonly creator: Creator
}

type RecipeHandlers = {
  [
    M in keyof Handlers as M extends
      `recipes.${string}` | 'project.open' | 'project.recent' | 'models.report' | 'models.figure' | 'models.saveReport'
      ? M
      : never
  ]: Handlers[M]
}

/** Recipes: projects that are made from them, trainings by them, and their reports. */
export function recipeHandlers(services: RecipeParts): RecipeHandlers {
  const { choices, checks, creator, recipeTrainer, files } = services
  return {
    'project.open': async () => {
      throw new CodedError('unknown-method', 'This shell cannot open another project; start Maskwright with it.')
    },
    'project.recent': async () => [],
    'models.report': ({ modelId }) => readReport(services, modelId),
    'models.figure': ({ modelId, file }) => readFigure(services, modelId, file),
    'models.saveReport': ({ modelId, fileId }) =>
      saveReport(services, modelId, fileId === null ? null : files.path(fileId, 'save')),
    'recipes.list': async () => readRecipes(),
    'recipes.state': async () => ({ project: choices.project(), training: recipeTrainer.state() }),
    'recipes.check': async ({ thumbnails, ...choice }, context) =>
      checks.start(choices.order(choice), thumbnails, [context]),
    'recipes.found': async ({ jobId }) => checks.found(jobId),
    'recipes.sheet': ({ rows, columns, ...choice }, { signal }) =>
      checks.sheet(choices.order(choice), rows, columns, signal),
    'recipes.create': async ({ parentId, name, ...choice }, context) => {
      const order = choices.order(choice)
      const dir = creator.target(files.path(parentId, 'open'), name, order.dataDir)
      // It is a folder as soon as it is there.
      const folder = { ...files.register(dir, 'open'), kind: 'folder' as const }
      return { job: creator.start(order, dir, [context]), folder }
    },
    'recipes.train': async ({ replace, ...choice }, context) =>
      recipeTrainer.start(choices.order(choice), replace, [context]),
    'recipes.resume': async ({ folderId }, context) =>
      recipeTrainer.resume(folderId === null ? null : choices.folder(folderId), [context]),
    'recipes.discard': async () => {
      recipeTrainer.discard()
      return {}
    },
  }
}
