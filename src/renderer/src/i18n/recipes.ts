import type { CasePart, Recipe } from '../../../core/contract/index.ts'
import { formatCount, formatSeconds, plural } from './format.ts'

/** The folder layouts of the published data sets, as trees that are easy to compare with one's own folder. */
const layoutTrees: Readonly<Record<Recipe['layouts'][number] | 'plain', { name: string; tree: string }>> = {
  plain: {
    name: 'Images and masks',
    tree: 'images/\n  NAME.png, .tif, .nii.gz …\nmasks/\n  NAME.png, .tif, .nii.gz …',
  },
  stage1: {
    name: '2018 Data Science Bowl',
    tree: 'stage1_train/\n  ID/images/ID.png\n  ID/masks/*.png   one a nucleus',
  },
  nerve: {
    name: 'Ultrasound Nerve Segmentation',
    tree: 'train/\n  1_1.tif            patient_picture\n  1_1_mask.tif',
  },
  liver: {
    name: 'Liver in CT',
    tree: 'raw/train/\n  CASE-volume.nii, CASE-seg.nii …\nraw/test/\n  …',
  },
  membrane: {
    name: 'EM membranes (ISBI 2012)',
    tree: 'train/image/0.png\ntrain/label/0.png\nor train-volume.tif, train-labels.tif',
  },
  'cell-tracking': {
    name: 'Cell Tracking Challenge',
    tree: '01/t000.tif\n01_GT/SEG/man_seg000.tif',
  },
  wbc: { name: 'White blood cells', tree: 'Dataset 1/\n  001.bmp\n  001.png            the mask' },
}

const parts: Readonly<Record<CasePart, string>> = { train: 'Training', validation: 'Validation', holdout: 'Held out' }

const metricNames: Readonly<Record<string, string>> = {
  accuracy: 'Pixel accuracy',
  dice: 'Dice',
  iou: 'IoU',
  sensitivity: 'Sensitivity',
  specificity: 'Specificity',
  hd: 'Hausdorff distance',
  hd95: 'HD95',
  assd: 'Surface distance',
  volumeDifference: 'Volume difference',
  ap: 'AP (0.5 to 0.95)',
  ap50: 'AP50',
  warping: 'Warping error',
  rand: 'Rand error',
}
const metricHints: Readonly<Record<string, string>> = {
  accuracy: 'Share of the pixels with the right label.',
  dice: 'Overlap of prediction and truth, 0 to 1; mean over the labels.',
  iou: 'Intersection over union, 0 to 1; mean over the labels.',
  hd95: '95th percentile of the distances between the outlines; smaller is better.',
  assd: 'Mean distance between the outlines; smaller is better.',
  ap: 'Average precision of objects over IoU 0.5 to 0.95, as the Data Science Bowl scores it.',
  ap50: 'Precision of objects at an IoU of 0.5.',
  warping: 'Errors that change how cells are connected; smaller is better.',
  rand: 'Errors of which pixels belong together; smaller is better.',
}

