import { Menu, type MenuItemConstructorOptions } from 'electron'

/**
 * The application menu: what belongs to the window. What belongs to the work (undo among it) is in the page, whose
 * shortcuts a menu accelerator would take away.
 */
export function installMenu(platform: NodeJS.Platform): void {
  const edit: MenuItemConstructorOptions = {
    label: '&Edit',
    submenu: [{ role: 'cut' }, { role: 'copy' }, { role: 'paste' }],
  }
  const view: MenuItemConstructorOptions = {
    label: '&View',
    submenu: [
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { role: 'resetZoom' },
      { type: 'separator' },
      { role: 'togglefullscreen' },
      { type: 'separator' },
      { role: 'reload' },
      { role: 'toggleDevTools' },
    ],
  }
  const first: MenuItemConstructorOptions =
    platform === 'darwin' ? { role: 'appMenu' } : { label: '&File', submenu: [{ role: 'quit' }] }
  const help: MenuItemConstructorOptions = { label: '&Help', role: 'help', submenu: [{ role: 'about' }] }
  Menu.setApplicationMenu(Menu.buildFromTemplate([first, edit, view, { role: 'windowMenu' }, help]))
}
