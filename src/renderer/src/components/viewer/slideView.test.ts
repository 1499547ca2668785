import { enableAutoUnmount, flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import type { Pinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CodedError, type CaseDetail, type SliceData } from '../../../../core/contract/index.ts'
import { listenToKeys } from '../../actions/keyboard.ts'
import { useActions } from '../../actions/index.ts'
import { blindCanvas } from '../../canvas/testing/blindCanvas.ts'
import { slideText } from '../../i18n/slide.ts'
import { useProjectStore } from '../../stores/project.ts'
import { useSlideStore } from '../../stores/slide.ts'
import { useUiStore } from '../../stores/ui.ts'
import { useViewStore } from '../../stores/view.ts'
import { aCase, aDetail, aProject, projectClient, type FakeClient } from '../../testing/fakeClient.ts'
import { withProject } from '../../testing/setUp.ts'
import SlideView from './SlideView.vue'

enableAutoUnmount(afterEach)

const WIDTH = 20_480
const HEIGHT = 12_288
const TILE = 512
/** On a screen of 1072 x 760 with 24 around, this slide is shown at 1/20 of its size. */
const SCREEN = { width: 1072, height: 760 }
const levels = [0, 1, 2, 3, 4, 5].map((level) => ({
  width: WIDTH >> level,
  height: HEIGHT >> level,
  downsample: 2 ** level,
}))

let client: FakeClient
let pinia: Pinia
let stop: () => void
let damaged: (at: { level: number; column: number; row: number }) => boolean

beforeEach(async () => {
  damaged = () => false
  const slide = aCase({ id: 'slide-1', name: 'biopsy', kind: 'slide', dims: [WIDTH, HEIGHT, 1], channels: 1 })
  client = projectClient(aProject({ cases: [slide], lastCaseId: 'slide-1' }), {
    'case.open': ({ caseId }): CaseDetail => {
      if (caseId !== 'slide-1') return aDetail({ id: caseId, kind: 'image', dims: [64, 64, 1], affine: null })
      return aDetail({
        ...slide,
        affine: null,
        orientation: null,
        spacing: [0.0005, 0.0005, 1],
        voxelType: 'uint8',
        tiles: { width: TILE, height: TILE, levels },
      })
    },
    'slide.tile': (at): SliceData => {
      if (damaged(at)) throw new CodedError('bad-file', 'biopsy.tif is damaged at this place.')
      return tile(at)
    },
    'slide.addRegion': ({ caseId, region }) =>
      aCase({ id: 'region-1', name: 'biopsy · region 1', kind: 'image', regionOf: { slideId: caseId, region } }),
  })
  pinia = await withProject(client)
  blindCanvas()
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(SCREEN.width)
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(SCREEN.height)
  stop = listenToKeys()
})
afterEach(() => {
  stop()
  vi.restoreAllMocks()
})

function tile({ level, column, row }: { level: number; column: number; row: number }): SliceData {
  const width = Math.min(TILE, (WIDTH >> level) - column * TILE)
  const height = Math.min(TILE, (HEIGHT >> level) - row * TILE)
  const data = new Uint8Array(width * height).fill(level + 1)
  return { width, height, channels: 1, voxelType: 'uint8', data, slope: 1, inter: 0 }
}

async function frames(count = 6) {
  for (let i = 0; i < count; i++) {
    await flushPromises()
    await new Promise((resolve) => requestAnimationFrame(resolve))
  }
}

async function shown() {
  const view = useViewStore()
  const wrapper: VueWrapper = mount(SlideView, { global: { plugins: [pinia] }, attachTo: document.body })
  await view.openCase('slide-1')
  await frames()
  const by = (id: string) => wrapper.find(`[data-testid="${id}"]`)
  const canvas = by('viewer-canvas').element as HTMLDivElement
  canvas.setPointerCapture = () => undefined
  const pointer = (type: string, x: number, y: number, more: PointerEventInit = {}) =>
    canvas.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: x, clientY: y, buttons: 1, ...more }))
  const drag = async (from: readonly [number, number], to: readonly [number, number]) => {
    pointer('pointerdown', ...from)
    pointer('pointermove', ...to)
    pointer('pointerup', ...to, { buttons: 0 })
    await frames(2)
  }
  const key = async (name: string, more: KeyboardEventInit = {}) => {
    const event = new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true, ...more })
    document.body.dispatchEvent(event)
    await frames(2)
    return event
  }
  const asked = () => client.asked('slide.tile') as { level: number; column: number; row: number }[]
  return { view, slide: useSlideStore(), wrapper, by, pointer, drag, key, asked }
}

