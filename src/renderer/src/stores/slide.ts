import { computed, ref, shallowRef, watch } from 'vue'
import { defineStore } from 'pinia'
import type { CaseSummary, TileRegion } from '../../../core/contract/index.ts'
import { useClient } from '../api/client.ts'
import { asWireError, isCancelled } from '../api/errors.ts'
import type { Rect } from '../canvas/layout.ts'
import { toImageSlice, type ImageSlice } from '../canvas/samples.ts'
import { levelFactor, type Pyramid, type TileKey } from '../canvas/slide/pyramid.ts'
import type { SlideLook } from '../canvas/slide/slideViewer.ts'
import type { Point } from '../canvas/viewport.ts'
import { slideText } from '../i18n/slide.ts'
import { rectBetween, resizeRect } from '../tools/regionRect.ts'
import { useProjectStore } from './project.ts'
import { useViewStore } from './view.ts'

/** What a region may hold, in pixels of its level. */
const MOST_PIXELS = 64_000_000
const LEAST_SIDE = 16

/** A region of the open slide that is a case already. */
export interface TakenRegion {
  readonly caseId: string
  readonly name: string
  /** In pixels of level 0. */
  readonly rect: Rect
}

export interface SlidePointer {
  /** Pixel of level 0. */
  readonly pixel: Point
  /** From the upper left corner; null where the file does not say how large a pixel is. */
  readonly millimetres: Point | null
  /** One number a channel; null until the tile is here. */
  readonly values: readonly number[] | null
}

/** The mounted slide viewer, as far as the region tool needs it. */
interface SlideHandle {
  /** In pixels of level 0; may reach beyond the slide. */
  readonly area: Rect
}

