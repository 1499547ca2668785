import type { CaseSummary, FileEntry } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { t } from '../i18n/frame.ts'
import { useAnnotationStore } from '../stores/annotation.ts'
import { useExportsStore } from '../stores/exports.ts'
import { useImportsStore } from '../stores/imports.ts'
import { useProjectStore } from '../stores/project.ts'
import { useThumbnailsStore } from '../stores/thumbnails.ts'
import { useUiStore } from '../stores/ui.ts'
import { useUploadsStore } from '../stores/uploads.ts'
import { useViewStore } from '../stores/view.ts'

/** Steps of work that touch several stores. What they throw is shown by who calls them. */

/** Adds the file to the worklist, or gives a moved image its new place, and shows it. */
export async function openFile(file: FileEntry): Promise<void> {
  const ui = useUiStore()
  const project = useProjectStore()
  const relocating = ui.relocating
  if (relocating === null) {
    const known = new Set(project.cases.map(({ id }) => id))
    const added = await project.addCase(file.id)
    ui.close()
    await openCase(added.id)
    // The same bytes are one case, whatever the file is called; that must not look like the wrong image.
    if (known.has(added.id)) useViewStore().tell('info', t.files.known(file.name, added.name))
    return
  }
  await project.relocateCase(relocating, file.id)
  useThumbnailsStore().forget(relocating)
  ui.close()
  await openCase(relocating)
}

export async function openCase(caseId: string): Promise<void> {
  await useViewStore().openCase(caseId)
}

/** The native dialog where there is one, else the path field over the worklist. */
export async function askForFiles(): Promise<void> {
  const ui = useUiStore()
  if (!useProjectStore().nativeDialogs) {
    ui.toggle('open-file')
    return
  }
  const files = await useClient().call('files.openDialog', {})
  await addFiles(files)
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

/** Adds all of them and shows the first. One that cannot be read does not stop the others. */
async function addFiles(files: readonly FileEntry[]): Promise<void> {
  const project = useProjectStore()
  const ui = useUiStore()
  let first: string | null = null
  for (const file of files) {
    try {
      const added = await project.addCase(file.id)
      first ??= added.id
    } catch (error) {
      ui.report(error, t.errors.doing.addCase)
    }
  }
  if (first !== null) await openCase(first)
}

/** Files dropped on the window: their bytes go into the project, then they are cases like any other. */
export async function addDropped(files: readonly File[]): Promise<void> {
  let first = true
  await useUploadsStore().add(files, async (file) => {
    const added = await useProjectStore().addCase(file.id)
    if (first) await openCase(added.id)
    first = false
  })
}

export async function removeCase(caseId: string): Promise<void> {
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

/** Writes the mask to its usual place in the project. */
export async function saveMask(): Promise<void> {
  const caseId = useViewStore().caseId
  if (caseId !== null) await useExportsStore().save(caseId, null)
}

/** The native dialog where there is one, else the path field. */
export async function saveMaskAs(): Promise<void> {
  const view = useViewStore()
  if (view.detail === null) return
  if (!useProjectStore().nativeDialogs) {
    useUiStore().toggle('save-as')
    return
  }
  const suggestedName = suggestedMaskName(view.detail.name, view.detail.kind)
  const file = await useClient().call('files.saveDialog', { suggestedName })
  if (file !== null) await useExportsStore().save(view.detail.id, file.id)
}

/** "liver 1.nii.gz" -> "liver 1-mask.nii.gz"; masks of 2-D images are PNG. */
export function suggestedMaskName(caseName: string, kind: CaseSummary['kind']): string {
  const stem = caseName.replace(/\.(nii\.gz|nii|hdr|img|png|jpe?g|bmp|tiff?)$/i, '')
  return `${stem}-mask${kind === 'volume' ? '.nii.gz' : '.png'}`
}

/** The path as a mask of that kind is written: a name without an ending gets one. */
export function withMaskEnding(path: string, kind: CaseSummary['kind']): string {
  if (kind === 'image') return /\.png$/i.test(path) ? path : `${path}.png`
  return /\.nii(\.gz)?$/i.test(path) ? path : `${path}.nii.gz`
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
