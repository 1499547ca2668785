import { describe, expect, it } from 'vitest'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { distancesTo, distanceTransform, squaredDistances } from './index.ts'
import { scattered } from './testing/scattered.ts'

/** What the transform must give, by looking at every target from every voxel. */
function bruteForce(targets: Uint8Array, dims: readonly number[], spacing: readonly number[]): Float64Array {
  const [nx = 1, ny = 1] = dims
  const place = (i: number) => [i % nx, Math.floor(i / nx) % ny, Math.floor(i / (nx * ny))]
  return Float64Array.from(targets, (_, i) => {
    let best = Infinity
    for (let t = 0; t < targets.length; t++) {
      if (targets[t] === 0) continue
      let sum = 0
      for (const [axis, at] of place(i).entries()) sum += ((at - (place(t)[axis] ?? 0)) * (spacing[axis] ?? 1)) ** 2
      best = Math.min(best, sum)
    }
    return best
  })
}

describe('distances', () => {
  it('are exact whole numbers, squared, without spacing', () => {
    for (const [seed, dims] of [
      [1, [13, 17]],
      [2, [1, 30]],
      [3, [9, 7, 8]],
    ] as const) {
      const targets = scattered(dims, seed, 0.04)
      expect(squaredDistances(targets, dims)).toEqual(bruteForce(targets, dims, []))
    }
  })
  it('know the spacing of each axis', () => {
    const dims = [8, 6, 7] as const
    const spacing = [0.7, 1.3, 3]
    const targets = scattered(dims, 5, 0.03)
    const expected = bruteForce(targets, dims, spacing)
    const found = squaredDistances(targets, dims, spacing)
    for (let i = 0; i < found.length; i++) expect(found[i]).toBeCloseTo(expected[i] ?? NaN, 9)
  })
  it('are infinite where there is no target, 0 where all are', () => {
    expect([...distancesTo(new Uint8Array(6), [3, 2])]).toEqual(Array.from({ length: 6 }, () => Infinity))
    expect([...distancesTo(new Uint8Array(6).fill(9), [3, 2])]).toEqual(Array.from({ length: 6 }, () => 0))
  })
  it('refuse a grid of another size', () => {
    expect(() => distancesTo(new Uint8Array(7), [3, 2])).toThrow(RangeError)
  })
  const peer = findPython(['numpy', 'scipy.ndimage'])
  it.skipIf(!peer.available)(`agree with scipy (${peer.reason || 'here'})`, () => {
    const dims = [31, 22, 11] as const
    const spacing = [0.8, 0.9, 2.5]
    const mask = scattered(dims, 7, 0.93)
    const script = `
import json, sys
import numpy as np, scipy.ndimage as nd
mask = np.array(json.loads(sys.argv[1]), np.uint8).reshape(11, 22, 31)
print(json.dumps([nd.distance_transform_edt(mask, sampling=(2.5, 0.9, 0.8)).ravel().tolist(),
  nd.distance_transform_edt(mask[0]).ravel().tolist()]))`
    const [volume, slice] = runPython(peer, script, [JSON.stringify([...mask])]) as [number[], number[]]
    for (const [i, distance] of distanceTransform(mask, dims, spacing).entries()) {
      expect(distance).toBeCloseTo(volume[i] ?? NaN, 9)
    }
    expect([...distanceTransform(mask.subarray(0, 31 * 22), [31, 22])]).toEqual(slice)
  })
})
