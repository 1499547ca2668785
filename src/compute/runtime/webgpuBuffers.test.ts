import { beforeEach, describe, expect, it, vi } from 'vitest'
import { guardBuffers } from './webgpuBuffers.ts'
import { DeviceMemoryError } from './webgpuErrors.ts'
import type { DeviceFailures } from './webgpuErrors.ts'

const STORAGE = 0x80
const UNIFORM = 0x40
vi.stubGlobal('GPUBufferUsage', { STORAGE, UNIFORM })

/** A device with 1000 bytes; a buffer that it has no room for is reported the way Dawn does. */
function fakeDevice() {
  const live = new Set<object>()
  let failed = false
  let left = 1000
  const device = {
    limits: { maxBufferSize: 900, maxStorageBufferBindingSize: 600 },
    queue: { submit: () => undefined },
    createBuffer({ size, usage }: { size: number; usage: number }) {
      const fits = size <= left
      if (!fits) failed = true
      else left -= size
      const buffer = {
        size,
        usage,
        destroy() {
          if (live.delete(buffer)) left += size
        },
      }
      if (fits) live.add(buffer)
      return buffer
    },
  }
  const failures: DeviceFailures = {
    allocationFailure() {
      const failure = failed ? new DeviceMemoryError('no room') : null
      failed = false
      return failure
    },
    check: () => undefined,
  }
  return { device, failures, live }
}

type Manager = Parameters<typeof guardBuffers>[0]

function guarded() {
  const fake = fakeDevice()
  const manager = { numBytesUsed: 0, numBytesAllocated: 0 } as unknown as Manager
  const flush = vi.fn()
  const device = fake.device as unknown as GPUDevice
  return { ...fake, manager, flush, trim: guardBuffers(manager, device, fake.failures, flush) }
}

describe('buffers of a graphics device', () => {
  let { manager, live, flush, trim } = guarded()
  beforeEach(() => {
    ;({ manager, live, flush, trim } = guarded())
  })

  it('are used again for the same size and use', () => {
    const first = manager.acquireBuffer(100, STORAGE)
    manager.releaseBuffer(first)
    expect(manager.acquireBuffer(100, UNIFORM)).not.toBe(first)
    expect(manager.acquireBuffer(100, STORAGE)).toBe(first)
    expect([manager.getNumUsedBuffers(), manager.getNumFreeBuffers(), manager.numBytesUsed]).toEqual([2, 0, 200])
    expect(manager.numBytesAllocated).toBe(200)
  })

  it('larger than the adapter takes are refused before they are asked for', () => {
    expect(() => manager.acquireBuffer(601, STORAGE)).toThrow(DeviceMemoryError)
    expect(() => manager.acquireBuffer(901, UNIFORM)).toThrow(DeviceMemoryError)
    expect(live.size).toBe(0)
    expect(manager.acquireBuffer(900, UNIFORM).size).toBe(900)
  })

  it('kept for later give way when the memory ends', () => {
    const kept = [1, 2, 3].map(() => manager.acquireBuffer(300, STORAGE))
    kept.forEach((buffer) => {
      manager.releaseBuffer(buffer)
    })
    expect(manager.numBytesAllocated).toBe(900)
    const other = manager.acquireBuffer(500, STORAGE)
    expect(other.size).toBe(500)
    expect(live.has(other)).toBe(true)
    expect(flush).toHaveBeenCalledTimes(1)
    expect([manager.numBytesUsed, manager.numBytesAllocated]).toEqual([500, 500])
  })

  it('that nobody has room for are not handed out, and count for nothing', () => {
    manager.acquireBuffer(600, STORAGE)
    expect(() => manager.acquireBuffer(500, STORAGE)).toThrow('no room')
    expect([manager.numBytesUsed, manager.numBytesAllocated, live.size]).toEqual([600, 600, 1])
    expect(manager.acquireBuffer(400, STORAGE).size).toBe(400)
  })

  it('of ever new sizes take no more than three times what was in use at once', () => {
    for (let size = 100; size < 200; size++) manager.releaseBuffer(manager.acquireBuffer(size, STORAGE))
    expect(manager.numBytesAllocated).toBeLessThanOrEqual(3 * 199)
    trim()
    expect([manager.numBytesAllocated, live.size]).toEqual([0, 0])
  })

  it('are all given back at the end', () => {
    const buffer = manager.acquireBuffer(100, STORAGE)
    manager.releaseBuffer(manager.acquireBuffer(200, STORAGE))
    manager.dispose()
    expect([manager.numBytesUsed, manager.numBytesAllocated, live.size]).toEqual([0, 0, 0])
    manager.releaseBuffer(buffer)
    expect(manager.numBytesUsed).toBe(0)
  })
})
