import type { CaseSummary, ImageChoices, ImageSelection, MaskFormat } from '../../../core/contract/index.ts'
import { formatCount, plural } from './format.ts'

type Kind = CaseSummary['kind']
type Part = NonNullable<ImageSelection['part']>

/** Words of choosing among the images of one file. */
export const chooseWords = {
  title: (name: string) => `Which image of ${name}?`,
  series: 'Series',
  seriesOf: (count: number) => `${plural(count, 'series', 'series')} in this folder`,
  noDescription: 'Without a description',
  images: (count: number) => plural(count, 'image'),
  frame: 'Frame',
  frameOf: (frames: number) => `of ${formatCount(frames)}`,
  frameHint: 'Each frame is a case of its own; open the file again for another one.',
  frameProblem: (frames: number) => `A whole number from 1 to ${formatCount(frames)}.`,
  channel: 'Channel',
  part: 'Part',
  parts: { magnitude: 'Magnitude', phase: 'Phase', real: 'Real', imaginary: 'Imaginary' } satisfies Record<
    Part,
    string
  >,
  partHint: 'The voxels are complex numbers; one part of them is shown.',
  facts: (choices: ImageChoices) => [choices.format, sizeOf(choices.dims, choices.kind)].join(' · '),
  size: sizeOf,
  looking: 'Reading…',
  waiting: (count: number) => (count === 0 ? '' : `${plural(count, 'more file')} after this one`),
  cancel: 'Cancel',
  open: 'Open',
  opening: 'Opening…',
} as const

/** Words of what is to be seen before a case is annotated. */
export const cautionWords = {
  title: 'Read this before you annotate',
  region: 'Caution',
  other: { sform: 'Use the other position (sform)', qform: 'Use the other position (qform)' },
  otherHint: 'The image and its saved masks then lie where the other position says. The mask you have stays as it is.',
  seen: 'I have seen this, annotate',
  seenHint: 'Brush, eraser, accepting and mask import wait until then.',
  pointed: 'Read the caution above the image first.',
  next: 'Read the caution above the image, then annotate.',
  doing: 'Noting that the caution was seen',
  switching: 'Using the other position',
  switched: (form: 'sform' | 'qform') => `The image now lies where its ${form} says.`,
} as const

const formats = {
  nifti: 'NIfTI',
  png: 'PNG',
  tiff: 'TIFF',
  instances: 'One file per instance',
  coco: 'COCO JSON',
  nnunet: 'nnU-Net',
} satisfies Record<MaskFormat, string>
/** What a file turned out to be; `image`: of another format, with label numbers as its values. */
const found: Readonly<Record<string, string>> = { ...formats, image: 'Image with label numbers' }

/** Words of masks that come from files. */
export const maskInWords = {
  title: 'Import a mask',
  placeholder: 'Path of a mask, e.g. /home/me/mask.nii.gz',
  hint: 'NIfTI, PNG, TIFF, COCO JSON, or a folder of instances, pages or nnU-Net data.',
  wholeFolder: 'Import this folder',
  chooseFile: 'Choose a file…',
  chooseFolder: 'Choose a folder…',
  look: 'Look at it',
  noSuchMask: (text: string) =>
    `There is no mask at "${text}"; check the path or pick one from the list. A folder ends in a slash.`,
  looking: (name: string) => `Reading ${name}…`,
  lookingHint: 'It is held against the image. Nothing is changed yet.',
  refused: 'This mask cannot be used',
  another: 'Choose another file',
  details: 'Details',
  copy: 'Copy details',
  copied: 'Copied',
  cancel: 'Cancel',
  file: 'File',
  format: 'Format',
  formatOf: (format: string): string => found[format] ?? format,
  size: 'Size',
  place: 'Place',
  same: 'It lies on the image voxel for voxel.',
  moved: 'It has the size of the image and lies in another place.',
  shape: 'It has another size than the image.',
  canResample:
    'Resampling asks, for every voxel of the image, which label lies there (nearest neighbour). The file stays as it is.',
  cannotResample: 'One of them has no position in space, so the mask cannot be brought onto the image.',
  labels: (count: number) => plural(count, 'label'),
  labelsHeading: 'Labels',
  noLabels: 'This mask is empty; choose another one.',
  more: 'Further labels are not listed.',
  value: (value: number) => `Value ${value}`,
  known: 'of this project',
  fresh: 'new',
  otherName: (name: string) => `in the file: ${name}`,
  voxels: (count: number) => plural(count, 'voxel'),
  take: 'Take over',
  keep: 'Keep the values',
  keepHint: (fresh: number) =>
    fresh === 0 ? 'All of them are labels of this project.' : `${plural(fresh, 'new label')} will be added.`,
  keepNot: (largest: number) =>
    `Values go up to ${formatCount(largest)}; a project has labels 1 to 255. Take all as one label.`,
  one: 'All as',
  oneLabel: 'Label for everything that is not background',
  noProjectLabels: 'The project has no label yet; add one first.',
  import: 'Import',
  resample: 'Resample onto the image',
  importing: 'Importing…',
  outcome: {
    keep: 'The mask becomes that of the file, background too. One undo takes it back.',
    one: 'What it marks is added to the mask. One undo takes it back.',
  },
  done: (name: string, voxels: number) =>
    voxels === 0
      ? `${name}: the mask is already the same.`
      : `${plural(voxels, 'voxel')} changed by ${name}; undo takes it back.`,
  newLabels: (count: number) => `${plural(count, 'new label')}.`,
} as const

