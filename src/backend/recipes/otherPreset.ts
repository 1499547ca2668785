import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import { recipeSettingsSchema } from '../../core/contract/recipes.ts'
import type { Models } from '../models/models.ts'
import { parsed } from './parsed.ts'

/** `settings.json` of a model folder, as far as it says which cases were held out. */
const madeBySchema = z.object({
  recipe: z.string(),
  preset: z.string(),
  settings: recipeSettingsSchema.pick({ split: true, labels: true }),
  limit: z.int().nullable(),
  seed: z.int(),
})

/**
 * The folder of the newest version that the other preset of the recipe made of data parted in the same way, which the report
 * can show beside a new one; null where there is none.
 */
export async function otherPreset(models: Models, order: RecipeOrder): Promise<string | null> {
  const wanted = partedBy(order)
  for (const { version, report } of models.list().reverse()) {
    if (report !== true) continue
    const dir = models.dirOf(version)
    const text = await readFile(join(dir, 'settings.json'), 'utf8').catch(() => '')
    const made = madeBySchema.safeParse(parsed(text))
    if (!made.success || made.data.recipe !== order.recipe.name || made.data.preset === order.preset) continue
    if (partedBy(made.data) === wanted) return dir
  }
  return null
}

function partedBy({
  settings,
  limit,
  seed,
}: Pick<z.infer<typeof madeBySchema>, 'settings' | 'limit' | 'seed'>): string {
  const { by, holdout, validation } = settings.split
  // Held out is drawn first: how many of the others validate matters only where those are what is scored.
  return JSON.stringify([by, holdout, holdout === 0 ? validation : null, settings.labels, limit, seed])
}
