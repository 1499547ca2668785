import { formatCount, plural } from './format.ts'
import type { NetworkFacts } from '../../../core/contract/index.ts'

/** Words of importing a network from elsewhere. */
export const importWords = {
  title: 'Import a model',
  placeholder: 'Path of an ONNX file, e.g. /home/me/liver.onnx',
  hint: 'A segmentation network as an ONNX file, exported from PyTorch, Keras or another Maskwright.',
  take: 'Look at it',
  noSuchFile: (text: string) =>
    `There is no file at "${text}" whose name ends in .onnx; check the path or pick one from the list.`,
  inspecting: (name: string) => `Reading and trying ${name}…`,
  inspectingHint: 'Large networks take a while. It is tried in a process of its own.',
  refused: 'This file cannot be used',
  another: 'Choose another file',
  details: 'Details',
  copy: 'Copy details',
  copied: 'Copied',
  cancel: 'Cancel',
  import: 'Import',
  importing: 'Importing…',
  predictsOnly: 'It will predict. It cannot be trained further: Train then makes a model of your own beside it.',
  facts: {
    file: 'File',
    takes: 'Takes',
    gives: 'Gives',
    made: 'Made by',
    takesOf: ({ inputChannels, use: { size }, step }: NetworkFacts) => {
      const what = inputChannels === 3 ? 'colour images' : 'grey images'
      if (size !== null) return `${what} of ${size.width} × ${size.height} pixels`
      return step === 1 ? `${what} of any size` : `${what} of any size, made up to multiples of ${step}`
    },
    givesOf: ({ use: { output, scores, classes } }: NetworkFacts) => {
      const channels = plural(output.channels, 'channel')
      return `${channels} of ${scores}${classes === 'independent' && output.channels > 1 ? ', each for itself' : ''}`
    },
    madeBy: ({ use: { producer, opset }, parameters }: NetworkFacts) =>
      [producer, `ONNX operators ${opset}`, `${formatCount(parameters)} parameters`]
        .filter((part) => part !== null)
        .join(', '),
  },
  name: 'Name',
  intensities: 'Intensities',
  intensitiesHint: 'As the network was trained; a wrong choice gives wrong masks.',
  ways: {
    percentile: '0 to 1, darkest to brightest of the case',
    bytes: '0 to 1, from 0 to 255',
    photographs: '0 to 255 as ImageNet: mean and deviation of each colour',
    window: '0 to 1, between two intensities (CT window)',
    zscore: 'Mean 0, deviation 1 in each slice',
    none: 'As they are in the file',
    stated: 'As the file says',
  },
  from: 'From',
  to: 'to',
  spacing: 'Pixel spacing',
  spacingHint: 'mm, such as 0.8, 0.8, 3; empty where not known',
  spacingProblem: 'Two or three positive numbers of mm, such as 0.8, 0.8, 3.',
  classes: 'Labels',
  backgroundFirst: 'The first channel is background',
  classOf: (at: number) => `Label of channel ${at}`,
  known: 'of this project',
  fresh: 'new',
  noName: 'Each class needs a name.',
  twice: (name: string) => `Two classes are called "${name}"; give each a name of its own.`,
  windowProblem: 'The window must end above where it begins.',
  nameProblem: 'The model needs a name.',
  done: (name: string, version: number) => `${name} is imported as version ${version} and in use.`,
  defaultClass: (at: number) => `Class ${at}`,
} as const
