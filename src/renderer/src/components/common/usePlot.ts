import { onBeforeUnmount, onMounted, ref, useTemplateRef, type Ref } from 'vue'

export interface Plot {
  /** Of the element, in pixels. */
  readonly width: Ref<number>
  /** Where the pointer is, from the element's left edge in pixels; null where it is elsewhere. */
  readonly pointed: Ref<number | null>
  readonly onMove: (event: PointerEvent) => void
}

/** A drawing as wide as the element under the template reference `name`; `initial` before its width is known. */
export function usePlot(name: string, initial: number): Plot {
  const element = useTemplateRef<HTMLElement>(name)
  const width = ref(initial)
  const pointed = ref<number | null>(null)
  let observer: ResizeObserver | null = null
  onMounted(() => {
    observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined && entry.contentRect.width > 0) width.value = Math.round(entry.contentRect.width)
    })
    if (element.value !== null) observer.observe(element.value)
  })
  onBeforeUnmount(() => observer?.disconnect())
  return {
    width,
    pointed,
    onMove(event) {
      pointed.value = event.clientX - (element.value?.getBoundingClientRect().left ?? 0)
    },
  }
}
