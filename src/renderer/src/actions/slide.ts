import { slideText } from '../i18n/slide.ts'
import { t } from '../i18n/frame.ts'
import { useConnectionStore } from '../stores/connection.ts'
import { useSlideStore } from '../stores/slide.ts'
import { useUiStore } from '../stores/ui.ts'
import { useViewStore } from '../stores/view.ts'
import type { ToolId } from '../tools/toolMachine.ts'
import { openCase } from './flows.ts'
import type { Action } from './types.ts'

/** What works on a mask or a slice, of which a slide has none. */
const needsSlice: ReadonlySet<string> = new Set([
  'tool-brush',
  'tool-eraser',
  'brush-smaller',
  'brush-larger',
  'toggle-overlay',
  'toggle-contour',
  'less-opacity',
  'more-opacity',
  'predict',
  'accept-slice',
  'accept-all',
  'retrain',
  'show-changed',
  'save',
  'save-as',
  'import-mask',
  'approve-slice',
  'approve-region',
  'approve-case',
  'toggle-uncertainty',
])

/**
 * The same actions; those that need a slice say on a slide why they cannot be done, and the hand is what the brushes are
 * there.
 */
export function withoutSlices(actions: readonly Action[]): Action[] {
  const view = useViewStore()
  const slide = useSlideStore()
  return actions.map((action) => {
    const { checked } = action
    if (action.id === 'tool-pan') return { ...action, checked: () => handOn(slide.open, view.tool) === 'pan' }
    if (!needsSlice.has(action.id)) return action
    return {
      ...action,
      when: () => (slide.open ? slideText.reasons.slide : action.when()),
      ...(checked === undefined ? {} : { checked: () => !slide.open && checked() }),
    }
  })
}

/** The tool that a drag uses: a slide is not painted on. */
export function handOn(slide: boolean, tool: ToolId): ToolId {
  return slide && (tool === 'brush' || tool === 'eraser') ? 'pan' : tool
}

export function slideActions(): Action[] {
  const view = useViewStore()
  const slide = useSlideStore()
  const connection = useConnectionStore()
  return [
    {
      id: 'annotate-region',
      group: 'tools',
      label: () => slideText.annotate,
      shortcuts: ['G'],
      when: () => {
        if (view.detail?.kind !== 'slide') return slideText.reasons.notASlide
        return connection.open || t.reasons.noConnection
      },
      run: () => slide.begin(),
      checked: () => slide.choosing,
    },
    {
      id: 'actual-size',
      group: 'view',
      label: () => slideText.actualSize,
      shortcuts: ['Shift+F'],
      when: () => (view.caseId === null ? t.reasons.noCase : true),
      run: () => view.setZoom(1),
    },
  ]
}

/** Makes the drawn region a case and opens it. */
export async function annotateRegion(): Promise<void> {
  try {
    const added = await useSlideStore().confirm()
    if (added !== null) await openCase(added.id)
  } catch (error) {
    useUiStore().report(error, slideText.region.doing)
  }
}
