import { computed, reactive, ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { CaseDetail, Vec3, WireError } from '../../../core/contract/index.ts'
import { planeViews, type Plane, type PlaneView } from '../../../core/geometry/index.ts'
import { asWireError, isCancelled } from '../api/errors.ts'
import { useClient } from '../api/client.ts'
import type { Rect } from '../canvas/layout.ts'
import type { DisplayWindow } from '../canvas/windowLevel.ts'
import { clampBrushRadius } from '../tools/brushSize.ts'
import type { ToolId } from '../tools/toolMachine.ts'

/** What is under the pointer; `intensity` holds one number a channel, scaled as the file says. */
export interface PointerReadout {
  /** As stored in the file, counted from 0. */
  readonly voxel: Vec3
  /** RAS+ mm; null for images without geometry. */
  readonly world: Vec3 | null
  readonly intensity: readonly number[]
  readonly label: number
}

export interface ViewNotice {
  readonly id: number
  readonly level: 'info' | 'warning'
  readonly text: string
}

/** The mounted viewer, as far as commands reach it. */
interface ViewerHandle {
  fit(): void
  zoomBy(factor: number): void
  /** The part of the slice buffer on screen that is in view, in whole pixels; null: none. A slide has no slices. */
  regionInView?(): Rect | null
}

interface OverlayOptions {
  mode: 'fill' | 'contour'
  /** 0 to 1. */
  opacity: number
  maskVisible: boolean
  predictionVisible: boolean
  /** How unsure the model is, as colours under mask and prediction. */
  uncertaintyVisible: boolean
  /** 0 to 1. */
  uncertaintyOpacity: number
}

interface CaseMemory {
  readonly plane: Plane
  readonly indices: ReadonlyMap<Plane, number>
  readonly window: DisplayWindow
}

/** Colour images are shown in their true colours; everything else in the window of its robust percentiles. */
function defaultWindow(detail: CaseDetail): DisplayWindow {
  return detail.channels === 3 && detail.voxelType === 'uint8' ? { center: 127.5, width: 255 } : { ...detail.window }
}

/** Which case and slice is looked at, how, and with which tool. Voxel buffers are not in here. */
export const useViewStore = defineStore('view', () => {
  const caseId = ref<string | null>(null)
  const detail = shallowRef<CaseDetail | null>(null)
  const loading = ref(false)
  const error = ref<WireError | null>(null)

  const planes = shallowRef<readonly PlaneView[]>([])
  const plane = ref<Plane>('axial')
  const index = ref(0)
  const view = computed(() => planes.value.find((one) => one.plane === plane.value) ?? null)
  const sliceCount = computed(() => view.value?.slices ?? 0)

  const window = ref<DisplayWindow>({ center: 127.5, width: 255 })
  const zoom = ref(1)
  const overlay = reactive<OverlayOptions>({
    mode: 'fill',
    opacity: 0.5,
    maskVisible: true,
    predictionVisible: true,
    uncertaintyVisible: false,
    uncertaintyOpacity: 0.7,
  })
  const interpolate = ref(false)
  const tool = ref<ToolId>('brush')
  const brushRadius = ref(6)
  const activeLabel = ref(1)
  const acceptOnBrush = ref(true)

  /** Is the slice of `index` on screen? `loading` only shows when it takes noticeably long. */
  const sliceState = ref<'none' | 'loading' | 'ready' | 'failed'>('none')
  const sliceError = ref<WireError | null>(null)
  /** Is the uncertainty of the slice on screen known? Null while it is not asked for, or still being read. */
  const uncertaintyKnown = ref<boolean | null>(null)
  const pointer = shallowRef<PointerReadout | null>(null)
  const notice = ref<ViewNotice | null>(null)

  const memories = new Map<string, CaseMemory>()
  let indices = new Map<Plane, number>()
  let viewer: ViewerHandle | null = null
  let opening = 0
  let lastNotice = 0

  /**
   * Opens a case at its middle axial slice, or where it was left, or at the slice `at` across its training axis. Errors
   * are kept in `error`, not thrown.
   */
  async function openCase(id: string, at: number | null = null): Promise<void> {
    const turn = ++opening
    remember()
    reset()
    caseId.value = id
    loading.value = true
    try {
      const opened = await useClient().call('case.open', { caseId: id })
      if (turn === opening) take(opened, at)
    } catch (thrown) {
      if (turn === opening && !isCancelled(thrown)) error.value = asWireError(thrown)
    } finally {
      if (turn === opening) loading.value = false
    }
  }

  function take(opened: CaseDetail, at: number | null): void {
    const views = planeViews(opened.dims, opened.affine, opened.spacing)
    const memory = memories.get(opened.id)
    const across = at === null ? undefined : views.find((one) => one.sliceAxis === opened.trainingAxis)
    const first = across ?? views.find((one) => one.plane === memory?.plane) ?? views[0]
    if (!first) return
    planes.value = views
    // By another position of the same image the planes can have other slices.
    const left = ({ plane: of, slices }: PlaneView): number | undefined => {
      const at = memory?.indices.get(of)
      return at !== undefined && at < slices ? at : undefined
    }
    indices = new Map(views.map((one) => [one.plane, left(one) ?? Math.floor(one.slices / 2)]))
    if (across && at !== null) indices.set(across.plane, Math.max(0, Math.min(across.slices - 1, at)))
    plane.value = first.plane
    index.value = indices.get(first.plane) ?? 0
    window.value = memory?.window ?? defaultWindow(opened)
    detail.value = opened
  }

  /** Reads the case's description again without moving anything: after events were missed. */
  async function refreshDetail(): Promise<CaseDetail | null> {
    const id = caseId.value
    if (id === null || detail.value === null) return null
    const turn = opening
    const fresh = await useClient().call('case.open', { caseId: id })
    if (turn !== opening) return null
    detail.value = fresh
    return fresh
  }

  function closeCase(): void {
    opening++
    remember()
    reset()
    loading.value = false
  }

  function reset(): void {
    caseId.value = null
    detail.value = null
    error.value = null
    planes.value = []
    index.value = 0
    sliceState.value = 'none'
    sliceError.value = null
    pointer.value = null
    notice.value = null
  }

  function remember(): void {
    const opened = detail.value
    if (!opened) return
    indices.set(plane.value, index.value)
    memories.set(opened.id, { plane: plane.value, indices: new Map(indices), window: window.value })
  }

  function setIndex(next: number): void {
    if (sliceCount.value === 0 || !Number.isFinite(next)) return
    index.value = Math.max(0, Math.min(sliceCount.value - 1, Math.round(next)))
  }

  /** Goes to a slice across the training axis, in the plane that shows it face on. */
  function showSlice(at: number): void {
    const across = planes.value.find((one) => one.sliceAxis === detail.value?.trainingAxis)
    if (!across) return
    setPlane(across.plane)
    setIndex(at)
  }

  function step(by: number): void {
    setIndex(index.value + by)
  }

  function setPlane(next: Plane): void {
    if (next === plane.value || !planes.value.some((one) => one.plane === next)) return
    indices.set(plane.value, index.value)
    plane.value = next
    index.value = indices.get(next) ?? 0
  }

  function setWindow(next: DisplayWindow): void {
    if (!Number.isFinite(next.center) || !Number.isFinite(next.width) || next.width <= 0) return
    window.value = { center: next.center, width: next.width }
  }

  function resetWindow(): void {
    if (detail.value) window.value = defaultWindow(detail.value)
  }

  function regionInView(): Rect | null {
    return viewer?.regionInView?.() ?? null
  }

  function fit(): void {
    viewer?.fit()
  }

  function zoomBy(factor: number): void {
    viewer?.zoomBy(factor)
  }

  /** Screen pixels an image pixel covers, around the middle of the viewer. */
  function setZoom(next: number): void {
    if (next > 0 && Number.isFinite(next)) zoomBy(next / zoom.value)
  }

  function setTool(next: ToolId): void {
    tool.value = next
  }

  function setBrushRadius(next: number): void {
    brushRadius.value = clampBrushRadius(next)
  }

  /** A sentence at the foot of the image; it goes by itself. */
  function tell(level: ViewNotice['level'], text: string): void {
    notice.value = { id: ++lastNotice, level, text }
  }

  /** The mounted viewer takes commands until the answer is called. */
  function attachViewer(mounted: ViewerHandle): () => void {
    viewer = mounted
    return () => {
      if (viewer === mounted) viewer = null
    }
  }

  return {
    caseId,
    detail,
    loading,
    error,
    planes,
    plane,
    view,
    index,
    sliceCount,
    window,
    zoom,
    overlay,
    interpolate,
    tool,
    brushRadius,
    activeLabel,
    acceptOnBrush,
    sliceState,
    sliceError,
    uncertaintyKnown,
    pointer,
    notice,
    openCase,
    refreshDetail,
    closeCase,
    setIndex,
    showSlice,
    regionInView,
    step,
    setPlane,
    setWindow,
    resetWindow,
    fit,
    zoomBy,
    setZoom,
    setTool,
    setBrushRadius,
    tell,
    attachViewer,
  }
})
