import {
  recipeSchema,
  type CaseScores,
  type DataReport,
  type Recipe,
  type RecipeEpoch,
  type RecipeReport,
  type RecipeTraining,
} from '../../../core/contract/index.ts'

/** A PNG of one pixel. */
const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** Two labels, three epochs. */
export function aRecipe(change: Partial<Recipe> = {}): Recipe {
  const settings = {
    model: { kind: 'unet', levels: 3, base: 8, normalization: 'batch', upsampling: 'nearest' },
    input: { colour: 'rgb', normalization: { kind: 'percentile' }, resize: { kind: 'none' } },
    loss: { kind: 'dice-cross-entropy', output: 'softmax' },
    optimizer: { kind: 'adamw', rate: 0.003, schedule: 'one-cycle' },
    training: { epochs: 3, batch: 4, patch: 64 },
  }
  return {
    ...recipeSchema.parse({
      name: 'wbc',
      title: 'White blood cells',
      summary: 'Nucleus and cytoplasm.',
      article: 'Fifteen epochs.',
      classes: [
        { value: 1, name: 'Cytoplasm', from: 128, to: 128 },
        { value: 2, name: 'Nucleus', from: 255, to: 255 },
      ],
      layouts: ['wbc'],
      patient: null,
      metrics: ['accuracy', 'iou', 'dice'],
      presets: { best: settings, article: { ...settings, training: { epochs: 15, batch: 8, patch: null } } },
    }),
    ...change,
  }
}

export function aFound(change: Partial<DataReport> = {}): DataReport {
  const parts = ['train', 'train', 'holdout'] as const
  return {
    cases: parts.map((part, at) => ({
      ...{ id: `00${at + 1}`, patient: String(at), part, width: 120, height: 100, slices: 1, channels: 3 },
      shares: { 1: 0.2, 2: 0.1 },
    })),
    labels: [
      { value: 1, name: 'Cytoplasm' },
      { value: 2, name: 'Nucleus' },
    ],
    left: [{ file: 'Dataset 1/004.bmp', reason: 'It has no mask.' }],
    remarks: [],
    thumbnails: [
      { id: '001', png: PNG },
      { id: '003', png: PNG },
    ],
    ...change,
  }
}

export function anEpoch(epoch: number, change: Partial<RecipeEpoch> = {}): RecipeEpoch {
  return {
    ...{ epoch, epochs: 3, loss: 1 / epoch, valLoss: 1.1 / epoch, rate: 0.003, seconds: epoch * 10, secondsLeft: 5 },
    val: { accuracy: 0.9 + epoch / 100, dice: 0.8 + epoch / 100, 'dice:1': 0.7, 'dice:2': 0.9 },
    ...change,
  }
}

export function aTraining(change: Partial<RecipeTraining> = {}): RecipeTraining {
  const recipe = aRecipe()
  const settings = recipe.presets.best
  return {
    id: 't1',
    jobId: 'job-1',
    state: 'running',
    choice: { recipe: 'wbc', preset: 'best', settings, limit: null, seed: 1 },
    start: {
      ...{
        recipe: 'wbc',
        preset: 'best',
        settings,
        labels: aFound().labels,
        left: [],
        remarks: [],
        epochs: 3,
        steps: 8,
      },
      ...{
        cases: { train: 2, validation: 1, holdout: 1 },
        from: 1,
        parameters: 1000,
        seed: 1,
        backend: 'wasm',
        threads: 2,
      },
    },
    epochs: [anEpoch(1)],
    pictures: null,
    scoring: null,
    metrics: null,
    error: null,
    modelId: null,
    ...change,
  }
}

export function someScores(id: string, dice: number): CaseScores {
  const both = (value: number) => ({ 1: value, 2: value })
  return {
    ...{ id, pixelAccuracy: dice + 0.01, dice: both(dice), iou: both(dice - 0.1), sensitivity: both(0.9) },
    ...{ specificity: both(0.9), hd: both(5), hd95: { 1: 2.5, 2: null }, assd: both(1), volumeDifference: both(3) },
  }
}

/** Three cases, the worst of which has figures. */
export function aReport(change: Partial<RecipeReport> = {}): RecipeReport {
  const { settings } = aTraining().choice
  const figure = { kind: 'panels', file: 'a-panels.png', width: 600, height: 100, caption: 'Image and truth.' } as const
  const figures = [figure, { ...figure, kind: 'cuts', file: 'a-cuts.png' } as const]
  const ranked = [0.7, 0.8, 0.9].map((dice, at) => ({
    part: 'holdout' as const,
    scores: someScores('abc'[at] ?? '', dice),
    rank: dice,
    shown: at === 0 ? ('worst' as const) : null,
    figures: at === 0 ? figures : [],
  }))
  return {
    ...{ format: 1, preset: 'best', settings, scoredOn: 'holdout', distanceUnit: 'px', bestEpoch: 2 },
    recipe: { name: 'wbc', title: 'White blood cells', summary: '', article: '', metrics: ['accuracy', 'iou', 'dice'] },
    model: { id: 'model-2', name: 'White blood cells', createdAt: '2026-01-02T03:04:05Z', parameters: 1000 },
    labels: [
      { value: 1, name: 'Cytoplasm', color: '#e69f00' },
      { value: 2, name: 'Nucleus', color: '#56b4e9' },
    ],
    metrics: { accuracy: 0.81, dice: 0.8, 'dice:1': 0.8, 'dice:2': 0.8, iou: 0.7 },
    history: [1, 2, 3].map((epoch) => anEpoch(epoch)),
    cases: ranked,
    split: [
      ...['a', 'b', 'c'].map((id) => ({ id, patient: id, part: 'holdout' as const })),
      ...['d', 'e'].map((id) => ({ id, patient: 'p', part: 'train' as const })),
    ],
    left: [],
    remarks: [],
    figures: [{ ...figure, kind: 'progress', file: 'progress.gif' }],
    machine: { backend: 'wasm', device: null, threads: 2, seed: 1, seconds: 61, versions: { node: '24.0.0' } },
    comparisons: [],
    ...change,
  }
}
