import { stat } from 'node:fs/promises'
import path from 'node:path'
import { CodedError } from '../../../core/contract/errors.ts'
import { cellTracking } from './cellTracking.ts'
import { listFolder } from './files.ts'
import { liver } from './liver.ts'
import { membrane } from './membrane.ts'
import { nerve } from './nerve.ts'
import { plain } from './plain.ts'
import { stage1 } from './stage1.ts'
import { wbc } from './wbc.ts'
import type { Recipe } from '../../../core/contract/recipes.ts'
import type { FoundCase, FoundData, Layout } from './types.ts'

export type { FoundCase, FoundData, LeftFile } from './types.ts'

const layouts: Record<Recipe['layouts'][number], Layout> = {
  stage1,
  nerve,
  liver,
  membrane,
  'cell-tracking': cellTracking,
  wbc,
}

/**
 * The cases in a folder, by the recipe's layouts in their order and the plain one last: the first that finds any. Throws
 * CodedError('file-missing') where there is no such folder, 'nothing-to-train' where nothing in it pairs.
 */
export async function findCases(recipe: Pick<Recipe, 'layouts'>, dir: string): Promise<FoundData> {
  const found = await stat(dir).catch(() => null)
  if (!found?.isDirectory()) {
    throw new CodedError('file-missing', `${dir} is not a folder that can be read; choose the folder with the data.`)
  }
  // A folder of images and one of masks is never anything else.
  const images = await stat(path.join(dir, 'images')).catch(() => null)
  const order = recipe.layouts.map((name) => layouts[name])
  const tried: Layout[] = images?.isDirectory() ? [plain, ...order] : [...order, plain]
  for (const layout of tried) {
    const data = await layout(dir)
    if (data !== null && data.cases.length > 0) return data
  }
  const alone = await listFolder(path.join(dir, 'images'))
  if (alone.images.length > 0) {
    const count = alone.images.length === 1 ? '1 image' : `${alone.images.length} images`
    throw new CodedError(
      'nothing-to-train',
      `${path.join(dir, 'images')} holds ${count}, none with a mask; put masks of the same names into ${path.join(dir, 'masks')}.`,
    )
  }
  throw new CodedError(
    'nothing-to-train',
    `${dir} holds no image with a mask; put images into ${path.join(dir, 'images')} and masks of the same names into ${path.join(dir, 'masks')}.`,
  )
}

/** At most `limit` cases, spread evenly over those that are there. */
export function spreadOver(cases: readonly FoundCase[], limit: number | null): FoundCase[] {
  if (limit === null || limit >= cases.length) return [...cases]
  return Array.from({ length: limit }, (_, i) => cases[Math.floor((i * cases.length) / limit)]).filter(
    (each) => each !== undefined,
  )
}
