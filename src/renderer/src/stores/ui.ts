import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import type { ErrorCode, WireError } from '../../../core/contract/index.ts'
import { asWireError, isCancelled } from '../api/errors.ts'

export type NoticeLevel = 'info' | 'warning' | 'error'
export interface Toast {
  readonly id: number
  readonly level: NoticeLevel
  readonly message: string
}
export interface ErrorBanner {
  readonly id: number
  /** What was going on, as words; null where the message says it. */
  readonly doing: string | null
  readonly error: WireError
  /** How often the same thing happened since it was first shown. */
  readonly times: number
}
export interface Confirmation {
  readonly title: string
  readonly message: string
  readonly confirm: string
  readonly keep: string
  readonly run: () => Promise<void>
}

/** What floats above the frame; at most one of them is open at a time. */
export type Panel =
  | 'menu'
  | 'palette'
  | 'open-file'
  | 'open-folder'
  | 'save-as'
  | 'export-dataset'
  | 'import-mask'
  | 'import-model'
  | 'help'
  | 'doctor'
  | 'open-project'
  | 'override'
  | 'import-version'
  | 'approve'
  | null

/** What stands in place of worklist, viewer and inspector. */
export type Page = 'new-project' | 'training' | 'report' | 'models' | null

const toastSeconds = { info: 6, warning: 12, error: 20 } as const
const mostToasts = 4

/** What is open, and what the user is told. Nothing here outlives the page. */
export const useUiStore = defineStore('ui', () => {
  const panel = ref<Panel>(null)
  const page = ref<Page>(null)
  const confirmation = ref<Confirmation | null>(null)
  const toasts = ref<Toast[]>([])
  const banners = ref<ErrorBanner[]>([])
  /** The case whose image is looked for in the open-file panel; null: a new case is opened there. */
  const relocating = ref<string | null>(null)
  /** What the worklist shows: the cases, or what to look at next. */
  const worklist = ref<'cases' | 'queue'>('cases')
  /** The label whose name is being typed in the list. */
  const editingLabel = ref<number | null>(null)
  /** The label row that asks for a new label's name is open. */
  const addingLabel = ref(false)
  /** What the last step in the Model section did, in a sentence; it stands there until the next one. */
  const note = ref<string | null>(null)
  let lastId = 0

  const anythingOpen = computed(() => panel.value !== null || confirmation.value !== null)

  function open(next: Exclude<Panel, null>): void {
    panel.value = next
    if (next !== 'open-file') relocating.value = null
  }

  function toggle(next: Exclude<Panel, null>): void {
    if (panel.value === next) close()
    else open(next)
  }

  function close(): void {
    panel.value = null
    relocating.value = null
  }

  function showPage(next: Exclude<Page, null>): void {
    close()
    page.value = next
  }

  /** Back to the images. What was begun on the page stays. */
  function leavePage(): void {
    page.value = null
  }

  function ask(request: Confirmation): void {
    confirmation.value = request
  }

  function locate(caseId: string): void {
    open('open-file')
    relocating.value = caseId
  }

  /** Toasts are for what the user did not ask for; results of what they asked for have a place of their own. */
  function toast(level: NoticeLevel, message: string): void {
    const known = toasts.value.find((one) => one.message === message)
    if (known !== undefined) return
    lastId += 1
    const id = lastId
    toasts.value = [...toasts.value, { id, level, message }].slice(-mostToasts)
    window.setTimeout(() => dismissToast(id), toastSeconds[level] * 1000)
  }

  function dismissToast(id: number): void {
    toasts.value = toasts.value.filter((one) => one.id !== id)
  }

  /** Shows an error until it is dismissed. Cancelled calls are not errors. */
  function report(thrown: unknown, doing: string | null = null): void {
    if (isCancelled(thrown)) return
    reportWire(asWireError(thrown), doing)
  }

  function reportWire(error: WireError, doing: string | null = null): void {
    const same = banners.value.find(
      (one) => one.doing === doing && one.error.code === error.code && one.error.message === error.message,
    )
    if (same !== undefined) {
      banners.value = banners.value.map((one) => (one === same ? { ...one, times: one.times + 1 } : one))
      return
    }
    lastId += 1
    banners.value = [...banners.value, { id: lastId, doing, error, times: 1 }].slice(-3)
  }

  function dismissBanner(id: number): void {
    banners.value = banners.value.filter((one) => one.id !== id)
  }

  /** Takes away banners that no longer hold, such as those of a lost connection. */
  function forget(code: ErrorCode): void {
    banners.value = banners.value.filter((one) => one.error.code !== code)
  }

  /** What was reported of something that has worked by now. */
  function settle(doing: string): void {
    banners.value = banners.value.filter((one) => one.doing !== doing)
  }

  return {
    panel,
    page,
    confirmation,
    toasts,
    banners,
    relocating,
    worklist,
    editingLabel,
    addingLabel,
    note,
    anythingOpen,
    open,
    toggle,
    close,
    showPage,
    leavePage,
    ask,
    locate,
    toast,
    dismissToast,
    report,
    reportWire,
    dismissBanner,
    forget,
    settle,
  }
})
