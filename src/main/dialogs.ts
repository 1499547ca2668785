import { basename, join } from 'node:path'
import { dialog, type BrowserWindow } from 'electron'
import type { FileEntry, PartialHandlers } from '../core/contract/index.ts'

/** Endings as Electron wants them: `gz` stands for `.nii.gz`. */
const imageExtensions = ['nii', 'gz', 'png', 'jpg', 'jpeg', 'bmp', 'tif', 'tiff']

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
    'files.openDialog': async () => {
      const { canceled, filePaths } = await dialog.showOpenDialog(window, {
        title: 'Open images',
        defaultPath: folder,
        properties: ['openFile', 'multiSelections'],
        filters: [
          { name: 'Images', extensions: imageExtensions },
          { name: 'All files', extensions: ['*'] },
        ],
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
