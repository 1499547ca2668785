import { t } from '../i18n/frame.ts'
import { reviewText as text } from '../i18n/review.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useCautionsStore } from '../stores/cautions.ts'
import { useConnectionStore } from '../stores/connection.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useProjectStore } from '../stores/project.ts'
import { useQueueStore } from '../stores/queue.ts'
import type { Place } from '../stores/queueWalk.ts'
import { useReviewStore } from '../stores/review.ts'
import { useViewStore } from '../stores/view.ts'
import { all, type Check } from './checks.ts'
import type { Action } from './types.ts'

/** Approving what is right, and going to what may not be. */
export function reviewActions(): Action[] {
  const view = useViewStore()
  const review = useReviewStore()
  const queue = useQueueStore()
  const project = useProjectStore()
  const jobs = useJobsStore()
  const connection = useConnectionStore()
  const cautions = useCautionsStore()

  const connected: Check = () => connection.open || t.reasons.noConnection
  const withCase: Check = () => view.detail !== null || t.reasons.noCase
  const onSlice: Check = () => review.state !== null || text.reasons.notAxial
  const withModel: Check = () => project.activeModel !== null || t.reasons.noModel
  /** One that began by itself becomes one that is asked for. */
  const idle: Check = () => {
    if (jobs.busy) return t.reasons.jobRuns
    return queue.ranking === null || jobs.isUnasked(queue.ranking) || text.reasons.ranking
  }
  const running: Check = () => project.compute?.state !== 'failed' || t.reasons.computeDown
  const ranked: Check = () => {
    if (queue.slices.length > 0) return true
    if (queue.ranking !== null) return text.reasons.ranking
    if (project.activeModel === null) return t.reasons.noModel
    return queue.rankedAt === null ? text.reasons.notRanked : text.reasons.nothingLeft
  }

  return [
    {
      id: 'approve-slice',
      group: 'review',
      label: () => text.actions.approveSlice,
      shortcuts: ['Q'],
      when: all(connected, withCase, onSlice),
      run: async () => {
        if (!cautions.holds()) await approveSlice()
      },
      checked: () => review.state === 'approved',
      doing: text.doing.approve,
    },
    {
      id: 'approve-region',
      group: 'review',
      label: () => text.actions.approveRegion,
      shortcuts: ['Shift+V'],
      when: all(connected, withCase, onSlice),
      run: async () => {
        if (!cautions.holds()) await approveRegion()
      },
      doing: text.doing.approve,
    },
    {
      id: 'approve-case',
      group: 'review',
      label: () => text.actions.approveCase,
      shortcuts: ['Shift+Q'],
      when: all(connected, withCase),
      run: async () => {
        if (cautions.holds()) return
        await approveCase()
      },
      checked: () => review.allApproved,
      doing: text.doing.approve,
    },
    {
      id: 'next-uncertain',
      group: 'review',
      label: () => text.actions.nextUncertain,
      shortcuts: ['N'],
      when: ranked,
      run: async () => {
        const next = queue.next()
        if (next === null) view.tell('info', text.told.onlyThis)
        else await goToSlice(next)
      },
      doing: text.doing.queue,
    },
    {
      id: 'previous-uncertain',
      group: 'review',
      label: () => text.actions.previousUncertain,
      shortcuts: ['Shift+N'],
      when: () => true,
      run: async () => {
        const previous = queue.previous()
        if (previous === null) view.tell('info', text.reasons.noWayBack)
        else await goToSlice(previous)
      },
      doing: text.doing.queue,
    },
    {
      id: 'rank',
      group: 'review',
      label: () => text.actions.rank,
      shortcuts: [],
      when: all(connected, withModel, running, idle),
      run: () => queue.rank(),
      doing: text.doing.rank,
    },
    {
      id: 'toggle-uncertainty',
      group: 'review',
      label: () => text.actions.uncertainty,
      shortcuts: ['U'],
      when: withCase,
      run: () => {
        view.overlay.uncertaintyVisible = !view.overlay.uncertaintyVisible
      },
      checked: () => view.overlay.uncertaintyVisible,
    },
  ]
}

/** Says something of the case `caseId`, unless another one is on screen by now. */
function tell(caseId: string | null, level: 'info' | 'warning', words: string): void {
  const view = useViewStore()
  if (view.caseId === caseId) view.tell(level, words)
}

/** What is on screen at the key press counts, whatever is when the answer comes. */
async function approveSlice(): Promise<void> {
  const { caseId, index } = useViewStore()
  const review = useReviewStore()
  const { told } = text
  if (review.state === 'approved') {
    await review.takeBack(index)
    tell(caseId, 'info', told.takenBack(index + 1))
    return
  }
  const { tookOver, labelled } = await review.approveSlice(index)
  const words = labelled ? (tookOver ? told.tookOver : told.approved) : told.empty
  tell(caseId, labelled ? 'info' : 'warning', words(index + 1))
}

/** All of the slice in view is the slice. */
async function approveRegion(): Promise<void> {
  const view = useViewStore()
  const review = useReviewStore()
  const region = view.regionInView()
  const { caseId, index } = view
  if (region === null) {
    view.tell('warning', text.reasons.nothingInView)
    return
  }
  const width = region.x1 - region.x0
  const height = region.y1 - region.y0
  const extent = view.view
  if (extent !== null && width * height === extent.width * extent.height) {
    if (useAnnotationStore().stateOf(index) !== 'approved') await approveSlice()
    return
  }
  const tookOver = await review.approveRegion(index, region)
  const words = tookOver ? text.told.regionTookOver : text.told.region
  tell(caseId, 'info', words(index + 1, width, height))
}

async function approveCase(): Promise<void> {
  const { caseId } = useViewStore()
  const review = useReviewStore()
  const { told } = text
  if (review.allApproved) {
    await review.takeBack(null)
    tell(caseId, 'info', told.allTakenBack)
    return
  }
  const all = review.sliceCount
  const { approved, unseen } = await review.approveCase()
  if (unseen === 0) tell(caseId, 'info', told.all(all))
  else tell(caseId, 'warning', approved === 0 ? told.noneSeen(unseen) : told.some(approved, unseen))
}

/** Goes to a slice of the queue, in whichever case it lies. */
export async function goToSlice({ caseId, index }: Place): Promise<void> {
  const view = useViewStore()
  if (view.caseId === caseId && view.detail !== null) view.showSlice(index)
  else await view.openCase(caseId, index)
}
