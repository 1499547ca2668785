import { mount } from '@vue/test-utils'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { useFileDrop } from './useFileDrop.ts'

const dropped = vi.fn()
const failed = vi.fn()
const page = mount({
  setup() {
    useFileDrop(dropped, failed)
    return () => null
  },
})

afterEach(() => vi.clearAllMocks())

function drop(transfer: object): void {
  window.dispatchEvent(Object.assign(new Event('drop', { cancelable: true }), { dataTransfer: transfer }))
}

describe('what is dropped on the window', () => {
  it('is given on', async () => {
    drop({ types: ['Files'], items: [], files: [new File(['x'], 'a.nii')] })
    await vi.waitFor(() => expect(dropped).toHaveBeenCalledWith([expect.objectContaining({ name: 'a.nii' })]))
    expect(failed).not.toHaveBeenCalled()
  })

  it('is told of where it cannot be read', async () => {
    const readEntries = (_give: unknown, refuse: (why: Error) => void) => refuse(new Error('NotReadableError'))
    const entry = { name: 'locked', isDirectory: true, isFile: false, createReader: () => ({ readEntries }) }
    const item = { kind: 'file', webkitGetAsEntry: () => entry, getAsFile: () => null }
    drop({ types: ['Files'], items: [item], files: [] })
    await vi.waitFor(() => expect(failed).toHaveBeenCalledOnce())
    expect(dropped).not.toHaveBeenCalled()
  })

  it('is no business of a page that is gone', () => {
    page.unmount()
    drop({ types: ['Files'], items: [], files: [new File(['x'], 'a.nii')] })
    expect(dropped).not.toHaveBeenCalled()
  })
})
