import { existsSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import { CodedError } from '../../core/contract/errors.ts'
import { projectRecipeSchema, type ProjectRecipe, type RecipeChoice } from '../../core/contract/projectRecipe.ts'
import type { FileRegistry } from '../files/registry.ts'
import { recipeNamed } from '../host/recipes.ts'
import type { Project } from '../project/project.ts'
import type { Settings } from '../project/settings.ts'

const KEY = '.recipe'
const storedSchema = projectRecipeSchema.omit({ dataPath: true, missing: true }).extend({ dataDir: z.string() })

/** Writes into the project what it is made from. */
export function keepChoice(settings: Settings, project: Project, order: RecipeOrder): void {
  const { recipe, preset, settings: chosen, limit, seed, dataDir } = order
  settings.set(KEY, {
    recipe: recipe.name,
    preset,
    settings: chosen,
    limit,
    seed,
    dataDir: project.storedPath(dataDir),
  })
}

export interface ChoiceParts {
  readonly project: Project
  readonly settings: Settings
  readonly files: FileRegistry
}

/** What the project was made from, and what a choice of the page means as an order to compute. */
export class Choices {
  readonly #parts: ChoiceParts

  constructor(parts: ChoiceParts) {
    this.#parts = parts
  }

  /** Of the project; null where it was not made from a recipe. */
  project(): ProjectRecipe | null {
    const stored = this.#stored()
    if (stored === null) return null
    const { dataDir, ...choice } = stored
    const dataPath = this.#parts.project.resolvedPath(dataDir)
    return { ...choice, dataPath, missing: !existsSync(dataPath) }
  }

  /** Is the project made from this recipe? Then its labels mean what the recipe's do, whatever they are called by now. */
  isFrom(recipe: string): boolean {
    return this.#stored()?.recipe === recipe
  }

  /** From now on this is what the project is made from. */
  keep(order: RecipeOrder): void {
    const { settings, project } = this.#parts
    keepChoice(settings, project, order)
  }

  /**
   * Throws CodedError: `bad-request` for a recipe that is none, settings that name a path, a file instead of a folder, or no folder at all,
   * `not-found` for a folder id that is not known any more, `file-missing` where the folder is gone.
   */
  order({ folderId, recipe, preset, settings, limit, seed }: RecipeChoice): RecipeOrder {
    if (settings.model.encoder !== null) {
      throw new CodedError(
        'bad-request',
        'A pretrained encoder is a folder, which only the command line can name; train with --set model.encoder=FOLDER.',
      )
    }
    return { recipe: recipeNamed(recipe), preset, settings, limit, seed, dataDir: this.folder(folderId) }
  }

  /** The folder of an id, else that of the project. Throws as `order` does. */
  folder(folderId: string | null): string {
    const stored = this.project()
    if (folderId === null && stored === null) {
      throw new CodedError('bad-request', 'This project was not made from a recipe; choose the folder of the data.')
    }
    const path = folderId === null ? (stored?.dataPath ?? '') : this.#parts.files.path(folderId, 'open')
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) {
      throw new CodedError('file-missing', `The folder "${basename(path)}" is not where it was; choose it again.`, {
        detail: path,
      })
    }
    if (!found.isDirectory()) {
      throw new CodedError('bad-request', `"${basename(path)}" is a file; choose the folder that it lies in.`)
    }
    return path
  }

  #stored(): z.infer<typeof storedSchema> | null {
    const stored = storedSchema.safeParse(this.#parts.settings.get(KEY))
    return stored.success ? stored.data : null
  }
}
