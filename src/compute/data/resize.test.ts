import { describe, expect, it } from 'vitest'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { createRandom } from './random.ts'
import { networkSize, resizeNearest, resizePlanes } from './resize.ts'

const grey = (values: readonly number[]) => Float32Array.from(values)

describe('resizePlanes', () => {
  it('takes the mean of what a smaller pixel covers', () => {
    const out = resizePlanes(grey([1, 3, 5, 7, 2, 4, 6, 8]), 1, { width: 4, height: 2 }, { width: 2, height: 1 })
    expect([...out]).toEqual([2.5, 6.5])
    // 3 to 2: one and a half pixels each.
    expect([...resizePlanes(grey([0, 3, 9]), 1, { width: 3, height: 1 }, { width: 2, height: 1 })]).toEqual([1, 7])
  })

  it('is linear between the middles of pixels where it becomes larger', () => {
    const out = resizePlanes(grey([0, 4]), 1, { width: 2, height: 1 }, { width: 4, height: 1 })
    expect([...out]).toEqual([0, 1, 3, 4])
  })

  it('keeps channels apart, and gives back what keeps its size', () => {
    const image = grey([1, 1, 5, 5])
    expect(resizePlanes(image, 2, { width: 2, height: 1 }, { width: 2, height: 1 })).toBe(image)
    expect([...resizePlanes(image, 2, { width: 2, height: 1 }, { width: 1, height: 1 })]).toEqual([1, 5])
  })

  const peer = findPython(['numpy', 'torch'])
  it.skipIf(!peer.available)(`agrees with PyTorch ${peer.reason}`, () => {
    const random = createRandom(3)
    const image = Float32Array.from({ length: 12 * 9 }, random)
    const script = `
import sys, json, torch
import torch.nn.functional as F
x = torch.tensor(json.loads(sys.argv[1])).reshape(1, 1, 9, 12)
up = F.interpolate(x, size=(20, 31), mode='bilinear', align_corners=False)
down = F.interpolate(x, size=(3, 4), mode='area')
print(json.dumps([up.ravel().tolist(), down.ravel().tolist()]))
`
    const [up, down] = runPython(peer, script, [JSON.stringify([...image])]) as [number[], number[]]
    const from = { width: 12, height: 9 }
    resizePlanes(image, 1, from, { width: 31, height: 20 }).forEach((v, i) => expect(v).toBeCloseTo(up[i] ?? NaN, 5))
    resizePlanes(image, 1, from, { width: 4, height: 3 }).forEach((v, i) => expect(v).toBeCloseTo(down[i] ?? NaN, 5))
  })
})

describe('resizeNearest', () => {
  it('takes the value in the middle of each new pixel', () => {
    expect([...resizeNearest(Uint8Array.of(1, 2, 3, 4), { width: 4, height: 1 }, { width: 2, height: 1 })]).toEqual([
      2, 4,
    ])
    const wide = resizeNearest(Uint32Array.of(70_000, 5), { width: 2, height: 1 }, { width: 4, height: 2 })
    expect([...wide]).toEqual([70_000, 70_000, 5, 5, 70_000, 70_000, 5, 5])
  })
})

describe('networkSize', () => {
  it('is the size itself, a share of it, or one size', () => {
    const size = { width: 99, height: 30 }
    expect(networkSize(size, { kind: 'none' })).toEqual(size)
    expect(networkSize(size, { kind: 'factor', factor: 0.5 })).toEqual({ width: 50, height: 15 })
    expect(networkSize(size, { kind: 'fit', width: 128, height: 64 })).toEqual({ width: 128, height: 64 })
  })

  it('refuses to make a picture enormous, but not to take a large one', () => {
    const large = { width: 9000, height: 8000 }
    expect(() => networkSize(large, { kind: 'factor', factor: 8 })).toThrow('would become 72000 x 64000')
    expect(networkSize(large, { kind: 'factor', factor: 1 })).toEqual(large)
    expect(networkSize({ width: 1024, height: 1024 }, { kind: 'factor', factor: 8 })).toMatchObject({ width: 8192 })
  })
})
