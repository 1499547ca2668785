import { modelCard } from './card.ts'
import { learnedData, learnedSpacing } from './learnedData.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { CardFacts } from './card.ts'
import type { ModelCard, TrainingSample } from '../../core/contract/compute.ts'

/** What a training was asked for. */
export interface TrainingOrder {
  readonly identity: Pick<ModelCard, 'id' | 'parentId' | 'name' | 'createdAt' | 'labels'>
  /** 'interactive', 'live', 'finetune', 'demo', or the name of a recipe. */
  readonly recipe: string
  readonly samples: readonly TrainingSample[]
  /** Instead of what the samples say, where there were others too. */
  readonly learned?: Required<Pick<ModelCard, 'data' | 'spacing'>>
}

/** What came out of it. */
interface Trained extends Pick<ModelCard, 'architecture'> {
  readonly network: LayersModel
  readonly training: NonNullable<ModelCard['training']>
  readonly batch?: number
  readonly patch?: number
  readonly recipeUse?: NonNullable<CardFacts['recipeUse']>
}

/** On what it ran. */
export interface Machine {
  readonly threads: number
  /** The graphics card or processor. */
  readonly device: string | null
  readonly versions: Readonly<Record<string, string>>
}

/** The card of a model that was just trained, with every fact that is known here; saveModel adds the checksums. */
export async function trainedCard(
  { identity, recipe, samples, learned }: TrainingOrder,
  trained: Trained,
  { threads, device, versions }: Machine,
): Promise<ModelCard> {
  return modelCard(identity, trained, {
    spacing: learned === undefined ? learnedSpacing(samples) : learned.spacing,
    recipe,
    data: learned === undefined ? await learnedData(samples) : learned.data,
    run: { device, threads, batch: trained.batch ?? null, patch: trained.patch ?? null },
    versions: { ...versions },
    ...(trained.recipeUse === undefined ? {} : { recipeUse: trained.recipeUse }),
  })
}
