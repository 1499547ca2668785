import { findCases, spreadOver } from './layouts/index.ts'
import { thumbnailOf } from './thumbnail.ts'
import { lookThrough } from './lookThrough.ts'
import type { RecipeOrder } from '../../core/contract/compute.ts'
import type { DataReport } from '../../core/contract/recipes.ts'
import type { SurveyOptions } from './survey.ts'

/**
 * Looks through the data of an order as a training would, with pictures of so many cases, spread evenly over all. Throws as
 * lookThrough.
 */
export async function checkData(
  order: RecipeOrder & { readonly thumbnails: number },
  options: Pick<SurveyOptions, 'signal' | 'onProgress'> = {},
): Promise<DataReport> {
  const pictures = new Map<string, Uint8Array<ArrayBuffer>>()
  let wanted = new Set<string>()
  if (order.thumbnails > 0) {
    const { cases } = await findCases(order.recipe, order.dataDir)
    wanted = new Set(spreadOver(spreadOver(cases, order.limit), order.thumbnails).map(({ id }) => id))
  }
  const { report } = await lookThrough(order, {
    ...options,
    async visit({ id }, image, truth) {
      if (wanted.has(id)) pictures.set(id, await thumbnailOf(image, truth))
    },
  })
  return { ...report, thumbnails: [...pictures].map(([id, png]) => ({ id, png })) }
}
