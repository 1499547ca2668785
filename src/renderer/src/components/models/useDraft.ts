import { onBeforeUnmount, ref, watch, type Ref } from 'vue'

interface DraftOf {
  /** What the text belongs to. */
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
 * A text that is kept when its field is left. News of what is kept, also from other windows, never touch what is being typed; what was
 * typed is kept too where the field goes away or comes to show something else.
 */
export function useDraft({ id, kept, keep, clean = (text) => text }: DraftOf): Draft {
  const text = ref(kept())
  /** What the text was begun with. */
  let begun = text.value
  let focused = false
  /** Is on its way. */
  let sent: string | null = null

  function reset(): void {
    text.value = kept()
    begun = text.value
  }

  async function settle(of: string): Promise<void> {
    if (text.value === begun || text.value === sent) return
    const typed = text.value
    const wanted = clean(typed)
    if (wanted === null || wanted === kept()) {
      reset()
      return
    }
    sent = typed
    const done = await keep(of, wanted)
    sent = null
    if (!done || of !== id()) return
    begun = wanted
    // What was typed meanwhile stays.
    if (text.value === typed) text.value = wanted
  }

  watch([id, kept], ([now], [before]) => {
    if (now !== before) {
      const typed = text.value === begun || text.value === sent ? null : clean(text.value)
      if (typed !== null) void keep(before, typed)
      reset()
    } else if (!focused && (text.value === begun || text.value === sent)) reset()
  })
  onBeforeUnmount(() => void settle(id()))

  return {
    text,
    enter: () => {
      focused = true
    },
    leave: async () => {
      focused = false
      if (text.value === begun) reset()
      else await settle(id())
    },
    reset,
  }
}
