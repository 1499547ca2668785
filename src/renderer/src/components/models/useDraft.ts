import { nextTick, onBeforeUnmount, ref, watch, type Ref } from 'vue'
import { useVersionsStore } from '../../stores/versions.ts'

interface DraftOf {
  /** Which text of a version it is. */
  readonly field: string
  /** The version that the text belongs to. */
  readonly id: () => string
  /** The text as it is kept. */
  readonly kept: () => string
  /** Keeps a text of `id`; answers whether it is kept now. */
  readonly keep: (id: string, text: string) => Promise<boolean>
  /** What is to be kept of a typed text; null: nothing, the kept one comes back. */
  readonly clean?: (text: string) => string | null
}

export interface Draft {
  /** What stands in the field. */
  readonly text: Ref<string>
  /** The field has the focus: nothing but the user changes it from now on. */
  readonly enter: () => void
  /** The field is left, or what stands in it is final. */
  readonly leave: () => Promise<void>
  /** Back to what is kept. */
  readonly reset: () => void
}

/**
 * A text of a version that is kept when its field is left. News of what is kept, also from other windows, never touch what is being
 * typed; what was typed is kept too where the field goes away or comes to show something else. Where it cannot be kept, it stands in the
 * field again when the version is shown again.
 */
export function useDraft({ field, id, kept, keep, clean = (text) => text }: DraftOf): Draft {
  const { drafts } = useVersionsStore()
  const text = ref('')
  /** What the text was begun with. */
  let begun = ''
  let focused = false
  /** Is on its way. */
  let sent: string | null = null
  let sending = 0

  const place = (of: string): string => `${field} ${of}`

  function show(): void {
    begun = kept()
    text.value = drafts.get(place(id())) ?? begun
  }

  function reset(): void {
    drafts.delete(place(id()))
    show()
  }

  async function send(of: string, typed: string, wanted: string): Promise<boolean> {
    const done = await keep(of, wanted)
    if (done) drafts.delete(place(of))
    else {
      drafts.set(place(of), typed)
      refresh()
    }
    return done
  }

  async function settle(): Promise<void> {
    const of = id()
    const typed = text.value
    if (typed === sent) return
    if (sent === null && typed === begun) {
      reset()
      return
    }
    const wanted = clean(typed)
    // While another text is on its way, also one that is kept as yet must follow it.
    if (wanted === null || (sent === null && wanted === kept())) {
      reset()
      return
    }
    sent = typed
    const turn = ++sending
    const done = await send(of, typed, wanted)
    if (turn !== sending) return
    sent = null
    if (!done) return
    begun = wanted
    // What was typed meanwhile stays.
    if (text.value === typed) text.value = wanted
    await nextTick()
    refresh()
  }

  /** Shows what is kept, unless something else is typed or on its way. */
  function refresh(): void {
    if (!focused && sent === null && text.value === begun) show()
  }

  show()
  watch([id, kept], ([now], [before]) => {
    if (now === before) {
      refresh()
      return
    }
    const typed = text.value === (sent ?? begun) ? null : text.value
    const wanted = typed === null ? null : clean(typed)
    if (typed !== null && wanted !== null) void send(before, typed, wanted)
    // What is on its way is of the other version.
    sent = null
    sending += 1
    show()
  })
  onBeforeUnmount(() => void settle())

  return {
    text,
    enter: () => {
      focused = true
    },
    leave: async () => {
      focused = false
      await settle()
    },
    reset,
  }
}
