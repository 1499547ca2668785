import { computed, ref } from 'vue'
import { defineStore } from 'pinia'
import { useClient } from '../api/client.ts'
import { cautionWords as words } from '../i18n/exchange.ts'
import { useViewStore } from './view.ts'

/** What the user must have seen of the open case before it is annotated, because a mask could come to lie elsewhere. */
export const useCautionsStore = defineStore('cautions', () => {
  const view = useViewStore()
  const busy = ref(false)
  /** How often something waited for the caution to be read: the strip shows itself again each time. */
  const pointed = ref(0)
  const open = computed(() => (view.detail?.cautionsSeen === false ? view.detail.cautions : []))
  const blocking = computed(() => open.value.length > 0)

  /** Must the caution be read first? Then this points at it. */
  function holds(): boolean {
    if (!blocking.value) return false
    pointed.value += 1
    view.tell('warning', words.pointed)
    return true
  }

  async function acknowledge(): Promise<void> {
    const { detail } = view
    if (detail === null || busy.value) return
    busy.value = true
    try {
      await useClient().call('case.acknowledge', { caseId: detail.id })
      if (view.detail?.id === detail.id) view.detail = { ...view.detail, cautionsSeen: true }
    } finally {
      busy.value = false
    }
  }

  /** The planes may lie otherwise afterwards, so the case is opened anew. */
  async function useForm(affine: 'sform' | 'qform'): Promise<void> {
    const { detail } = view
    if (detail === null || busy.value) return
    busy.value = true
    try {
      await useClient().call('case.useForm', { caseId: detail.id, affine })
      if (view.caseId !== detail.id) return
      await view.openCase(detail.id)
      view.tell('info', words.switched(affine))
    } finally {
      busy.value = false
    }
  }

  return { open, blocking, pointed, busy, holds, acknowledge, useForm }
})
