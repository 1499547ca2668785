import { BrowserWindow, dialog } from 'electron'
import { pageUrl } from './appProtocol.ts'

/** A page that crashes more often than this within a minute is not loaded again. */
const maxCrashes = 3

/** The one window, hidden until its page is drawn. */
export function createWindow(preload: string): BrowserWindow {
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    minWidth: 1024,
    minHeight: 640,
    show: false,
    // The page's own darkest surface, so that nothing flashes before it is drawn.
    backgroundColor: '#0d0d0d',
    title: 'Maskwright',
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      // Dictionaries would be downloaded.
      spellcheck: false,
    },
  })
  window.once('ready-to-show', () => window.show())
  watchPage(window)
  return window
}

export async function loadPage(window: BrowserWindow): Promise<void> {
  await window.loadURL(pageUrl)
}

/** Offers a way on when the page hangs, crashes, or has something unsaved when it is closed. */
function watchPage(window: BrowserWindow): void {
  const contents = window.webContents
  let crashes: number[] = []
  let asking = false

  contents.on('render-process-gone', (_, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return
    const now = Date.now()
    crashes = [...crashes.filter((at) => now - at < 60_000), now]
    if (crashes.length <= maxCrashes) {
      contents.reload()
      return
    }
    dialog.showErrorBox(
      'The window of Maskwright keeps crashing',
      'Every stroke that was shown as saved is safe in the project; start Maskwright again.',
    )
    window.destroy()
  })

  window.on('unresponsive', () => {
    if (asking) return
    asking = true
    const answer = dialog.showMessageBox(window, {
      type: 'warning',
      message: 'The window of Maskwright does not respond.',
      detail: 'Strokes that were shown as saved are safe. Loading it again loses those that were not.',
      buttons: ['Wait', 'Load again'],
      defaultId: 0,
      cancelId: 0,
    })
    void answer.then(({ response }) => {
      asking = false
      if (response === 1 && !window.isDestroyed()) {
        contents.forcefullyCrashRenderer()
        contents.reload()
      }
    })
  })

  contents.on('will-prevent-unload', (event) => {
    const choice = dialog.showMessageBoxSync(window, {
      type: 'question',
      message: 'Some changes are not saved yet.',
      detail: 'Stay for a moment until the status bar says that everything is saved.',
      buttons: ['Stay', 'Leave and lose them'],
      defaultId: 0,
      cancelId: 0,
    })
    // Preventing the default of this event lets the page go.
    if (choice === 1) event.preventDefault()
  })
}
