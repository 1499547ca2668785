import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'
import { droppedSets, type DroppedSet } from '../platform/droppedFiles.ts'

/**
 * Files and folders dragged over the window, and dropped anywhere on it. Other drags are left alone. `failed` is called where the
 * browser could not read them.
 */
export function useFileDrop(dropped: (sets: DroppedSet[]) => void, failed: () => void): Readonly<Ref<boolean>> {
  const over = ref(false)
  /** Entering a child comes before leaving its parent: only the sum tells whether the pointer is still inside. */
  let depth = 0

  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') === true

  function onEnter(event: DragEvent): void {
    if (!hasFiles(event)) return
    event.preventDefault()
    depth += 1
    over.value = true
  }

  function onOver(event: DragEvent): void {
    if (!hasFiles(event)) return
    event.preventDefault()
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = 'copy'
  }

  function onLeave(event: DragEvent): void {
    if (!hasFiles(event)) return
    depth = Math.max(0, depth - 1)
    over.value = depth > 0
  }

  function onDrop(event: DragEvent): void {
    if (!hasFiles(event)) return
    event.preventDefault()
    depth = 0
    over.value = false
    if (event.dataTransfer !== null) void read(event.dataTransfer)
  }

  async function read(transfer: DataTransfer): Promise<void> {
    try {
      const sets = await droppedSets(transfer)
      if (sets.length > 0) dropped(sets)
    } catch {
      failed()
    }
  }

  onMounted(() => {
    window.addEventListener('dragenter', onEnter)
    window.addEventListener('dragover', onOver)
    window.addEventListener('dragleave', onLeave)
    window.addEventListener('drop', onDrop)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('dragenter', onEnter)
    window.removeEventListener('dragover', onOver)
    window.removeEventListener('dragleave', onLeave)
    window.removeEventListener('drop', onDrop)
  })
  return over
}
