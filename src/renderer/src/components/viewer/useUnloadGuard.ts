import { onBeforeUnmount, onMounted } from 'vue'
import { useAnnotationStore } from '../../stores/annotation.ts'

/** Strokes that are not on disk would be gone with the page: the browser asks before it leaves. */
export function useUnloadGuard(): void {
  const annotation = useAnnotationStore()
  function beforeUnload(event: BeforeUnloadEvent): void {
    if (annotation.unsaved) event.preventDefault()
  }
  onMounted(() => window.addEventListener('beforeunload', beforeUnload))
  onBeforeUnmount(() => window.removeEventListener('beforeunload', beforeUnload))
}