describe('a slide', () => {
  it('opens at fit, the smallest level first, and asks for nothing that a slice has', async () => {
    const { view, slide, by, asked } = await shown()
    expect(view.zoom).toBeCloseTo(1 / 20, 9)
    expect(asked()[0]?.level).toBe(5)
    // 1/20 on the screen: 1/16 is the coarsest level that is not magnified.
    expect(slide.screenLevel).toBe(4)
    const canvas = by('viewer-canvas')
    expect([canvas.attributes('data-ready'), canvas.attributes('data-settled')]).toEqual(['true', 'true'])
    expect(canvas.attributes('aria-label')).toBe(slideText.image('biopsy'))
    expect(client.asked('volume.slice')).toEqual([])
    expect(client.asked('annotation.slice')).toEqual([])
    expect(client.asked('annotation.history')).toEqual([])
    // 150 pixels are 3000 of the slide, 1.5 mm.
    expect(by('scale-bar').text()).toBe('1 mm')
  })

  it('is zoomed about the pointer and moved by drag, and says where the pointer is', async () => {
    const { view, slide, by, pointer, drag } = await shown()
    pointer('pointermove', 224, 98, { buttons: 0 })
    await frames(2)
    const before = slide.pointer?.pixel
    const { x, y } = before ?? { x: -1, y: -1 }
    expect(Math.abs(x - 4000)).toBeLessThanOrEqual(1)
    expect(Math.abs(y - 504)).toBeLessThanOrEqual(1)
    // The DOM of the tests knows no places of wheel events.
    const wheel = { deltaX: 0, deltaY: -300, deltaMode: 0, ctrlKey: false, metaKey: false, clientX: 224, clientY: 98 }
    by('viewer-canvas').element.dispatchEvent(Object.assign(new Event('wheel', { cancelable: true }), wheel))
    await frames()
    expect(view.zoom).toBeGreaterThan(1 / 19)
    expect(Math.abs((slide.pointer?.pixel.x ?? -1) - x)).toBeLessThanOrEqual(1)
    expect(Math.abs((slide.pointer?.pixel.y ?? -1) - y)).toBeLessThanOrEqual(1)
    await drag([224, 98], [324, 98])
    pointer('pointermove', 324, 98, { buttons: 0 })
    await frames(2)
    expect(Math.abs((slide.pointer?.pixel.x ?? -1) - x)).toBeLessThanOrEqual(1)
    expect(slide.pointer?.millimetres?.y).toBeCloseTo(((slide.pointer?.pixel.y ?? 0) + 0.5) * 0.0005, 9)
    expect(by('slide-value').text()).toMatch(/^[1-6]$/)
  })

  it('is moved and zoomed by keys', async () => {
    const { view, slide, by, key, pointer } = await shown()
    await key('+')
    expect(view.zoom).toBeCloseTo(1.25 / 20, 9)
    await key('f', { shiftKey: true })
    expect(view.zoom).toBeCloseTo(1, 9)
    expect(slide.screenLevel).toBe(0)
    pointer('pointermove', 536, 380, { buttons: 0 })
    await frames(2)
    expect(slide.pointer?.pixel).toEqual({ x: WIDTH / 2, y: HEIGHT / 2 })
    expect((await key('ArrowRight')).defaultPrevented).toBe(true)
    await key('ArrowDown', { shiftKey: true })
    expect(slide.pointer?.pixel.x).toBe(WIDTH / 2 + Math.floor(0.15 * 1072))
    expect(slide.pointer?.pixel.y).toBe(HEIGHT / 2 + Math.floor(0.8 * 760))
    expect(by('overview-frame').attributes('style')).toContain('left')
    await key('f')
    expect(view.zoom).toBeCloseTo(1 / 20, 9)
  })

  it('is shown again as it was left', async () => {
    const { view, slide, key, pointer } = await shown()
    await key('f', { shiftKey: true })
    await key('ArrowRight')
    await view.openCase('case-2')
    await frames(2)
    await view.openCase('slide-1')
    await frames()
    expect(view.zoom).toBeCloseTo(1, 9)
    pointer('pointermove', 536, 380, { buttons: 0 })
    await frames(2)
    expect(Math.abs((slide.pointer?.pixel.x ?? 0) - WIDTH / 2 - 0.15 * 1072)).toBeLessThan(1)
  })

  it('says why what needs a mask cannot be done', async () => {
    await shown()
    const actions = useActions()
    for (const id of ['tool-brush', 'toggle-overlay', 'predict', 'retrain', 'accept-all', 'save', 'save-as']) {
      expect(actions.get(id).when(), id).toBe(slideText.reasons.slide)
    }
    expect(actions.get('tool-pan').checked?.()).toBe(true)
    expect(actions.get('tool-brush').checked?.()).toBe(false)
    expect(actions.get('annotate-region').when()).toBe(true)
    useViewStore().closeCase()
    expect(actions.get('annotate-region').when()).toBe(slideText.reasons.notASlide)
  })
})

