import { augmentationSheet, checkData } from '../data/index.ts'
import { preparationProgress } from './pacer.ts'
import { trainRecipe } from './trainRecipe.ts'
import type { Runtime } from '../runtime/start.ts'
import type { ComputeHandlers } from '../server.ts'

type RecipeHandlers = Pick<ComputeHandlers, 'checkData' | 'augmentationSheet' | 'trainRecipe'>

/** The methods that work on recipes. Only what computes with tensors waits for the backend. */
export function createRecipeHandlers(runtime: Promise<Runtime>): RecipeHandlers {
  return {
    async checkData(order, { signal, onProgress }) {
      const report = await checkData(order, { signal, onProgress: preparationProgress(onProgress) })
      return { ...report, thumbnails: report.thumbnails.map(({ id, png }) => ({ id, png: new Uint8Array(png) })) }
    },
    async augmentationSheet(order, { signal, onProgress }) {
      const png = await augmentationSheet(order, { signal, onProgress: preparationProgress(onProgress) })
      return { png: new Uint8Array(png) }
    },
    async trainRecipe(order, call) {
      return await trainRecipe(order, await runtime, call)
    },
  }
}
