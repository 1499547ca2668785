import { computed, type ComputedRef } from 'vue'
import { t } from '../../i18n/frame.ts'
import { useConnectionStore } from '../../stores/connection.ts'
import { useProjectStore } from '../../stores/project.ts'

/**
 * What stands where the project's state would, until it was read for the first time: until then nothing is known of it,
 * not even that it is empty. Null from then on; nothing while it is on its way.
 */
export function useAbsence(): ComputedRef<string | null> {
  const connection = useConnectionStore()
  const project = useProjectStore()
  return computed(() => {
    if (project.project !== null) return null
    return connection.state === 'lost' || connection.state === 'closed' ? t.connection.none : ''
  })
}
