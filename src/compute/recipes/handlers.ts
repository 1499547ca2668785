import { CodedError } from '../../core/contract/errors.ts'
import { trainRecipe } from './trainRecipe.ts'
import type { Runtime } from '../runtime/start.ts'
import type { ComputeHandlers } from '../server.ts'

type RecipeHandlers = Pick<ComputeHandlers, 'checkData' | 'augmentationSheet' | 'trainRecipe'>

/** The methods that work on recipes and files. */
export function createRecipeHandlers(runtime: Promise<Runtime>): RecipeHandlers {
  const missing = async (): Promise<never> => {
    throw new CodedError('unknown-method', 'The compute process cannot do this yet.')
  }
  return {
    checkData: missing,
    augmentationSheet: missing,
    async trainRecipe(order, call) {
      return await trainRecipe(order, await runtime, call)
    },
  }
}
