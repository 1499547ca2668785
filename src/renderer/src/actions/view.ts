import type { Plane } from '../../../core/geometry/types.ts'
import { t } from '../i18n/frame.ts'
import { useSettingsStore } from '../stores/settings.ts'
import { useViewStore } from '../stores/view.ts'
import type { Action } from './types.ts'

const zoomStep = 1.25
const opacityStep = 0.1

export function viewActions(): Action[] {
  const view = useViewStore()
  const settings = useSettingsStore()
  const withCase = () => (view.caseId === null ? t.reasons.noCase : true)
  const withSlices = () => {
    if (view.caseId === null) return t.reasons.noCase
    return view.sliceCount > 1 ? true : t.reasons.oneSlice
  }
  const slice = (id: string, label: string, shortcuts: string[], go: () => void, hidden = false): Action => ({
    id,
    group: 'view',
    label: () => label,
    shortcuts,
    when: withSlices,
    run: go,
    hidden,
  })
  const plane = (name: Plane, label: string, shortcut: string): Action => ({
    id: `plane-${name}`,
    group: 'view',
    label: () => label,
    shortcuts: [shortcut],
    when: () => {
      if (view.caseId === null) return t.reasons.noCase
      return view.planes.some((one) => one.plane === name) && view.planes.length > 1 ? true : t.reasons.onePlane
    },
    run: () => view.setPlane(name),
    checked: () => view.plane === name,
  })
  const image = (id: string, label: string, shortcuts: string[], run: () => void, checked?: () => boolean): Action => ({
    id,
    group: 'view',
    label: () => label,
    shortcuts,
    when: withCase,
    run,
    ...(checked === undefined ? {} : { checked }),
  })
  const opacity = (step: number) => () => {
    view.overlay.opacity = Math.round(Math.min(1, Math.max(0, view.overlay.opacity + step)) * 100) / 100
  }

  return [
    slice('next-slice', t.actions.nextSlice, ['ArrowDown', 'PageDown'], () => view.step(1)),
    slice('previous-slice', t.actions.previousSlice, ['ArrowUp', 'PageUp'], () => view.step(-1)),
    slice('ten-forward', t.actions.tenForward, ['Shift+ArrowDown', 'Shift+PageDown'], () => view.step(10), true),
    slice('ten-back', t.actions.tenBack, ['Shift+ArrowUp', 'Shift+PageUp'], () => view.step(-10), true),
    slice('first-slice', t.actions.firstSlice, ['Home'], () => view.setIndex(0)),
    slice('last-slice', t.actions.lastSlice, ['End'], () => view.setIndex(view.sliceCount - 1)),
    plane('axial', t.actions.axial, 'X'),
    plane('coronal', t.actions.coronal, 'Y'),
    plane('sagittal', t.actions.sagittal, 'V'),
    image('fit', t.actions.fit, ['F', '0'], () => view.fit()),
    image('zoom-in', t.actions.zoomIn, ['+', '='], () => view.zoomBy(zoomStep)),
    image('zoom-out', t.actions.zoomOut, ['-'], () => view.zoomBy(1 / zoomStep)),
    image('reset-window', t.actions.resetWindow, ['Shift+W'], () => view.resetWindow()),
    image('toggle-overlay', t.actions.toggleOverlay, ['O'], toggleOverlay, overlayShown),
    image(
      'toggle-contour',
      t.actions.toggleContour,
      ['C'],
      () => {
        view.overlay.mode = view.overlay.mode === 'fill' ? 'contour' : 'fill'
      },
      () => view.overlay.mode === 'contour',
    ),
    image('less-opacity', t.actions.lessOpacity, [','], opacity(-opacityStep)),
    image('more-opacity', t.actions.moreOpacity, ['.'], opacity(opacityStep)),
    image(
      'toggle-interpolation',
      t.actions.toggleInterpolation,
      ['I'],
      () => {
        view.interpolate = !view.interpolate
      },
      () => view.interpolate,
    ),
    {
      id: 'fold-worklist',
      group: 'view',
      label: () => t.actions.foldWorklist,
      shortcuts: ['Ctrl+B'],
      when: () => true,
      run: () => settings.set('worklistFolded', !settings.worklistFolded),
    },
    {
      id: 'theme',
      group: 'view',
      label: () => t.actions.theme,
      shortcuts: [],
      when: () => true,
      run: () => settings.set('theme', settings.theme === 'dark' ? 'light' : 'dark'),
      onPage: true,
    },
    {
      id: 'first-steps',
      group: 'help',
      label: () => t.actions.firstSteps,
      shortcuts: [],
      when: () => true,
      run: () => settings.set('firstRunDismissed', !settings.firstRunDismissed),
      checked: () => !settings.firstRunDismissed,
    },
  ]

  function overlayShown(): boolean {
    return view.overlay.maskVisible || view.overlay.predictionVisible
  }

  /** Both layers together: one key to see the bare image and to come back. */
  function toggleOverlay(): void {
    const shown = !overlayShown()
    view.overlay.maskVisible = shown
    view.overlay.predictionVisible = shown
  }
}