/** What was chosen of a file with several images, for the details of its case; numbers as the choice shows them. */
export function chosenOf({ series, frame, channel, part, affine, region }: ImageSelection): {
  name: string
  value: string
}[] {
  const rows: { name: string; value: string | undefined }[] = [
    { name: chooseWords.series, value: series },
    { name: chooseWords.frame, value: frame === undefined ? undefined : formatCount(frame + 1) },
    { name: chooseWords.channel, value: channel === undefined ? undefined : formatCount(channel + 1) },
    { name: chooseWords.part, value: part === undefined ? undefined : chooseWords.parts[part] },
    { name: 'Position', value: affine },
    {
      name: 'Region',
      value: region && `${region.width} × ${region.height} at ${region.x}, ${region.y}, level ${region.level}`,
    },
  ]
  return rows.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }]))
}

/** Words of masks that go to files. */
export const maskOutWords = {
  format: 'Format',
  formats,
  /** What is written, in a line. */
  written: (format: MaskFormat, volume: boolean): string => {
    switch (format) {
      case 'nifti':
        return volume ? 'One file in the geometry of the image.' : 'One file with a single slice.'
      case 'png':
        return volume
          ? 'A folder with one PNG file a slice; pixel values are label numbers.'
          : 'One file; pixel values are label numbers.'
      case 'tiff':
        return volume
          ? 'One file with a page a slice; pixel values are label numbers.'
          : 'One file; pixel values are label numbers.'
      case 'instances':
        return `A folder with one ${volume ? 'NIfTI' : 'PNG'} file for each connected piece, as in the Data Science Bowl.`
      case 'coco':
        return volume
          ? 'One JSON file with an entry a slice; regions as run lengths.'
          : 'One JSON file; regions as run lengths.'
      case 'nnunet':
        return 'A folder with the image, the mask and dataset.json, as nnU-Net reads it.'
    }
  },
  where: 'Choose where…',
  filePlaceholder: 'Folder and file name',
  folderPlaceholder: 'Path of a new folder',
  fileHint: 'An existing folder and a file name. Enter saves.',
  folderHint: 'A new or an empty folder. Enter saves.',
} as const

/** Words of writing many cases at once. */
export const datasetWords = {
  title: 'Export data set',
  formats: { nnunet: 'nnU-Net', coco: 'COCO', instances: 'Instances' },
  written: {
    nnunet: 'Images, masks and dataset.json in the folders that nnU-Net reads.',
    coco: 'One COCO JSON file for all cases; regions as run lengths.',
    instances: 'A folder a case with one file for each connected piece, as in the Data Science Bowl.',
  },
  cases: 'The masks of all cases that have one.',
  only: 'Cases',
  kinds: {
    volumes: 'All volumes with a mask',
    colour: 'All colour pictures with a mask',
    grey: 'All grey pictures with a mask',
  },
  apart: 'A data set for nnU-Net holds one kind; export the other by itself.',
  write: 'Export',
  starting: 'Starting…',
  button: 'Data set…',
  done: 'Data set written and verified',
} as const

/** "240 × 240 × 155", "1024 × 768" */
function sizeOf(dims: readonly number[], kind: Kind): string {
  return (kind === 'volume' ? dims : dims.slice(0, 2)).join(' × ')
}
