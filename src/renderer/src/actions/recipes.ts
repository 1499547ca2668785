import { CodedError, type FileEntry } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { t } from '../i18n/frame.ts'
import { recipeWords as words } from '../i18n/recipes.ts'
import { carry, restartPage, takeCarried, takeLostStrokes } from '../platform/pageLife.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useConnectionStore } from '../stores/connection.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useProjectStore } from '../stores/project.ts'
import { useRecipesStore } from '../stores/recipes.ts'
import { useReportStore } from '../stores/report.ts'
import { useUiStore } from '../stores/ui.ts'
import { useUploadsStore } from '../stores/uploads.ts'
import type { Action } from './types.ts'

/** What fills the page beside the images: a new project, training by a recipe, a report; and opening other projects. */
export function recipeActions(): Action[] {
  const ui = useUiStore()
  const connection = useConnectionStore()
  const project = useProjectStore()
  const recipes = useRecipesStore()
  const jobs = useJobsStore()
  const connected = () => connection.open || t.reasons.noConnection
  const withReport = () => project.activeModel?.report === true || words.reasons.noReport
  return [
    {
      id: 'new-project',
      group: 'file',
      label: () => words.actions.newProject,
      shortcuts: [],
      when: connected,
      run: () => ui.showPage('new-project'),
      onPage: true,
    },
    {
      id: 'open-project',
      group: 'file',
      label: () => words.actions.openProject,
      shortcuts: [],
      when: () => (jobs.wanted ? t.reasons.jobRuns : connected()),
      run: () => ui.toggle('open-project'),
      doing: t.errors.doing.openProject,
      onPage: true,
    },
    {
      id: 'recipe-training',
      group: 'model',
      label: () => words.actions.training,
      shortcuts: ['T'],
      when: () => (recipes.project !== null || recipes.training !== null ? true : words.reasons.noRecipe),
      run: () => (ui.page === 'training' ? ui.leavePage() : ui.showPage('training')),
      checked: () => ui.page === 'training',
      onPage: true,
    },
    {
      id: 'model-report',
      group: 'model',
      label: () => words.actions.report,
      shortcuts: ['Shift+R'],
      when: withReport,
      run: () => {
        if (project.activeModel !== null) showReport(project.activeModel.id)
      },
      onPage: true,
    },
  ]
}

/** The report of a version, as a page. */
export function showReport(modelId: string): void {
  void useReportStore().open(modelId)
  useUiStore().showPage('report')
}

/** The report as one file: where the native dialog says, else into the project's exports folder. */
export async function saveReport(): Promise<void> {
  const reports = useReportStore()
  if (!useProjectStore().nativeDialogs) {
    await reports.save(null)
    return
  }
  const model = useProjectStore().models.find((one) => one.id === reports.modelId)
  const suggestedName = `report-${model?.version ?? 1}.html`
  const file = await useClient().call('files.saveDialog', { suggestedName })
  if (file !== null) await reports.save(file.id)
}

/**
 * Opens another project in this workstation. The interface then begins anew, with the page of its training where
 * `training` says so, and with a training under way where `train` does.
 */
export async function openProject(
  folder: FileEntry,
  then: { training: boolean; train: boolean } = { training: false, train: false },
): Promise<void> {
  const annotation = useAnnotationStore()
  const project = useProjectStore()
  const ui = useUiStore()
  await annotation.settled()
  if (annotation.unsaved) throw new CodedError('busy', words.project.unsaved)
  if (useUploadsStore().uploads.some(({ state }) => state !== 'failed'))
    throw new CodedError('busy', words.project.uploading)
  carry(then.training ? { page: 'training', train: then.train } : null)
  try {
    const { id } = await useClient().call('project.open', { fileId: folder.id })
    if (id !== project.project?.id) return
    // It is the one that is open: nothing begins anew.
    carry(null)
    ui.close()
    if (then.training) ui.showPage('training')
  } catch (error) {
    carry(null)
    throw error
  }
}

/** Begins the interface anew when another project is open; the answer ends it. */
export function followProject(): () => void {
  return useClient().on('project.opened', () => restartPage(useAnnotationStore().pendingStrokes))
}

/** What the page goes on with that began anew. What goes wrong is shown. */
export async function goOn(): Promise<void> {
  const ui = useUiStore()
  const lost = takeLostStrokes()
  if (lost > 0) ui.toast('warning', words.project.lost(lost))
  const carried = takeCarried()
  if (carried === null) return
  ui.showPage(carried.page)
  const { project, training } = useRecipesStore()
  if (!carried.train || project === null || training !== null) return
  try {
    await startTraining(false)
  } catch (error) {
    ui.report(error, t.errors.doing.trainRecipe)
  }
}

/** Trains as the project was made, with what was changed since. */
export async function startTraining(replace: boolean): Promise<void> {
  const recipes = useRecipesStore()
  const choice = recipes.wanted
  if (choice === null) return
  await recipes.train({ ...choice, replace })
}
