import { modelCard } from '../models/card.ts'
import type { LayersModel } from '@tensorflow/tfjs-layers'
import type { ModelCard } from '../../core/contract/compute.ts'
import type { InferenceSettings } from '../../core/contract/recipes.ts'
import type { OutputMeaning } from './classes.ts'
import type { Machine, TrainRecipeOrder } from './order.ts'
import type { EpochRecord, TrainingStateHeader } from './trainingState.ts'
import type { TrainingData } from './types.ts'

interface Trained {
  readonly order: TrainRecipeOrder
  readonly data: TrainingData
  readonly network: LayersModel
  readonly architecture: ModelCard['architecture']
  readonly meaning: OutputMeaning
  readonly header: TrainingStateHeader
  readonly machine: Machine
}

/** The card of a network that was just trained by a recipe; saveModel adds the checksums. */
export function recipeCard({ order, data, network, architecture, meaning, header, machine }: Trained): ModelCard {
  const { recipe, settings, modelId, name, createdAt, seed } = order
  const { input, loss, instances, training } = settings
  const inference = { ...settings.inference, planes: planesOf(order, data) }
  const { history, best } = header
  const first = history[0]
  const kept = history.find(({ epoch }) => epoch === best?.epoch) ?? history.at(-1)
  const learned = data.slices('train').length
  return modelCard(
    { id: modelId, parentId: null, name, createdAt, labels: data.labels },
    {
      network,
      architecture,
      training: {
        slices: learned,
        steps: history.at(-1)?.steps ?? 0,
        seconds: history.at(-1)?.seconds ?? 0,
        seed,
        backend: machine.backend,
        boundBy: training.seconds !== null && header.done >= 1 ? 'seconds' : 'steps',
        lossBefore: lossOf(first),
        lossAfter: lossOf(kept),
        diceBefore: first?.val.dice ?? 0,
        diceAfter: kept?.val.dice ?? 0,
        curve: history.map((record) => ({ step: record.steps, loss: lossOf(record), dice: record.val.dice ?? 0 })),
      },
    },
    {
      recipeUse: {
        input: data.input,
        handling: { resize: input.resize, output: loss.output, border: meaning.border, inference, instances },
      },
      spacing: data.spacing,
      recipe: recipe.name,
      data: data.data,
      run: {
        device: machine.device.name,
        threads: machine.threads,
        batch: header.batch,
        patch: training.patch,
      },
      versions: { ...machine.versions },
    },
  )
}

/**
 * Planes to predict in. Where slices are parted one plane alone was learned from; where what `training` stands for was not
 * learned from, its place is taken by what was.
 */
function planesOf(
  { settings }: Trained['order'],
  data: Pick<TrainingData, 'cases' | 'slices'>,
): InferenceSettings['planes'] {
  const learned = [...new Set(data.slices('train').map(({ plane }) => plane))]
  const [first = 'training'] = learned
  if (data.cases.some(({ only }) => only !== undefined)) return [first]
  const { planes } = settings.inference
  if (!planes.includes('training') || learned.some((plane) => plane === 'training' || plane === 'axial')) return planes
  return [...new Set(planes.flatMap((plane) => (plane === 'training' ? learned : [plane])))]
}

/** Of the validation part, where there is one. */
function lossOf(record: EpochRecord | undefined): number {
  return record?.valLoss ?? record?.loss ?? 0
}
