import { watch } from 'vue'
import { errorCodeSchema, type Job } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError } from '../api/errors.ts'
import { t } from '../i18n/frame.ts'
import { restartPage } from '../platform/pageLife.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useComparisonStore } from '../stores/comparison.ts'
import { useConnectionStore } from '../stores/connection.ts'
import { useExportsStore } from '../stores/exports.ts'
import { useHoldoutStore } from '../stores/holdout.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useLiveStore } from '../stores/live.ts'
import { useProjectStore } from '../stores/project.ts'
import { useQueueStore } from '../stores/queue.ts'
import { useRecipesStore } from '../stores/recipes.ts'
import { useSettingsStore } from '../stores/settings.ts'
import { useShownSlice } from '../stores/shown.ts'
import { useThumbnailsStore } from '../stores/thumbnails.ts'
import { useUiStore } from '../stores/ui.ts'
import { useVersionsStore } from '../stores/versions.ts'
import { useViewStore } from '../stores/view.ts'
import { leaveRemoved, openCase } from './flows.ts'
import { followProject, goOn } from './recipes.ts'

/** A slice that is looked at for this long is not only passed. */
const settleMs = 200

/**
 * Reads the project, shows the case that was open last, and follows the backend from then on: what it tells, and
 * everything afresh after events were missed. The answer ends it.
 */
export function startUp(): () => void {
  const connection = useConnectionStore()
  const project = useProjectStore()
  const jobs = useJobsStore()
  const recipes = useRecipesStore()
  const live = useLiveStore()
  const queue = useQueueStore()
  const ui = useUiStore()
  const view = useViewStore()
  let loading = false

  async function load(): Promise<void> {
    if (loading) return
    loading = true
    try {
      const before = project.project?.id ?? null
      await Promise.all([useSettingsStore().load(), project.load(), recipes.load()])
      // Another project was opened while nobody could tell.
      if (before !== null && before !== project.project?.id) {
        restartPage(useAnnotationStore().pendingStrokes)
        return
      }
      await showSomething()
      await Promise.all([live.load(), queue.load()])
      await goOn()
    } catch (error) {
      // A lost connection has a banner of its own, and is read afresh when it is back.
      if (asWireError(error).code !== 'connection-lost') ui.report(error, t.errors.doing.load)
    } finally {
      loading = false
    }
  }

  function refresh(): void {
    useThumbnailsStore().forget()
    void load()
  }

  const stops = [
    connection.follow(refresh),
    project.follow(),
    followProject(),
    jobs.follow(hearOfEnd),
    recipes.follow((error) => ui.report(error, t.errors.doing.load)),
    useComparisonStore().follow(),
    live.follow(),
    queue.follow(),
    useVersionsStore().follow(),
    useHoldoutStore().follow(),
    followSlice(),
    useClient().on('notice', ({ level, message }) => ui.toast(level, message)),
    watch(
      () => view.caseId,
      () => {
        useComparisonStore().setComparing(false)
        // What was said was said of the case before.
        ui.note = null
      },
    ),
    watch(
      () => project.cases,
      (_now, before) => void leaveRemoved(before),
    ),
    watch(
      () => connection.open,
      (open) => {
        if (!open) return
        ui.forget('connection-lost')
        if (project.project === null) void load()
        // The case was asked for while nobody could answer.
        else if (view.caseId !== null && view.error?.code === 'connection-lost') void openCase(view.caseId)
      },
    ),
  ]
  void load()
  return () => stops.forEach((stop) => stop())
}

/** Live predicts the slice on screen first; while slices are scrolled through, only the one that stays matters. */
function followSlice(): () => void {
  const live = useLiveStore()
  const shown = useShownSlice()
  let waiting: ReturnType<typeof setTimeout> | undefined
  const stop = watch([() => shown.value?.caseId, () => shown.value?.index], () => {
    clearTimeout(waiting)
    waiting = setTimeout(() => live.look(shown.value), settleMs)
  })
  return () => {
    clearTimeout(waiting)
    stop()
  }
}

/** The case that was open last, else the first one. */
async function showSomething(): Promise<void> {
  const { cases, project } = useProjectStore()
  const view = useViewStore()
  if (view.caseId !== null) return
  const last = cases.find((one) => one.id === project?.lastCaseId) ?? cases[0]
  if (last !== undefined) await openCase(last.id)
}

function hearOfEnd(job: Job): void {
  useExportsStore().ended(job)
  if (useQueueStore().endedUnasked(job) || job.state !== 'failed' || job.error === null) return
  // Told where it was asked for.
  if (job.kind === 'check' || job.kind === 'create') return
  // Nothing failed: the slices are still there to be learned.
  if (job.error.code === 'nothing-learned') {
    useUiStore().toast('warning', job.error.message)
    return
  }
  const known = errorCodeSchema.safeParse(job.error.code)
  const { doing: words } = t.errors
  const doing = { ...words, export: words.dataset }[job.kind]
  useUiStore().reportWire({ code: known.success ? known.data : 'internal', message: job.error.message }, doing)
}
