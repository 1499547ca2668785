import { basename, join } from 'node:path'
import { dialog, type BrowserWindow, type FileFilter, type OpenDialogOptions } from 'electron'
import type { FileEntry, FileKind, PartialHandlers } from '../core/contract/index.ts'

type OpenProperty = NonNullable<OpenDialogOptions['properties']>[number]

/** Endings as Electron wants them: only what stands behind the last dot, so `gz` stands for `.nii.gz`. */
const volumes = ['nii', 'gz', 'hdr', 'img', 'nrrd', 'nhdr', 'mha', 'mhd', 'dcm', 'dicom', 'ima']
const pictures = ['png', 'jpg', 'jpeg', 'bmp', 'tif', 'tiff', 'svs']
const everything = { name: 'All files', extensions: ['*'] }
const dialogs: Record<FileKind, { title: string; filters: FileFilter[]; properties: OpenProperty[] }> = {
  image: {
    title: 'Open images',
    filters: [
      { name: 'Images', extensions: [...volumes, ...pictures] },
      { name: 'Volumes', extensions: volumes },
      { name: 'Pictures and slides', extensions: pictures },
      // DICOM files often have no ending at all.
      everything,
    ],
    properties: ['openFile', 'multiSelections'],
  },
  folder: { title: 'Choose a folder', filters: [], properties: ['openDirectory'] },
  mask: {
    title: 'Import a mask',
    filters: [
      { name: 'Masks', extensions: ['nii', 'gz', 'hdr', 'img', 'nrrd', 'mha', 'mhd', 'png', 'tif', 'tiff', 'json'] },
      everything,
    ],
    properties: ['openFile'],
  },
  network: {
    title: 'Import a model',
    filters: [{ name: 'ONNX networks', extensions: ['onnx'] }, everything],
    properties: ['openFile'],
  },
  version: {
    title: 'Import a model version',
    filters: [{ name: 'Maskwright models', extensions: ['maskwright-model'] }, everything],
    properties: ['openFile'],
  },
}

/** What a save dialog says, by the ending of the suggested name; a name without one is that of a folder. */
const saved: readonly { ending: RegExp; title: string; filters: FileFilter[] }[] = [
  { ending: /\.nii(\.gz)?$/i, title: 'Save mask', filters: [{ name: 'NIfTI', extensions: ['gz', 'nii'] }] },
  { ending: /\.png$/i, title: 'Save mask', filters: [{ name: 'PNG', extensions: ['png'] }] },
  { ending: /\.tiff?$/i, title: 'Save mask', filters: [{ name: 'TIFF', extensions: ['tif', 'tiff'] }] },
  { ending: /\.json$/i, title: 'Save mask', filters: [{ name: 'COCO JSON', extensions: ['json'] }] },
  { ending: /\.html$/i, title: 'Save report', filters: [{ name: 'HTML', extensions: ['html', 'htm'] }] },
  {
    ending: /\.maskwright-model$/i,
    title: 'Export model version',
    filters: [{ name: 'Maskwright models', extensions: ['maskwright-model'] }],
  },
  { ending: /\.csv$/i, title: 'Save curves', filters: [{ name: 'CSV', extensions: ['csv'] }] },
  { ending: /\.svg$/i, title: 'Save curves', filters: [{ name: 'SVG', extensions: ['svg'] }] },
  { ending: /\.gif$/i, title: 'Save animation', filters: [{ name: 'GIF', extensions: ['gif'] }] },
  { ending: /(?:)/, title: 'Save into a new folder', filters: [] },
]

/**
 * The two methods of the contract that need a native dialog. The page gets ids; the paths stay with the backend.
 *
 * @param folder Where the dialogs begin.
 */
export function dialogHandlers(
  window: BrowserWindow,
  folder: () => string,
  registerFile: (path: string, purpose: 'open' | 'save') => FileEntry,
): PartialHandlers {
  return {
    'files.openDialog': async ({ kind }) => {
      const { canceled, filePaths } = await dialog.showOpenDialog(window, { ...dialogs[kind], defaultPath: folder() })
      return canceled ? [] : filePaths.map((path) => registerFile(path, 'open'))
    },
    'files.saveDialog': async ({ suggestedName }) => {
      const name = basename(suggestedName.replaceAll('\\', '/'))
      const known = saved.find(({ ending }) => ending.test(name))
      const { canceled, filePath } = await dialog.showSaveDialog(window, {
        ...(known === undefined ? {} : { title: known.title, filters: known.filters }),
        defaultPath: join(folder(), name),
        properties: ['showOverwriteConfirmation', 'createDirectory'],
      })
      return canceled || filePath === '' ? null : registerFile(filePath, 'save')
    },
  }
}
