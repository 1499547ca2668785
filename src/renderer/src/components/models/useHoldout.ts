import { onBeforeUnmount, onMounted, watch } from 'vue'
import { t } from '../../i18n/frame.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { useHoldoutStore } from '../../stores/holdout.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useUiStore } from '../../stores/ui.ts'

/** Strokes come quickly; what is scored is read once they pause. */
const settleMs = 300

/** Reads the hold-out while the component that asks is there, and afresh where its slices may have changed. */
export function useHoldout(): ReturnType<typeof useHoldoutStore> {
  const holdout = useHoldoutStore()
  const project = useProjectStore()
  const connection = useConnectionStore()
  const ui = useUiStore()
  let waiting: ReturnType<typeof setTimeout> | undefined

  onMounted(read)
  watch(
    () => connection.open,
    (open) => {
      if (open) read()
    },
  )
  watch(
    () => project.cases,
    () => {
      clearTimeout(waiting)
      waiting = setTimeout(() => {
        if (connection.open) read()
      }, settleMs)
    },
  )
  onBeforeUnmount(() => clearTimeout(waiting))

  function read(): void {
    holdout.load().catch((error: unknown) => ui.report(error, t.errors.doing.load))
  }

  return holdout
}
