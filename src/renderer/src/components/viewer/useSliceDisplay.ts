import { computed, onBeforeUnmount, onMounted, ref, shallowRef, watch, type ShallowRef } from 'vue'
import type { PlaneView } from '../../../../core/geometry/index.ts'
import { asWireError, isCancelled } from '../../api/errors.ts'
import type { OverlayStyle } from '../../canvas/overlayPainter.ts'
import { createLineColors, createPalette, createUncertaintyPalette } from '../../canvas/palette.ts'
import { prefetchPlan, type SliceKey } from '../../canvas/sliceCache.ts'
import { SliceViewer } from '../../canvas/sliceViewer.ts'
import type { SliceLayers } from '../../history/caseSession.ts'
import { useAnnotationStore } from '../../stores/annotation.ts'
import { useComparisonStore } from '../../stores/comparison.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useSeenStore } from '../../stores/seen.ts'
import { useViewStore } from '../../stores/view.ts'

/** Longer than this, and the wait for a slice is shown. */
const SLOW_MS = 200
const PREFETCH = { ahead: 8, behind: 2 } as const
/** The prediction's fill is paler than the mask's. */
const PREDICTION_SHARE = 0.45

/** Keeps what the stage shows in step with the stores: slice, window, overlay, labels. */
export function useSliceDisplay(element: Readonly<ShallowRef<HTMLDivElement | null>>) {
  const view = useViewStore()
  const annotation = useAnnotationStore()
  const comparison = useComparisonStore()
  const project = useProjectStore()
  const connection = useConnectionStore()
  const seen = useSeenStore()
  const viewer = shallowRef<SliceViewer | null>(null)
  /** The plane that is on screen, which may still be the one before the plane that is asked for. */
  const shownView = shallowRef<PlaneView | null>(null)
  /** The slice that is on screen; null while it is awaited. */
  const shownIndex = ref<number | null>(null)
  /** Counts changes of what lies where on the screen. */
  const changes = ref(0)
  let turn = 0
  let slow: ReturnType<typeof setTimeout> | undefined
  let direction: 1 | -1 = 1

  const maskPalette = computed(() => createPalette(project.labels, view.overlay.opacity))
  const predictionPalette = computed(() => createPalette(project.labels, view.overlay.opacity * PREDICTION_SHARE))
  const uncertaintyPalette = computed(() =>
    view.overlay.uncertaintyVisible ? createUncertaintyPalette(view.overlay.uncertaintyOpacity) : null,
  )
  const lineColors = computed(() => createLineColors(project.labels))
  const style = computed<OverlayStyle>(() => ({
    mode: view.overlay.mode,
    maskVisible: view.overlay.maskVisible,
    predictionVisible: view.overlay.predictionVisible,
    maskPalette: maskPalette.value,
    predictionPalette: predictionPalette.value,
    lineColors: lineColors.value,
    lineAlpha: view.overlay.opacity === 0 ? 0 : 0.6 + 0.4 * view.overlay.opacity,
    uncertaintyPalette: uncertaintyPalette.value,
  }))

  function currentKey(): SliceKey | null {
    return view.view && annotation.session ? { axis: view.view.sliceAxis, index: view.index } : null
  }

  /** Brings the current slice on screen: at once when it is here, else when it comes and is still wanted. */
  function show(since = performance.now()): void {
    const key = currentKey()
    const session = annotation.session
    const mine = ++turn
    clearTimeout(slow)
    if (!key || !session) {
      viewer.value?.clear()
      view.sliceState = 'none'
      return
    }
    const layers = session.peek(key)
    if (layers) {
      put(key, layers, since)
      return
    }
    const shown = viewer.value?.shown
    if (shown?.view !== view.view || shown.index !== key.index) viewer.value?.hide()
    if (view.sliceState !== 'loading') slow = setTimeout(() => (view.sliceState = 'loading'), SLOW_MS)
    session.load(key).then(
      (loaded) => {
        if (mine === turn) put(key, loaded, since)
      },
      (thrown: unknown) => {
        if (mine !== turn || isCancelled(thrown)) return
        clearTimeout(slow)
        view.sliceError = asWireError(thrown)
        view.sliceState = 'failed'
      },
    )
  }

  function put(key: SliceKey, layers: SliceLayers, since: number): void {
    clearTimeout(slow)
    const planeView = view.view
    if (!planeView || !viewer.value) return
    const shown = viewer.value.shown
    const before = comparison.beforeOf(view.caseId ?? '', key.axis, key.index)
    const { prediction } = layers
    const uncertainty = uncertaintyFor(key)
    const labels =
      before === null
        ? { mask: layers.mask.labels, prediction, settled: isSettled(key), uncertainty }
        : { mask: before, prediction, settled: true, uncertainty }
    if (shown?.view === planeView && shown.index === key.index && shown.image === layers.image) {
      viewer.value.setLabels(labels)
    } else {
      viewer.value.show({ view: planeView, index: key.index, image: layers.image, labels }, since)
    }
    view.sliceError = null
    view.sliceState = 'ready'
    // While versions are compared, the mask on screen is another one.
    if (before === null && view.caseId !== null && key.axis === view.detail?.trainingAxis) {
      seen.show({ caseId: view.caseId, index: key.index, predicted: prediction !== null })
    }
  }

  function isSettled(key: SliceKey): boolean {
    if (key.axis !== view.detail?.trainingAxis) return false
    const state = annotation.stateOf(key.index)
    return state === 'corrected' || state === 'approved'
  }

  /** The uncertainty of a slice where it is shown and here; it is asked for where it is not, and shown when it comes. */
  function uncertaintyFor(key: SliceKey): Uint8Array | null {
    const session = annotation.session
    if (!view.overlay.uncertaintyVisible || !session) {
      view.uncertaintyKnown = null
      return null
    }
    const here = session.peekUncertainty(key)
    view.uncertaintyKnown = here === undefined ? null : here !== null
    if (here === undefined) {
      const mine = turn
      session.loadUncertainty(key).then(
        () => {
          if (mine === turn) show()
        },
        () => {
          // The slice itself is what matters; it is asked for again with the next one.
          if (mine === turn) view.uncertaintyKnown = false
        },
      )
    }
    return here ?? null
  }

  /** Fetches the slices that come next when the user goes on as before. */
  function prefetch(): void {
    const key = currentKey()
    if (!key) return
    const plan = prefetchPlan(key.axis, key.index, view.sliceCount, direction, PREFETCH.ahead, PREFETCH.behind)
    annotation.session?.prefetch(plan, view.overlay.uncertaintyVisible)
  }

  watch([() => annotation.session, () => view.view], () => show(), { flush: 'sync' })
  watch(
    () => view.index,
    (now, before) => {
      direction = now >= before ? 1 : -1
      show()
    },
    { flush: 'sync' },
  )
  // After the slice itself, so that it never waits behind its neighbours.
  watch([() => view.sliceState, () => view.index, () => view.plane], () => {
    if (view.sliceState === 'ready') prefetch()
  })
  watch([() => annotation.corrected, () => annotation.approved, () => view.overlay.uncertaintyVisible], () => show())
  // At once: a stroke that ends the comparison must find the mask.
  watch(
    () => comparison.comparing,
    () => show(),
    { flush: 'sync' },
  )
  watch(
    () => view.window,
    (window) => viewer.value?.setWindow(window),
    { flush: 'sync' },
  )
  watch(style, (next) => viewer.value?.setStyle(next))
  watch(
    () => view.interpolate,
    (interpolate) => viewer.value?.setInterpolate(interpolate),
  )
  watch(
    () => connection.open,
    (open) => {
      if (open && view.sliceState === 'failed') show()
    },
  )
  // A label that is gone cannot be painted with.
  watch(
    () => project.labels,
    (labels) => {
      const first = labels[0]
      if (first && !labels.some(({ value }) => value === view.activeLabel)) view.activeLabel = first.value
    },
    { immediate: true },
  )

  let stops: (() => void)[] = []
  onMounted(() => {
    if (!element.value) return
    const mounted = new SliceViewer(element.value, style.value, () => {
      changes.value++
      view.zoom = mounted.zoom
      shownView.value = mounted.view
      shownIndex.value = mounted.shown?.index ?? null
    })
    mounted.setWindow(view.window)
    mounted.setInterpolate(view.interpolate)
    viewer.value = mounted
    stops = [
      view.attachViewer(mounted),
      annotation.listen({
        maskChanged(key, rect) {
          const current = currentKey()
          if (key.axis !== current?.axis || key.index !== current.index) return
          if (rect) mounted.maskChanged(rect)
          else show()
        },
        predictionsChanged: () => show(),
      }),
    ]
    show()
  })
  onBeforeUnmount(() => {
    clearTimeout(slow)
    stops.forEach((stop) => stop())
    viewer.value?.dispose()
    viewer.value = null
  })

  return { viewer, shownView, shownIndex, changes, retry: () => show() }
}
