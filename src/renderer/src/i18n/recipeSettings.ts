/** What the settings of a recipe are called: a short name and, where it needs one, what it means. By dotted path. */
interface SettingWords {
  readonly name: string
  readonly hint?: string
  readonly unit?: string
  /** What an empty field means. */
  readonly empty?: string
}

export const settingWords: Readonly<Record<string, SettingWords>> = {
  'model.kind': { name: 'Network' },
  'model.levels': { name: 'Levels', hint: 'How often the picture is halved on the way down.' },
  'model.base': { name: 'Channels of the first level', hint: 'Doubled at each level below.' },
  'model.convolutions': {
    name: 'Convolutions',
    hint: 'Valid: the result is smaller than the picture, as in the paper.',
  },
  'model.normalization': { name: 'Normalization' },
  'model.upsampling': { name: 'Up-sampling' },
  'model.dropout': { name: 'Dropout', hint: 'Share of the values dropped at the deepest levels in training.' },
  'input.colour': { name: 'Colour' },
  'input.normalization.kind': { name: 'Intensities' },
  'input.normalization.from': { name: 'Becomes 0' },
  'input.normalization.to': { name: 'Becomes 1' },
  'input.resize.kind': { name: 'Size' },
  'input.resize.factor': { name: 'Factor' },
  'input.resize.width': { name: 'Width', unit: 'px' },
  'input.resize.height': { name: 'Height', unit: 'px' },
  'loss.kind': { name: 'Loss' },
  'loss.output': { name: 'Output' },
  'loss.crossEntropy': { name: 'Cross-entropy', hint: 'What it counts, where Dice counts 1.' },
  'loss.alpha': { name: 'Alpha', hint: 'What a false positive costs.' },
  'loss.beta': { name: 'Beta', hint: 'What a false negative costs.' },
  'loss.gamma': { name: 'Gamma', hint: 'How little easy pixels count.' },
  'loss.weightMap': { name: 'Weight map', hint: 'Pixels close to two objects weigh more, as in the U-Net paper.' },
  'loss.weightMap.w0': { name: 'w0', hint: '0: balance of the classes alone.' },
  'loss.weightMap.sigma': { name: 'Sigma', unit: 'px' },
  'optimizer.kind': { name: 'Optimizer' },
  'optimizer.rate': { name: 'Learning rate', hint: 'The highest of the schedule.' },
  'optimizer.momentum': { name: 'Momentum' },
  'optimizer.decay': { name: 'Weight decay' },
  'optimizer.clip': { name: 'Gradient clipping', hint: 'Bound of the norm of all gradients; 0: none.' },
  'optimizer.schedule': { name: 'Schedule' },
  'optimizer.patience': { name: 'Patience', hint: 'Epochs without a better validation before the rate falls.' },
  'optimizer.factor': { name: 'Factor', hint: 'What the rate falls by.' },
  'augmentation.flip': { name: 'Flips' },
  'augmentation.quarterTurns': { name: 'Quarter turns' },
  'augmentation.rotate': { name: 'Rotation', unit: '°', hint: 'To either side.' },
  'augmentation.shear': { name: 'Shear', unit: '°', hint: 'To either side.' },
  'augmentation.zoom': { name: 'Zoom', hint: 'Factors, drawn between the two.' },
  'augmentation.shift': { name: 'Shift', hint: 'Share of the patch to either side.' },
  'augmentation.elastic': { name: 'Elastic deformation' },
  'augmentation.elastic.grid': { name: 'Grid', hint: 'Points of the coarse grid each way.' },
  'augmentation.elastic.sigma': { name: 'Displacement', unit: 'px', hint: 'Standard deviation at the grid points.' },
  'augmentation.elastic.share': { name: 'Share of the samples' },
  'augmentation.scale': { name: 'Contrast', hint: 'Factors on intensities.' },
  'augmentation.offset': { name: 'Brightness', hint: 'Largest shift of normalized intensities.' },
  'augmentation.gamma': { name: 'Gamma', hint: 'Exponents on intensities.' },
  'augmentation.noise': { name: 'Noise', hint: 'Largest standard deviation.' },
  'augmentation.blur': { name: 'Blur', unit: 'px', hint: 'Largest standard deviation.' },
  'augmentation.stain': { name: 'Stain and colour', hint: 'How far the stains are scaled and shifted.' },
  'augmentation.invert': { name: 'Turned round', hint: 'Share of the patches with bright and dark exchanged.' },
  'training.epochs': { name: 'Epochs' },
  'training.steps': { name: 'Steps an epoch', empty: 'as many as see everything once' },
  'training.batch': { name: 'Batch', hint: 'Patches a step; fewer where memory does not allow it.' },
  'training.patch': { name: 'Patch', unit: 'px', empty: 'whole pictures' },
  'training.foreground': { name: 'Foreground patches', hint: 'Share that is centred on a labelled pixel.' },
  'training.average': { name: 'Average of weights', hint: 'Decay; 0: the last weights themselves.' },
  'training.earlyStopping': {
    name: 'Early stopping',
    hint: 'Epochs without a better validation; the best weights are kept.',
    empty: 'runs to the end',
  },
  'training.seconds': { name: 'At most', unit: 's', empty: 'no limit' },
  'inference.overlap': { name: 'Overlap of tiles', hint: 'Share, blended.' },
  'inference.flips': { name: 'Mirrored copies', hint: 'Predicted as well, and averaged.' },
  'inference.quarterTurns': { name: 'Quarter turns' },
  'inference.planes': { name: 'Planes', hint: 'Of volumes; the probabilities are averaged.' },
  'inference.largestComponent': { name: 'Largest part only', hint: 'Of each label.' },
  'inference.fillHoles': { name: 'Fill holes' },
  'inference.smallest': { name: 'Smallest part', hint: 'In pixels or voxels; smaller ones are left out.' },
  'inference.threshold': { name: 'Threshold' },
  instances: { name: 'Separate objects', hint: 'A label becomes objects with numbers.' },
  'instances.kind': { name: 'Separated by' },
  'instances.label': { name: 'Label' },
  'instances.threshold': { name: 'Object above' },
  'instances.seed': { name: 'Seed above' },
  'instances.smooth': { name: 'Smoothing', unit: 'px' },
  'instances.smallest': { name: 'Smallest object', unit: 'px' },
  'instances.smallestSeed': { name: 'Smallest seed', unit: 'px' },
  'instances.border': { name: 'Border', unit: 'px', hint: 'Width of the border class in training.' },
  'split.by': { name: 'Held out' },
  'split.holdout': { name: 'Every so many', hint: 'Held out and never seen in training; 0: none.' },
  'split.validation': { name: 'Validation', hint: 'Share of the others that losses are measured on.' },
  labels: { name: 'Mask values', hint: 'Those that are labels, such as 1, 2.', empty: 'all' },
  planes: { name: 'Planes learned from', hint: 'Of volumes.' },
}