describe('a region', () => {
  it('is drawn, sized, added, opened, and outlined on its slide', async () => {
    const { view, by, drag, key } = await shown()
    await key('g')
    await drag([136, 178], [336, 278])
    // 200 x 100 screen pixels at 1/20.
    expect(useSlideStore().region).toMatchObject({ level: 0, width: 4000, height: 2000 })
    expect(by('region-size').text()).toBe('2 mm × 1 mm')
    const { x, y } = useSlideStore().region ?? { x: -1, y: -1 }
    expect([x, y]).toEqual([(136 - 24) * 20, Math.round((178 - (760 - 12_288 / 20) / 2) * 20)])
    await key('Enter')
    expect(client.asked('slide.addRegion')).toEqual([
      { caseId: 'slide-1', region: { level: 0, x, y, width: 4000, height: 2000 } },
    ])
    await frames()
    expect(view.caseId).toBe('region-1')
    expect(useProjectStore().cases.map(({ id }) => id)).toEqual(['slide-1', 'region-1'])
    expect(useSlideStore().origin?.id).toBe('slide-1')
    await view.openCase('slide-1')
    await frames()
    expect(useSlideStore().regions).toEqual([
      { caseId: 'region-1', name: 'biopsy · region 1', rect: { x0: x, y0: y, x1: x + 4000, y1: y + 2000 } },
    ])
    expect(by('slide-region').attributes('data-case')).toBe('region-1')
  })

  it('that is too large says so, and fits at a coarser level', async () => {
    const { slide, by, key } = await shown()
    await key('g')
    await by('region-view').trigger('click')
    expect(slide.region).toEqual({ level: 0, x: 0, y: 0, width: WIDTH, height: HEIGHT })
    expect(by('region-objection').text()).toBe(slideText.reasons.tooLarge(252e6))
    await key('Enter')
    expect(client.asked('slide.addRegion')).toEqual([])
    await by('region-level').findAll('input')[1]?.setValue(true)
    expect(slide.region).toEqual({ level: 4, x: 0, y: 0, width: WIDTH / 16, height: HEIGHT / 16 })
    expect(by('region-objection').exists()).toBe(false)
  })

  it('is moved, resized and typed; Escape takes back the drag, then the tool', async () => {
    const { slide, by, drag, pointer, key } = await shown()
    await key('g')
    await drag([136, 178], [336, 278])
    const before = slide.rect
    await drag([236, 228], [246, 228])
    expect((slide.rect?.x0 ?? 0) - (before?.x0 ?? 0)).toBe(200)
    await drag([346, 228], [396, 228])
    expect(slide.region?.width).toBe(5000)
    await by('region-width').find('input').setValue('1024')
    await by('region-width').find('input').trigger('change')
    expect(slide.region?.width).toBe(1024)
    const kept = slide.rect
    pointer('pointerdown', 700, 300)
    pointer('pointermove', 800, 400)
    expect(slide.rect).not.toEqual(kept)
    await key('Escape')
    expect(slide.rect).toEqual(kept)
    await key('Escape')
    expect([slide.choosing, slide.rect]).toEqual([false, null])
  })

  it('that cannot be added stays drawn, with the reason', async () => {
    client.answers['slide.addRegion'] = () => {
      throw new CodedError('disk-full', 'The disk is full.')
    }
    const { slide, view, drag, key } = await shown()
    await key('g')
    await drag([136, 178], [336, 278])
    await key('Enter')
    expect(useUiStore().banners).toMatchObject([{ doing: slideText.region.doing, error: { code: 'disk-full' } }])
    expect([view.caseId, slide.choosing, slide.region?.width]).toEqual(['slide-1', true, 4000])
  })
})

describe('tiles that cannot be read', () => {
  it('are told in one sentence, and the rest works', async () => {
    damaged = ({ level, column, row }) => level === 4 && column === 1 && row === 0
    const { by, asked } = await shown()
    expect(by('viewer-canvas').attributes('data-settled')).toBe('true')
    expect(by('damaged-tiles').text()).toContain(slideText.damaged(1, 'biopsy.tif is damaged at this place.'))
    damaged = () => false
    const before = asked().length
    await by('damaged-tiles').find('button').trigger('click')
    await frames()
    expect(by('damaged-tiles').exists()).toBe(false)
    expect(asked().slice(before)).toMatchObject([{ level: 4, column: 1, row: 0 }])
  })

  it('leave a message in place of the slide where they are all', async () => {
    damaged = () => true
    const { by } = await shown()
    await frames(20)
    expect(by('viewer-error').text()).toContain('biopsy.tif is damaged at this place.')
    damaged = () => false
    await by('viewer-error').find('button').trigger('click')
    await frames()
    expect(by('viewer-error').exists()).toBe(false)
    expect(by('viewer-canvas').attributes('data-ready')).toBe('true')
  })

  it('for want of a connection are asked for again when it is back', async () => {
    client.answers['slide.tile'] = () => {
      throw new CodedError('connection-lost', 'The connection was lost.')
    }
    const { by } = await shown()
    expect(by('damaged-tiles').exists()).toBe(false)
    client.answers['slide.tile'] = tile
    client.setState('lost')
    client.setState('open')
    await frames()
    expect(by('viewer-canvas').attributes('data-settled')).toBe('true')
  })
})
