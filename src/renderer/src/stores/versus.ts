import { computed, ref, shallowRef } from 'vue'
import { defineStore } from 'pinia'
import type { CaseDetail, Preview, WireError } from '../../../core/contract/index.ts'
import { planeViews, type PlaneView } from '../../../core/geometry/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'
import { toImageSlice, type ImageSlice } from '../canvas/samples.ts'
import { useAnnotationStore } from './annotation.ts'
import { useProjectStore } from './project.ts'
import { useVersionsStore } from './versions.ts'
import { useViewStore } from './view.ts'

export type Side = 'left' | 'right'
/** A slice across the training axis, with its mask in the wire's order. */
interface Ground {
  readonly caseId: string
  readonly index: number
  readonly image: ImageSlice
  readonly mask: Uint8Array
}

/** Two versions of the model on the same slice of a case: what each predicts there. Nothing of it is kept. */
export const useVersusStore = defineStore('versus', () => {
  const project = useProjectStore()
  const versions = useVersionsStore()
  const view = useViewStore()
  const annotation = useAnnotationStore()
  const detail = shallowRef<CaseDetail | null>(null)
  const index = ref(0)
  const chosen = ref<Readonly<Record<Side, string | null>>>({ left: null, right: null })
  const ground = shallowRef<Ground | null>(null)
  const previews = shallowRef<Readonly<Record<Side, Preview | null>>>({ left: null, right: null })
  const waiting = ref<Readonly<Record<Side, boolean>>>({ left: false, right: false })
  const errors = shallowRef<Readonly<Record<Side, WireError | null>>>({ left: null, right: null })
  const error = shallowRef<WireError | null>(null)
  let opening = 0
  /** What was on screen when comparing began. */
  let begunAt: string | null = null
  let controller: AbortController | null = null

  /** Versions that can predict. */
  const able = computed(() => versions.newestFirst.filter((one) => !one.pruned))
  /** Cases with slices that a model can predict. */
  const cases = computed(() => project.cases.filter((one) => one.kind !== 'slide' && !one.missing))
  const plane = computed<PlaneView | null>(() => {
    const now = detail.value
    if (now === null) return null
    return planeViews(now.dims, now.affine, now.spacing).find((one) => one.sliceAxis === now.trainingAxis) ?? null
  })
  /** A person has dealt with the slice: its mask is what predictions can be measured against. */
  const settled = computed(() => {
    const now = detail.value
    if (now === null) return false
    // Of the case on screen what was done since it was opened is known.
    const { approved, corrected } = now.id === view.caseId ? annotation : now
    return approved.includes(index.value) || corrected.includes(index.value)
  })
  /** The version on each side: what was chosen, else the one in use on the right and what it goes on from on the left. */
  const ids = computed<Readonly<Record<Side, string | null>>>(() => {
    const known = (id: string | null): string | null => (able.value.some((one) => one.id === id) ? id : null)
    const right = known(chosen.value.right) ?? known(project.activeModel?.id ?? null) ?? able.value[0]?.id ?? null
    const other = able.value.find((one) => one.id !== right)?.id ?? null
    const left =
      known(chosen.value.left) ?? (versions.previous?.id === right ? null : known(versions.previous?.id ?? null))
    return { left: left ?? other, right }
  })

  /** Begins with the case and the slice on screen, or goes on where it was left as long as those are the same. */
  async function begin(): Promise<void> {
    const onScreen = cases.value.find((one) => one.id === view.caseId)
    const place = `${onScreen?.id} ${view.plane} ${view.index}`
    const left = place === begunAt ? cases.value.find((one) => one.id === detail.value?.id) : undefined
    begunAt = place
    const first = left ?? onScreen ?? cases.value[0]
    if (first !== undefined) await openCase(first.id, left === undefined ? null : index.value)
  }

  /** At the slice on screen where it is there, else at the middle one, or at the slice `at`. */
  async function openCase(caseId: string, at: number | null = null): Promise<void> {
    const turn = ++opening
    error.value = null
    try {
      const here = view.detail?.id === caseId ? view.detail : null
      const opened = here ?? (await useClient().call('case.open', { caseId }))
      if (turn !== opening) return
      detail.value = opened
      const slices = opened.dims[opened.trainingAxis]
      const seen = here !== null && view.view?.sliceAxis === opened.trainingAxis ? view.index : null
      index.value = Math.min(slices - 1, at ?? seen ?? Math.floor(slices / 2))
      await load()
    } catch (thrown) {
      if (turn === opening && !isCancelled(thrown)) error.value = asWireError(thrown)
    }
  }

  async function go(to: number): Promise<void> {
    const now = detail.value
    if (now === null) return
    const next = Math.max(0, Math.min(now.dims[now.trainingAxis] - 1, Math.round(to)))
    if (next === index.value) return
    index.value = next
    await load()
  }

  async function take(side: Side, modelId: string): Promise<void> {
    const { left, right } = ids.value
    const other = side === 'left' ? right : left
    const mine = side === 'left' ? left : right
    // Choosing what stands on the other side swaps the two.
    const both = modelId === other ? mine : other
    chosen.value = side === 'left' ? { left: modelId, right: both } : { left: both, right: modelId }
    await load()
  }

  async function swap(): Promise<void> {
    const { left, right } = ids.value
    chosen.value = { left: right, right: left }
    await load()
  }

  /** Reads the slice and what both predict of it; what is there already is not asked for again. */
  async function load(): Promise<void> {
    const now = detail.value
    controller?.abort()
    const mine = new AbortController()
    controller = mine
    if (now === null) return
    await Promise.all([loadGround(now, mine), loadSide('left', now, mine), loadSide('right', now, mine)])
  }

  async function loadGround({ id: caseId, trainingAxis: axis }: CaseDetail, mine: AbortController): Promise<void> {
    const at = index.value
    if (ground.value?.caseId === caseId && ground.value.index === at) return
    try {
      const client = useClient()
      const where = { caseId, axis, index: at }
      const { signal } = mine
      const [image, mask] = await Promise.all([
        client.call('volume.slice', where, { signal }),
        client.call('annotation.slice', { ...where, layer: 'mask' }, { signal }),
      ])
      if (controller !== mine) return
      ground.value = { caseId, index: at, image: toImageSlice(image), mask: mask.data }
      error.value = null
    } catch (thrown) {
      if (controller === mine && !isCancelled(thrown)) error.value = asWireError(thrown)
    }
  }

  /** What each side's prediction is of. */
  const shown = new Map<Side, string>()
  async function loadSide(side: Side, { id: caseId }: CaseDetail, mine: AbortController): Promise<void> {
    const modelId = ids.value[side]
    if (modelId === null) return
    const key = `${caseId} ${index.value} ${modelId}`
    if (shown.get(side) === key && previews.value[side] !== null) {
      waiting.value = { ...waiting.value, [side]: false }
      return
    }
    shown.delete(side)
    previews.value = { ...previews.value, [side]: null }
    waiting.value = { ...waiting.value, [side]: true }
    errors.value = { ...errors.value, [side]: null }
    try {
      const where = { modelId, caseId, index: index.value }
      const preview = await useClient().call('models.preview', where, { signal: mine.signal })
      if (controller !== mine) return
      shown.set(side, key)
      previews.value = { ...previews.value, [side]: preview }
    } catch (thrown) {
      if (controller === mine && !isCancelled(thrown)) errors.value = { ...errors.value, [side]: asWireError(thrown) }
    } finally {
      if (controller === mine) waiting.value = { ...waiting.value, [side]: false }
    }
  }

  /** Nothing is asked for any more; what was chosen stays. */
  function leave(): void {
    controller?.abort()
    controller = null
  }

  return {
    detail,
    index,
    ids,
    able,
    cases,
    plane,
    settled,
    ground,
    previews,
    waiting,
    errors,
    error,
    begin,
    openCase,
    go,
    take,
    swap,
    load,
    leave,
  }
})
