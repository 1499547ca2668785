import type { ShallowRef } from 'vue'
import { applyDeltaToSlice } from '../../../../core/labelmap/index.ts'
import { lockTable } from '../../../../core/voxels/index.ts'
import type { SliceViewer } from '../../canvas/sliceViewer.ts'
import type { CaseSession } from '../../history/caseSession.ts'
import { viewerText } from '../../i18n/viewer.ts'
import { useAnnotationStore } from '../../stores/annotation.ts'
import { useCautionsStore } from '../../stores/cautions.ts'
import { useLiveStore } from '../../stores/live.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { brushRadii } from '../../tools/brushSize.ts'
import { StrokeDriver, type StrokeTarget } from '../../tools/strokeDriver.ts'

const text = viewerText.notice

/** Strokes on the slice on screen: what they may change, what must come first, where they go. */
export function useStrokes(viewer: Readonly<ShallowRef<SliceViewer | null>>): StrokeDriver {
  const view = useViewStore()
  const annotation = useAnnotationStore()
  const cautions = useCautionsStore()
  const live = useLiveStore()
  const project = useProjectStore()
  const ui = useUiStore()

  /** The case that the stroke under way belongs to, whatever is open when it ends. */
  let owner: CaseSession | null = null

  return new StrokeDriver({
    target(erase) {
      const layout = viewer.value?.layout
      const shown = viewer.value?.shown
      const session = annotation.session
      if (!layout || !shown || !session) return null
      const key = { axis: shown.view.sliceAxis, index: shown.index }
      const mask = session.masks.get(key)
      const onScreen = shown.view === view.view && shown.index === view.index && mask?.labels === shown.labels.mask
      if (!onScreen) return refuse(text.notReady)
      if (cautions.holds()) return null
      if (!view.overlay.maskVisible) return refuse(text.maskHidden)
      const label = project.labelByValue(view.activeLabel)
      if (!erase) {
        if (!label) return refuse(text.noLabel)
        if (label.locked) return refuse(text.locked(label.name))
        if (!label.visible) return refuse(text.hiddenLabel(label.name))
      }
      owner = session
      const radii = brushRadii(shown.view, view.brushRadius)
      return {
        ...key,
        labels: mask.labels,
        layout,
        radiusX: radii.x,
        radiusY: radii.y,
        label: view.activeLabel,
        locked: lockTable(project.labels),
      }
    },

    prepare(target) {
      const settled = annotation.settled()
      return settled || wantsAccept(target) ? makeReady(target, settled) : null
    },

    painted(rect, since) {
      viewer.value?.maskChanged({ x0: rect.x, y0: rect.y, x1: rect.x + rect.width, y1: rect.y + rect.height }, since)
    },

    commit(stroke, target) {
      // What was said was said of the mask before.
      ui.note = null
      if (owner) annotation.commit(stroke, target.labels, owner)
    },

    active(active) {
      annotation.setDrawing(active)
      live.setPen(active)
    },
  })

  function refuse(sentence: string): null {
    view.tell('warning', sentence)
    return null
  }

  /** Only what the user sees is accepted, and only where predictions lie: across the training axis. */
  function wantsAccept(target: StrokeTarget): boolean {
    return (
      view.acceptOnBrush &&
      view.overlay.predictionVisible &&
      target.axis === view.detail?.trainingAxis &&
      annotation.stateOf(target.index) === 'predicted'
    )
  }

  async function makeReady(target: StrokeTarget, settled: Promise<void> | null): Promise<void> {
    const session = owner
    await settled
    // Another case may have been opened meanwhile: its predictions are no business of this stroke.
    if (annotation.session !== session || !wantsAccept(target)) return
    try {
      const scope = { kind: 'slice' as const, axis: target.axis, index: target.index }
      const { delta } = await annotation.acceptBeforeStroke({ scope, labels: null, keepCorrected: true })
      // The slice may have been dropped since, with its case: the stroke is painted over the prediction all the same.
      if (delta && session && session.masks.get(target)?.labels !== target.labels) {
        applyDeltaToSlice(target.labels, session.detail.dims, target.axis, target.index, delta)
      }
      view.tell('info', text.accepted(target.index + 1))
    } catch {
      view.tell('warning', text.acceptFailed)
    }
  }
}
