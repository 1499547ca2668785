import { inferenceSettingsSchema } from '../../../core/contract/recipes.ts'
import { modelCard } from '../../models/card.ts'
import { saveModel } from '../../models/files.ts'
import { buildRecipeNetwork } from '../../models/recipeNetwork.ts'
import { DISK_LABELS } from '../../training/testing/samples.ts'
import type { TrainingSample } from '../../../core/contract/compute.ts'

/** A model of a recipe: colours, and mirrored copies when it predicts. It knows nothing yet. */
export async function saveRecipeModel(folder: string): Promise<void> {
  const settings = { levels: 2, base: 8, convolutions: 'same', normalization: 'batch', upsampling: 'nearest' } as const
  const built = buildRecipeNetwork(
    { kind: 'unet', dropout: 0, encoder: null, ...settings },
    { channels: 3, outputs: 1, seed: 4 },
  )
  const identity = { id: 'p', parentId: null, name: 'Nuclei', createdAt: 'then', labels: DISK_LABELS }
  const handling = {
    ...({ resize: { kind: 'factor', factor: 0.5 }, output: 'sigmoid', border: false, instances: null } as const),
    inference: inferenceSettingsSchema.parse({ flips: 'both', quarterTurns: true }),
  }
  const input = { colour: { kind: 'rgb' }, normalization: { kind: 'window', from: 0, to: 255 } } as const
  const card = modelCard(identity, { ...built, training: null }, { recipe: 'nuclei', recipeUse: { input, handling } })
  await saveModel(folder, built.network, card)
  built.network.dispose()
}

/** The disk of a grey sample in red on green of the same luminance. */
export function coloured(sample: TrainingSample): TrainingSample {
  const data = new Uint8Array([...sample.labels].flatMap((label) => (label > 0 ? [196, 20, 20] : [0, 120, 0])))
  return { ...sample, channels: 3, data, low: 0, high: 255 }
}
