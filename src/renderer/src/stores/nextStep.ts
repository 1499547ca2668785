import { computed } from 'vue'
import { defineStore } from 'pinia'
import { useAnnotationStore } from './annotation.ts'
import { useCautionsStore } from './cautions.ts'
import { useComparisonStore } from './comparison.ts'
import { useExportsStore } from './exports.ts'
import { useJobsStore } from './jobs.ts'
import { useProjectStore } from './project.ts'
import { useRecipesStore } from './recipes.ts'
import { firstRunSteps, useSettingsStore, type FirstRunStep } from './settings.ts'
import { useSlideStore } from './slide.ts'
import { useViewStore } from './view.ts'

export type NextStep =
  | 'open'
  | 'blocked'
  | 'caution'
  | 'region'
  | 'recipe'
  | 'recipe-running'
  | 'predict'
  | 'predicting'
  | 'correct'
  | 'retrain'
  | 'retraining'
  | 'compare'
  | 'save'
  | 'done'

/** What to do next, from the state of the work: it decides which one button is the primary one. */
export const useNextStepStore = defineStore('next-step', () => {
  const view = useViewStore()
  const annotation = useAnnotationStore()
  const project = useProjectStore()
  const jobs = useJobsStore()
  const settings = useSettingsStore()
  const exported = useExportsStore()
  const comparison = useComparisonStore()
  const slide = useSlideStore()
  const recipes = useRecipesStore()
  const cautions = useCautionsStore()

  const next = computed<NextStep>(() => {
    const caseId = view.caseId
    if (caseId === null) return 'open'
    if (jobs.training !== null) return 'retraining'
    if (recipes.running) return 'recipe-running'
    if (jobs.predicting !== null) return 'predicting'
    if (view.error !== null) return 'blocked'
    if (cautions.blocking) return 'caution'
    if (slide.open) return 'region'
    // The masks that came with the cases are for the recipe to learn from.
    if (recipes.project !== null && project.models.length === 0) return 'recipe'
    const dealtWith = annotation.corrected.length > 0 || annotation.approved.length > 0
    const untouched = annotation.predicted.length === 0 && !dealtWith
    if (untouched && project.activeModel !== null) return 'predict'
    // Without a model, what was painted is what a first one learns from.
    if (project.newCorrectedSlices > 0 && !jobs.inVain) return 'retrain'
    if (!dealtWith) return 'correct'
    const news = comparison.comparableCase === caseId && comparison.changedVoxels > 0 && !comparison.seen
    if (comparison.comparing || news) return 'compare'
    return project.caseById(caseId)?.status === 'saved' ? 'done' : 'save'
  })

  /** The steps of the first-run path that the state of the project shows as done. */
  const reached = computed<FirstRunStep[]>(() => {
    // A training by a recipe is no retraining, and the masks that it learned from came with the data.
    const retrained = project.models.some((one) => project.trainedHere(one) && one.recipe === undefined)
    const dealtWith = project.cases.some(({ status }) => status === 'corrected' || status === 'approved')
    const corrected = project.activeModel !== null && dealtWith
    const seen: Record<FirstRunStep, boolean> = {
      predict: annotation.predicted.length > 0 || project.cases.some((one) => one.status === 'predicted'),
      correct: retrained || corrected,
      retrain: retrained,
      save: project.cases.some((one) => one.status === 'saved') || Object.keys(exported.results).length > 0,
    }
    return firstRunSteps.filter((step) => seen[step] || settings.firstRunDone.includes(step))
  })

  /** Shown until it is dismissed, as soon as there is something to do it with: its first step needs a model. */
  const pathShown = computed(() => {
    const ready = project.cases.length > 0 && project.activeModel !== null
    return settings.loaded && !settings.firstRunDismissed && ready
  })

  /** A step once done stays ticked, also when its result was undone later. */
  async function remember(): Promise<void> {
    const done = reached.value
    if (settings.loaded && done.length > settings.firstRunDone.length) await settings.set('firstRunDone', [...done])
  }

  return { next, reached, pathShown, remember }
})
