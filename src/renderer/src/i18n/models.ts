import type { LiveState, Verdict } from '../../../core/contract/index.ts'
import { eitherOf, formatBytes, formatCount, formatDice, formatMoment, formatSeconds, plural } from './format.ts'

/** What rounds to nothing has no sign. */
const signed = (value: number): string => {
  const digits = Math.abs(value).toFixed(3)
  if (Number(digits) === 0) return digits
  return `${value < 0 ? '−' : '+'}${digits}`
}

/** All words about versions of the model: how they were judged, their history, curves, and the hold-out. */
export const modelWords = {
  title: 'Models',
  count: (versions: number, bytes: number) => `${plural(versions, 'version')}, ${formatBytes(bytes)}`,
  tabsName: 'What the page shows',
  tabs: { versions: 'Versions', curves: 'Curves', compare: 'Compare', holdout: 'Hold-out' },
  version: (version: number) => `Version ${formatCount(version)}`,
  short: (version: number) => `v${version}`,

  actions: {
    models: 'Models',
    live: 'Live training',
    rollBack: (version: number | null) =>
      version === null ? 'Roll back the model' : `Roll back to version ${formatCount(version)}`,
    compare: 'Compare versions',
    holdout: 'Choose the hold-out',
    importVersion: 'Import a model version…',
  },
  reasons: {
    nothingBefore: 'There is no earlier version to go back to',
    noLabel: 'Add a label first',
    waits: 'Another training waits already',
    oneVersion: 'There is only one version',
  },
  doing: {
    live: 'Live training',
    judge: 'Comparing with the version in use',
    describe: 'Changing what is written about the version',
    prune: 'Deleting weights',
    exportVersion: 'Exporting the version',
    importVersion: 'Importing a version',
    curves: 'Saving the curves',
    animation: 'Making the animation',
    holdout: 'Changing the hold-out',
    compare: 'Comparing versions',
  },

  retrain: {
    next: 'Retrain again next',
    waits: 'One more waits',
    aside: (version: number) =>
      `Version ${formatCount(version)} was not better and is kept aside. Correct more slices, then retrain.`,
  },

  live: {
    name: 'Live',
    onHint: 'Live trains in the quiet between strokes. Switching it off keeps what it learned as a version.',
    offHint: 'Train in the quiet between strokes',
    title: 'Live training',
    phase: {
      off: 'off',
      starting: 'starting',
      waiting: 'waits for a corrected slice',
      training: 'training',
      paused: 'paused',
      saving: 'keeping a version',
    } satisfies Record<LiveState['phase'], string>,
    numbers: ({ steps, dice }: Pick<LiveState, 'steps' | 'dice'>) =>
      dice === null ? plural(steps, 'step') : `${plural(steps, 'step')}, Dice ${formatDice(dice)}`,
    numbersHint: (slices: number) => `On the ${plural(slices, 'slice')} it learns from`,
  },

  verdict: {
    promoted: 'Better on the hold-out',
    aside: 'Kept aside',
    unproven: 'Used without proof',
    overridden: 'Used by your decision',
    waiting: 'Not judged yet',
  } satisfies Record<Verdict, string>,
  /** Of a version that is not in use: by now, or at all. */
  notInUse: { overridden: 'Was used by your decision', unproven: 'Not proven' },
  verdictShort: {
    promoted: 'better',
    aside: 'kept aside',
    unproven: 'unproven',
    overridden: 'your decision',
    waiting: 'not judged',
  } satisfies Record<Verdict, string>,
  judged: {
    against: (version: number | null) =>
      version === null ? 'The first version' : `Held against version ${formatCount(version)}`,
    notJudged: 'Never held against another version.',
    notJudgedHere: 'Not judged in this project. Scores from elsewhere were made on other cases and are not taken over.',
    table: 'Dice on the hold-out, before and after',
    label: 'Label',
    all: 'All labels',
    case: 'Case',
    slices: 'Slices',
    before: 'Before',
    after: 'After',
    change: 'Change',
    signed,
    none: '–',
    cases: (cases: number, slices: number) => `${plural(cases, 'case')}, ${plural(slices, 'slice')}`,
    byCase: 'By case',
    noValue: 'Neither the mask nor a prediction has it there: nothing to compare',
    notScored: 'not scored',
    notScoredHint: 'At that time nothing was corrected or approved in it, or its image could not be read.',
    nothingDone: 'nothing corrected or approved yet',
    ofLabel: 'Label shown by case',
    test: (unit: 'case' | 'slice', pairs: number, difference: number, error: number) =>
      `Mean change ${signed(difference)} ± ${error.toFixed(3)} over ${plural(pairs, unit)}`,
    p: (p: number, level: number) =>
      `p ${p < 0.0001 ? '< 0.0001' : `= ${p.toFixed(4)}`}, ${p <= level ? 'within' : 'above'} the level of ${level}`,
    testHint: {
      'sign-flip': 'One-sided sign-flip test: how often as large a gain comes by chance.',
      'paired-t': 'One-sided paired t-test: how often as large a gain comes by chance.',
    },
    overridden: (reason: string, at: string) => `Your reason, ${formatMoment(at)}: ${reason}`,
    use: 'Use it all the same…',
    details: 'By case…',
    chooseHoldout: 'Choose a hold-out…',
    openHoldout: 'Open the hold-out…',
    annotate: (more: boolean) =>
      `Annotate or approve ${more ? 'more ' : ''}slices of the cases that are set aside: versions are compared on those.`,
    /** A label or more. */
    unseen: (names: readonly string[]) =>
      `The slices it learned from show next to nothing of ${eitherOf(names)}: see whether it still finds ${names.length === 1 ? 'that' : 'those'}.`,
    compareNow: 'Compare it now',
    compareWith: (version: number) => `Compare version ${formatCount(version)} with it`,
    earlier: 'Earlier judgements',
    took: (seconds: number, at: string) => `Judged ${formatMoment(at)}, in ${formatSeconds(seconds)}`,
  },

  override: {
    title: (version: number) => `Use version ${formatCount(version)} all the same?`,
    hint: 'It was not shown to be better than the version in use. Your reason is kept with the version; you can roll back at any time.',
    reason: 'Why',
    placeholder: 'For example: the hold-out has none of the lesions that it was corrected for.',
    use: (version: number) => `Use version ${formatCount(version)}`,
    cancel: 'Cancel',
  },

  list: {
    title: 'Versions, the newest first',
    all: (versions: number) => `All ${plural(versions, 'version')}…`,
    dice: 'Dice on the hold-out',
    pruned: 'no weights',
    inUse: 'in use',
    imported: 'Imported, not judged here',
    free: 'Free space…',
    stop: 'Cancel',
    select: (version: number) => `Delete the weights of version ${formatCount(version)}`,
    freeHint: 'What is known of a version stays; it can then neither be used, compared nor exported.',
    chosen: (versions: number, bytes: number) => `${plural(versions, 'version')}, ${formatBytes(bytes)}`,
    freed: (bytes: number) => `${formatBytes(bytes)} freed`,
    delete: 'Delete weights…',
    confirmTitle: (versions: number) => `Delete the weights of ${plural(versions, 'version')}?`,
    confirm: (names: string, bytes: number) =>
      `${names}: ${formatBytes(bytes)}. Judgements, data and notes stay. Only a file written by Export brings a version’s weights back.`,
    confirmYes: 'Delete weights',
    confirmNo: 'Keep weights',
    activeHint: 'The version in use cannot be deleted',
    nothing: 'This project has no model yet. Paint on a few slices, then press Train.',
    row: (name: string, state: string) => `${name}, ${state}`,
  },

  detail: {
    name: 'Name',
    rename: 'Change the name',
    use: 'Use this version',
    inUse: 'in use',
    parent: (version: number) => `from version ${formatCount(version)}`,
    first: 'without a parent',
    parentUnknown: 'not known here',
    mode: {
      retrain: 'Retrain',
      live: 'Live training',
      recipe: 'Recipe',
      imported: 'Imported',
      shipped: 'Came with the project',
    },
    compare: 'Compare',
    compareHint: 'See it beside the version in use, on any case',
    export: 'Export',
    exportHint: 'Writes the network with its name, notes, tags and settings as one file; no reports, no names of cases',
    exporting: 'Writing and checking…',
    import: 'Import version…',
    report: 'Report',
    judge: (again: boolean) => (again ? 'Judge again' : 'Judge'),
    judgeHint: 'Holds it against the version in use on the hold-out; nothing changes by it',
    pruned: 'Its weights were deleted. What is known of it stays; importing its file brings them back.',
    imported: 'Imported: its training, its data and what was written about it are as its file says.',
    /** Of a version, which is read back and compared; of curves and pictures, which are not. */
    saved: (verified: boolean) => (verified ? 'Saved and verified' : 'Written'),
    notes: 'Notes',
    notesHint: 'What to remember of this version',
    tags: 'Tags',
    addTag: 'Add a tag',
    removeTag: (tag: string) => `Remove the tag ${tag}`,
    judgement: 'Judgement',
    data: (cases: number, slices: number) => `Learned from ${plural(cases, 'case')}, ${plural(slices, 'slice')}`,
    noData: 'What it learned from is not known here.',
    case: 'Case',
    slices: 'Slices',
    revision: 'Revision',
    hash: 'Image',
    hashHint: (hash: string) => `SHA-256 of the image: ${hash}`,
    changed: (slices: number) => `${plural(slices, 'slice')} corrected again since`,
    removed: 'not on the worklist',
    curve: 'Training curve',
    facts: 'Settings and versions',
    factNames: {
      created: 'Made',
      mode: 'How',
      parent: 'Goes on',
      duration: 'Training took',
      mended: 'Mended',
      backend: 'Computed on',
      device: 'Device',
      parameters: 'Parameters',
      size: 'On disk',
    },
    mended: ({ count, mended }: { readonly count: number; readonly mended: number }) =>
      `${formatCount(mended)} of ${plural(count, 'pixel')} that its parent had wrong`,
    settings: 'Settings',
    packages: 'Package versions',
    loading: 'Reading…',
    failed: 'This version cannot be shown',
    again: 'Try again',
  },

  file: {
    title: 'Import a model version',
    placeholder: 'Path of a file, e.g. /home/me/liver-4.maskwright-model',
    hint: 'A file that Export has written. It is not used until you choose it.',
    take: 'Import',
    importing: 'Reading and checking…',
    noSuchFile: (text: string) =>
      `There is no file at "${text}" whose name ends in .maskwright-model; check the path or pick one from the list.`,
    suggested: (name: string, version: number) =>
      `${name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[-.]+|-+$/g, '') || 'model'}-${version}.maskwright-model`,
  },

  curves: {
    against: 'Against',
    axis: { slices: 'Corrected slices', seconds: 'Training time', date: 'Date' },
    dice: 'Dice',
    loss: 'Loss',
    holdout: 'Hold-out',
    before: 'Corrections, before learning them',
    after: 'Corrections, after',
    lossLine: 'Loss',
    hint: 'A dot is a version; hollow ones were kept aside. A line leads from what a version goes on from to the version; scores on different hold-outs are not joined.',
    beforeHint:
      'What its parent predicted on the slices it newly learned, against what they became: the less there is to correct, the higher.',
    waiting: 'The curve starts with the first version that is trained here.',
    csv: 'Save CSV',
    svg: 'Save SVG',
    gif: 'Save GIF',
    gifHint: (name: string, number: number) =>
      `What each version predicts of ${name}, slice ${number}, one after the other`,
    gifNoCase: 'Open a case first',
    gifMaking: 'Making the animation…',
    at: (version: number, x: string) => `Version ${version}, ${x}`,
    xWords: {
      slices: (value: number) => plural(value, 'corrected slice'),
      seconds: (value: number) => formatSeconds(value),
      date: (value: number) => formatMoment(new Date(value).toISOString()),
    },
    summary: (title: string, at: string, values: string) => `${title}. ${at}: ${values}`,
  },

  compare: {
    case: 'Case',
    slice: 'Slice',
    left: 'Left',
    right: 'Right',
    show: 'Shown',
    shown: { prediction: 'Prediction', difference: 'Differences', mask: 'Mask' },
    predicting: 'Predicting…',
    differ: (voxels: number, all: number) =>
      voxels === 0
        ? 'Both predict this slice alike.'
        : `${plural(voxels, 'voxel')} differ, ${((voxels / all) * 100).toFixed(1)} % of the slice.`,
    dice: (dice: number) => `Dice against the mask ${formatDice(dice)}`,
    noMask: 'Not corrected: no mask to measure against',
    noCase: 'There is no case to compare on.',
    few: 'Two versions with weights are needed to compare.',
    swap: 'Swap sides',
    open: 'Open in the viewer',
    hint: 'The wheel goes through the slices, Ctrl and the wheel zooms both, dragging moves both.',
    aria: (side: string, version: number) => `${side}: version ${version}`,
  },

  holdout: {
    none: 'No hold-out',
    noneHint:
      'Without one, every new version is used unproven. Set a few cases aside: none is ever learned from, and each new version must do better on them than the one in use.',
    some: (cases: number) => `${plural(cases, 'case')} set aside`,
    few: 'With fewer than five cases their slices are compared, and more strictly: a small gain is not proven, and its version is kept aside.',
    ask: {
      giveUpTitle: 'Give the hold-out up?',
      giveUp:
        'New versions are then used unproven. Scores made with it are kept, and no longer compared. Setting the same cases aside again brings it back, unless the model in use has learned from one of them by then.',
      giveUpOff: (names: readonly string[]) =>
        `What is set aside is off the worklist: ${names.join(', ')}. Once ${names.length === 1 ? 'its image is' : 'their images are'} opened again, ${names.length === 1 ? 'it teaches' : 'they teach'} like any other case.`,
      giveUpYes: 'Give it up',
      changeTitle: 'Change the hold-out?',
      change:
        'Scores made with the present one are kept, and no longer compared: nothing is proven on the new one yet. Cases that are taken out of it teach from now on.',
      changeYes: 'Change it',
      keep: 'Keep it',
    },
    asPredicted:
      'What is scored here is only accepted or approved; nobody has drawn on it since. A slice that is as it was predicted scores the version that predicted it at 1: no other can do better there.',
    off: (names: readonly string[]) =>
      `Set aside, but off the worklist: ${names.join(', ')}. Nothing is scored on ${names.length === 1 ? 'it, nor learned from it; opening its image' : 'them, nor learned from them; opening their images'} again brings ${names.length === 1 ? 'it' : 'them'} back.`,
    leave: {
      title: (name: string) => `Take ${name} off the worklist?`,
      message: (last: boolean) =>
        `It is set aside in the hold-out. ${last ? 'It is the only one there: new versions are then used unproven' : 'Scores made with it are kept, and no longer compared'}, until its image is opened again.`,
      yes: 'Take it off',
      no: 'Keep it',
    },
    frozen: (by: string, at: string) => `${by}, ${formatMoment(at)}`,
    by: { user: 'Chosen by you', maskwright: 'Chosen by Maskwright', recipe: 'Chosen by the recipe' },
    noSlices: 'Nothing in these cases is corrected or approved yet: until then new versions are used unproven.',
    scored: (slices: number) => `${plural(slices, 'slice')} to score on`,
    case: 'Case',
    status: 'What is done',
    scoredColumn: 'Scored slices',
    learned: 'The model in use learned from it',
    slide: 'Slides cannot be set aside; their regions can',
    noCases: 'There are no cases yet. Add images to the worklist first; then some of them can be set aside.',
    suggest: 'Choose for me',
    suggested: (cases: number) => `${plural(cases, 'case')} chosen; Freeze sets them aside.`,
    nothingToSuggest: 'There is no case left that could be set aside: add some that the model has not learned from.',
    freeze: (cases: number) => (cases === 0 ? 'Freeze' : `Freeze ${plural(cases, 'case')}`),
    giveUp: 'Give the hold-out up',
    reset: 'Undo changes',
    change: 'Scores made with another hold-out are kept, and no longer compared.',
    select: (name: string) => `Set ${name} aside`,
    corrected: (slices: number) => `${plural(slices, 'slice')} corrected`,
    approved: (slices: number) => `${plural(slices, 'slice')} approved`,
    both: (corrected: number, approved: number) =>
      `${plural(corrected, 'slice')} corrected, ${formatCount(approved)} approved`,
    untouched: 'nothing yet',
  },
} as const
