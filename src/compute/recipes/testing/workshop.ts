import { recipeSettingsSchema } from '../../../core/contract/recipes.ts'
import { buildRecipeNetwork } from '../../models/recipeNetwork.ts'
import { outputMeaning } from '../classes.ts'
import { createMeter } from '../measure.ts'
import { createPacer } from '../pacer.ts'
import { createTrainer } from '../trainer.ts'
import type { RecipeEvent, RecipeSettings } from '../../../core/contract/recipes.ts'
import type { Report } from '../../report/index.ts'
import type { TrainRecipeOrder } from '../order.ts'
import type { Trainer } from '../trainer.ts'
import type { Workshop } from '../epochs.ts'
import type { TrainingData } from '../types.ts'

/** Settings of a training of seconds, on generated disks. */
export function smallSettings(training: Partial<RecipeSettings['training']> = {}): RecipeSettings {
  return recipeSettingsSchema.parse({
    model: { kind: 'unet', levels: 1, base: 4, normalization: 'batch', upsampling: 'nearest', dropout: 0.2 },
    input: { colour: 'grey', normalization: { kind: 'none' }, resize: { kind: 'none' } },
    loss: { kind: 'dice-cross-entropy', output: 'softmax' },
    optimizer: { kind: 'adamw', rate: 0.01, decay: 0.01, schedule: 'one-cycle' },
    training: { epochs: 4, steps: 3, batch: 2, patch: null, average: 0.9, ...training },
  })
}

export interface TestWorkshop extends Workshop {
  readonly events: RecipeEvent[]
  readonly warnings: string[]
  readonly trainer: Trainer
  dispose(): void
}

/** All that runEpochs needs, without a report or other files than those of the training. */
export async function testWorkshop(
  folder: string,
  settings: RecipeSettings,
  data: TrainingData,
  { seed = 7, modelId = 'model', signal = new AbortController().signal } = {},
): Promise<TestWorkshop> {
  const parts = { channels: data.channels, outputs: data.outputChannels, seed }
  const { network, architecture } = buildRecipeNetwork(settings.model, parts)
  const averaged = settings.training.average > 0 ? buildRecipeNetwork(settings.model, parts).network : null
  const events: RecipeEvent[] = []
  const warnings: string[] = []
  const trainer = createTrainer(network, averaged, settings, seed)
  const meter = createMeter(data, settings.loss)
  const order: TrainRecipeOrder = {
    recipe: {
      ...{ name: 'disks', title: 'Disks', summary: '', article: '', classes: [], layouts: [], patient: null },
      metrics: ['dice'],
      presets: { best: settings, article: settings },
    },
    ...{ preset: 'best', settings, dataDir: '', limit: null, seed, outDir: folder.replace(/\.training$/, '') },
    ...{ modelId, name: 'disks', createdAt: '2026-01-01T00:00:00.000Z', resume: false, pictures: false, compare: [] },
  }
  const report: Report = {
    addEpoch: async () => [],
    addCase: async () => undefined,
    finish: () => Promise.reject(new Error('There is no report here.')),
  }
  return {
    ...{ order, data, network, architecture, trainer, meter, report, folder, signal, events, warnings },
    meaning: outputMeaning(settings, data),
    pacer: createPacer(({ event }) => {
      if (event !== undefined) events.push(event)
    }),
    machine: { backend: 'native', threads: 1 },
    warn: (message) => warnings.push(message),
    dispose() {
      meter.dispose()
      trainer.dispose()
      network.dispose()
      averaged?.dispose()
    },
  }
}
