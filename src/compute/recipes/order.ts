import type { z } from 'zod'
import type { ComputeMethods } from '../../core/contract/compute.ts'
import type { Runtime } from '../runtime/start.ts'

/** What a training by a recipe is asked for. */
export type TrainRecipeOrder = z.output<ComputeMethods['trainRecipe']['params']>

/** On what it runs. */
export type Machine = Pick<Runtime, 'backend' | 'threads' | 'device' | 'versions'>