/** Words of recipes: a new project from one, training by it, and its report. */
export const recipeWords = {
  preset: { best: 'Our best', article: 'As in the article' },
  presetHint: {
    best: 'What gave the best results on held-out cases.',
    article: 'Network, loss, optimizer and augmentation as published.',
  },
  parts,
  metric(key: string, labels: readonly { value: number; name: string }[] = []): string {
    const [name = key, value] = key.split(':')
    const words = metricNames[name] ?? name
    if (value === undefined) return words
    return `${words} ${labels.find((label) => String(label.value) === value)?.name ?? value}`
  },
  metricHint: (key: string): string | null => metricHints[key.split(':')[0] ?? key] ?? null,

  actions: {
    newProject: 'New project from recipe…',
    openProject: 'Open project…',
    training: 'Training by recipe',
    report: 'Training report',
  },
  reasons: {
    noRecipe: 'This project was not made from a recipe',
    noReport: 'The model in use has no report',
  },

  worklist: 'Or begin with a folder of images and masks, to train on all of them:',

  page: {
    back: 'Back to the images',
  },

  wizard: {
    title: 'New project from a recipe',
    steps: { recipe: 'Recipe', data: 'Data', check: 'Check', settings: 'Settings', project: 'Project' },
    stepOf: (at: number, name: string) => `Step ${at}: ${name}`,
    next: 'Next',
    back: 'Back',
    recipe: {
      question: 'What is to be found?',
      article: 'In the article',
      finds: 'Finds',
      asFound: 'the labels that the masks have',
      measured: 'Measured by',
      loading: 'Reading the recipes…',
      none: 'No recipe came with this Maskwright.',
    },
    data: {
      question: 'Where are the images and their masks?',
      placeholder: 'Path of a folder, e.g. /home/me/nuclei/',
      field: 'Folder of the data',
      browse: 'Choose folder…',
      another: 'Choose another folder',
      whole: 'Use this folder',
      hint: 'Nothing in the folder is changed, and nothing is copied.',
      layouts: 'Folders that are understood',
      limit: 'At most',
      limitUnit: 'cases',
      limitAll: 'all',
      limitHint: 'A few cases give a quick first try.',
      limitProblem: 'The number of cases must be a whole number from 1.',
      noSuchFolder: (text: string) => `There is no folder at "${text}"; check the path or pick one from the list.`,
      needed: 'Choose the folder of the data first.',
    },
    check: {
      question: 'Is this the data you mean?',
      running: 'Every image and mask is read once.',
      cancel: 'Stop',
      again: 'Check again',
      failed: 'The data cannot be used',
      stopped: 'The check was stopped.',
      stale: 'Settings of split or labels were changed after this check.',
      needed: 'The data is checked before it is used.',
      cases: (count: number) => plural(count, 'case'),
      slices: (count: number) => plural(count, 'slice'),
      patients: (count: number) => plural(count, 'patient'),
      labels: 'Labels',
      share: (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} % of the pixels`,
      split: 'Split',
      splitHint: 'Held-out cases are never seen in training: the report is made on them.',
      left: (count: number) => `${plural(count, 'file')} ${count === 1 ? 'is' : 'are'} left out`,
      noneLeft: 'No file is left out.',
      more: (count: number) => `and ${formatCount(count)} more`,
      remarks: 'Remarks',
      thumbnails: 'Images with their masks as contours',
      noThumbnails: 'No picture of this part was drawn.',
      all: 'All',
      table: 'Cases',
      columns: { id: 'Case', patient: 'Patient', part: 'Part', size: 'Size', slices: 'Slices', shares: 'Labelled' },
      outcome: (train: number, validation: number, holdout: number) =>
        `${plural(train, 'case')} to learn from, ${formatCount(validation)} for validation, ${formatCount(holdout)} held out.`,
    },
    settings: {
      question: 'How is it to be trained?',
      hint: 'All of this can be changed again before each training.',
      sheet: 'What the network will see',
      sheetHint: 'Augmented samples with the contours of their labels, drawn with these settings.',
      drawing: 'Drawing samples…',
      draw: 'Show samples',
      sheetFailed: 'No samples could be drawn',
      problems: (count: number) => `${plural(count, 'setting')} cannot be used as typed.`,
    },
    project: {
      question: 'Where is the project to be kept?',
      name: 'Name',
      nameNeeded: 'The project needs a name.',
      nameProblem: 'A name of a folder has none of the characters / \\ : * ? " < > |.',
      parent: 'In the folder',
      parentField: 'Folder that the project is made in',
      parentNeeded: 'Choose the folder that the project is made in.',
      placeholder: 'Path of a folder, e.g. /home/me/projects/',
      train: 'Start training as soon as it is open',
      create: 'Create project',
      creating: 'Creating…',
      opening: 'Opening the project…',
      outcome: (cases: number) =>
        `${plural(cases, 'case')} come onto the worklist with their masks. The images stay where they are.`,
      blocked: 'A project cannot be opened while this job runs.',
      failed: 'The project was not created',
      cancelled: 'Stopped. No project was created.',
      made: (name: string) => `The project ${name} is created.`,
      opened: (name: string) => `The project ${name} is created, and could not be opened.`,
      open: 'Open it',
    },
    summary: {
      data: 'Data',
      preset: 'Settings',
      epochs: (count: number) => plural(count, 'epoch'),
      changed: (count: number) => `${plural(count, 'setting')} changed`,
    },
  },

  settings: {
    preset: 'Start from',
    presetUsed: 'Begun from',
    changed: (count: number) => `${formatCount(count)} changed`,
    resetAll: 'Undo all changes',
  },

  train: {
    title: 'Training',
    of: (title: string) => `Training: ${title}`,
    start: 'Train',
    again: 'Train again',
    cancel: 'Stop training',
    cancelling: 'Stopping…',
    cancelHint: 'The epochs so far are kept: the training can go on from there.',
    resume: (epoch: number) => `Go on from epoch ${formatCount(epoch)}`,
    discard: 'Discard',
    discardTitle: 'Discard this training?',
    discardMessage: (epochs: number) => `What was learned in ${plural(epochs, 'epoch')} is deleted.`,
    discardKeep: 'Keep it',
    replaceTitle: 'Begin a new training?',
    replaceMessage: (epochs: number) =>
      `An interrupted training waits after ${plural(epochs, 'epoch')}. Beginning a new one deletes what it learned.`,
    replace: 'Begin anew',
    report: 'Open the report',
    state: {
      none: 'Not trained yet',
      before: (version: number) => `Version ${formatCount(version)} was trained`,
      queued: 'Waiting for another job',
      starting: 'Reading the data',
      running: (epoch: number, epochs: number) => `Epoch ${formatCount(epoch)} of ${formatCount(epochs)}`,
      scoring: (done: number, of: number) => `Scoring held-out cases: ${formatCount(done)} of ${formatCount(of)}`,
      interrupted: (epochs: number) => `Interrupted after ${plural(epochs, 'epoch')}`,
      done: 'Done',
      failed: 'Failed',
      cancelled: 'Stopped before the first epoch was done',
    },
    left: (seconds: number) => `about ${formatSeconds(seconds)} left`,
    numbers: {
      epoch: 'Epoch',
      loss: 'Loss',
      valLoss: 'Validation loss',
      rate: 'Learning rate',
      time: 'Time',
      left: 'Left',
      parameters: 'Parameters',
      backend: 'Computed by',
      cases: 'Cases',
      bestKept: (value: string, epoch: number) => `best ${value} in epoch ${formatCount(epoch)}, kept`,
      bestKeptHint: 'With early stopping the weights of the best epoch in validation are kept.',
      /** Never "best": that would sound as if it were what is kept. */
      peak: (epoch: number) => `peak in epoch ${formatCount(epoch)}; the last is kept`,
      peakHint: (value: string, epoch: number) =>
        `${value} in epoch ${formatCount(epoch)} is the highest. Without early stopping the weights after the last epoch are kept.`,
      casesOf: (train: number, validation: number, holdout: number) =>
        `${formatCount(train)} + ${formatCount(validation)} + ${formatCount(holdout)}`,
      casesHint: 'To train, to validate, held out.',
      threads: (count: number) => plural(count, 'thread'),
    },
    charts: {
      loss: 'Loss',
      train: 'Training',
      validation: 'Validation',
      metrics: 'On the validation cases',
      waiting: 'The curve starts when the first epoch is done.',
      noValidation: 'No case is kept for validation.',
      epoch: (epoch: number) => `epoch ${formatCount(epoch)}`,
      summary: (name: string, epoch: number, values: string) => `${name}, epoch ${formatCount(epoch)}: ${values}`,
    },
    samples: {
      title: 'Predictions',
      hint: 'The same pictures after each epoch: what is predicted as areas, the truth as dashed contours.',
      waiting: 'The first pictures come with the first epoch.',
      none: 'No pictures were kept of this training.',
      epoch: 'Epoch',
      newest: 'Newest',
      name: (id: string, epoch: number) => `${id} after epoch ${formatCount(epoch)}`,
    },
    settings: 'Settings',
    settingsOf: 'Settings of this training',
    data: 'Data',
    missing: (path: string) => `The folder ${path} is not there. Connect the disk it is on, or choose it again.`,
    locate: 'Choose the folder',
    none: {
      title: 'No recipe',
      begin: 'New project from a recipe…',
      text: 'This project was not made from a recipe. Retrain in the Model section teaches its model your corrections; a project from a recipe trains on a whole folder of images and masks.',
    },
    resultOn: {
      train: 'On the training cases',
      validation: 'On the validation cases',
      holdout: 'On the held-out cases',
    },
  },

  report: {
    title: (version: number) => `Report of version ${version}`,
    loading: 'Reading the report…',
    failed: 'The report cannot be shown',
    again: 'Try again',
    save: 'Save as HTML…',
    saving: 'Saving…',
    saved: 'Saved',
    use: 'Use this version',
    tabs: { cases: 'Cases', curves: 'Curves', progress: 'Progress', data: 'Data', settings: 'Settings' },
    tabsName: 'Parts of the report',
    scoredOn: {
      holdout: (count: number) => `Means over ${plural(count, 'case')} that were never seen in training.`,
      validation: (count: number) => `Means over ${plural(count, 'validation case')}: nothing was held out.`,
      train: (count: number) => `Means over ${plural(count, 'training case')}: nothing was held out.`,
    },
    comparison: (name: string, common: number, ours: string | null) =>
      `${name}, on ${plural(common, 'common case')}${ours === null ? '' : `; this model has ${ours} on them`}`,
    noneCompared: 'Train the other preset too, and its figures stand beside these.',
    cases: {
      id: 'Case',
      sort: (name: string) => `Sort by ${name}`,
      figures: 'Figures',
      none: 'This case has no figures: the worst, the best and a sample of the others have some.',
      kinds: { panels: 'Panels', cuts: 'Cuts', planes: 'Planes', loss: 'Loss', dice: 'Dice', progress: 'Progress' },
      shown: { worst: 'among the worst', best: 'among the best', sample: 'sample' },
      open: 'Open in the viewer',
      objects: (tp: number, fp: number, fn: number) =>
        `${formatCount(tp)} objects found, ${formatCount(fp)} wrong, ${formatCount(fn)} missed (IoU 0.5)`,
    },
    curves: {
      last: (epoch: number) => `Kept: the weights after epoch ${formatCount(epoch)}, the last.`,
      best: (epoch: number, validated: boolean) =>
        `Kept: the weights of epoch ${formatCount(epoch)}, the best ${validated ? 'in validation' : 'on what is learned from'}.`,
      none: 'Kept: the weights from before the first epoch; none of the epochs was better.',
    },
    progress: {
      hint: 'The prediction after each epoch, on pictures that are not learned from.',
      play: 'Play',
    },
    data: {
      left: 'Left out',
      remarks: 'Remarks',
      split: 'Split',
      splitHint: 'No case is in two parts.',
      machine: 'Computed on',
      seed: 'Seed',
      time: 'Time',
      versions: 'Versions',
      recipe: 'Recipe',
      article: 'In the article',
    },
    settings: {
      differs: (name: string) => `Where ${name} differs`,
      setting: 'Setting',
      ours: 'This model',
    },
    empty: '–',
  },

  project: {
    title: 'Open project',
    recent: 'Opened before',
    hint: 'A project is a folder. The one that is open is kept as it is.',
    placeholder: 'Path of a project folder, e.g. /home/me/projects/nuclei/',
    field: 'Project folder',
    open: 'Open',
    browse: 'Choose folder…',
    opening: 'Opening…',
    none: 'No other project was open on this computer.',
    unsaved: 'The last strokes are not on disk yet; wait until they are saved, then open the other project.',
    uploading:
      'Files are still on their way into this project; wait for them, or take them off the list, then open the other project.',
    lost: (strokes: number) =>
      `Another window opened another project while ${plural(strokes, 'stroke')} of this one were not on disk; they are lost.`,
    noFolder: (text: string) => `There is no folder at "${text}"; check the path or pick one from the list.`,
  },

  layouts: layoutTrees,

  model: {
    train: 'Train by recipe…',
    watch: 'Training by recipe…',
    recipe: (title: string) => `by recipe: ${title}`,
    report: 'Report',
    reportLong: (version: number) => `Open the report of version ${version}`,
  },
} as const
