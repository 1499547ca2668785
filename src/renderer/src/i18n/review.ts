import type { QueuedSlice, SliceState } from '../../../core/contract/index.ts'
import { formatCount, formatMoment, plural } from './format.ts'

/** Parts of a score at least this large are worth a word; a part that is close to the largest one is named beside it. */
const worthAWord = 0.5
const close = 0.15

const parts = { entropy: 'unsure', disagreement: 'unstable', novelty: 'unfamiliar' } as const

/** Why a slice is worth looking at, the strongest reason first. */
function reasonOf(slice: Pick<QueuedSlice, keyof typeof parts>): string {
  const found = (['entropy', 'disagreement', 'novelty'] as const)
    .map((part) => ({ part, value: slice[part] ?? 0 }))
    .sort((a, b) => b.value - a.value)
  const largest = found[0]?.value ?? 0
  const named = found.filter(({ value }, at) => at === 0 || (value >= worthAWord && largest - value <= close))
  const words = named.map(({ part }) => parts[part]).join(', ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const share = (value: number): string => value.toFixed(2)

/** All words about what slices are, approving them, and what to look at next. Plain, short, in the user's terms. */
export const reviewText = {
  states: {
    untouched: 'not started',
    predicted: 'predicted',
    corrected: 'corrected',
    approved: 'approved',
  } satisfies Record<SliceState, string>,
  paintedState: 'corrected in part',
  stateHints: {
    untouched: 'Nobody has worked on this slice yet: it teaches nothing.',
    predicted: 'Predicted and not looked at yet: it teaches nothing until you accept, correct or approve it.',
    corrected: 'You worked on this slice: all of it teaches.',
    approved:
      'You said that all of this slice is right; what you draw on it after that counts as right too: all of it teaches.',
  } satisfies Record<SliceState, string>,
  paintedHint: 'You worked on this slice: only what was painted or approved teaches.',
  /** Of a slice that the queue leads to. */
  unpredictedState: 'not predicted yet',
  unpredictedPress: (key: string) => `not predicted yet: press ${key}`,
  unpredictedHint: 'In the queue for what the model would learn from it. Predict shows what it makes of this slice.',

  heldOut: 'hold-out',
  heldOutHint: 'No model learns from this case: it, or another part of its file, is set aside to score them on.',

  approve: 'Approve',
  approved: 'Approved',
  more: 'More about approving and what teaches',
  panelTitle: 'Approve',
  partInView: 'Part in view',
  wholeCase: 'All slices seen',
  thisSlice: 'What of this slice teaches',
  fromNowOn: 'Of slices corrected from now on',
  whole: 'All of it',
  painted: 'Where painted',
  coverageHint:
    'All of it: a corrected slice is right everywhere. Where painted: only what strokes changed, close around them, and what was approved.',

  actions: {
    approveSlice: 'Approve slice, or take that back',
    approveRegion: 'Approve the part in view',
    approveCase: 'Approve all slices that were on screen',
    nextUncertain: 'Next uncertain slice',
    previousUncertain: 'Previous uncertain slice',
    rank: 'Rank slices now',
    uncertainty: 'Show or hide uncertainty',
  },
  doing: {
    approve: 'Approving',
    coverage: 'Changing what teaches',
    rank: 'Ranking slices',
    queue: 'Going to the next slice',
  },
  reasons: {
    notAxial: 'Axial slices are approved: go to the axial plane',
    nothingInView: 'Nothing of the slice is in view',
    notCorrected: 'For a slice that is corrected and not approved',
    ranking: 'Slices are being ranked',
    notRanked: 'Nothing is ranked yet: press Rank now in the queue',
    nothingLeft: 'Every ranked slice is dealt with',
    noWayBack: 'There is no slice before this one',
  },
  told: {
    approved: (number: number) => `Slice ${number} is approved. Undo takes it back.`,
    tookOver: (number: number) => `The prediction of slice ${number} was accepted and approved. Undo takes it back.`,
    empty: (number: number) => `Slice ${number} is approved without any label. Undo takes it back.`,
    takenBack: (number: number) => `The approval of slice ${number} was taken back.`,
    region: (number: number, width: number, height: number) =>
      `${width} × ${height} pixels of slice ${number} are approved. Undo takes it back.`,
    regionTookOver: (number: number, width: number, height: number) =>
      `The prediction of slice ${number} was accepted, and ${width} × ${height} pixels of it are approved. Undo takes back the approval, then the prediction.`,
    some: (approved: number, unseen: number) =>
      `${plural(approved, 'slice')} approved. ${formatCount(unseen)} more ${unseen === 1 ? 'was' : 'were'} not on screen yet: look at ${unseen === 1 ? 'it' : 'them'} first.`,
    noneSeen: (unseen: number) =>
      `Nothing was approved: ${plural(unseen, 'slice')} ${unseen === 1 ? 'was' : 'were'} not on screen yet, or changed since. Look at ${unseen === 1 ? 'it' : 'them'} first.`,
    all: (slices: number) => `All ${plural(slices, 'slice')} are approved. Undo takes it back.`,
    allTakenBack: 'The approval of the case was taken back.',
    onlyThis: 'Nothing else is in the queue.',
  },

  layer: {
    show: 'Uncertainty',
    opacity: 'Strength',
    opacityLong: 'Strength of the uncertainty colours',
    sure: 'sure',
    unsure: 'unsure',
    unknown: 'Not known for this slice yet: press Predict.',
  },

  queue: {
    cases: 'Cases',
    tab: 'Queue',
    view: 'What the worklist shows',
    title: 'What to look at next',
    by: 'List',
    bySlice: 'By slice',
    byCase: 'By case',
    rank: 'Rank now',
    ranking: 'Ranking…',
    rankedBy: (version: number) => `By version ${version}`,
    rankedByOther: 'By another model',
    rankedAt: (at: string) => `Ranked ${formatMoment(at)}.`,
    outdated: 'Another model is in use by now: rank again.',
    noModelTitle: 'No model yet',
    noModel: 'Once there is one, the slices it is least sure of, and those unlike what it learned, are listed here.',
    unrankedTitle: 'Nothing is ranked yet',
    unranked: 'Ranks the slices nobody worked on: first those the model is unsure of and would learn most from.',
    stopped: (why: string) => `Ranking by itself ended early. ${why}`,
    doneTitle: 'Nothing left to look at',
    done: 'Every ranked slice is corrected or approved. Rank again after the next training.',
    slice: (number: number) => `slice ${number}`,
    waiting: (slices: number) => `${plural(slices, 'slice')} to look at`,
    reason: reasonOf,
    /** What the reason means, of 1 each: among all that was ranked. */
    numbers: (slice: QueuedSlice) =>
      [
        `the model is unsure by ${share(slice.entropy)}`,
        ...(slice.disagreement === null ? [] : [`predicts a changed look otherwise by ${share(slice.disagreement)}`]),
        `has learned nothing like it by ${share(slice.novelty)}`,
      ].join(', '),
  },

  worklist: {
    approved: (approved: number) => `${plural(approved, 'slice')} approved`,
    both: (corrected: number, approved: number) =>
      `${formatCount(corrected)} corrected, ${formatCount(approved)} approved`,
    saved: (corrected: number, approved: number) =>
      `Mask saved, ${corrected === 0 ? '' : `${formatCount(corrected)} corrected, `}${formatCount(approved)} approved`,
  },

  marks: {
    approved: 'Approved slices',
    corrected: 'Corrected or accepted slices',
    painted: 'Slices that teach only where they were painted',
    predicted: 'Predicted slices',
    queued: 'First slices of the queue',
  },
} as const
