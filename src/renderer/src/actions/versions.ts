import { CodedError, type FileEntry, type ModelSummary } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError } from '../api/errors.ts'
import { formatBytes } from '../i18n/format.ts'
import { t } from '../i18n/frame.ts'
import { modelWords as words } from '../i18n/models.ts'
import { useConnectionStore } from '../stores/connection.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useLiveStore } from '../stores/live.ts'
import { useProjectStore } from '../stores/project.ts'
import { useShownSlice } from '../stores/shown.ts'
import { useUiStore } from '../stores/ui.ts'
import { useVersionsStore, type ModelTab } from '../stores/versions.ts'
import { all, type Check } from './checks.ts'
import type { Action } from './types.ts'

/** Versions of the model: which is used, their page, and training in the quiet between strokes. */
export function versionActions(): Action[] {
  const ui = useUiStore()
  const connection = useConnectionStore()
  const project = useProjectStore()
  const jobs = useJobsStore()
  const live = useLiveStore()
  const versions = useVersionsStore()
  const shown = useShownSlice()
  const connected: Check = () => connection.open || t.reasons.noConnection
  const running: Check = () => live.on || project.compute?.state !== 'failed' || t.reasons.computeDown
  const labelled: Check = () => live.on || project.labels.length > 0 || words.reasons.noLabel
  const idle: Check = () => !jobs.busy || t.reasons.jobRuns

  return [
    {
      id: 'live',
      group: 'model',
      label: () => words.actions.live,
      shortcuts: ['Shift+T'],
      when: all(connected, running, labelled),
      run: () => live.set(!live.on, shown.value),
      checked: () => live.on,
      doing: words.doing.live,
    },
    {
      id: 'models',
      group: 'model',
      label: () => words.actions.models,
      shortcuts: ['M'],
      when: () => true,
      run: () => (ui.page === 'models' ? ui.leavePage() : showModels(versions.tab)),
      checked: () => ui.page === 'models',
      onPage: true,
    },
    {
      id: 'compare-versions',
      group: 'model',
      label: () => words.actions.compare,
      shortcuts: ['Shift+M'],
      when: () => project.models.filter((one) => !one.pruned).length > 1 || words.reasons.oneVersion,
      run: () => showModels('compare'),
      onPage: true,
    },
    {
      id: 'holdout',
      group: 'model',
      label: () => words.actions.holdout,
      shortcuts: [],
      when: () => true,
      run: () => showModels('holdout'),
      onPage: true,
    },
    {
      id: 'roll-back',
      group: 'model',
      label: () => words.actions.rollBack(versions.previous?.version ?? null),
      shortcuts: [],
      when: all(connected, idle, () => versions.previous !== null || words.reasons.nothingBefore),
      run: async () => {
        if (versions.previous !== null) await useVersion(versions.previous)
      },
      onPage: true,
      doing: t.errors.doing.model,
    },
    {
      id: 'import-version',
      group: 'model',
      label: () => words.actions.importVersion,
      shortcuts: [],
      when: connected,
      run: chooseVersionFile,
      onPage: true,
      doing: words.doing.importVersion,
    },
  ]
}

export function showModels(tab: ModelTab, modelId: string | null = null): void {
  const versions = useVersionsStore()
  if (modelId !== null) versions.choose(modelId)
  versions.tab = tab
  useUiStore().showPage('models')
}

/** Predicts with that version from now on. Where it was kept aside, why is asked first: it needs a reason. */
export async function useVersion(model: ModelSummary): Promise<void> {
  const ui = useUiStore()
  ui.note = null
  try {
    await useProjectStore().activateModel(model.id)
  } catch (error) {
    if (asWireError(error).code !== 'conflict') throw error
    askWhy(model)
    return
  }
  ui.settle(t.errors.doing.model)
}

/** Asks why a version is used although it was kept aside. */
function askWhy(model: ModelSummary): void {
  useVersionsStore().overriding = model.id
  useUiStore().open('override')
}

/** A file that another project, or this one, wrote of a version: by the native dialog, else by its path. */
async function chooseVersionFile(): Promise<void> {
  if (!useProjectStore().nativeDialogs) {
    useUiStore().open('import-version')
    return
  }
  const [file] = await useClient().call('files.openDialog', { kind: 'version' })
  if (file !== undefined) await importVersion(file)
}

/** Adds the version of a file and shows it; it is not used by that. */
export async function importVersion(file: FileEntry): Promise<void> {
  const added = await useVersionsStore().importVersion(file.id)
  showModels('versions', added.id)
}

/** Where to write: as the native dialog says; `null` where there is none, for the project's exports folder. */
async function target(suggestedName: string): Promise<FileEntry | null> {
  if (!useProjectStore().nativeDialogs) return null
  const file = await useClient().call('files.saveDialog', { suggestedName })
  if (file === null) throw new CodedError('cancelled', words.doing.exportVersion)
  return file
}

export async function exportVersion(model: ModelSummary): Promise<void> {
  const file = await target(words.file.suggested(model.name, model.version))
  await useVersionsStore().exportVersion(model.id, file?.id ?? null)
}

export async function saveCurves(format: 'csv' | 'svg'): Promise<void> {
  const file = await target(`models.${format}`)
  await useVersionsStore().saveCurves(format, file?.id ?? null)
}

/** Of the slice on screen. */
export async function saveAnimation(caseId: string, index: number): Promise<void> {
  const file = await target('models.gif')
  await useVersionsStore().saveAnimation(caseId, index, file?.id ?? null)
}

/** Asks, then deletes the weights of versions. `freed` hears how many bytes that gave. */
export function askToPrune(models: readonly ModelSummary[], freed: (bytes: number) => void): void {
  const ui = useUiStore()
  const bytes = models.reduce((sum, one) => sum + one.bytes, 0)
  const names = models.map((one) => words.version(one.version)).join(', ')
  ui.ask({
    title: words.list.confirmTitle(models.length),
    message: words.list.confirm(names, bytes),
    confirm: `${words.list.confirmYes} (${formatBytes(bytes)})`,
    keep: words.list.confirmNo,
    run: async () => {
      try {
        freed(await useVersionsStore().prune(models.map(({ id }) => id)))
      } catch (error) {
        ui.report(error, words.doing.prune)
      }
    },
  })
}
