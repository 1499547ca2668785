import { ref, watch } from 'vue'
import { t } from '../i18n/frame.ts'
import { modelWords } from '../i18n/models.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useCautionsStore } from '../stores/cautions.ts'
import { useComparisonStore } from '../stores/comparison.ts'
import { useConnectionStore } from '../stores/connection.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useProjectStore } from '../stores/project.ts'
import { useReviewStore } from '../stores/review.ts'
import { useSettingsStore } from '../stores/settings.ts'
import { useOnTrainingPlane, useShownSlice } from '../stores/shown.ts'
import { useUiStore } from '../stores/ui.ts'
import { useViewStore } from '../stores/view.ts'
import { all, type Check } from './checks.ts'
import { acceptPrediction, importModel } from './flows.ts'
import type { Action } from './types.ts'

export function modelActions(): Action[] {
  const view = useViewStore()
  const annotation = useAnnotationStore()
  const project = useProjectStore()
  const jobs = useJobsStore()
  const settings = useSettingsStore()
  const connection = useConnectionStore()
  const comparison = useComparisonStore()
  const cautions = useCautionsStore()
  const review = useReviewStore()
  const ui = useUiStore()
  const shown = useShownSlice()
  const onTrainingPlane = useOnTrainingPlane()
  /** What there was to learn newly when the training that runs, or runs next, was first heard of: also one from before a reload. */
  const slicesAsked = ref(Infinity)
  watch(
    () => jobs.training?.id,
    (id) => {
      slicesAsked.value = id === undefined ? Infinity : project.newCorrectedSlices
    },
    { flush: 'sync', immediate: true },
  )
  // What a training took in counts no longer; from then on the rest is what was there.
  watch(
    () => project.newCorrectedSlices,
    (now) => {
      slicesAsked.value = Math.min(slicesAsked.value, now)
    },
    { flush: 'sync' },
  )
  /** One was asked for, and there is no answer yet. */
  const asking = ref(false)

  const connected: Check = () => connection.open || t.reasons.noConnection
  const withCase: Check = () => view.detail !== null || t.reasons.noCase
  const withModel: Check = () => project.activeModel !== null || t.reasons.noModel
  const idle: Check = () => !jobs.busy || t.reasons.jobRuns
  /** One more training may wait for the one that runs, where something was corrected since that was asked for. */
  const trainable: Check = () => {
    if (asking.value) return t.reasons.jobRuns
    if (!jobs.busy) return true
    if (jobs.trainings > 1) return modelWords.reasons.waits
    const more = jobs.training !== null && project.newCorrectedSlices > slicesAsked.value
    return more && jobs.active?.kind === 'train' ? true : t.reasons.jobRuns
  }
  const running: Check = () => project.compute?.state !== 'failed' || t.reasons.computeDown
  const predicted: Check = () => annotation.predicted.length > 0 || t.reasons.nothingPredicted
  const slicePredicted: Check = () => {
    if (!onTrainingPlane.value) return t.reasons.notTrainingPlane
    return annotation.predicted.includes(view.index) || t.reasons.slicePredicted
  }
  const corrected: Check = () => {
    const here = review.heldOut ? 0 : annotation.corrected.length + annotation.approved.length
    return project.doneSlices + project.newCorrectedSlices + here > 0 || t.reasons.nothingCorrected
  }

  return [
    {
      id: 'predict',
      group: 'model',
      label: () => (annotation.predicted.length > 0 ? t.model.predictAgain : t.actions.predict),
      shortcuts: ['P'],
      when: all(connected, withCase, withModel, running, idle),
      run: async () => {
        ui.note = null
        view.overlay.predictionVisible = true
        if (shown.value !== null) await jobs.predict(shown.value)
      },
      doing: t.errors.doing.predict,
    },
    {
      id: 'accept-slice',
      group: 'model',
      label: () => t.actions.acceptSlice,
      shortcuts: ['A'],
      when: all(connected, withCase, predicted, slicePredicted),
      run: async () => {
        const axis = view.detail?.trainingAxis
        if (axis === undefined || cautions.holds()) return
        ui.note = await acceptPrediction({ kind: 'slice', axis, index: view.index }, null)
      },
      doing: t.errors.doing.accept,
    },
    {
      id: 'accept-all',
      group: 'model',
      label: () => t.actions.acceptAll,
      shortcuts: ['Shift+A'],
      when: all(connected, withCase, predicted),
      run: async () => {
        if (!cautions.holds()) ui.note = await acceptPrediction({ kind: 'volume' }, null)
      },
      doing: t.errors.doing.accept,
    },
    {
      id: 'retrain',
      group: 'model',
      label: () => {
        const words = project.learningModel === null ? t.model.train : t.model.retrain
        return words(project.newCorrectedSlices)
      },
      shortcuts: ['R'],
      when: all(connected, running, trainable, corrected),
      run: async () => {
        ui.note = null
        const { detail } = view
        const predictedBefore = [...annotation.predicted]
        const model = project.activeModel
        const before = project.newCorrectedSlices
        asking.value = true
        try {
          await jobs.train(settings.trainingSeconds, shown.value)
          slicesAsked.value = Math.min(before, project.newCorrectedSlices)
        } finally {
          asking.value = false
        }
        // It runs again, so that what ended the last one is of the past.
        ui.settle(t.errors.doing.train)
        if (detail !== null && model !== null) {
          void comparison.remember(detail, predictedBefore, shown.value?.index ?? 0, model.id)
        }
      },
      doing: t.errors.doing.train,
    },
    {
      id: 'import-model',
      group: 'model',
      label: () => t.actions.importModel,
      shortcuts: [],
      when: all(connected, running, idle),
      run: importModel,
      doing: t.errors.doing.importModel,
    },
    {
      id: 'show-changed',
      group: 'model',
      label: () => t.actions.showChanged,
      shortcuts: ['D'],
      when: () => {
        if (jobs.training !== null) return t.reasons.jobRuns
        if (view.caseId === null || comparison.comparableCase !== view.caseId) return t.reasons.nothingToCompare
        return onTrainingPlane.value || t.reasons.notTrainingPlane
      },
      run: () => {
        view.overlay.maskVisible = true
        view.overlay.predictionVisible = true
        comparison.setComparing(!comparison.comparing)
      },
      checked: () => comparison.comparing,
    },
    {
      id: 'cancel-job',
      group: 'model',
      label: () => t.actions.cancelJob,
      shortcuts: ['Ctrl+.'],
      when: () => {
        if (jobs.active === null) return t.reasons.noJob
        return jobs.cancelling ? t.reasons.cancelling : true
      },
      run: async () => {
        const notice = jobs.active === null ? null : await jobs.cancel(jobs.active.id)
        if (notice !== null) ui.toast('info', notice)
      },
      onPage: true,
      doing: t.errors.doing.cancel,
    },
  ]
}

/** Accepts one label of the prediction in the whole volume. */
export async function acceptLabel(value: number): Promise<void> {
  const ui = useUiStore()
  if (useCautionsStore().holds()) return
  try {
    ui.note = await acceptPrediction({ kind: 'volume' }, [value])
  } catch (error) {
    ui.report(error, t.errors.doing.accept)
  }
}
