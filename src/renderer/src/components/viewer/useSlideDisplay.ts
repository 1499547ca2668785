import { onBeforeUnmount, onMounted, ref, shallowRef, watch, type ShallowRef } from 'vue'
import { asWireError } from '../../api/errors.ts'
import { SlideViewer, type SlidePlace } from '../../canvas/slide/slideViewer.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { useSlideStore } from '../../stores/slide.ts'
import { useViewStore } from '../../stores/view.ts'

/** Longer than this, and the wait for the first tiles is shown. */
const SLOW_MS = 200

/** Keeps what the stage shows of a slide in step with the stores. */
export function useSlideDisplay(element: Readonly<ShallowRef<HTMLDivElement | null>>) {
  const view = useViewStore()
  const slide = useSlideStore()
  const connection = useConnectionStore()
  const viewer = shallowRef<SlideViewer | null>(null)
  const place = shallowRef<SlidePlace | null>(null)
  /** Counts tiles that came or failed. */
  const arrivals = ref(0)
  /** Are all tiles of the screen here, or known to be damaged? */
  const settled = ref(false)
  let slow: ReturnType<typeof setTimeout> | undefined
  let detach: () => void = () => undefined

  function open(): void {
    close()
    const { detail } = view
    const { pyramid } = slide
    if (!element.value || !detail || !pyramid) return
    const [columnSpacing, rowSpacing] = detail.spacing
    const { id } = detail
    const made = new SlideViewer(element.value, {
      extent: { ...slide.extent, columnSpacing, rowSpacing },
      pyramid,
      window: view.window,
      interpolate: view.interpolate,
      load: (key, signal) => slide.loadTile(id, key, signal),
      passes: (thrown) => slide.passes(thrown),
      onView: () => {
        place.value = made.place
        view.zoom = made.zoom
      },
      onTiles: () => {
        tell(made)
      },
    })
    viewer.value = made
    const detaches = [view.attachViewer(made), slide.attach(made)]
    detach = () => {
      slide.rememberLook(id, made.look)
      detaches.forEach((stop) => stop())
    }
    slow = setTimeout(() => {
      if (view.sliceState === 'none') view.sliceState = 'loading'
    }, SLOW_MS)
    made.start(slide.lookOf(id))
  }

  /** What the rest of the page is told of the tiles. */
  function tell(made: SlideViewer): void {
    if (viewer.value !== made) return
    const { tiles } = made
    const { failures } = tiles
    const reason = failures.length > 0 ? asWireError(failures[0]?.thrown) : null
    arrivals.value++
    slide.screenLevel = tiles.level
    settled.value = tiles.missing === 0
    if (tiles.anything) {
      clearTimeout(slow)
      view.sliceState = 'ready'
      view.sliceError = null
    } else if (reason && settled.value) {
      clearTimeout(slow)
      view.sliceState = 'failed'
      view.sliceError = reason
    }
    const known = slide.damaged
    if (!reason) slide.damaged = null
    else if (known?.tiles !== failures.length) slide.damaged = { tiles: failures.length, reason: reason.message }
  }

  function retry(): void {
    if (view.sliceState === 'failed') view.sliceState = 'loading'
    viewer.value?.retry()
  }

  function close(): void {
    clearTimeout(slow)
    detach()
    detach = () => undefined
    viewer.value?.dispose()
    viewer.value = null
    settled.value = false
  }

  watch(() => view.detail?.id, open)
  watch(
    () => view.window,
    (window) => viewer.value?.setWindow(window),
    { flush: 'sync' },
  )
  watch(
    () => view.interpolate,
    (interpolate) => viewer.value?.setInterpolate(interpolate),
  )
  watch(
    () => connection.open,
    (isOpen) => {
      if (isOpen) retry()
    },
  )
  onMounted(open)
  onBeforeUnmount(close)

  return { viewer, place, arrivals, settled, retry }
}
