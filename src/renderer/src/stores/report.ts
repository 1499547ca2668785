import { ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { MethodResult, RecipeReport, WireError } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'

export type Figure = MethodResult<'models.figure'>

/** Figures that were fetched are kept while the report is open, the oldest given up beyond this. */
const figureBytes = 64 * 2 ** 20

/** The report of one version of the model. */
export const useReportStore = defineStore('report', () => {
  const modelId = ref<string | null>(null)
  const report = shallowRef<RecipeReport | null>(null)
  const error = shallowRef<WireError | null>(null)
  const saving = ref(false)
  const saved = shallowRef<MethodResult<'models.saveReport'> | null>(null)
  const figures = new Map<string, Figure>()
  let reading: AbortController | null = null

  /** Reads the report of a version, unless it is there already. */
  async function open(id: string, again = false): Promise<void> {
    if (!again && id === modelId.value && error.value === null) return
    close()
    modelId.value = id
    const controller = new AbortController()
    reading = controller
    try {
      const read = await useClient().call('models.report', { modelId: id }, { signal: controller.signal })
      if (reading === controller) report.value = read
    } catch (thrown) {
      if (reading === controller && !isCancelled(thrown)) error.value = asWireError(thrown)
    }
  }

  function close(): void {
    reading?.abort()
    reading = null
    modelId.value = null
    report.value = null
    error.value = null
    saved.value = null
    figures.clear()
  }

  async function figure(file: string, signal: AbortSignal): Promise<Figure> {
    const known = figures.get(file)
    if (known !== undefined) return known
    const id = modelId.value ?? ''
    const read = await useClient().call('models.figure', { modelId: id, file }, { signal })
    if (id === modelId.value) {
      figures.set(file, read)
      let bytes = [...figures.values()].reduce((sum, one) => sum + one.bytes.length, 0)
      for (const [oldest, old] of figures) {
        if (bytes <= figureBytes || oldest === file) break
        bytes -= old.bytes.length
        figures.delete(oldest)
      }
    }
    return read
  }

  /** Writes the report as one HTML file; `fileId` null: into the project's exports folder. */
  async function save(fileId: string | null): Promise<void> {
    const id = modelId.value
    if (id === null || saving.value) return
    saving.value = true
    try {
      const written = await useClient().call('models.saveReport', { modelId: id, fileId })
      if (id === modelId.value) saved.value = written
    } finally {
      saving.value = false
    }
  }

  return { modelId, report, error, saving, saved, open, close, figure, save }
})
