import { computed, ref, shallowRef, watch } from 'vue'
import { defineStore } from 'pinia'
import type { Axis, CaseDetail, MethodParams, Preview, WireError } from '../../../core/contract/index.ts'
import { planeViews, type PlaneView } from '../../../core/geometry/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'
import { toImageSlice, type ImageSlice } from '../canvas/samples.ts'
import { useProjectStore } from './project.ts'
import { useVersionsStore } from './versions.ts'
import { useViewStore } from './view.ts'

export type Side = 'left' | 'right'
/** A slice across the training axis, with its mask in the wire's order. */
interface Ground {
  readonly caseId: string
  readonly axis: Axis
  readonly index: number
  readonly image: ImageSlice
  readonly mask: Uint8Array
}
type MaskRef = MethodParams<'annotation.slice'>
/** What was asked for last in a place. */
interface Wish {
  readonly key: string
  readonly controller: AbortController
  /** Not there yet. */
  under: boolean
  done: Promise<void>
}

function gridOf({ id, dims, affine, spacing, trainingAxis }: CaseDetail): string {
  return JSON.stringify([id, dims, affine, spacing, trainingAxis])
}

/** Two versions of the model on the same slice of a case: what each predicts there. Nothing of it is kept. */
export const useVersusStore = defineStore('versus', () => {
  const project = useProjectStore()
  const versions = useVersionsStore()
  const view = useViewStore()
  /** The case that was chosen; its description follows. */
  const caseId = ref<string | null>(null)
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
  let stop: (() => void) | null = null
  const wishes = new Map<Side | 'ground', Wish>()
  /** How often the mask of the case has changed, as far as it was heard of. */
  let drawn = 0
  /** The one whose mask is being read again. */
  let refreshing: Ground | null = null

  /** Versions that can predict. */
  const able = computed(() => versions.newestFirst.filter((one) => !one.pruned))
  /** Cases with slices that a model can predict. */
  const cases = computed(() => project.cases.filter((one) => one.kind !== 'slide' && !one.missing))
  /** The same one as long as the case is and nothing of its grid changes: a view is zoomed and moved by it. */
  const plane = shallowRef<PlaneView | null>(null)
  /** A person has dealt with the slice: its mask is what predictions can be measured against. */
  const settled = computed(() => {
    const now = detail.value
    if (now === null) return false
    return now.approved.includes(index.value) || now.corrected.includes(index.value)
  })
  /** What a version says of a label that is gone is background. */
  const meanings = computed(() => project.labels.map(({ value }) => value).join())
  /** The version on each side: what was chosen, else the one in use on the right and what it goes on from on the left. */
  const ids = computed<Readonly<Record<Side, string | null>>>(() => {
    const known = (id: string | null): string | null => (able.value.some((one) => one.id === id) ? id : null)
    const right = known(chosen.value.right) ?? known(project.activeModel?.id ?? null) ?? able.value[0]?.id ?? null
    const other = able.value.find((one) => one.id !== right)?.id ?? null
    const left =
      known(chosen.value.left) ?? (versions.previous?.id === right ? null : known(versions.previous?.id ?? null))
    return { left: left ?? other, right }
  })

  /**
   * Begins with the case and the slice on screen, or goes on where it was left as long as those are the same. From here on it follows
   * what changes, until `leave`.
   */
  async function begin(): Promise<void> {
    stop ??= follow()
    const onScreen = cases.value.find((one) => one.id === view.caseId)
    const place = `${onScreen?.id} ${view.plane} ${view.index}`
    const left = place === begunAt ? cases.value.find((one) => one.id === caseId.value) : undefined
    begunAt = place
    const first = left ?? onScreen ?? cases.value[0]
    if (first !== undefined) await openCase(first.id, left !== undefined)
  }

  function follow(): () => void {
    const client = useClient()
    const stops = [
      client.on('annotation.applied', (event) => {
        if (event.caseId === caseId.value) readMaskAgain()
      }),
      client.on('case.slices', ({ caseId: of, ...marks }) => {
        if (of === detail.value?.id) detail.value = { ...detail.value, ...marks }
      }),
      client.onResync(() => {
        readMaskAgain()
        if (caseId.value !== null) void openCase(caseId.value, true)
      }),
      // What failed for want of an answer is asked for again.
      client.onState((state) => {
        if (state !== 'open') return
        if (detail.value === null && caseId.value !== null) void openCase(caseId.value, true)
        else void load()
      }),
      // A version was trained or given up meanwhile, or a label.
      watch([() => ids.value.left, () => ids.value.right, meanings], () => void load()),
      watch(cases, (now) => {
        const [first] = now
        if (now.some((one) => one.id === caseId.value)) return
        if (first === undefined) forget()
        else void openCase(first.id)
      }),
    ]
    return () => stops.forEach((each) => each())
  }

  /** To be looked at only. At the slice on screen where it is there, else at the middle one; or where it was left. */
  async function openCase(id: string, asLeft = false): Promise<void> {
    const turn = ++opening
    const before = detail.value?.id === id ? index.value : null
    if (before === null) show(null)
    caseId.value = id
    error.value = null
    try {
      const opened = await useClient().call('case.detail', { caseId: id })
      if (turn !== opening) return
      const slices = opened.dims[opened.trainingAxis]
      const seen = view.caseId === id && view.view?.sliceAxis === opened.trainingAxis ? view.index : null
      // Who went on to another slice meanwhile stays there.
      const stays = asLeft || (before !== null && before !== index.value)
      show(opened)
      index.value = Math.min(slices - 1, stays ? index.value : (seen ?? Math.floor(slices / 2)))
      await load()
    } catch (thrown) {
      if (turn === opening && !isCancelled(thrown)) error.value = asWireError(thrown)
    }
  }

  function show(next: CaseDetail | null): void {
    const before = detail.value
    detail.value = next
    if (next === null) plane.value = null
    else if (before === null || gridOf(before) !== gridOf(next)) {
      const views = planeViews(next.dims, next.affine, next.spacing)
      plane.value = views.find((one) => one.sliceAxis === next.trainingAxis) ?? null
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

  /** Reads the slice and what both predict of it; what is there already, or on its way, is not asked for again. */
  async function load(): Promise<void> {
    const now = detail.value
    if (now === null) return
    error.value = null
    await Promise.all([loadGround(now), loadSide('left', now), loadSide('right', now)])
  }

  async function loadGround({ id, trainingAxis: axis }: CaseDetail): Promise<void> {
    const at = index.value
    await want('ground', `${id} ${at}`, async (signal, isWanted) => {
      const where = { caseId: id, axis, index: at }
      const [image, mask] = await Promise.all([
        useClient().call('volume.slice', where, { signal }),
        readMask({ ...where, layer: 'mask' }, signal),
      ])
      if (isWanted()) ground.value = { caseId: id, axis, index: at, image: toImageSlice(image), mask }
    }).catch((thrown: unknown) => {
      error.value = asWireError(thrown)
    })
  }

  /** As it is when it arrives: what was drawn while it was read is in it. */
  async function readMask(where: MaskRef, signal?: AbortSignal): Promise<Uint8Array> {
    for (;;) {
      const known = drawn
      const options = signal === undefined ? {} : { signal }
      const { data } = await useClient().call('annotation.slice', where, options)
      if (known === drawn || signal?.aborted === true) return data
    }
  }

  function readMaskAgain(): void {
    drawn += 1
    const now = ground.value
    // One that is being read already hears of it by the count.
    if (now === null || refreshing === now) return
    refreshing = now
    const { caseId: of, axis, index: at } = now
    readMask({ caseId: of, axis, index: at, layer: 'mask' })
      .then((mask) => {
        if (ground.value === now) ground.value = { ...now, mask }
      })
      .catch((thrown: unknown) => {
        if (ground.value === now && !isCancelled(thrown)) error.value = asWireError(thrown)
      })
      .finally(() => {
        if (refreshing === now) refreshing = null
      })
  }

  async function loadSide(side: Side, { id, affine }: CaseDetail): Promise<void> {
    const modelId = ids.value[side]
    if (modelId === null) return
    const where = { modelId, caseId: id, index: index.value }
    const key = JSON.stringify([where, affine, meanings.value])
    const read = async (signal: AbortSignal, isWanted: () => boolean): Promise<void> => {
      previews.value = { ...previews.value, [side]: null }
      waiting.value = { ...waiting.value, [side]: true }
      errors.value = { ...errors.value, [side]: null }
      try {
        const preview = await useClient().call('models.preview', where, { signal })
        if (isWanted()) previews.value = { ...previews.value, [side]: preview }
      } finally {
        if (isWanted()) waiting.value = { ...waiting.value, [side]: false }
      }
    }
    await want(side, key, read).catch((thrown: unknown) => {
      errors.value = { ...errors.value, [side]: asWireError(thrown) }
    })
  }

  /**
   * Reads what is wanted in a place, by its key: the same again waits for what is under way or is there, another one ends it. Rejects
   * where it failed and is still wanted; it is then read again when it is wanted again.
   */
  async function want(
    place: Side | 'ground',
    key: string,
    read: (signal: AbortSignal, isWanted: () => boolean) => Promise<void>,
  ): Promise<void> {
    const known = wishes.get(place)
    if (known?.key === key) return known.done
    known?.controller.abort()
    const controller = new AbortController()
    const isWanted = (): boolean => wishes.get(place)?.controller === controller
    const wish = { key, controller, under: true, done: Promise.resolve() }
    wishes.set(place, wish)
    wish.done = read(controller.signal, isWanted)
      .catch((thrown: unknown) => {
        if (!isWanted()) return
        wishes.delete(place)
        if (!isCancelled(thrown)) throw thrown
      })
      .finally(() => {
        wish.under = false
      })
    return wish.done
  }

  /** Nothing is asked for or followed any more; what was chosen stays. What was drawn until the next time is not known. */
  function leave(): void {
    opening += 1
    stop?.()
    stop = null
    for (const [place, { under, controller }] of wishes) {
      if (!under && place !== 'ground') continue
      wishes.delete(place)
      controller.abort()
    }
    waiting.value = { left: false, right: false }
    ground.value = null
  }

  /** There is no case left. */
  function forget(): void {
    opening += 1
    caseId.value = null
    show(null)
    ground.value = null
  }

  return {
    caseId,
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
