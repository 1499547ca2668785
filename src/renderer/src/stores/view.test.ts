import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { CodedError } from '../../../core/contract/index.ts'
import { provideClient } from '../api/client.ts'
import { FakeBackend } from '../history/testing/fakeBackend.ts'
import { useViewStore } from './view.ts'

let backend: FakeBackend

beforeEach(() => {
  setActivePinia(createPinia())
  backend = new FakeBackend()
  backend.addCase('a', [40, 30, 21])
  backend.addCase('b', [10, 10, 9])
  provideClient(backend.client)
})

describe('opening a case', () => {
  it('shows the middle axial slice in the case’s window', async () => {
    const view = useViewStore()
    await view.openCase('a')
    expect([view.plane, view.index, view.sliceCount]).toEqual(['axial', 10, 21])
    expect(view.window).toEqual({ center: 100, width: 50 })
    expect(view.loading).toBe(false)
    expect(view.planes.map(({ plane }) => plane)).toEqual(['axial', 'coronal', 'sagittal'])
  })

  it('drops the answer for a case that is no longer wanted', async () => {
    const view = useViewStore()
    backend.hold.add('case.open')
    const first = view.openCase('a')
    const second = view.openCase('b')
    backend.release()
    await Promise.all([first, second])
    expect([view.caseId, view.detail?.id, view.sliceCount]).toEqual(['b', 'b', 9])
    backend.hold.add('case.open')
    const third = view.openCase('a')
    view.closeCase()
    backend.release()
    await third
    expect([view.caseId, view.detail, view.loading]).toEqual([null, null, false])
  })

  it('keeps what went wrong, and can try again', async () => {
    const view = useViewStore()
    backend.failNext.set('case.open', new CodedError('file-missing', 'a.nii.gz is not where it was.'))
    await view.openCase('a')
    expect(view.error?.code).toBe('file-missing')
    expect([view.caseId, view.detail, view.loading]).toEqual(['a', null, false])
    await view.openCase('a')
    expect(view.error).toBeNull()
    expect(view.detail?.id).toBe('a')
  })

  it('comes back to where a case was left', async () => {
    const view = useViewStore()
    await view.openCase('a')
    view.setIndex(3)
    view.setPlane('coronal')
    view.setIndex(7)
    view.setWindow({ center: 1, width: 2 })
    await view.openCase('b')
    expect([view.plane, view.index, view.window.width]).toEqual(['axial', 4, 50])
    await view.openCase('a')
    expect([view.plane, view.index, view.window]).toEqual(['coronal', 7, { center: 1, width: 2 }])
    view.setPlane('axial')
    expect(view.index).toBe(3)
  })

  it('goes to the slice that is asked for, face on, whatever was left', async () => {
    const view = useViewStore()
    await view.openCase('a')
    view.setPlane('coronal')
    view.setIndex(7)
    await view.openCase('b', 5)
    expect([view.plane, view.index]).toEqual(['axial', 5])
    await view.openCase('a', 99)
    expect([view.plane, view.index]).toEqual(['axial', 20])
    view.setPlane('coronal')
    expect(view.index).toBe(7)
    view.showSlice(2)
    expect([view.plane, view.index]).toEqual(['axial', 2])
  })

  it('shows the middle where the slice that was left is none any more', async () => {
    const view = useViewStore()
    await view.openCase('a')
    view.setIndex(20)
    backend.addCase('a', [40, 30, 7])
    await view.openCase('a')
    expect([view.index, view.sliceCount]).toEqual([3, 7])
  })

  it('shows colour images in their true colours', async () => {
    backend.addCase('rgb', [10, 10, 1], { kind: 'image', channels: 3, affine: null, orientation: null })
    const view = useViewStore()
    await view.openCase('rgb')
    expect(view.window).toEqual({ center: 127.5, width: 255 })
    expect(view.planes).toHaveLength(1)
  })
})

describe('slices, window and brush', () => {
  it('stay inside their ranges', async () => {
    const view = useViewStore()
    view.setIndex(5)
    expect(view.index).toBe(0)
    await view.openCase('a')
    view.step(1000)
    expect(view.index).toBe(20)
    view.step(-1)
    expect(view.index).toBe(19)
    view.setIndex(-4)
    expect(view.index).toBe(0)
    view.setIndex(NaN)
    expect(view.index).toBe(0)
    view.setWindow({ center: 5, width: 0 })
    expect(view.window.width).toBe(50)
    view.setBrushRadius(1000)
    expect(view.brushRadius).toBe(60)
  })

  it('goes back to the case’s own window', async () => {
    const view = useViewStore()
    await view.openCase('a')
    view.setWindow({ center: 0, width: 7 })
    view.resetWindow()
    expect(view.window).toEqual({ center: 100, width: 50 })
  })

  it('passes commands on to the mounted viewer', async () => {
    const view = useViewStore()
    const factors: number[] = []
    const detach = view.attachViewer({ fit: () => factors.push(0), zoomBy: (factor) => factors.push(factor) })
    view.zoom = 2
    view.setZoom(5)
    view.fit()
    detach()
    view.zoomBy(9)
    expect(factors).toEqual([2.5, 0])
  })
})
