import type { CaseSummary } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { t } from '../i18n/frame.ts'
import { modelWords } from '../i18n/models.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useHoldoutStore } from '../stores/holdout.ts'
import { useImportsStore } from '../stores/imports.ts'
import { useProjectStore } from '../stores/project.ts'
import { useUiStore } from '../stores/ui.ts'
import { useViewStore } from '../stores/view.ts'

/** Steps of work that touch several stores. What they throw is shown by who calls them. */

export async function openCase(caseId: string): Promise<void> {
  await useViewStore().openCase(caseId)
}

/** A network from elsewhere, by the native dialog where there is one, else by the path field in the sheet. */
export async function importModel(): Promise<void> {
  const ui = useUiStore()
  const imports = useImportsStore()
  if (useProjectStore().nativeDialogs && imports.state.step === 'choose') {
    const [file] = await useClient().call('files.openDialog', { kind: 'network' })
    if (file === undefined) return
    void imports.inspect(file)
  }
  ui.open('import-model')
}

/** What versions are scored on leaves the worklist only after it was asked for. */
export async function askToRemove(caseId: string): Promise<void> {
  const holdout = useHoldoutStore()
  const one = useProjectStore().caseById(caseId)
  if (one?.heldOut === true) await holdout.load()
  if (one === null || !holdout.caseIds.has(caseId)) return removeCase(caseId)
  const ui = useUiStore()
  const words = modelWords.holdout.leave
  ui.ask({
    title: words.title(one.name),
    message: words.message(holdout.caseIds.size === 1),
    confirm: words.yes,
    keep: words.no,
    run: async () => {
      try {
        await removeCase(caseId)
      } catch (error) {
        ui.report(error, t.errors.doing.remove)
      }
    },
  })
}

async function removeCase(caseId: string): Promise<void> {
  const project = useProjectStore()
  const before = project.cases
  await project.removeCase(caseId)
  await leaveRemoved(before)
}

/**
 * Goes on with the neighbour where the case on screen is no longer on the worklist, and says so where it was taken off
 * in another window. `before` is the worklist as it was.
 */
export async function leaveRemoved(before: readonly CaseSummary[]): Promise<void> {
  const { cases, leaving } = useProjectStore()
  const view = useViewStore()
  const { caseId } = view
  const at = before.findIndex((one) => one.id === caseId)
  const gone = before[at]
  if (gone === undefined || cases.some((one) => one.id === caseId)) return
  if (gone.id !== leaving) useUiStore().toast('info', t.worklist.removedElsewhere(gone.name))
  const neighbour = cases[Math.min(at, cases.length - 1)]
  if (neighbour === undefined) view.closeCase()
  else await openCase(neighbour.id)
}

/** Where a step of `step` cases down the worklist leads; null at its ends. */
export function neighbourCase(step: 1 | -1): string | null {
  const { cases } = useProjectStore()
  const at = cases.findIndex((one) => one.id === useViewStore().caseId)
  return cases[at + step]?.id ?? null
}

/** Takes the prediction into the mask and answers what was taken and what was kept, as sentences. */
export async function acceptPrediction(
  scope: Parameters<ReturnType<typeof useAnnotationStore>['accept']>[0]['scope'],
  labels: number[] | null,
): Promise<string> {
  const result = await useAnnotationStore().accept({ scope, labels, keepCorrected: true })
  const parts = [t.model.accepted(result.changedVoxels)]
  if (result.keptLockedVoxels > 0) parts.push(t.model.keptLocked(result.keptLockedVoxels))
  if (result.keptCorrectedSlices > 0) parts.push(t.model.keptCorrected(result.keptCorrectedSlices))
  return parts.join(' ')
}
