import type { FileEntry } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { t } from '../i18n/frame.ts'
import { useAddingStore } from '../stores/adding.ts'
import { useProjectStore } from '../stores/project.ts'
import { useThumbnailsStore } from '../stores/thumbnails.ts'
import { useUiStore } from '../stores/ui.ts'
import { useUploadsStore, type DroppedSet } from '../stores/uploads.ts'
import { useViewStore } from '../stores/view.ts'
import { openCase } from './flows.ts'

/** Ways by which images become cases. What they throw is shown by who calls them. */

/** Adds the file or folder to the worklist, or gives a moved image its new place, and shows it. */
export async function openFile(file: FileEntry, options: { signal?: AbortSignal } = {}): Promise<void> {
  const ui = useUiStore()
  const project = useProjectStore()
  const relocating = ui.relocating
  if (relocating === null) {
    const known = new Set(project.cases.map(({ id }) => id))
    // The choice stands where the path field stood.
    const added = await useAddingStore().add(file, closeOpenPanel, options)
    if (added === null) return
    closeOpenPanel()
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

/** Another panel may have been opened while the file was read. */
function closeOpenPanel(): void {
  const ui = useUiStore()
  if (ui.panel === 'open-file' || ui.panel === 'open-folder') ui.close()
}

/** The native dialog where there is one, else the path field over the worklist. */
export async function askForFiles(): Promise<void> {
  await ask('image', 'open-file')
}

/** The same for a folder of DICOM files. */
export async function askForFolder(): Promise<void> {
  await ask('folder', 'open-folder')
}

async function ask(kind: 'image' | 'folder', panel: 'open-file' | 'open-folder'): Promise<void> {
  if (!useProjectStore().nativeDialogs) {
    useUiStore().toggle(panel)
    return
  }
  await addFiles(await useClient().call('files.openDialog', { kind }))
}

/** Adds all of them and shows the first. One that cannot be read does not stop the others. */
async function addFiles(files: readonly FileEntry[]): Promise<void> {
  let first = true
  for (const file of files) {
    try {
      const added = await useAddingStore().addShown(file)
      if (added !== null && first) await openCase(added.id)
      if (added !== null) first = false
    } catch (error) {
      useUiStore().report(error, t.errors.doing.addCase)
    }
  }
}

/** Files and folders dropped on the window: their bytes go into the project, then they are cases like any other. */
export async function addDropped(sets: readonly DroppedSet[]): Promise<void> {
  let first = true
  await useUploadsStore().add(sets, async (file) => {
    const added = await useAddingStore().add(file)
    if (added === null) return
    if (first) await openCase(added.id)
    first = false
  })
}
