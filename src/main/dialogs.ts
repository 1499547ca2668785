import { basename, join } from 'node:path'
import { dialog, type BrowserWindow } from 'electron'
import type { FileEntry, PartialHandlers } from '../core/contract/index.ts'

/** Endings as Electron wants them: `gz` stands for `.nii.gz`. */
const imageExtensions = ['nii', 'gz', 'png', 'jpg', 'jpeg', 'bmp', 'tif', 'tiff']
const dialogs = {
  image: { title: 'Open images', filter: { name: 'Images', extensions: imageExtensions } },
  folder: { title: 'Open a DICOM folder', filter: { name: 'All files', extensions: ['*'] } },
  mask: { title: 'Import a mask', filter: { name: 'Masks', extensions: imageExtensions } },
  network: { title: 'Import a model', filter: { name: 'ONNX networks', extensions: ['onnx'] } },
}

/**
 * The two methods of the contract that need a native dialog. The page gets ids; the paths stay with the backend.
 *
 * @param folder Where the dialogs begin.
 */
export function dialogHandlers(
  window: BrowserWindow,
  folder: string,
  registerFile: (path: string, purpose: 'open' | 'save') => FileEntry,
): PartialHandlers {
  return {
    'files.openDialog': async ({ kind }) => {
      const { title, filter } = dialogs[kind]
      const { canceled, filePaths } = await dialog.showOpenDialog(window, {
        title,
        defaultPath: folder,
        properties:
          kind === 'folder' ? ['openDirectory'] : kind === 'image' ? ['openFile', 'multiSelections'] : ['openFile'],
        filters: [filter, { name: 'All files', extensions: ['*'] }],
      })
      return canceled ? [] : filePaths.map((path) => registerFile(path, 'open'))
    },
    'files.saveDialog': async ({ suggestedName }) => {
      const name = basename(suggestedName.replaceAll('\\', '/'))
      const { canceled, filePath } = await dialog.showSaveDialog(window, {
        title: 'Save mask',
        defaultPath: join(folder, name),
        properties: ['showOverwriteConfirmation', 'createDirectory'],
      })
      return canceled || filePath === '' ? null : registerFile(filePath, 'save')
    },
  }
}
