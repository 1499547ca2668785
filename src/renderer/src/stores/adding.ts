import { ref } from 'vue'
import { defineStore } from 'pinia'
import type { CaseSummary, FileEntry, ImageChoices, ImageSelection, WireError } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'
import { useProjectStore } from './project.ts'

/** A file of which one image is to be chosen. */
export interface Choosing {
  readonly file: FileEntry
  readonly choices: ImageChoices
  readonly selection: ImageSelection
  /** What another series holds is being read. */
  readonly looking: boolean
  readonly adding: boolean
  /** Why the last try failed; what was chosen stays. */
  readonly error: WireError | null
}

/** A file that is being read, by a native dialog: there is no panel that would say so. */
export interface Reading {
  readonly id: number
  readonly name: string
  readonly stop: () => void
}

/** Files on their way to be cases: at once where they hold one image, else after one of them was chosen. */
export const useAddingStore = defineStore('adding', () => {
  /** The one that is asked about; the others wait for their turn. */
  const current = ref<Choosing | null>(null)
  const waiting = ref(0)
  const readings = ref<readonly Reading[]>([])
  let lastId = 0
  let answer: (added: CaseSummary | null) => void = () => undefined
  let turn: Promise<unknown> = Promise.resolve()
  let latest: AbortController | null = null

  /**
   * The case; null where the user left the choice. `asked` is called when there is one; from then on the signal does not
   * count. Throws what reading the file throws.
   */
  async function add(
    file: FileEntry,
    asked?: () => void,
    options: { signal?: AbortSignal } = {},
  ): Promise<CaseSummary | null> {
    const found = await useClient().call('case.look', { fileId: file.id }, options)
    // A file of a series stands for that series, whatever else lies beside it.
    const choices = file.kind === 'folder' ? found : { ...found, series: [] }
    if (!hasChoice(choices)) return useProjectStore().addCase(file.id, {}, options)
    asked?.()
    waiting.value += 1
    const chosen = turn.then(async () => {
      waiting.value -= 1
      return ask(file, choices)
    })
    turn = chosen
    return chosen
  }

  /** The same, shown in the worklist while the file is read. Null also where that was stopped. */
  async function addShown(file: FileEntry): Promise<CaseSummary | null> {
    const controller = new AbortController()
    const id = ++lastId
    const over = () => (readings.value = readings.value.filter((one) => one.id !== id))
    readings.value = [...readings.value, { id, name: file.name, stop: () => controller.abort() }]
    try {
      return await add(file, over, { signal: controller.signal })
    } catch (error) {
      if (isCancelled(error)) return null
      throw error
    } finally {
      over()
    }
  }

  async function ask(file: FileEntry, choices: ImageChoices): Promise<CaseSummary | null> {
    const added = new Promise<CaseSummary | null>((resolve) => (answer = resolve))
    const selection = firstOf(choices)
    // What was assumed for want of a choice is no remark to make beside the choice.
    const bare = { ...choices, warnings: [] }
    current.value = { file, choices: bare, selection, looking: false, adding: false, error: null }
    void remark(file, selection)
    return added
  }

  /** What there is to remark on the proposed image. Without an answer the choice is as good. */
  async function remark(file: FileEntry, selection: ImageSelection): Promise<void> {
    try {
      const { warnings } = await useClient().call('case.look', { fileId: file.id, selection })
      const now = current.value
      if (now?.file.id !== file.id || now.looking || now.selection.series !== selection.series) return
      current.value = { ...now, choices: { ...now.choices, warnings } }
    } catch {
      // Opening it says what is wrong.
    }
  }

  function select(change: Partial<ImageSelection>): void {
    const before = current.value
    if (before === null || before.adding) return
    current.value = { ...before, selection: { ...before.selection, ...change }, error: null }
  }

  /** Another series may hold other frames and channels. */
  async function selectSeries(series: string): Promise<void> {
    const before = current.value
    if (before === null || before.adding || before.selection.series === series) return
    latest?.abort()
    const controller = new AbortController()
    latest = controller
    current.value = { ...before, selection: { series }, looking: true, error: null }
    try {
      const params = { fileId: before.file.id, selection: { series } }
      const choices = await useClient().call('case.look', params, { signal: controller.signal })
      const now = current.value
      if (latest !== controller || now.file.id !== before.file.id) return
      current.value = { ...now, choices, selection: { ...firstOf(choices), series }, looking: false }
    } catch (error) {
      const now = current.value
      if (latest !== controller || isCancelled(error) || now.file.id !== before.file.id) return
      current.value = { ...now, looking: false, error: asWireError(error) }
    }
  }

  async function take(): Promise<void> {
    const before = current.value
    if (before === null || before.adding || before.looking) return
    current.value = { ...before, adding: true, error: null }
    try {
      const added = await useProjectStore().addCase(before.file.id, before.selection)
      finish(added)
    } catch (error) {
      current.value = { ...before, error: isCancelled(error) ? null : asWireError(error) }
    }
  }

  /** Nothing of this file is added. */
  function leave(): void {
    if (current.value?.adding === false) finish(null)
  }

  function finish(added: CaseSummary | null): void {
    latest?.abort()
    latest = null
    current.value = null
    answer(added)
  }

  return { current, waiting, readings, add, addShown, select, selectSeries, take, leave }
})

function hasChoice({ series, frames, channels, complex }: ImageChoices): boolean {
  return series.length > 1 || frames > 1 || channels.length > 1 || complex
}

/** What is proposed: the first of everything. */
function firstOf({ series, frames, channels, complex }: ImageChoices): ImageSelection {
  const [first] = series
  return {
    ...(first === undefined || series.length < 2 ? {} : { series: first.id }),
    ...(frames > 1 ? { frame: 0 } : {}),
    ...(channels.length > 1 ? { channel: 0 } : {}),
    ...(complex ? { part: 'magnitude' as const } : {}),
  }
}
