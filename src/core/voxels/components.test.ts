import { describe, expect, it } from 'vitest'
import { findPython, runPython } from '../../imaging/testing/peer.ts'
import { componentSizes, connectedComponents, type Connectivity } from './index.ts'
import { scattered, scatteredValues } from './testing/scattered.ts'

const picture = Uint8Array.of(
  ...[1, 1, 0, 0, 2],
  ...[0, 0, 1, 0, 2],
  ...[3, 0, 0, 2, 0],
  ...[3, 3, 2, 0, 1], //
)

describe('connected parts', () => {
  it('of a mask, by edges or by corners', () => {
    const four = connectedComponents(picture, [5, 4], 4)
    expect(four.count).toBe(6)
    expect([...four.ids]).toEqual([1, 1, 0, 0, 2, 0, 0, 3, 0, 2, 4, 0, 0, 5, 0, 4, 4, 4, 0, 6])
    expect([...componentSizes(four)]).toEqual([9, 2, 2, 1, 4, 1, 1])
    expect(connectedComponents(picture, [5, 4], 8).count).toBe(1)
  })
  it('of each value by itself, or of one', () => {
    const apart = connectedComponents(picture, [5, 4], 8, 'values')
    expect([...apart.ids]).toEqual([1, 1, 0, 0, 2, 0, 0, 1, 0, 2, 3, 0, 0, 2, 0, 3, 3, 2, 0, 4])
    const two = connectedComponents(picture, [5, 4], 4, { value: 2 })
    expect([...two.ids]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0])
  })
  it('of values whose runs end together and touch crosswise', () => {
    const crossed = Uint8Array.of(1, 2, 2, 1)
    expect(connectedComponents(crossed, [2, 2], 8, 'values').count).toBe(2)
    expect(connectedComponents(crossed, [2, 2], 4, 'values').count).toBe(4)
  })
  it('of nothing, and of everything', () => {
    expect(connectedComponents(new Uint8Array(8), [2, 2, 2], 6).count).toBe(0)
    expect(connectedComponents(new Uint8Array(8).fill(1), [2, 2, 2], 6).count).toBe(1)
    expect(connectedComponents(new Uint8Array(0), [0, 4], 4).count).toBe(0)
  })
  const peer = findPython(['numpy', 'scipy.ndimage', 'skimage.measure'])
  it.skipIf(!peer.available)(`number as scipy and scikit-image do (${peer.reason || 'here'})`, () => {
    const mask = scattered([23, 19, 9], 3, 0.3)
    const values = scatteredValues([40, 37], 4, [0.3, 0.4, 0.3])
    const script = `
import json, sys
import numpy as np, scipy.ndimage as nd, skimage.measure as sk
mask = np.array(json.loads(sys.argv[1]), np.uint8).reshape(9, 19, 23)
values = np.array(json.loads(sys.argv[2]), np.uint8).reshape(37, 40)
volume = [nd.label(mask, nd.generate_binary_structure(3, c))[0].ravel().tolist() for c in (1, 2, 3)]
slices = [sk.label(values, connectivity=c).ravel().tolist() for c in (1, 2)]
print(json.dumps([volume, slices]))`
    const found = runPython(peer, script, [JSON.stringify([...mask]), JSON.stringify([...values])])
    const [volumes, slices] = found as [number[][], number[][]]
    for (const [at, connectivity] of ([6, 18, 26] as const).entries()) {
      expect([...connectedComponents(mask, [23, 19, 9], connectivity).ids]).toEqual(volumes[at])
    }
    for (const [at, connectivity] of ([4, 8] as Connectivity[]).entries()) {
      expect([...connectedComponents(values, [40, 37], connectivity, 'values').ids]).toEqual(slices[at])
    }
  })
})
