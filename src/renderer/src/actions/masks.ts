import type { MaskFormat } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { maskInWords } from '../i18n/exchange.ts'
import { t } from '../i18n/frame.ts'
import { useCautionsStore } from '../stores/cautions.ts'
import { useExportsStore } from '../stores/exports.ts'
import { useMaskImportsStore } from '../stores/maskImports.ts'
import { useUiStore } from '../stores/ui.ts'
import { useViewStore } from '../stores/view.ts'

/** Masks that go to files and come from them. What they throw is shown by who calls them. */

/** Writes the mask to its usual place in the project. */
export async function saveMask(): Promise<void> {
  const caseId = useViewStore().caseId
  if (caseId !== null) await useExportsStore().save(caseId, null)
}

/** Where a file is asked for by a native dialog: writes it there. False where the user cancelled. */
export async function saveMaskByDialog(format: MaskFormat): Promise<boolean> {
  const { detail } = useViewStore()
  if (detail === null) return false
  const suggestedName = suggestedMaskName(detail.name, detail.dims[2], format)
  const file = await useClient().call('files.saveDialog', { suggestedName })
  if (file === null) return false
  await useExportsStore().save(detail.id, file.id, format)
  return true
}

/** The sheet in which a mask is chosen, looked at and imported. */
export function askForMask(): void {
  if (!useCautionsStore().holds()) useUiStore().toggle('import-mask')
}

/**
 * Imports what was looked at; the sentence about it stands in the Model section, or, where another case is open by then, for
 * some seconds. True where it was done; why not is said in the sheet, or, where that was closed, in a banner.
 */
export async function importMask(labels: 'keep' | number): Promise<boolean> {
  const imports = useMaskImportsStore()
  const ui = useUiStore()
  const { state } = imports
  if (state.step !== 'ready') return false
  const { name } = state.file
  const imported = await imports.take(labels)
  if (imported === null) {
    const after = imports.state
    if (ui.panel !== 'import-mask' && after.step === 'ready') {
      imports.cancel()
      if (after.error !== null) ui.reportWire(after.error, t.errors.doing.importMask)
    }
    return false
  }
  const { changedVoxels, keptLockedVoxels } = imported
  // Where locked labels kept everything, the mask is not the same.
  const parts = changedVoxels === 0 && keptLockedVoxels > 0 ? [] : [maskInWords.done(name, changedVoxels)]
  if (imported.newLabels.length > 0) parts.push(maskInWords.newLabels(imported.newLabels.length))
  if (keptLockedVoxels > 0) parts.push(t.model.keptLocked(keptLockedVoxels))
  if (useViewStore().caseId === state.caseId) ui.note = parts.join(' ')
  else ui.toast('info', parts.join(' '))
  return true
}

const endings = /\.(nii\.gz|nii|hdr\.gz|img\.gz|hdr|img|nrrd|nhdr|mha|mhd|dcm|svs|png|jpe?g|bmp|ome\.tiff?|tiff?)$/i

/** Is a mask of that many slices a folder of files in that format? */
export function isFolderFormat(format: MaskFormat, slices: number): boolean {
  return format === 'instances' || format === 'nnunet' || (format === 'png' && slices > 1)
}

/** "liver 1.nii.gz" -> "liver 1-mask.nii.gz"; of folders without an ending. */
export function suggestedMaskName(caseName: string, slices: number, format: MaskFormat): string {
  const stem = caseName.replace(endings, '')
  const what = { nifti: 'mask', png: 'mask', tiff: 'mask', coco: 'mask', instances: 'instances', nnunet: 'nnunet' }
  return withMaskEnding(`${stem}-${what[format]}`, slices, format)
}

const endingOf = { nifti: '.nii.gz', png: '.png', tiff: '.tif', coco: '.json', instances: '', nnunet: '' }
const fitting = { nifti: /\.nii(\.gz)?$/i, png: /\.png$/i, tiff: /\.tiff?$/i, coco: /\.json$/i }

/** The path as a mask of that format is written: a name without its ending gets it. */
export function withMaskEnding(path: string, slices: number, format: MaskFormat): string {
  if (format === 'instances' || format === 'nnunet' || isFolderFormat(format, slices)) return path
  return fitting[format].test(path) ? path : `${path}${endingOf[format]}`
}