/** The open slide: its tiles, the regions taken from it, and the one that is being drawn. */
export const useSlideStore = defineStore('slide', () => {
  const view = useViewStore()
  const project = useProjectStore()

  const pyramid = computed<Pyramid | null>(() => {
    const tiles = view.detail?.tiles
    return tiles ? { tileWidth: tiles.width, tileHeight: tiles.height, levels: tiles.levels } : null
  })
  /** Is the open case a slide, also while it is still being opened? */
  const open = computed(() => {
    if (view.detail !== null) return view.detail.kind === 'slide'
    return view.caseId !== null && project.caseById(view.caseId)?.kind === 'slide'
  })
  const extent = computed(() => pyramid.value?.levels[0] ?? { width: 1, height: 1 })

  const regions = computed<TakenRegion[]>(() => {
    const levels = pyramid.value
    if (!levels) return []
    return project.cases.flatMap(({ id, name, regionOf }) =>
      regionOf?.slideId === view.caseId ? [{ caseId: id, name, rect: fullRect(levels, regionOf.region) }] : [],
    )
  })
  /** The slide that the open case is a region of, if that is on the worklist. */
  const origin = computed<CaseSummary | null>(() => {
    const id = view.caseId === null ? null : (project.caseById(view.caseId)?.regionOf?.slideId ?? null)
    return id === null ? null : project.caseById(id)
  })

  /** The level that the screen shows now. */
  const screenLevel = ref(0)
  const pointer = shallowRef<SlidePointer | null>(null)
  /** Tiles that cannot be read, and why. */
  const damaged = shallowRef<{ readonly tiles: number; readonly reason: string } | null>(null)

  /** Is the region tool in hand? */
  const choosing = ref(false)
  /** What it has drawn, in whole pixels of level 0. */
  const rect = shallowRef<Rect | null>(null)
  const level = ref(0)
  const adding = ref(false)
  let handle: SlideHandle | null = null
  const looks = new Map<string, SlideLook>()

  const region = computed<TileRegion | null>(() =>
    rect.value && pyramid.value ? regionAt(pyramid.value, rect.value, level.value) : null,
  )
  /** mm; null where the file does not say how large a pixel is. */
  const regionSize = computed<Point | null>(() => {
    const detail = view.detail
    if (!rect.value || !detail?.spacingKnown) return null
    return {
      x: (rect.value.x1 - rect.value.x0) * detail.spacing[0],
      y: (rect.value.y1 - rect.value.y0) * detail.spacing[1],
    }
  })
  /** Why the region cannot be taken as it is; null where it can. */
  const objection = computed<string | null>(() => {
    const one = region.value
    if (one === null) return slideText.reasons.empty
    if (adding.value) return slideText.reasons.adding
    const pixels = one.width * one.height
    if (pixels > MOST_PIXELS) return slideText.reasons.tooLarge(Math.ceil(pixels / 1e6) * 1e6)
    return one.width < LEAST_SIDE || one.height < LEAST_SIDE ? slideText.reasons.tooSmall : null
  })
  /** Full resolution, the level on screen, and whichever is chosen. */
  const levels = computed(() => [...new Set([0, screenLevel.value, level.value])].sort((a, b) => a - b))

  watch(
    () => view.caseId,
    () => {
      cancel()
      pointer.value = null
      damaged.value = null
      screenLevel.value = 0
    },
    { flush: 'sync' },
  )

  async function loadTile(caseId: string, key: TileKey, signal: AbortSignal): Promise<ImageSlice> {
    return toImageSlice(await useClient().call('slide.tile', { caseId, ...key }, { signal }))
  }

  /** Tiles that were lost with the connection are asked for again when it is back; what is damaged stays so. */
  function passes(thrown: unknown): boolean {
    return isCancelled(thrown) || asWireError(thrown).code === 'connection-lost'
  }

  function begin(): void {
    if (view.detail?.kind !== 'slide') return
    choosing.value = true
    level.value = 0
  }

  function cancel(): void {
    choosing.value = false
    rect.value = null
  }

  function setRect(next: Rect | null): void {
    rect.value = next
  }

  function setLevel(next: number): void {
    if (pyramid.value && next >= 0 && next < pyramid.value.levels.length) level.value = next
  }

  /** In pixels of the chosen level, around the middle of what is drawn. */
  function setSize(width: number, height: number): void {
    if (!rect.value || !pyramid.value) return
    const factor = levelFactor(pyramid.value, level.value)
    rect.value = resizeRect(rect.value, width * factor.x, height * factor.y, extent.value)
  }

  function takeView(): void {
    const area = handle?.area
    if (area) rect.value = rectBetween({ x: area.x0, y: area.y0 }, { x: area.x1, y: area.y1 }, extent.value)
  }

  /** Makes what is drawn a case of its own; null when it cannot be one, as `objection` says. */
  async function confirm(): Promise<CaseSummary | null> {
    const { caseId } = view
    if (caseId === null || region.value === null || objection.value !== null) return null
    adding.value = true
    try {
      const added = await project.addRegion(caseId, region.value)
      if (view.caseId === caseId) cancel()
      return added
    } finally {
      adding.value = false
    }
  }

  function rememberLook(caseId: string, look: SlideLook | null): void {
    if (look) looks.set(caseId, look)
    else looks.delete(caseId)
  }

  /** Where the slide was left, so that coming back from a region leads on to the next one. */
  function lookOf(caseId: string): SlideLook | null {
    return looks.get(caseId) ?? null
  }

  /** The mounted viewer, until the answer is called. */
  function attach(mounted: SlideHandle): () => void {
    handle = mounted
    return () => {
      if (handle === mounted) handle = null
    }
  }

  return {
    pyramid,
    open,
    extent,
    regions,
    origin,
    screenLevel,
    pointer,
    damaged,
    choosing,
    rect,
    level,
    levels,
    adding,
    region,
    regionSize,
    objection,
    loadTile,
    passes,
    begin,
    cancel,
    setRect,
    setLevel,
    setSize,
    takeView,
    confirm,
    rememberLook,
    lookOf,
    attach,
  }
})

/** Pixels of level 0 that a region covers. */
function fullRect(pyramid: Pyramid, region: TileRegion): Rect {
  const factor = levelFactor(pyramid, region.level)
  return {
    x0: region.x * factor.x,
    y0: region.y * factor.y,
    x1: (region.x + region.width) * factor.x,
    y1: (region.y + region.height) * factor.y,
  }
}

/** The nearest rectangle in whole pixels of the level; at least one, and on the slide. */
function regionAt(pyramid: Pyramid, rect: Rect, level: number): TileRegion | null {
  const one = pyramid.levels[level]
  if (!one) return null
  const factor = levelFactor(pyramid, level)
  const x = Math.min(one.width - 1, Math.round(rect.x0 / factor.x))
  const y = Math.min(one.height - 1, Math.round(rect.y0 / factor.y))
  return {
    level,
    x,
    y,
    width: Math.max(1, Math.min(one.width, Math.round(rect.x1 / factor.x)) - x),
    height: Math.max(1, Math.min(one.height, Math.round(rect.y1 / factor.y)) - y),
  }
}
