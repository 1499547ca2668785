import { recipeSchema, recipeSettingsSchema } from '../../../core/contract/recipes.ts'

export const SETTINGS = recipeSettingsSchema.parse({
  model: { kind: 'unet', levels: 2, base: 16, normalization: 'batch', upsampling: 'nearest' },
  input: { colour: 'grey', normalization: { kind: 'percentile' }, resize: { kind: 'none' } },
  loss: { kind: 'dice', output: 'softmax' },
  optimizer: { kind: 'adam', rate: 0.001, schedule: 'constant' },
  training: { epochs: 3, batch: 1, patch: null },
})

export const testRecipe = recipeSchema.parse({
  name: 'disks',
  title: 'Disks',
  summary: 'Disks on black.',
  article: 'None.',
  classes: [{ value: 1, name: 'Nucleus', from: 1, to: 255 }],
  layouts: [],
  patient: null,
  metrics: ['dice', 'iou'],
  presets: { best: SETTINGS, article: SETTINGS },
})