export const sectionWords: Readonly<Record<string, string>> = {
  model: 'Network',
  input: 'Input',
  loss: 'Loss',
  optimizer: 'Optimizer',
  augmentation: 'Augmentation',
  training: 'Training',
  inference: 'Prediction',
  instances: 'Objects',
  split: 'Data',
}

/** What the values of choices are called. */
const valueWords: Readonly<Record<string, string>> = {
  unet: 'U-Net',
  'unet-inception': 'U-Net with Inception encoder',
  same: 'same size',
  valid: 'valid',
  none: 'none',
  instance: 'instance',
  group: 'group',
  batch: 'batch',
  nearest: 'nearest',
  transposed: 'transposed convolution',
  grey: 'grey',
  rgb: 'colour',
  percentile: 'darkest to brightest of the case',
  zscore: 'mean 0, deviation 1 of each slice',
  fitted: 'mean 0, deviation 1 of the training part',
  window: 'between two intensities',
  factor: 'scaled by a factor',
  fit: 'scaled to one size',
  'cross-entropy': 'cross-entropy',
  dice: 'Dice of each sample',
  'batch-dice': 'Dice of the batch',
  'dice-cross-entropy': 'Dice of the batch and cross-entropy',
  'picture-dice-cross-entropy': 'Dice of each sample and cross-entropy',
  tversky: 'Tversky',
  focal: 'focal',
  'focal-tversky': 'focal Tversky',
  'mean-squared-error': 'mean squared error',
  softmax: 'softmax: classes exclude each other',
  sigmoid: 'sigmoid: each label for itself',
  relu: 'ReLU: values cut at 0',
  sgd: 'SGD with momentum',
  adam: 'Adam',
  adamw: 'AdamW',
  constant: 'constant',
  cosine: 'cosine',
  'one-cycle': 'one cycle',
  plateau: 'falls on a plateau',
  horizontal: 'left and right',
  vertical: 'up and down',
  both: 'both ways',
  training: 'as trained',
  axial: 'axial',
  coronal: 'coronal',
  sagittal: 'sagittal',
  oblique: 'oblique',
  distance: 'watershed of distances',
  border: 'a class of borders',
  case: 'whole cases',
  slice: 'slices of one volume',
}

/** Of some settings a value means something of its own. */
const valueWordsAt: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'input.normalization.kind': { none: 'as they are in the file' },
  'input.resize.kind': { none: 'as it is' },
}

export function wordsOf(path: string): SettingWords {
  return settingWords[path] ?? { name: path }
}

export function valueName(path: string, value: string): string {
  return valueWordsAt[path]?.[value] ?? valueWords[value] ?? value
}

/** Words of the form of settings. */
export const settingFormWords = {
  on: 'on',
  off: 'off',
  from: 'from',
  to: 'to',
  reset: (name: string, value: string) => `${name}: back to ${value}`,
  /** A value as text, to be read in a list or a tooltip. */
  shown: (path: string, value: unknown): string => shownValue(path, value),
  changed: 'changed',
  number: (name: string) => `${name} must be a number.`,
  whole: (name: string) => `${name} must be a whole number.`,
  needed: (name: string) => `${name} must not be empty.`,
  atLeast: (name: string, min: number) => `${name} must be at least ${min}.`,
  above: (name: string, min: number) => `${name} must be above ${min}.`,
  atMost: (name: string, max: number) => `${name} must be at most ${max}.`,
  order: (name: string) => `${name}: the first must not exceed the second.`,
  wholes: (name: string) => `${name} must be whole numbers from 1, such as 1, 2.`,
  one: (name: string) => `${name}: choose at least one.`,
  invalid: (name: string) => `${name} does not go with the other settings.`,
} as const

function shownValue(path: string, value: unknown): string {
  if (value === null || value === undefined) return wordsOf(path).empty ?? settingFormWords.off
  if (typeof value === 'boolean') return value ? settingFormWords.on : settingFormWords.off
  if (typeof value === 'string') return valueName(path, value)
  if (typeof value === 'number') {
    const { unit } = wordsOf(path)
    return unit === undefined ? String(value) : `${value} ${unit}`
  }
  if (Array.isArray(value)) {
    const parts = value.map((one) => (typeof one === 'string' ? valueName(path, one) : String(one)))
    return value.length === 2 && value.every((one) => typeof one === 'number') && path !== 'labels'
      ? parts.join(' to ')
      : parts.join(', ')
  }
  return settingFormWords.on
}
